//! The audit trail: one event per change, never with a secret.

use std::{fmt, net::IpAddr, str::FromStr};

use crate::{EnvironmentName, ProjectScope, Snapshot, Timestamp, TokenId, UserId};

/// The number of an event: rising, in the order in which changes were committed. An integer on the wire.
///
/// The numbers of an instance begin with 1. Below are events that were imported from another system: they come before all of
/// the instance, in their own order, and the change feed, which has the numbers above 0, has none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventId(pub i64);

impl EventId {
    /// How far below its number in the other system an imported event has its own: farther than any system has counted, and
    /// within what a double can hold, as which JavaScript reads numbers.
    const IMPORTED: i64 = 1 << 40;

    /// Returns the number here of an event with this number in another system, where numbers begin with 1; `None` for a number
    /// that has no place below those of the instance.
    pub fn imported(number: i64) -> Option<Self> {
        (1..Self::IMPORTED).contains(&number).then(|| Self(number - Self::IMPORTED))
    }

    /// Whether the event was imported from another system.
    pub fn is_imported(self) -> bool {
        self.0 < 0
    }
}

named_enum! {
    /// What happened.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum EventKind {
        ApiTokenCreated = "api-token-created",
        ApiTokenUpdated = "api-token-updated",
        ApiTokenRotated = "api-token-rotated",
        /// The new secret of an API token was used, so the one before it ends earlier than with the overlap.
        ApiTokenRotationEnded = "api-token-rotation-ended",
        ApiTokenDeleted = "api-token-deleted",
        /// The secret of an API token was found where it does not belong. No change: the token may be revoked next.
        ApiTokenLeaked = "api-token-leaked",
        /// A notice, no change: an API token ends soon, or has ended.
        ApiTokenExpiring = "api-token-expiring",
        /// A notice, no change: an API token has ended, and clients still use it.
        ApiTokenExpiredInUse = "api-token-expired-in-use",
        /// A notice, no change: an API token was not used for a while.
        ApiTokenUnused = "api-token-unused",
        /// A notice, no change: an API token breaks a rule of its policy.
        ApiTokenPolicyViolated = "api-token-policy-violated",
        /// A notice, no change: the secret of an API token is to be rotated.
        ApiTokenRotationDue = "api-token-rotation-due",
        /// API tokens of another system were added, at most [`crate::Snapshot::MAX_IMPORTED_TOKENS`] of them.
        ApiTokensImported = "api-tokens-imported",
        /// A personal access token was issued, to a user or a service account.
        PersonalTokenCreated = "pat-created",
        PersonalTokenDeleted = "pat-deleted",
        /// As [`EventKind::ApiTokenLeaked`], of a personal access token.
        PersonalTokenLeaked = "pat-leaked",
        UserCreated = "user-created",
        /// A user's name, address or root role changed.
        UserUpdated = "user-updated",
        /// A user was deleted, with all tokens, sessions and roles.
        UserDeleted = "user-deleted",
        PasswordChanged = "user-password-changed",
        ServiceAccountCreated = "service-account-created",
        ServiceAccountUpdated = "service-account-updated",
        /// A service account was deleted, with all tokens and roles.
        ServiceAccountDeleted = "service-account-deleted",
        SessionStarted = "session-started",
        /// A user signed out, or a session was ended for them.
        SessionEnded = "session-ended",
        RoleCreated = "role-created",
        RoleUpdated = "role-updated",
        RoleDeleted = "role-deleted",
        GroupCreated = "group-created",
        /// A group's name, description, root role, members or single sign-on groups changed.
        GroupUpdated = "group-updated",
        /// A group was deleted, with all its roles.
        GroupDeleted = "group-deleted",
        ProjectCreated = "project-created",
        ProjectUpdated = "project-updated",
        /// The policy of a project changed: what its tokens must be like.
        ProjectPolicyUpdated = "project-policy-updated",
        ProjectArchived = "project-archived",
        ProjectRevived = "project-revived",
        ProjectDeleted = "project-deleted",
        ProjectAccessAdded = "project-access-added",
        ProjectAccessUpdated = "project-access-user-roles-updated",
        ProjectAccessRemoved = "project-access-user-roles-deleted",
        ProjectGroupAccessUpdated = "project-access-group-roles-updated",
        ProjectGroupAccessRemoved = "project-access-group-roles-deleted",
        /// All members of a project were replaced by others.
        ProjectAccessReplaced = "project-access-updated",
        ProjectEnvironmentAdded = "project-environment-added",
        ProjectEnvironmentRemoved = "project-environment-removed",
        EnvironmentCreated = "environment-created",
        /// An environment's type, place in lists or state changed.
        EnvironmentUpdated = "environment-updated",
        EnvironmentsSorted = "environments-sorted",
        EnvironmentDeleted = "environment-deleted",
        WebhookCreated = "webhook-created",
        /// A webhook's URL, events, projects, template or state changed.
        WebhookUpdated = "webhook-updated",
        WebhookDeleted = "webhook-deleted",
    } else UnknownEventKind: |text: &str| UnknownEventKind(text.to_owned())
}

/// The text is not the name of an event kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no event type {0:?}")]
pub struct UnknownEventKind(pub String);

/// The originator of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    User {
        id: UserId,
        /// E-mail address or user name, as it was then.
        name: String,
    },
    AdminToken {
        name: String,
    },
    /// Latchkey itself: its start-up, its command line.
    System,
    /// Someone or something in another system, from which the event was imported.
    Elsewhere {
        name: String,
    },
}

impl Actor {
    const ADMIN_TOKEN_ID: i64 = -42;
    const SYSTEM_ID: i64 = -1337;
    const SYSTEM_NAME: &str = "latchkey_system_user";

    /// Returns `createdBy` of the wire.
    pub fn name(&self) -> &str {
        match self {
            Self::User { name, .. } | Self::AdminToken { name } | Self::Elsewhere { name } => name,
            Self::System => Self::SYSTEM_NAME,
        }
    }

    /// Returns `createdByUserId` of the wire: the user's id, or Unleash's number for an actor that is not a user.
    pub fn user_id(&self) -> i64 {
        match self {
            Self::User { id, .. } => id.0,
            Self::AdminToken { .. } => Self::ADMIN_TOKEN_ID,
            Self::System | Self::Elsewhere { .. } => Self::SYSTEM_ID,
        }
    }

    /// Returns the actor of a stored name and number.
    pub fn from_record(name: String, user_id: i64) -> Self {
        match user_id {
            Self::ADMIN_TOKEN_ID => Self::AdminToken { name },
            Self::SYSTEM_ID if name == Self::SYSTEM_NAME => Self::System,
            Self::SYSTEM_ID => Self::Elsewhere { name },
            id => Self::User { id: UserId(id), name },
        }
    }
}

/// Where a change was requested from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The client's address; `None` for the command line and start-up.
    pub address: Option<IpAddr>,
    /// What the client calls itself, at most [`Origin::MAX_USER_AGENT`] characters.
    pub user_agent: Option<String>,
}

impl Origin {
    /// The maximum length of a stored user agent, in characters.
    pub const MAX_USER_AGENT: usize = 255;

    /// Returns an origin with the user agent cut to its maximum length and without control characters.
    pub fn new(address: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let kept = |text: &str| text.chars().filter(|c| !c.is_control()).take(Self::MAX_USER_AGENT).collect();
        Self { address, user_agent: user_agent.map(kept) }
    }
}

/// The entity that an event is about, as far as caches are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Token(TokenId),
}

/// The text names no subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no event is about {0:?}")]
pub struct UnknownSubject(pub String);

impl Subject {
    const TOKEN: &str = "token:";
}

/// The form that stores keep.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(id) => write!(f, "{}{id}", Self::TOKEN),
        }
    }
}

impl FromStr for Subject {
    type Err = UnknownSubject;

    fn from_str(text: &str) -> Result<Self, UnknownSubject> {
        let id = text.strip_prefix(Self::TOKEN).and_then(TokenId::parse);
        id.map(Self::Token).ok_or_else(|| UnknownSubject(text.to_owned()))
    }
}

/// An event to be recorded together with its change; the store assigns the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    pub kind: EventKind,
    pub actor: Actor,
    pub origin: Origin,
    pub at: Timestamp,
    /// The projects it concerns, under each of which it is listed; `None` if it concerns none.
    pub projects: Option<ProjectScope>,
    pub environment: Option<EnvironmentName>,
    /// The entity that it is about; `None` if it is about another kind of entity, and for events of older versions.
    pub subject: Option<Subject>,
    /// What was there before (`preData` on the wire).
    pub before: Option<Snapshot>,
    /// What is there now (`data` on the wire).
    pub after: Option<Snapshot>,
}

impl NewEvent {
    /// Returns an event of that kind without places and without a state before and after.
    pub fn new(kind: EventKind, actor: Actor, origin: Origin, at: Timestamp) -> Self {
        Self {
            kind,
            actor,
            origin,
            at,
            projects: None,
            environment: None,
            subject: None,
            before: None,
            after: None,
        }
    }

    /// Returns the event with the state before the change.
    #[must_use]
    pub fn with_before(self, state: impl Into<Snapshot>) -> Self {
        Self { before: Some(state.into()), ..self }
    }

    /// Returns the event with the state after the change.
    #[must_use]
    pub fn with_after(self, state: impl Into<Snapshot>) -> Self {
        Self { after: Some(state.into()), ..self }
    }

    /// Returns what the event says of its subject: what is there now, or what was there before a removal.
    pub fn said(&self) -> Option<&Snapshot> {
        self.after.as_ref().or(self.before.as_ref())
    }

    /// Returns the event with the id that the store assigned, as member `id` of the state after the change. Every store
    /// calls this before it records the creation of something to which it assigns an id.
    #[must_use]
    pub fn with_assigned_id(mut self, id: i64) -> Self {
        self.after = self.after.map(|after| after.with_id(id));
        self
    }
}

/// An event of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub id: EventId,
    pub record: NewEvent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actors_have_the_numbers_of_unleash() {
        for actor in [
            Actor::System,
            Actor::AdminToken { name: "ci".to_owned() },
            Actor::User { id: UserId(7), name: "ed@example.com".to_owned() },
            Actor::Elsewhere { name: "unleash_system_user".to_owned() },
        ] {
            assert_eq!(Actor::from_record(actor.name().to_owned(), actor.user_id()), actor);
        }
        assert_eq!(Actor::System.user_id(), -1337);
    }

    #[test]
    fn imported_events_come_before_all_others_in_their_order() {
        let ids = [1, 2, i64::from(i32::MAX), (1 << 40) - 1]
            .map(|number| EventId::imported(number).expect("an id"));
        assert!(ids.is_sorted() && ids.iter().all(|id| id.is_imported() && *id < EventId(0)));
        assert!(ids.iter().all(|id| id.0.unsigned_abs() < 1 << 53), "exact in JavaScript");
        for number in [i64::MIN, -1, 0, 1 << 40, i64::MAX] {
            assert_eq!(EventId::imported(number), None, "{number}");
        }
        assert!(!EventId(1).is_imported());
    }

    #[test]
    fn kinds_are_read_back() {
        for kind in EventKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        assert!("nope".parse::<EventKind>().is_err());
    }

    #[test]
    fn subjects_are_read_back() {
        let at = Timestamp::from_millis(5).expect("in range");
        let subject = Subject::Token(TokenId::new(at, [7; 10]));
        assert_eq!(subject.to_string().parse(), Ok(subject));
        for text in ["", "token:", "token", "user:5"] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_user_agent_is_cut_and_cleaned() {
        let origin = Origin::new(None, Some(&format!("a\n{}", "é".repeat(300))));
        let kept = origin.user_agent.expect("kept");
        assert_eq!(kept.chars().count(), 255);
        assert!(kept.starts_with("aé"));
    }
}
