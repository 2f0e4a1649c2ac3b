//! What the store holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use latchkey_domain::{
    Environment, EnvironmentName, Event, EventId, NewEvent, PersonalToken, PersonalTokenId, Project,
    ProjectId, Role, RoleId, Timestamp, TokenId, User, UserId,
};
use latchkey_ports::{SecretDigest, StoredToken, fresh};

/// Everything.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) projects: BTreeMap<ProjectId, Project>,
    pub(crate) environments: BTreeMap<EnvironmentName, Environment>,
    pub(crate) roles: BTreeMap<RoleId, Role>,
    pub(crate) users: BTreeMap<UserId, User>,
    pub(crate) memberships: BTreeSet<(UserId, ProjectId, RoleId)>,
    pub(crate) tokens: BTreeMap<TokenId, StoredToken>,
    /// The tokens that name a project, so that its list reads no other's.
    pub(crate) tokens_by_project: BTreeSet<(ProjectId, TokenId)>,
    /// Secrets and aliases.
    pub(crate) tokens_by_digest: HashMap<SecretDigest, TokenId>,
    pub(crate) tokens_of_all_projects: u64,
    pub(crate) personal_tokens: BTreeMap<PersonalTokenId, PersonalToken>,
    pub(crate) personal_tokens_by_digest: HashMap<SecretDigest, PersonalTokenId>,
    /// In order of their numbers, which begin with 1 and have no gaps.
    pub(crate) events: Vec<Event>,
    last_user: i64,
    last_personal_token: i64,
}

impl State {
    #[expect(clippy::expect_used, reason = "the names of a fresh store are good ones, as its test shows")]
    pub(crate) fn fresh(created_at: Timestamp) -> Self {
        let project = fresh::project(created_at).expect("a good name");
        let environments = fresh::environments().expect("good names");
        Self {
            projects: BTreeMap::from([(project.id.clone(), project)]),
            environments: environments.into_iter().map(|one| (one.name.clone(), one)).collect(),
            roles: fresh::roles().into_iter().map(|role| (role.id, role)).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn record(&mut self, event: NewEvent) -> EventId {
        let EventId(last) = self.latest_event();
        let id = EventId(last + 1);
        self.events.push(Event { id, record: event });
        id
    }

    pub(crate) fn latest_event(&self) -> EventId {
        self.events.last().map(|event| event.id).unwrap_or_default()
    }

    pub(crate) fn next_user(&mut self) -> UserId {
        self.last_user += 1;
        UserId(self.last_user)
    }

    pub(crate) fn next_personal_token(&mut self) -> PersonalTokenId {
        self.last_personal_token += 1;
        PersonalTokenId(self.last_personal_token)
    }
}
