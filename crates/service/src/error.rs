//! Why a use case did not do what it was asked, in words for the caller.

use std::time::Duration;

use latchkey_domain::{Denied, EnvironmentName, PasswordFault, WrongTokenKind};
use latchkey_ports::{Entity, HashingError, SealingError, StoreError};

/// A refusal. Whatever the variant, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A client or frontend token came where an admin token or a user is needed.
    #[error(transparent)]
    WrongTokenKind(#[from] WrongTokenKind),
    /// A permission is missing.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It is not done for anybody, or not for this caller, whatever permissions they hold; the message says why.
    #[error("{0}")]
    NotPermitted(String),
    /// User name and password do not go together; which of them is wrong, the caller is not told.
    #[error("The provided username and password do not match.")]
    WrongPassword,
    /// Signing in failed too often; after that time it may be tried again.
    #[error("Signing in failed too often. Try again in {} seconds.", whole_seconds(*.0))]
    TooManyAttempts(Duration),
    /// The password is not good enough; every reason is there.
    #[error("The password is not good enough.")]
    WeakPassword(Vec<PasswordFault>),
    /// What was sent breaks a rule; the message says what to change.
    #[error("{message}")]
    Invalid {
        /// What is at fault, where it is one thing.
        field: Option<Field>,
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
    /// Somebody else was faster, with a rotation once, with other changes again and again (decision 8).
    #[error(
        "Somebody else changed this at the same moment, and your change was not made. Look at what it is now, and try \
         again."
    )]
    Overtaken,
    /// The store cannot be reached; trying again later may help.
    #[error("the store is unavailable")]
    Unavailable(#[source] StoreError),
    /// Something is wrong inside. The source goes to the log and to nobody else.
    #[error("something is wrong inside")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A part of what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// A member of the body.
    Body(&'static str),
    /// A parameter of the query.
    Query(&'static str),
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
    /// A personal access token, among the user's own.
    #[error("No PAT found.")]
    PersonalToken,
    /// An environment of this name.
    #[error("Could not find environment with name: {0}")]
    Environment(String),
    /// A session, among the user's own.
    #[error("No session found.")]
    Session,
}

/// Seconds, a part of one counted as a whole one (RFC 9110, section 10.2.3 knows no parts).
#[must_use]
pub fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

impl ServiceError {
    /// A rule broken in one member of the body.
    pub(crate) fn field(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { field: Some(Field::Body(field)), message: message.into() }
    }

    /// A rule broken in one parameter of the query.
    pub(crate) fn query(parameter: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { field: Some(Field::Query(parameter)), message: message.into() }
    }

    fn unknown_environment(environment: &EnvironmentName) -> Self {
        Self::field(
            "environment",
            format!("There is no environment \"{environment}\": create it, or name another."),
        )
    }
}

/// The one place where a store's failure gets its meaning for a caller.
impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(Entity::Environment(name)) => Self::unknown_environment(&name),
            StoreError::NotFound(Entity::Project(id)) => Missing::Project(id.to_string()).into(),
            StoreError::NotFound(Entity::Token(_)) => Missing::Token.into(),
            StoreError::NotFound(Entity::User(_)) => Missing::User.into(),
            StoreError::NotFound(Entity::Role(_)) => Missing::Role.into(),
            StoreError::NotFound(Entity::PersonalToken(_)) => Missing::PersonalToken.into(),
            StoreError::NotFound(Entity::Session(_)) => Missing::Session.into(),
            StoreError::Conflict(entity) => Self::Exists(entity),
            StoreError::InUse(entity) => Self::Invalid {
                field: None,
                message: format!("The {entity} is in use: take it from those who have it first."),
            },
            StoreError::LastAdmin => Self::NotPermitted(
                "This is the last user with the role Admin: give that role to somebody else first."
                    .to_owned(),
            ),
            StoreError::LimitReached { limit } => Self::LimitReached { limit },
            StoreError::Stale(_) => Self::Overtaken,
            error @ StoreError::Unavailable(_) => Self::Unavailable(error),
            error @ (StoreError::Fault(_) | StoreError::Inconsistent(_) | StoreError::NotFound(_)) => {
                Self::Internal(Box::new(error))
            }
        }
    }
}

impl From<HashingError> for ServiceError {
    fn from(error: HashingError) -> Self {
        Self::Internal(Box::new(error))
    }
}

impl From<SealingError> for ServiceError {
    fn from(error: SealingError) -> Self {
        Self::Internal(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_second_is_a_whole_one() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
        assert_eq!(whole_seconds(Duration::from_millis(2_500)), 3);
    }
}
