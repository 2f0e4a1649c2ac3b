//! The marks of states, as the macro `state` of the templates shows them.

use latchkey_domain::DeliveryState;

/// A state with the mark and the colour that it has.
pub(super) struct Mark {
    class: &'static str,
    key: String,
}

impl Mark {
    /// Returns the mark of a webhook.
    pub(super) fn of_webhook(enabled: bool) -> Self {
        let class = if enabled { "active" } else { "disabled" };
        Self { class, key: format!("state-{class}") }
    }

    /// Returns the mark of a delivery.
    pub(super) fn of_delivery(state: DeliveryState) -> Self {
        let class = match state {
            DeliveryState::Waiting => "expiring",
            DeliveryState::Delivered => "active",
            DeliveryState::Failed => "expired",
        };
        Self { class, key: format!("state-{state}") }
    }

    /// Returns the class of the mark.
    pub(super) fn as_str(&self) -> &'static str {
        self.class
    }

    /// Returns the key of its name.
    pub(super) fn key(&self) -> &String {
        &self.key
    }
}
