//! The errors of a store.

use std::fmt;

use latchkey_domain::{
    DeliveryId, EnvironmentName, GroupId, PersonalTokenId, ProjectId, RoleId, SessionId, TokenId, UserId,
    WebhookId,
};

/// Why a call to a store failed. In every case, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{0} does not exist")]
    NotFound(Entity),
    #[error("{0} exists already")]
    Conflict(Entity),
    /// The stored state is not the one that the caller saw: another change was faster. Reading it again may help.
    #[error("{0} was changed by another request in the meantime")]
    Stale(Entity),
    #[error("{0} is in use")]
    InUse(Entity),
    /// No person with the role Admin would be left.
    #[error("the last Admin has to stay")]
    LastAdmin,
    #[error("the limit of {limit} is reached")]
    LimitReached { limit: u64 },
    /// The store cannot be reached, or did not answer in time. A later retry may help.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store refused, and will refuse again until an operator acts: a missing privilege, table or column, or a
    /// violated constraint.
    #[error("the store is at fault")]
    Fault(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store holds a value that breaks a rule of the domain.
    #[error(transparent)]
    Inconsistent(#[from] Inconsistency),
}

impl StoreError {
    /// Returns the name of the variant, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Conflict(_) => "conflict",
            Self::Stale(_) => "stale",
            Self::InUse(_) => "in_use",
            Self::LastAdmin => "last_admin",
            Self::LimitReached { .. } => "limit_reached",
            Self::Unavailable(_) => "unavailable",
            Self::Fault(_) => "fault",
            Self::Inconsistent(_) => "inconsistent",
        }
    }

    /// Checks that the stored value is the one that the caller saw, before it is replaced.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is none; [`StoreError::Stale`] if it is another.
    pub fn check_unchanged<T: PartialEq>(kept: Option<&T>, seen: &T, entity: Entity) -> Result<(), Self> {
        match kept {
            None => Err(Self::NotFound(entity)),
            Some(kept) if kept != seen => Err(Self::Stale(entity)),
            Some(_) => Ok(()),
        }
    }

    /// Checks that there is room for one more.
    ///
    /// # Errors
    /// [`StoreError::LimitReached`].
    pub fn check_limit(held: u64, limit: u64) -> Result<(), Self> {
        if held < limit { Ok(()) } else { Err(Self::LimitReached { limit }) }
    }
}

/// The subject of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entity {
    Token(TokenId),
    /// A secret, which is not named.
    Secret,
    Project(ProjectId),
    Environment(EnvironmentName),
    User(UserId),
    UserIdentity,
    Role(RoleId),
    PersonalToken(PersonalTokenId),
    /// The description of a personal access token, unique among its user's.
    PersonalTokenDescription,
    /// A role that a user or a group holds in a project.
    Membership,
    /// A role's name, unique among all.
    RoleName,
    Group(GroupId),
    /// A group's name, unique among all.
    GroupName,
    Session(SessionId),
    /// The answer to a request that was carried out already.
    Answer,
    Webhook(WebhookId),
    /// What is sent to a webhook.
    Delivery(DeliveryId),
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(id) => write!(f, "token {id}"),
            Self::Secret => f.write_str("the secret"),
            Self::Project(id) => write!(f, "project \"{id}\""),
            Self::Environment(name) => write!(f, "environment \"{name}\""),
            Self::User(id) => write!(f, "user {id}"),
            Self::UserIdentity => f.write_str("a user of this name or e-mail address"),
            Self::Role(id) => write!(f, "role {id}"),
            Self::PersonalToken(id) => write!(f, "personal access token {id}"),
            Self::PersonalTokenDescription => f.write_str("a personal access token of this description"),
            Self::Membership => f.write_str("this role in this project"),
            Self::RoleName => f.write_str("a role of this name"),
            Self::Group(id) => write!(f, "group {id}"),
            Self::GroupName => f.write_str("a group of this name"),
            Self::Session(id) => write!(f, "session {id}"),
            Self::Answer => f.write_str("the answer to this request"),
            Self::Webhook(id) => write!(f, "webhook {id}"),
            Self::Delivery(DeliveryId { webhook, event }) => {
                write!(f, "the delivery of event {} to webhook {webhook}", event.0)
            }
        }
    }
}

/// A row that breaks a rule of the domain: it was written by another program, or by a version with other rules. Named
/// precisely enough for an operator to find it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("table {table}, column {column}, row {row}: {fault}")]
pub struct Inconsistency {
    pub table: &'static str,
    pub column: &'static str,
    pub row: String,
    pub fault: String,
}
