//! Why tokens are refused.

named_enum! {
    /// Why a token is refused, as answers of verification and metrics name it. In the order in which the reasons are looked for: a
    /// token that is both expired and of another project is `expired`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Reason {
        /// There is no such token, or no longer.
        Unknown = "unknown",
        /// The token, or the secret that a rotation replaced, has ended.
        Expired = "expired",
        /// The token was disabled.
        Disabled = "disabled",
        /// The token is bound to other networks.
        Network = "network",
        /// The token is of another type than is needed, or no API token.
        WrongType = "wrong_type",
        /// The token does not work in the project.
        WrongProject = "wrong_project",
        /// The token does not work in the environment.
        WrongEnvironment = "wrong_environment",
        /// The token lacks a scope.
        MissingScope = "missing_scope",
        /// The token was used as often in this window as its rate limit allows.
        RateLimited = "rate_limited",
        /// The token was used as often as it may be.
        NoUsesLeft = "no_uses_left",
    }
    else UnknownReason: |text: &str| UnknownReason(text.to_owned())
}

/// A text is not the name of a reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no reason for which tokens are refused")]
pub struct UnknownReason(String);
