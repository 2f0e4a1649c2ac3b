//! The use cases over the memory store, with a manual clock and deterministic randomness.

use std::{sync::Arc, time::Duration};

use latchkey_crypto::{Argon2Hasher, Cost, KeyRing, MasterKey, Sealer};
use latchkey_domain::{
    ApiToken, EnvironmentName, EnvironmentScope, Event, EventKind, Grant, Grants, LeakAction, NoticeDays,
    Origin, Permission, PersonalTokenId, Place, Policy, Principal, ProjectDescription, ProjectId,
    ProjectMode, ProjectName, ProjectScope, Timestamp, TokenAccess, TokenAttributes, TokenKind, TokenName,
    User, UserCredential, UserId, Username,
};
use latchkey_memory::MemoryStore;
use latchkey_ports::{
    Clock as _, CountingEntropy, EventQuery, EventRepository, EventScope, ManualClock, PasswordHasher,
    PlainWriter, Quota, RecordingSender, SecretSealer, TokenQuery, TokenRepository,
};
use latchkey_service::{
    Caller, Dependencies, IndexSettings, Initiator, InstanceAction, InstancePermit, IssuingSettings, Lookups,
    MailOutlet, Permit, ProjectAction, ProjectDraft, RetryPolicy, Reveal, RevealedToken, RoleReference,
    SelfService, ServiceError, SessionPolicy, Settings, TokenDraft, TokenEnd, TokenFilter, TokenFormat,
    TokenRequest, UsageSettings, UseCases, UserDraft, WhenStale,
};

/// The minimum cost, for fast tests.
const CHEAP: Cost = Cost::Least;

pub(crate) struct TestEnv {
    pub(crate) use_cases: UseCases,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    /// The receivers of webhooks.
    pub(crate) receivers: Arc<RecordingSender>,
}

pub(crate) const QUOTA: u64 = 5;
/// How long a session lasts.
pub(crate) const SESSION: Duration = Duration::from_secs(3_600);
pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("in range")
}

pub(crate) fn sealer() -> Arc<dyn SecretSealer> {
    let entropy = Arc::new(CountingEntropy::default());
    let keys = KeyRing::new(MasterKey::generate(&*entropy), []);
    Arc::new(Sealer::new(&keys, entropy))
}

fn hasher() -> Arc<dyn PasswordHasher> {
    Arc::new(Argon2Hasher::with_cost(CHEAP, Arc::new(CountingEntropy::default())))
}

pub(crate) fn settings(reveal: Reveal) -> Settings {
    Settings {
        tokens: IssuingSettings {
            quota: Quota(QUOTA),
            reveal,
            format: TokenFormat::Latchkey,
            allow_admin: false,
        },
        policy: Policy::default(),
        expiry_notices: NoticeDays::NONE,
        self_service: SelfService::Off,
        index: IndexSettings {
            capacity: 100,
            max_staleness: Duration::from_secs(5),
            when_stale: WhenStale::Refuse,
            unknown_per_second: 500,
            lookups: Lookups::Current,
        },
        sessions: SessionPolicy { ttl: SESSION, max_per_user: 3 },
        personal_tokens: 2,
        retention: None,
        usage: UsageSettings { retention: Duration::from_secs(90 * 86_400), addresses: true },
        leaks: LeakAction::Nothing,
        webhooks: RetryPolicy::default(),
        accept_unknown_key: false,
    }
}

fn dependencies(
    store: &Arc<MemoryStore>,
    clock: &Arc<ManualClock>,
    sealer: Arc<dyn SecretSealer>,
    hasher: Arc<dyn PasswordHasher>,
    receivers: Arc<RecordingSender>,
) -> Dependencies {
    Dependencies {
        store: store.clone(),
        writable: Some(store.clone()),
        sealer,
        hasher,
        clock: clock.clone(),
        entropy: Arc::new(CountingEntropy::default()),
        sender: receivers,
        writer: Arc::new(PlainWriter),
        mail: None,
    }
}

impl TestEnv {
    pub(crate) fn new() -> Self {
        Self::revealing(Reveal::Always)
    }

    pub(crate) fn revealing(reveal: Reveal) -> Self {
        Self::with(settings(reveal))
    }

    pub(crate) fn with(settings: Settings) -> Self {
        Self::hashing(settings, |hasher| hasher)
    }

    /// An environment with a hasher that wraps the usual one.
    pub(crate) fn hashing(
        settings: Settings,
        by: impl FnOnce(Arc<dyn PasswordHasher>) -> Arc<dyn PasswordHasher>,
    ) -> Self {
        let store = Arc::new(MemoryStore::new(moment(0)));
        let clock = Arc::new(ManualClock::at(moment(1_700_000_000_000)));
        Self::over((store, clock), sealer(), by(hasher()), settings)
    }

    /// Another process on the same store, perhaps with other keys.
    pub(crate) fn beside(&self, sealer: Arc<dyn SecretSealer>, settings: Settings) -> Self {
        Self::over((self.store.clone(), self.clock.clone()), sealer, hasher(), settings)
    }

    /// Another process on the same store, whose clock is ahead.
    pub(crate) fn beside_ahead(&self, ahead: Duration, settings: Settings) -> Self {
        let clock = Arc::new(ManualClock::at(self.use_cases.now().plus(ahead).expect("in range")));
        Self::over((self.store.clone(), clock), sealer(), hasher(), settings)
    }

    /// Another process on the same store, with a way to send mail.
    pub(crate) fn mailing(&self, outlet: MailOutlet) -> UseCases {
        let dependencies = dependencies(&self.store, &self.clock, sealer(), hasher(), self.receivers.clone());
        UseCases::new(Dependencies { mail: Some(outlet), ..dependencies }, settings(Reveal::Always))
    }

    /// Another process on the same store, which it cannot write to.
    pub(crate) fn replica(&self, settings: Settings) -> Self {
        let receivers = Arc::new(RecordingSender::default());
        let dependencies = dependencies(&self.store, &self.clock, sealer(), hasher(), receivers.clone());
        let use_cases = UseCases::new(Dependencies { writable: None, ..dependencies }, settings);
        Self { use_cases, store: self.store.clone(), clock: self.clock.clone(), receivers }
    }

    fn over(
        (store, clock): (Arc<MemoryStore>, Arc<ManualClock>),
        sealer: Arc<dyn SecretSealer>,
        hasher: Arc<dyn PasswordHasher>,
        settings: Settings,
    ) -> Self {
        let receivers = Arc::new(RecordingSender::default());
        let dependencies = dependencies(&store, &clock, sealer, hasher, receivers.clone());
        Self { use_cases: UseCases::new(dependencies, settings), store, clock, receivers }
    }

    pub(crate) async fn project(&self, id: &str) -> ProjectId {
        let name = ProjectName::new(id).expect("name");
        let project =
            self.use_cases.projects.create(&system(), project_draft(name, Some(project_id(id)))).await;
        project.expect("created").project.id
    }

    /// A user of this name with this root role and [`PASSWORD`].
    pub(crate) async fn user(&self, name: &str, root_role: &str) -> User {
        let draft = UserDraft {
            username: Username::new(name).ok(),
            email: None,
            name: None,
            root_role: RoleReference::Name(root_role.to_owned()),
            password: Some(PASSWORD.to_owned()),
        };
        self.use_cases.users.create(&system(), draft).await.expect("created")
    }

    /// The user as a caller, signed in by a session, with all that they may do at the moment.
    pub(crate) async fn signed_in(&self, name: &str) -> Caller {
        let logged_in = self.use_cases.sessions.log_in(name, PASSWORD, origin()).await.expect("signed in");
        let secret = logged_in.secret.reveal().to_owned();
        let principal =
            self.use_cases.authenticator.authenticate_session(&secret, None).await.expect("accepted");
        Caller::admit(principal, origin()).expect("admitted")
    }

    /// The present.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The kinds of the events since the first so many.
    pub(crate) async fn kinds_since(&self, first: usize) -> Vec<EventKind> {
        self.events().await.iter().skip(first).map(|event| event.record.kind).collect()
    }

    /// A token of any access, as the command line makes it.
    pub(crate) async fn token(&self, access: TokenAccess) -> RevealedToken {
        let draft = TokenDraft::new(TokenName::new("made").expect("name"), access);
        self.use_cases.issuer.issue(draft, &Initiator::system()).await.expect("issued")
    }

    pub(crate) async fn tokens_of(&self, project: &str) -> Vec<ApiToken> {
        let stored = self.store.tokens(&TokenQuery::of_project(project_id(project))).await.expect("listed");
        stored.into_iter().map(|stored| stored.token).collect()
    }

    /// The first portion of the tokens of a project, as a caller sees them.
    pub(crate) async fn listed(&self, project: &str) -> Result<Vec<RevealedToken>, ServiceError> {
        let page = self.use_cases.project_tokens.search(&permit(project), TokenFilter::default()).await?;
        Ok(page.tokens)
    }

    pub(crate) async fn events(&self) -> Vec<Event> {
        let page = self.store.events(&EventQuery::within(EventScope::All)).await.expect("read");
        page.events.into_iter().rev().collect()
    }
}

pub(crate) fn project_id(id: &str) -> ProjectId {
    ProjectId::new(id).expect("id")
}

pub(crate) fn client_of(projects: ProjectScope) -> TokenAccess {
    let environment = EnvironmentScope::Only(EnvironmentName::new("development").expect("name"));
    TokenAccess::new(TokenKind::Client, projects, environment).expect("a scope")
}

pub(crate) fn project_draft(name: ProjectName, id: Option<ProjectId>) -> ProjectDraft {
    let description = ProjectDescription::new("").expect("empty");
    ProjectDraft { id, name, description, mode: ProjectMode::Open, environments: None }
}

pub(crate) fn draft(name: &str) -> TokenRequest {
    TokenRequest {
        name: TokenName::new(name).expect("name"),
        kind: TokenKind::Client,
        environment: None,
        projects: None,
        expires_at: TokenEnd::ByPolicy,
        attributes: TokenAttributes::default(),
    }
}

pub(crate) fn origin() -> Origin {
    Origin::new("192.0.2.7".parse().ok(), Some("curl/8"))
}

/// A permit of Latchkey itself.
pub(crate) fn system<A: InstanceAction>() -> InstancePermit<A> {
    InstancePermit::request(&Caller::system()).expect("may do everything")
}

/// A user with the permissions for this action in this project only.
pub(crate) fn user_with<A: ProjectAction>(project: &str) -> Caller {
    let place = Place::Project(project_id(project));
    user(
        A::PERMISSIONS
            .iter()
            .map(|permission| Grant { permission: *permission, place: place.clone() })
            .collect(),
    )
}

pub(crate) fn user(grants: Grants) -> Caller {
    let principal = Principal::User {
        id: UserId(7),
        label: "ed@example.com".to_owned(),
        grants,
        credential: UserCredential::PersonalToken(PersonalTokenId(1)),
        expires_at: moment(2_000_000_000_000),
    };
    Caller::admit(Arc::new(principal), origin()).expect("a user")
}

/// The permit of such a user.
pub(crate) fn permit<A: ProjectAction>(project: &str) -> Permit<A> {
    Permit::request(&user_with::<A>(project), project_id(project)).expect("allowed")
}

/// The permit of a user with these grants for the instance.
pub(crate) fn holding<A: InstanceAction>(permissions: &[Permission]) -> InstancePermit<A> {
    let grant = |permission: &Permission| Grant { permission: *permission, place: Place::Instance };
    InstancePermit::request(&user(permissions.iter().map(grant).collect())).expect("allowed")
}
