//! Why a use case did not do what it was asked, in words for the caller.

use latchkey_domain::{Denied, EnvironmentName, WrongTokenKind};
use latchkey_ports::{Entity, SealingError, StoreError};

/// A refusal. Whatever the variant, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A client or frontend token came where an admin token or a user is needed.
    #[error(transparent)]
    WrongTokenKind(#[from] WrongTokenKind),
    /// A permission is missing.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// What was sent breaks a rule; the message says what to change.
    #[error("{message}")]
    Invalid {
        /// The member of the body that is at fault, where it is one.
        field: Option<&'static str>,
        /// What to change.
        message: String,
    },
    /// Something named is not there.
    #[error(transparent)]
    NotFound(#[from] Missing),
    /// Something that has to be unique is there already.
    #[error("{0} exists already")]
    Exists(Entity),
    /// The project (or the instance) holds as many tokens as it may.
    #[error(
        "there are {limit} tokens here already, which is the limit: delete some, or raise limits.api_tokens"
    )]
    LimitReached {
        /// How many it may hold.
        limit: u64,
    },
    /// The store cannot be reached; trying again later may help.
    #[error("the store is unavailable")]
    Unavailable(#[source] StoreError),
    /// Something is wrong inside. The source goes to the log and to nobody else.
    #[error("something is wrong inside")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// A project of this id.
    #[error("No project found with id \"{0}\".")]
    Project(String),
    /// A token, in the place where it was looked for.
    #[error("No such token here.")]
    Token,
    /// A user.
    #[error("No user found.")]
    User,
    /// A role.
    #[error("No role found.")]
    Role,
}

impl Refusal {
    /// A rule broken in one member of the body.
    pub(crate) fn field(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { field: Some(field), message: message.into() }
    }

    fn unknown_environment(environment: &EnvironmentName) -> Self {
        Self::field(
            "environment",
            format!("There is no environment \"{environment}\": create it, or name another."),
        )
    }
}

/// The one place where a store's failure gets its meaning for a caller.
impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(Entity::Environment(name)) => Self::unknown_environment(&name),
            StoreError::NotFound(Entity::Project(id)) => Missing::Project(id.to_string()).into(),
            StoreError::NotFound(Entity::Token(_)) => Missing::Token.into(),
            StoreError::NotFound(Entity::User(_)) => Missing::User.into(),
            StoreError::NotFound(Entity::Role(_)) => Missing::Role.into(),
            StoreError::Conflict(entity) => Self::Exists(entity),
            StoreError::LimitReached { limit } => Self::LimitReached { limit },
            error @ StoreError::Unavailable(_) => Self::Unavailable(error),
            error @ (StoreError::Inconsistent(_) | StoreError::NotFound(_)) => {
                Self::Internal(Box::new(error))
            }
        }
    }
}

impl From<SealingError> for Refusal {
    fn from(error: SealingError) -> Self {
        Self::Internal(Box::new(error))
    }
}
