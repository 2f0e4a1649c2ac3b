//! When a new token ends.

use latchkey_domain::{Policy, Timestamp};

/// What a request says about the end of a new token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenEnd {
    /// Nothing: it ends after the default lifetime of the policy, or never if that has none.
    #[default]
    ByPolicy,
    Never,
    /// A moment in the past makes an expired token.
    At(Timestamp),
}

impl TokenEnd {
    /// Returns the end, as far as the request says it; `None` = never.
    pub fn moment(self) -> Option<Timestamp> {
        match self {
            Self::ByPolicy | Self::Never => None,
            Self::At(end) => Some(end),
        }
    }

    /// Returns the end under a policy, of a token that is created at that moment.
    pub(crate) fn under(self, policy: Policy, created_at: Timestamp) -> Self {
        match self {
            Self::ByPolicy => policy.default_expiry(created_at).into(),
            said => said,
        }
    }
}

/// `None`: the request does not say it.
impl From<Option<Timestamp>> for TokenEnd {
    fn from(end: Option<Timestamp>) -> Self {
        end.map_or(Self::ByPolicy, Self::At)
    }
}
