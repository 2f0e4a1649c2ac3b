//! The errors of use cases, in words for the caller.

use std::time::Duration;

use latchkey_domain::{
    Denied, EnvironmentName, InvalidName, PasswordFault, TimestampOutOfRange, UserId, WrongTokenKind,
};
use latchkey_ports::{Entity, HashingError, SealingError, StoreError};

use crate::{
    faults::Fault as _,
    message::{Message, Rule},
};

/// Why a use case failed. In every case, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A client or frontend token was sent where an admin token or a user is needed.
    #[error(transparent)]
    WrongTokenKind(#[from] WrongTokenKind),
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It is not allowed, whatever permissions the caller holds; the message says why.
    #[error("{0}")]
    NotPermitted(Message),
    /// User name and password do not match; the caller is not told which of them is wrong.
    #[error("The provided username and password do not match.")]
    WrongPassword,
    /// Too many failed logins; the next attempt is allowed after that time.
    #[error("Signing in failed too often. Try again in {}.", counted(whole_seconds(*.0), "second"))]
    TooManyAttempts(Duration),
    #[error("The password is not good enough.")]
    WeakPassword(Vec<PasswordFault>),
    /// The request breaks a rule; the message says what to change.
    #[error("{message}")]
    Invalid { field: Option<Field>, message: Message },
    #[error(transparent)]
    NotFound(#[from] Missing),
    #[error("{0} exists already")]
    Exists(Entity),
    /// The project (or the instance) has the maximum number of tokens.
    #[error(
        "there can be no other token here, because limits.api_tokens is {limit}: delete tokens, or raise the limit"
    )]
    LimitReached { limit: u64 },
    /// A concurrent change was faster: for a rotation once, for other changes repeatedly.
    #[error(
        "This was changed by another request at the same time, and your change was not made. Read it again, and retry."
    )]
    Overtaken,
    /// Another request was sent with the key that its caller chose for this one.
    #[error(
        "This Idempotency-Key was sent before, with another body: repeat that request as it was, or choose another key for this \
         one."
    )]
    KeyReused,
    /// The store cannot be reached; a later retry may help.
    #[error("the store is unavailable")]
    Unavailable(#[source] StoreError),
    /// One entry of the list in the request cannot be done, so none was; counted from 0.
    #[error("{error}")]
    Entry { index: usize, error: Box<ServiceError> },
    /// An internal error. Its source is logged and not shown to the caller.
    #[error("something is wrong inside")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A part of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Body(&'static str),
    Query(&'static str),
}

/// Something that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    #[error("No project found with id \"{0}\".")]
    Project(String),
    /// A token, in the place of the request.
    #[error("No such token here.")]
    Token,
    #[error("No user found.")]
    User,
    #[error("No role found.")]
    Role,
    #[error("No group found.")]
    Group,
    #[error("No PAT found.")]
    PersonalToken,
    #[error("Could not find environment with name: {0}")]
    Environment(String),
    #[error("No session found.")]
    Session,
    #[error("No webhook found.")]
    Webhook,
    #[error("No delivery of this event found.")]
    Delivery,
}

/// Returns the duration in seconds, rounded up, for `Retry-After` (RFC 9110, section 10.2.3).
pub fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

/// Returns a number with its noun, which takes an `s` unless the number is one: `1 second`, `2 seconds`.
pub fn counted(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

impl ServiceError {
    /// Returns the error of a member of the body.
    pub(crate) fn field(field: &'static str, message: impl Into<Message>) -> Self {
        Self::Invalid { field: Some(Field::Body(field)), message: message.into() }
    }

    /// Returns the error of a name in the body.
    pub(crate) fn name(field: &'static str, error: &InvalidName) -> Self {
        Self::field(field, error.rule().says(format!("The {error}.")))
    }

    /// Returns the error of a query parameter.
    pub(crate) fn query(parameter: &'static str, message: impl Into<Message>) -> Self {
        Self::Invalid { field: Some(Field::Query(parameter)), message: message.into() }
    }

    /// Converts all entries of a list.
    ///
    /// # Errors
    /// That of the first entry that cannot be converted, with its place.
    pub(crate) fn each<T, U>(
        entries: Vec<T>,
        convert: impl Fn(T) -> Result<U, Self>,
    ) -> Result<Vec<U>, Self> {
        let in_place =
            |(index, entry)| convert(entry).map_err(|error| Self::Entry { index, error: Box::new(error) });
        entries.into_iter().enumerate().map(in_place).collect()
    }

    /// Returns the error that an entry has, or this one.
    pub fn of_any_entry(&self) -> &Self {
        match self {
            Self::Entry { error, .. } => error.of_any_entry(),
            other => other,
        }
    }

    /// Returns the error without the place of the entry, for a request that has one only.
    pub(crate) fn of_the_entry(self) -> Self {
        match self {
            Self::Entry { error, .. } => *error,
            other => other,
        }
    }

    /// Returns the error of a user who is named in the body.
    pub(crate) fn no_user(field: &'static str, id: UserId) -> Self {
        Self::field(field, Rule::named("user-unknown").with("id", id).says(format!("There is no user {id}.")))
    }

    fn unknown_environment(environment: &EnvironmentName) -> Self {
        let text = format!("There is no environment \"{environment}\": create it, or name another.");
        Self::field("environment", Rule::named("environment-unknown").with("name", environment).says(text))
    }
}

/// Maps errors of the store to errors for the caller, in one place.
impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound(Entity::Environment(name)) => Self::unknown_environment(&name),
            StoreError::NotFound(Entity::Project(id)) => Missing::Project(id.to_string()).into(),
            StoreError::NotFound(Entity::Token(_)) => Missing::Token.into(),
            StoreError::NotFound(Entity::User(_)) => Missing::User.into(),
            StoreError::NotFound(Entity::Role(_)) => Missing::Role.into(),
            StoreError::NotFound(Entity::Group(_)) => Missing::Group.into(),
            StoreError::NotFound(Entity::PersonalToken(_)) => Missing::PersonalToken.into(),
            StoreError::NotFound(Entity::Session(_)) => Missing::Session.into(),
            StoreError::NotFound(Entity::Webhook(_)) => Missing::Webhook.into(),
            StoreError::NotFound(Entity::Delivery(_)) => Missing::Delivery.into(),
            StoreError::Stale(_) | StoreError::Conflict(Entity::Answer) => Self::Overtaken,
            StoreError::Conflict(entity) => Self::Exists(entity),
            StoreError::InUse(entity) => Self::Invalid {
                field: None,
                message: Rule::named("in-use")
                    .says(format!("The {entity} is in use: take it from those who have it first.")),
            },
            StoreError::LastAdmin => Self::NotPermitted(
                Rule::named("last-admin")
                    .says("This is the last user with the role Admin: give that role to another user first."),
            ),
            StoreError::LimitReached { limit } => Self::LimitReached { limit },
            error @ StoreError::Unavailable(_) => Self::Unavailable(error),
            error @ (StoreError::Fault(_) | StoreError::Inconsistent(_) | StoreError::NotFound(_)) => {
                Self::Internal(Box::new(error))
            }
        }
    }
}

/// Errors that no request should cause.
macro_rules! internal {
    ($($error:ty),+) => {
        $(impl From<$error> for ServiceError {
            fn from(error: $error) -> Self {
                Self::Internal(Box::new(error))
            }
        })+
    };
}

internal!(HashingError, SealingError, TimestampOutOfRange);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_up() {
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
        assert_eq!(whole_seconds(Duration::from_millis(2_500)), 3);
    }

    #[test]
    fn one_has_no_plural() {
        let texts = [0, 1, 2].map(|count| counted(count, "second"));
        assert_eq!(texts, ["0 seconds", "1 second", "2 seconds"]);
    }
}
