//! The use cases over the memory store, with a clock that stands still and randomness that repeats.

use std::{sync::Arc, time::Duration};

use latchkey_crypto::{KeyRing, MasterKey, Sealer};
use latchkey_domain::{
    ApiToken, EnvironmentName, EnvironmentScope, Event, EventId, Grant, Grants, Origin, PersonalTokenId,
    Place, Principal, ProjectDescription, ProjectId, ProjectName, ProjectScope, Timestamp, TokenAccess,
    TokenKind, TokenName, UserId,
};
use latchkey_memory::MemoryStore;
use latchkey_ports::{
    CountingEntropy, EventRepository, ManualClock, Quota, SecretSealer, Store, TokenRepository,
};
use latchkey_service::{
    IndexSettings, Initiator, Permit, ProjectAction, ProjectTokenDraft, Reveal, RevealedToken, Settings,
    Surroundings, TokenDraft, TokenPolicy, UseCases,
};

pub(crate) struct House {
    pub(crate) use_cases: UseCases,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) const QUOTA: u64 = 5;

pub(crate) fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("in range")
}

pub(crate) fn sealer() -> Arc<dyn SecretSealer> {
    let entropy = Arc::new(CountingEntropy::default());
    let keys = KeyRing::new(MasterKey::generate(&*entropy), []);
    Arc::new(Sealer::new(&keys, entropy))
}

pub(crate) fn settings(reveal: Reveal) -> Settings {
    Settings {
        tokens: TokenPolicy { quota: Quota(QUOTA), reveal },
        index: IndexSettings { capacity: 100, max_staleness: Duration::from_secs(5) },
    }
}

impl House {
    pub(crate) fn new() -> Self {
        Self::revealing(Reveal::Always)
    }

    pub(crate) fn revealing(reveal: Reveal) -> Self {
        let clock = Arc::new(ManualClock::at(moment(1_700_000_000_000)));
        let store = Arc::new(MemoryStore::new(moment(0)));
        let surroundings = Surroundings {
            store: Arc::clone(&store) as Arc<dyn Store>,
            sealer: sealer(),
            clock: clock.clone(),
            entropy: Arc::new(CountingEntropy::default()),
        };
        Self { use_cases: UseCases::new(surroundings, settings(reveal)), store, clock }
    }

    pub(crate) async fn project(&self, id: &str) -> ProjectId {
        let name = ProjectName::new(id).expect("name");
        let project = self
            .use_cases
            .projects
            .create(project_id(id), name, ProjectDescription::new("").expect("empty"), &Initiator::system())
            .await;
        project.expect("created").id
    }

    /// A token of any access, as the command line makes it.
    pub(crate) async fn token(&self, access: TokenAccess) -> RevealedToken {
        let draft = TokenDraft { name: TokenName::new("made").expect("name"), access, expires_at: None };
        self.use_cases.issuer.issue(draft, &Initiator::system()).await.expect("issued")
    }

    pub(crate) async fn tokens_of(&self, project: &str) -> Vec<ApiToken> {
        let stored = self.store.tokens_of_project(&project_id(project)).await.expect("listed");
        stored.into_iter().map(|stored| stored.token).collect()
    }

    pub(crate) async fn events(&self) -> Vec<Event> {
        self.store.events_after(EventId(0), 1_000).await.expect("read")
    }
}

pub(crate) fn project_id(id: &str) -> ProjectId {
    ProjectId::new(id).expect("id")
}

pub(crate) fn client_of(projects: ProjectScope) -> TokenAccess {
    let environment = EnvironmentScope::Only(EnvironmentName::new("development").expect("name"));
    TokenAccess::new(TokenKind::Client, projects, environment).expect("a scope")
}

pub(crate) fn draft(name: &str) -> ProjectTokenDraft {
    ProjectTokenDraft {
        name: TokenName::new(name).expect("name"),
        kind: TokenKind::Client,
        environment: None,
        projects: None,
        expires_at: None,
    }
}

/// A user who may do just this in just that project.
pub(crate) fn user_with<A: ProjectAction>(project: &str) -> Principal {
    let grant = Grant { permission: A::PERMISSION, place: Place::Project(project_id(project)) };
    user(Grants::from_iter([grant]))
}

pub(crate) fn user(grants: Grants) -> Principal {
    Principal::User {
        id: UserId(7),
        label: "ed@example.com".to_owned(),
        grants,
        personal_token: PersonalTokenId(1),
        expires_at: moment(2_000_000_000_000),
    }
}

/// The permit of such a user.
pub(crate) fn permit<A: ProjectAction>(project: &str) -> Permit<A> {
    let origin = Origin::new("192.0.2.7".parse().ok(), Some("curl/8"));
    Permit::request(&user_with::<A>(project), project_id(project), origin).expect("allowed")
}
