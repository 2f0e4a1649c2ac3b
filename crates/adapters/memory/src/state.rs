//! The state of the store: its maps, and lookups that several modules share.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use latchkey_domain::{
    DeliveryId, Environment, EnvironmentName, Event, EventConsumer, EventId, Group, GroupId, Hour,
    LoginFailures, NewEvent, PasswordHash, PersonalToken, PersonalTokenId, Policy, Project, ProjectId,
    RateRecord, Role, RoleId, Session, SessionId, Timestamp, TokenId, TokenSelector, UseOutcome, User,
    UserId, UsesRecord, WebhookId,
};
use latchkey_ports::{
    AnswerKey, Delivery, Entity, EventSeal, KeptAnswer, KeyId, LoginKey, Page, Replica, ReplicaId,
    SecretDigest, SeenAddress, StoreError, StoredToken, StoredWebhook, initial_data,
};

use crate::kept_digest::{DigestKey, KeptDigest};

/// All data of the store.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) projects: BTreeMap<ProjectId, Project>,
    pub(crate) policies: BTreeMap<ProjectId, Policy>,
    pub(crate) environments: BTreeMap<EnvironmentName, Environment>,
    pub(crate) project_environments: BTreeSet<(ProjectId, EnvironmentName)>,
    pub(crate) roles: BTreeMap<RoleId, Role>,
    pub(crate) users: BTreeMap<UserId, User>,
    pub(crate) passwords: BTreeMap<UserId, PasswordHash>,
    /// Roles of users in projects, with the time of their assignment.
    pub(crate) memberships: BTreeMap<(UserId, ProjectId, RoleId), Timestamp>,
    pub(crate) groups: BTreeMap<GroupId, Group>,
    /// Roles of groups in projects, with the time of their assignment.
    pub(crate) group_roles: BTreeMap<(GroupId, ProjectId, RoleId), Timestamp>,
    pub(crate) tokens: BTreeMap<TokenId, StoredToken>,
    /// An index of the tokens that name a project.
    pub(crate) tokens_by_project: BTreeSet<(ProjectId, TokenId)>,
    /// Digests of secrets and aliases.
    pub(crate) tokens_by_digest: HashMap<SecretDigest, TokenId>,
    pub(crate) tokens_by_selector: HashMap<TokenSelector, TokenId>,
    pub(crate) retired_secrets: HashMap<SecretDigest, RetiredSecret>,
    pub(crate) tokens_of_all_projects: u64,
    pub(crate) token_usage: BTreeMap<(TokenId, Hour, UseOutcome), u64>,
    /// The latest first.
    pub(crate) token_addresses: BTreeMap<TokenId, Vec<SeenAddress>>,
    pub(crate) token_rates: BTreeMap<TokenId, RateRecord>,
    pub(crate) token_uses: BTreeMap<TokenId, UsesRecord>,
    /// When they were recorded, by token and key.
    pub(crate) notices: BTreeMap<(TokenId, String), Timestamp>,
    pub(crate) personal_tokens: BTreeMap<PersonalTokenId, PersonalToken>,
    pub(crate) personal_tokens_by_digest: HashMap<SecretDigest, (PersonalTokenId, KeyId)>,
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) sessions_by_digest: HashMap<SecretDigest, (SessionId, KeyId)>,
    pub(crate) login_failures: HashMap<LoginKey, LoginFailures>,
    pub(crate) answers: HashMap<AnswerKey, KeptAnswer>,
    /// In ascending order of ids.
    pub(crate) events: Vec<Event>,
    /// By their last events.
    pub(crate) event_seals: BTreeMap<EventId, EventSeal>,
    pub(crate) webhooks: BTreeMap<WebhookId, StoredWebhook>,
    pub(crate) deliveries: BTreeMap<DeliveryId, Delivery>,
    pub(crate) event_consumers: BTreeMap<EventConsumer, EventId>,
    pub(crate) replicas: BTreeMap<ReplicaId, Replica>,
    /// Of mail.
    pub(crate) digests: BTreeMap<DigestKey, KeptDigest>,
    last_user: i64,
    last_personal_token: i64,
    last_role: i64,
    last_group: i64,
}

/// A secret that was replaced by a rotation.
#[derive(Clone, Copy)]
pub(crate) struct RetiredSecret {
    pub(crate) token: TokenId,
    pub(crate) until: Timestamp,
    pub(crate) key: KeyId,
}

impl State {
    #[expect(clippy::expect_used, reason = "the names of a fresh store are valid, as its test shows")]
    pub(crate) fn fresh(created_at: Timestamp) -> Self {
        let project = initial_data::project(created_at).expect("a valid name");
        let environments = initial_data::environments().expect("valid names");
        let roles = initial_data::roles();
        Self {
            project_environments: environments
                .iter()
                .map(|one| (project.id.clone(), one.name.clone()))
                .collect(),
            projects: BTreeMap::from([(project.id.clone(), project)]),
            environments: environments.into_iter().map(|one| (one.name.clone(), one)).collect(),
            last_role: initial_data::MAX_BUILT_IN_ROLE_ID.0,
            roles: roles.into_iter().map(|role| (role.id, role)).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn record(&mut self, event: NewEvent) -> EventId {
        let EventId(last) = self.latest_event();
        let id = EventId(last + 1);
        self.events.push(Event { id, record: event });
        id
    }

    /// Returns the id of the newest event of this store, which is never forgotten, so that no id is used twice; 0 if there are
    /// imported ones at most.
    pub(crate) fn latest_event(&self) -> EventId {
        self.events.last().map(|event| event.id).filter(|id| !id.is_imported()).unwrap_or_default()
    }

    pub(crate) fn next_user(&mut self) -> UserId {
        self.last_user += 1;
        UserId(self.last_user)
    }

    pub(crate) fn next_personal_token(&mut self) -> PersonalTokenId {
        self.last_personal_token += 1;
        PersonalTokenId(self.last_personal_token)
    }

    pub(crate) fn next_role(&mut self) -> RoleId {
        self.last_role += 1;
        RoleId(self.last_role)
    }

    pub(crate) fn next_group(&mut self) -> GroupId {
        self.last_group += 1;
        GroupId(self.last_group)
    }

    pub(crate) fn project(&self, id: &ProjectId) -> Result<&Project, StoreError> {
        self.projects.get(id).ok_or_else(|| StoreError::NotFound(Entity::Project(id.clone())))
    }

    pub(crate) fn environment(&self, name: &EnvironmentName) -> Result<&Environment, StoreError> {
        self.environments.get(name).ok_or_else(|| StoreError::NotFound(Entity::Environment(name.clone())))
    }

    pub(crate) fn user(&self, id: UserId) -> Result<&User, StoreError> {
        self.users.get(&id).ok_or(StoreError::NotFound(Entity::User(id)))
    }

    pub(crate) fn role(&self, id: RoleId, fits: impl Fn(&Role) -> bool) -> Result<&Role, StoreError> {
        let role = self.roles.get(&id).filter(|role| fits(role));
        role.ok_or(StoreError::NotFound(Entity::Role(id)))
    }
}

/// Returns one page of the entries.
pub(crate) fn page_of<T>(entries: impl Iterator<Item = T>, page: Page) -> Vec<T> {
    let offset = usize::try_from(page.offset).unwrap_or(usize::MAX);
    let limit = page.limit.map_or(usize::MAX, to_usize);
    entries.skip(offset).take(limit).collect()
}

pub(crate) fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Returns the number of entries.
pub(crate) fn count<T>(entries: impl Iterator<Item = T>) -> u64 {
    u64::try_from(entries.count()).unwrap_or(u64::MAX)
}
