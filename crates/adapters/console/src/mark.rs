//! The marks of states, as the macro `state` of the templates shows them.

use latchkey_domain::{DeliveryState, TokenStatus};

/// A state with the mark and the colour that it has.
pub(crate) struct Mark {
    class: &'static str,
    key: String,
}

impl Mark {
    /// Returns the mark of what is switched on or off.
    pub(crate) fn of_switch(enabled: bool) -> Self {
        let class = if enabled { "active" } else { "disabled" };
        Self { class, key: format!("state-{class}") }
    }

    /// Returns the mark of a token.
    pub(crate) fn of_token(status: TokenStatus) -> Self {
        Self { class: status.as_str(), key: format!("state-{status}") }
    }

    /// Returns the mark of a delivery.
    pub(crate) fn of_delivery(state: DeliveryState) -> Self {
        let class = match state {
            DeliveryState::Waiting => "expiring",
            DeliveryState::Delivered => "active",
            DeliveryState::Failed => "expired",
        };
        Self { class, key: format!("state-{state}") }
    }

    /// Returns the class of the mark.
    pub(crate) fn as_str(&self) -> &'static str {
        self.class
    }

    /// Returns the key of its name.
    pub(crate) fn key(&self) -> &String {
        &self.key
    }
}
