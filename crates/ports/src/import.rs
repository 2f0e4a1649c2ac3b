//! Adding what another system has to a store, all of it or nothing.
//!
//! The values of an [`Import`] are new: the caller has looked up what the store holds already, and an entry that
//! came in between is a conflict, after which the lookup is repeated. Entries refer to entries of the same import by their
//! place, because the store assigns the ids.

use std::collections::BTreeSet;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use latchkey_domain::{
    AccountKind, Description, Environment, EnvironmentName, Event, EventId, GroupDescription, GroupId,
    GroupName, Holder, NewEvent, NewGroup, NewPersonalToken, NewRole, NewUser, PasswordHash, PersonName,
    Project, ProjectId, RoleId, Snapshot, SsoGroupName, Timestamp, UserId, UserIdentity,
};
use latchkey_port_macros::observed;

use crate::{SecretRecord, StoreError, StoredToken};

/// What is added to a store at once. The order of the lists is that of the events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Import {
    /// Each with the event of its creation.
    pub environments: Vec<(Environment, NewEvent)>,
    pub projects: Vec<ImportedProject>,
    /// Each with the event of its creation, to which the store adds the id.
    pub roles: Vec<(NewRole, NewEvent)>,
    pub users: Vec<ImportedUser>,
    pub groups: Vec<ImportedGroup>,
    pub memberships: Vec<ImportedMemberships>,
    pub personal_tokens: Vec<ImportedPersonalToken>,
    /// API tokens. They have no quota, and no event for each.
    pub tokens: Vec<StoredToken>,
    /// The events of all API tokens together.
    pub token_events: Vec<NewEvent>,
}

/// Some API tokens of an import, with the events about them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenPortion {
    pub tokens: Vec<StoredToken>,
    pub events: Vec<NewEvent>,
}

/// API tokens of an import, of which there may be too many for memory. An error ends the import.
pub type TokenPortions = BoxStream<'static, Result<TokenPortion, StoreError>>;

/// An entry that another one refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference<I> {
    /// One that the store holds.
    Existing(I),
    /// The new one in that place of its list in the same import.
    New(usize),
}

impl<I: Copy> Reference<I> {
    /// Returns the id, where these are the ids of the new entries.
    ///
    /// # Errors
    /// [`StoreError::Fault`] for a place that the import does not have.
    pub fn resolve(self, new: &[I]) -> Result<I, StoreError> {
        match self {
            Self::Existing(id) => Ok(id),
            Self::New(place) => new.get(place).copied().ok_or_else(missing_entry),
        }
    }
}

/// A project with its environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedProject {
    pub project: Project,
    /// Those that it gets.
    pub environments: Vec<EnvironmentName>,
    /// The project of the same id that it replaces; `None` for a new one.
    pub replaces: Option<Project>,
    /// The event of its creation or change.
    pub event: NewEvent,
}

/// A user or service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedUser {
    pub identity: UserIdentity,
    pub name: Option<PersonName>,
    pub kind: AccountKind,
    /// A role of the instance.
    pub root_role: Reference<RoleId>,
    pub created_at: Timestamp,
    pub last_seen_at: Option<Timestamp>,
    /// In any form that the password hasher verifies.
    pub password: Option<PasswordHash>,
    /// The event of its creation, to which the store adds the state and the id.
    pub event: NewEvent,
}

impl ImportedUser {
    /// Returns the user with its root role, where these are the ids of the new roles.
    ///
    /// # Errors
    /// As [`Reference::resolve`].
    pub fn resolve(&self, roles: &[RoleId]) -> Result<NewUser, StoreError> {
        Ok(NewUser {
            identity: self.identity.clone(),
            name: self.name.clone(),
            kind: self.kind,
            root_role: self.root_role.resolve(roles)?,
            created_at: self.created_at,
        })
    }
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedGroup {
    pub name: GroupName,
    pub description: GroupDescription,
    pub sso_groups: Vec<SsoGroupName>,
    /// A role of the instance.
    pub root_role: Option<Reference<RoleId>>,
    /// Each with the time since when it is one.
    pub members: Vec<(Reference<UserId>, Timestamp)>,
    pub created_at: Timestamp,
    /// The event of its creation, to which the store adds the state and the id.
    pub event: NewEvent,
}

impl ImportedGroup {
    /// Returns the group with its role and members, where these are the ids of the new roles and users.
    ///
    /// # Errors
    /// As [`Reference::resolve`].
    pub fn resolve(&self, roles: &[RoleId], users: &[UserId]) -> Result<NewGroup, StoreError> {
        let members = self.members.iter().map(|(user, since)| Ok((user.resolve(users)?, *since)));
        Ok(NewGroup {
            name: self.name.clone(),
            description: self.description.clone(),
            sso_groups: self.sso_groups.clone(),
            root_role: self.root_role.map(|role| role.resolve(roles)).transpose()?,
            members: members.collect::<Result<_, StoreError>>()?,
            created_at: self.created_at,
        })
    }
}

/// Users and groups that get one role in one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedMemberships {
    pub project: ProjectId,
    /// A role of projects.
    pub role: Reference<RoleId>,
    /// Each with the time of the assignment. A role that is held already stays as it is.
    pub users: Vec<(Reference<UserId>, Timestamp)>,
    /// Places in [`Import::groups`]: a group that the store holds is not changed.
    pub groups: Vec<(usize, Timestamp)>,
    /// To which the store adds the state.
    pub event: NewEvent,
}

/// Memberships whose role, users and groups have ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedMemberships {
    pub role: RoleId,
    /// Each with the time of the assignment.
    pub holders: Vec<(Holder, Timestamp)>,
    pub event: NewEvent,
}

impl ImportedMemberships {
    /// Returns the memberships, where these are the ids of the new roles, users and groups.
    ///
    /// # Errors
    /// As [`Reference::resolve`].
    pub fn resolve(
        &self,
        roles: &[RoleId],
        users: &[UserId],
        groups: &[GroupId],
    ) -> Result<ResolvedMemberships, StoreError> {
        let role = self.role.resolve(roles)?;
        let users = self.users.iter().map(|(user, at)| Ok((user.resolve(users)?, *at)));
        let users = users.collect::<Result<Vec<_>, StoreError>>()?;
        let groups = self.groups.iter().map(|(place, at)| Ok((Reference::New(*place).resolve(groups)?, *at)));
        let groups = groups.collect::<Result<Vec<_>, StoreError>>()?;
        let user_ids: Vec<UserId> = users.iter().map(|(id, _)| *id).collect();
        let group_ids: Vec<GroupId> = groups.iter().map(|(id, _)| *id).collect();
        let event = self.event.clone();
        let event = event.with_after(Snapshot::of_memberships(&user_ids, &group_ids, &[role]));
        let users = users.into_iter().map(|(id, at)| (id.into(), at));
        let holders = users.chain(groups.into_iter().map(|(id, at)| (id.into(), at))).collect();
        Ok(ResolvedMemberships { role, holders, event })
    }
}

/// A personal access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedPersonalToken {
    pub user: Reference<UserId>,
    /// Unique per user.
    pub description: Description,
    pub expires_at: Timestamp,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub secret: SecretRecord,
    /// The event of its creation, to which the store adds the state and the id.
    pub event: NewEvent,
}

impl ImportedPersonalToken {
    /// Returns the token with its user, where these are the ids of the new users.
    ///
    /// # Errors
    /// As [`Reference::resolve`].
    pub fn resolve(&self, users: &[UserId]) -> Result<NewPersonalToken, StoreError> {
        Ok(NewPersonalToken {
            user: self.user.resolve(users)?,
            description: self.description.clone(),
            expires_at: self.expires_at,
            created_at: self.created_at,
        })
    }
}

/// The entries of a store that an import refers to, in the order of locks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct References<'i> {
    pub projects: BTreeSet<&'i ProjectId>,
    pub environments: BTreeSet<&'i EnvironmentName>,
    /// Each with whether it must be a role of the instance; if not, it must be one of projects.
    pub roles: BTreeSet<(RoleId, bool)>,
    pub users: BTreeSet<UserId>,
}

impl Import {
    /// The most that one change of a store in use should add; a larger import is divided.
    pub const MAX_TOKENS: usize = 100_000;
    /// A store with no more tokens than these is new: an import of any size is one change
    /// ([`ImportRepository::import_many`]).
    pub const FEW_TOKENS: u32 = 1_000;

    /// Whether nothing is added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the entries of the store that this refers to.
    ///
    /// # Errors
    /// [`StoreError::Fault`] for a new entry that the import does not have, and for a role of another kind than is needed.
    pub fn references(&self) -> Result<References<'_>, StoreError> {
        let mut named = References::default();
        for one in &self.projects {
            named.environments.extend(&one.environments);
        }
        for one in &self.users {
            named.roles.extend(self.role(one.root_role, true)?);
        }
        for one in &self.groups {
            if let Some(role) = one.root_role {
                named.roles.extend(self.role(role, true)?);
            }
            for (user, _) in &one.members {
                named.users.extend(self.user(*user)?);
            }
        }
        for one in &self.memberships {
            named.projects.insert(&one.project);
            named.roles.extend(self.role(one.role, false)?);
            for (user, _) in &one.users {
                named.users.extend(self.user(*user)?);
            }
            if one.groups.iter().any(|(place, _)| *place >= self.groups.len()) {
                return Err(missing_entry());
            }
        }
        for one in &self.personal_tokens {
            named.users.extend(self.user(one.user)?);
        }
        for stored in &self.tokens {
            named.projects.extend(stored.token.access.projects().named());
            named.environments.extend(stored.token.access.environment());
        }
        for one in &self.projects {
            if one.replaces.is_some() {
                named.projects.insert(&one.project.id);
            } else {
                named.projects.remove(&one.project.id);
            }
        }
        for (environment, _) in &self.environments {
            named.environments.remove(&environment.name);
        }
        Ok(named)
    }

    /// Returns the role if the store must have it, and checks a new one.
    fn role(&self, role: Reference<RoleId>, of_instance: bool) -> Result<Option<(RoleId, bool)>, StoreError> {
        match role {
            Reference::Existing(id) => Ok(Some((id, of_instance))),
            Reference::New(place) => match self.roles.get(place) {
                Some((role, _)) if role.kind.is_root() == of_instance => Ok(None),
                _ => Err(missing_entry()),
            },
        }
    }

    /// Returns the user if the store must have it, and checks that there is a new one in that place.
    fn user(&self, user: Reference<UserId>) -> Result<Option<UserId>, StoreError> {
        match user {
            Reference::Existing(id) => Ok(Some(id)),
            Reference::New(place) if place < self.users.len() => Ok(None),
            Reference::New(_) => Err(missing_entry()),
        }
    }
}

fn missing_entry() -> StoreError {
    StoreError::Fault("an import refers to an entry that it does not have, or of another kind".into())
}

/// Adds what another system has.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ImportRepository: Send + Sync {
    /// Adds all of this or nothing, with the events.
    ///
    /// # Errors
    /// `NotFound` for the first project, environment, role or user that is referred to and does not exist (in this order),
    /// and for a role of projects in place of one of the instance, or the reverse; `Conflict` for an entry whose id, name,
    /// login name, secret, alias, or description of a personal token exists already; `Stale` for a project that is not the
    /// one to be replaced.
    async fn import(&self, import: Import) -> Result<(), StoreError>;

    /// Adds all of this and all tokens of these portions, or nothing, with the events. It is meant for a store with few
    /// tokens ([`Import::FEW_TOKENS`]): every other call may have to wait until this is done.
    ///
    /// # Errors
    /// As [`ImportRepository::import`]; the first error of the portions.
    async fn import_many(&self, import: Import, portions: TokenPortions) -> Result<(), StoreError>;

    /// Adds events of another system, which have the ids of [`EventId::imported`]. One whose id is there already stays as it
    /// is there. Followers are told nothing, and no other event is recorded.
    async fn import_events(&self, events: &[Event]) -> Result<(), StoreError>;

    /// Returns the ids of events from the first to the last of these, both included.
    async fn event_ids(&self, first: EventId, last: EventId) -> Result<Vec<EventId>, StoreError>;
}
