//! How a store fails.

use std::fmt;

use latchkey_domain::{EnvironmentName, PersonalTokenId, ProjectId, RoleId, SessionId, TokenId, UserId};

/// Why a store did not do what it was asked. Whatever the variant, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Something that the call names is not there.
    #[error("{0} does not exist")]
    NotFound(Entity),
    /// Something that has to be unique is there already.
    #[error("{0} exists already")]
    Conflict(Entity),
    /// What is kept is not what the caller saw any more: somebody else was faster. To look again may help.
    #[error("{0} was changed by somebody else meanwhile")]
    Stale(Entity),
    /// Something still needs it.
    #[error("{0} is in use")]
    InUse(Entity),
    /// Nobody would be left who is an Admin and a person.
    #[error("the last Admin has to stay")]
    LastAdmin,
    /// The place, or the user, holds as many tokens as it may.
    #[error("the limit of {limit} is reached")]
    LimitReached {
        /// How many it may hold.
        limit: u64,
    },
    /// The store cannot be reached, or did not answer in time. Trying again later may help.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store refused, and will refuse again until an operator acts: a missing privilege, table or column, or a
    /// violated constraint.
    #[error("the store is at fault")]
    Fault(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store holds something that breaks a rule of the domain.
    #[error(transparent)]
    Inconsistent(#[from] Inconsistency),
}

impl StoreError {
    /// Whether what is kept is what the caller saw, before something else is put in its place (decision 8).
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where nothing is kept; [`StoreError::Stale`] where it is something else.
    pub fn unless_kept<T: PartialEq>(kept: Option<&T>, seen: &T, entity: Entity) -> Result<(), Self> {
        match kept {
            None => Err(Self::NotFound(entity)),
            Some(kept) if kept != seen => Err(Self::Stale(entity)),
            Some(_) => Ok(()),
        }
    }

    /// Whether there is room for one more beside so many.
    ///
    /// # Errors
    /// [`StoreError::LimitReached`].
    pub fn unless_full(held: u64, limit: u64) -> Result<(), Self> {
        if held < limit { Ok(()) } else { Err(Self::LimitReached { limit }) }
    }
}

/// What an error is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entity {
    /// An API token.
    Token(TokenId),
    /// A secret (which one, nobody says).
    Secret,
    /// A project.
    Project(ProjectId),
    /// An environment.
    Environment(EnvironmentName),
    /// A user by id.
    User(UserId),
    /// A user's name or e-mail address.
    UserIdentity,
    /// A role.
    Role(RoleId),
    /// A personal access token.
    PersonalToken(PersonalTokenId),
    /// The description of a personal access token, unique among its user's.
    PersonalTokenDescription,
    /// A role that a user holds in a project.
    Membership,
    /// A role's name, unique among all.
    RoleName,
    /// A session.
    Session(SessionId),
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
            Self::Membership => f.write_str("this role of this user in this project"),
            Self::RoleName => f.write_str("a role of this name"),
            Self::Session(id) => write!(f, "session {id}"),
        }
    }
}

/// A row that breaks a rule of the domain: somebody wrote to the database behind the program's back, or an
/// older version knew other rules. Named so exactly that an operator can go and look.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("table {table}, column {column}, row {row}: {fault}")]
pub struct Inconsistency {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's key.
    pub row: String,
    /// The rule that is broken.
    pub fault: String,
}
