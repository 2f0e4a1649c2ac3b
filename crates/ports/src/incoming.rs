//! What another system has, as values of the domain, and what became of each of its rows.
//!
//! An adapter for that system reads it and decides about everything that the domain cannot hold; each such decision is a
//! [`Finding`]. Entries refer to each other by name, because names are all that two systems have in common.

use std::fmt;

use latchkey_domain::{
    AccountKind, Description, Environment, EnvironmentName, GroupDescription, GroupName, NewEvent, NewRole,
    PasswordHash, PersonName, Project, ProjectId, RoleName, SsoGroupName, Timestamp, TokenAccess, TokenName,
    TokenSecret, TokenSelector, UserIdentity,
};

use crate::{ForeignDigest, SecretDigest, SecretRecord, SecretSealer};

/// Everything of another system but its API tokens and its events, of which there may be too many for memory.
#[derive(Debug, Clone, Default)]
pub struct Incoming {
    pub environments: Vec<Environment>,
    /// Each with its environments.
    pub projects: Vec<(Project, Vec<EnvironmentName>)>,
    /// Custom roles; none has the name of a built-in one.
    pub roles: Vec<NewRole>,
    /// No two have a login name in common.
    pub users: Vec<IncomingUser>,
    /// No two have a name in common.
    pub groups: Vec<IncomingGroup>,
}

/// A user or service account of another system.
#[derive(Debug, Clone)]
pub struct IncomingUser {
    pub identity: UserIdentity,
    pub name: Option<PersonName>,
    pub kind: AccountKind,
    /// A built-in role of the instance, or one of [`Incoming::roles`].
    pub root_role: RoleName,
    pub created_at: Timestamp,
    pub last_seen_at: Option<Timestamp>,
    pub password: Option<PasswordHash>,
    pub memberships: Vec<IncomingMembership>,
    pub personal_tokens: Vec<IncomingPersonalToken>,
}

/// A group of another system.
#[derive(Debug, Clone)]
pub struct IncomingGroup {
    pub name: GroupName,
    pub description: GroupDescription,
    pub sso_groups: Vec<SsoGroupName>,
    /// A built-in role of the instance, or one of [`Incoming::roles`].
    pub root_role: Option<RoleName>,
    pub created_at: Timestamp,
    /// Each is one of [`Incoming::users`], with the time since when it is a member.
    pub members: Vec<(UserIdentity, Timestamp)>,
    pub memberships: Vec<IncomingMembership>,
}

/// A role in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingMembership {
    /// One of [`Incoming::projects`].
    pub project: ProjectId,
    /// A built-in role of projects, or one of [`Incoming::roles`].
    pub role: RoleName,
    pub added_at: Timestamp,
}

/// What is known of a secret of another system.
#[derive(Debug, Clone)]
pub enum IncomingSecret {
    Plain(TokenSecret),
    /// Its SHA-256, and the selector of an API token in the second form of Unleash.
    Sha256 {
        digest: ForeignDigest,
        selector: Option<TokenSelector>,
    },
}

impl IncomingSecret {
    /// Returns the selector of an API token with this secret, if it has one.
    pub fn selector(&self) -> Option<TokenSelector> {
        match self {
            Self::Plain(secret) => secret.selector(),
            Self::Sha256 { selector, .. } => selector.clone(),
        }
    }

    /// Returns every digest that a record of this secret may have, as far as it is known; never empty.
    pub fn digests(&self, sealer: &dyn SecretSealer) -> Vec<SecretDigest> {
        match self {
            Self::Plain(secret) => sealer.digests(secret),
            Self::Sha256 { digest, .. } => sealer.foreign_digests(digest),
        }
    }

    /// Returns the record of this secret as one that cannot be shown again. Its digest is the first of
    /// [`IncomingSecret::digests`].
    pub fn record(&self, sealer: &dyn SecretSealer) -> SecretRecord {
        match self {
            Self::Plain(secret) => sealer.record(secret),
            Self::Sha256 { digest, .. } => sealer.foreign_record(digest),
        }
    }
}

/// A personal access token of another system.
#[derive(Debug, Clone)]
pub struct IncomingPersonalToken {
    pub secret: IncomingSecret,
    /// Unique among those of its user.
    pub description: Description,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// An API token of another system.
#[derive(Debug, Clone)]
pub struct IncomingToken {
    pub secret: IncomingSecret,
    /// By which it authenticates too.
    pub alias: Option<TokenSecret>,
    pub name: TokenName,
    pub access: TokenAccess,
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    /// The name of the user who created it, for the audit trail.
    pub created_by: Option<String>,
}

/// An event of another system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingEvent {
    /// Its number there.
    pub number: i64,
    /// By an actor who is known by a name alone.
    pub record: NewEvent,
    /// Whether that is the login name of a user there, who may be a user here.
    pub is_by_user: bool,
}

impl IncomingEvent {
    /// Returns what an operator finds it by.
    pub fn label(&self) -> String {
        format!("{} {}", self.number, self.record.kind)
    }
}

/// What became of a row of another system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub kind: RowKind,
    /// What an operator finds it by; never a secret.
    pub name: String,
    pub outcome: Outcome,
    /// Why, and what to do; empty for a row that came as it is.
    pub why: String,
}

impl Finding {
    /// Returns the finding that a row came as it is.
    pub fn came(kind: RowKind, name: impl fmt::Display) -> Self {
        Self::new(kind, name, Outcome::Came, "")
    }

    /// Returns the finding that a row came and is not quite what it was.
    pub fn changed(kind: RowKind, name: impl fmt::Display, why: impl Into<String>) -> Self {
        Self::new(kind, name, Outcome::Changed, why)
    }

    /// Returns the finding that a row did not come.
    pub fn left_out(kind: RowKind, name: impl fmt::Display, why: impl Into<String>) -> Self {
        Self::new(kind, name, Outcome::LeftOut, why)
    }

    /// Returns the finding that a row was here before, and stayed as it is here. `why` says how it differs, if it does.
    pub fn present(kind: RowKind, name: impl fmt::Display, why: impl Into<String>) -> Self {
        Self::new(kind, name, Outcome::Present, why)
    }

    fn new(kind: RowKind, name: impl fmt::Display, outcome: Outcome, why: impl Into<String>) -> Self {
        Self { kind, name: name.to_string(), outcome, why: why.into() }
    }
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Came,
    /// Something about it differs from what it was; the row itself is counted as [`Outcome::Came`] or
    /// [`Outcome::Present`] besides.
    Changed,
    Present,
    LeftOut,
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    Environment,
    Project,
    Role,
    User,
    ServiceAccount,
    Group,
    Membership,
    PersonalToken,
    Token,
    Alias,
    Setting,
    Event,
}

impl From<AccountKind> for RowKind {
    fn from(kind: AccountKind) -> Self {
        match kind {
            AccountKind::Person => Self::User,
            AccountKind::Service => Self::ServiceAccount,
        }
    }
}

impl RowKind {
    /// Returns the name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Project => "project",
            Self::Role => "role",
            Self::User => "user",
            Self::ServiceAccount => "service account",
            Self::Group => "group",
            Self::Membership => "membership",
            Self::PersonalToken => "personal token",
            Self::Token => "API token",
            Self::Alias => "alias",
            Self::Setting => "setting",
            Self::Event => "event",
        }
    }
}

impl Outcome {
    /// Returns the name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Came => "came",
            Self::Changed => "changed",
            Self::Present => "present",
            Self::LeftOut => "left out",
        }
    }
}
