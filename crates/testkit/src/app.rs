//! The whole application in process, over the memory store, with a clock that tests move, random bytes that repeat, and
//! clients of every kind.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test whose application cannot be prepared fails"
)]

use std::{sync::Arc, time::Duration};

use actix_web::{
    Error,
    body::BoxBody,
    dev::{Service, ServiceResponse},
    http::{Method, header},
    test,
};
use latchkey_console::Console;
use latchkey_crypto::{Argon2Hasher, Cost, KeyRing, MasterKey, Sealer};
use latchkey_domain::{
    Description, Email, LeakAction, NoticeDays, Policy, ProjectDescription, ProjectMode, ProjectName,
    ProjectScope, TokenAccess, TokenKind, TokenName, User, Username,
};
use latchkey_http::{Context, EventPayloads, HttpSettings, Routes};
use latchkey_memory::MemoryStore;
use latchkey_metrics::Exporter;
use latchkey_ports::{
    CountingEntropy, ManualClock, Quota, RecordingSender, SecretSealer, Store, TokenRepository,
};
use latchkey_service::{
    Authenticator, Caller, CreateProjects, CredentialPorts, Dependencies, IndexSettings, Initiator,
    InstancePermit, IssuingSettings, LimitKeeper, Lookups, ManageUsers, Permit, PersonalTokenDraft,
    PrincipalIndex, ProjectDraft, RetryPolicy, Reveal, RoleReference, SelfService, SessionPolicy, Settings,
    TokenDraft, TokenFormat, UpdateProject, UsageSettings, UseCases, UserDraft, WhenStale,
};
use serde_json::{Value, json};

pub use crate::response::Response;
use crate::samples::{access, project_id, timestamp};

/// The API tokens of the project that every instance has.
pub const TOKENS: &str = "/api/admin/projects/default/api-tokens";
/// The time at which the clock stands at first, as the wire writes it.
pub const NOW: &str = "2023-04-19T08:15:14.000Z";
/// The maximum number of tokens of a project.
pub const QUOTA: u64 = 5;
/// The password of all users.
pub const PASSWORD: &str = "correct horse";
/// How long a session lasts.
pub const SESSION: Duration = Duration::from_secs(3_600);
/// The maximum number of sessions of a user.
pub const SESSIONS: u32 = 3;
/// The maximum number of personal tokens of a user; each of the users below has one.
pub const PERSONAL_TOKENS: u32 = 3;

/// A caller: a user with a personal token, or a program with an API token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum As {
    Anonymous,
    /// An admin token.
    Admin,
    /// A user with the role Admin.
    Root,
    /// A user with the role Editor.
    Editor,
    /// A user with the role Viewer.
    Viewer,
    /// A viewer who is Owner of the project `default`.
    Owner,
    /// A viewer who is Member of the project `default`.
    Member,
    /// A viewer who is Member of the project `elsewhere`.
    MemberElsewhere,
    /// A client token of the project `elsewhere`.
    Client,
    /// A frontend token of the project `elsewhere`.
    Frontend,
    /// An admin token that has expired.
    Expired,
    Unknown,
}

/// The settings of a [`TestApp`], which a test may change.
pub struct AppSettings {
    pub use_cases: Settings,
    pub http: HttpSettings,
    /// Where the tokens of requests are looked up; the store unless a test replaces it.
    pub tokens: Option<Arc<dyn TokenRepository>>,
}

impl Default for AppSettings {
    fn default() -> Self {
        let use_cases = Settings {
            tokens: IssuingSettings {
                quota: Quota(QUOTA),
                reveal: Reveal::Always,
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
            sessions: SessionPolicy { ttl: SESSION, max_per_user: SESSIONS },
            personal_tokens: PERSONAL_TOKENS,
            retention: None,
            usage: UsageSettings { retention: Duration::from_secs(90 * 86_400), addresses: true },
            leaks: LeakAction::Nothing,
            webhooks: RetryPolicy::default(),
            accept_unknown_key: false,
        };
        Self { use_cases, http: HttpSettings::default(), tokens: None }
    }
}

/// The application and the credentials of its clients.
pub struct TestApp {
    pub use_cases: Arc<UseCases>,
    /// The clock, which stands still until a test moves it.
    pub clock: Arc<ManualClock>,
    pub store: Arc<dyn Store>,
    pub sealer: Arc<dyn SecretSealer>,
    /// The receivers of webhooks.
    pub receivers: Arc<RecordingSender>,
    context: Arc<Context>,
    credentials: Vec<(As, String)>,
}

impl TestApp {
    /// Starts an application with the default settings.
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// Starts an application whose projects may have any number of tokens.
    pub async fn without_quota() -> Self {
        Self::with(|settings| settings.use_cases.tokens.quota = Quota(u64::MAX)).await
    }

    /// Starts an application with changed settings.
    pub async fn with(change: impl FnOnce(&mut AppSettings)) -> Self {
        let mut settings = AppSettings::default();
        change(&mut settings);
        let now = timestamp(1_681_892_114_000);
        let clock = Arc::new(ManualClock::at(now));
        let entropy = Arc::new(CountingEntropy::default());
        let keys = KeyRing::new(MasterKey::generate(&*entropy), []);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(now));
        let sealer: Arc<dyn SecretSealer> = Arc::new(Sealer::new(&keys, entropy.clone()));
        let receivers = Arc::new(RecordingSender::default());
        let dependencies = Dependencies {
            store: store.clone(),
            writable: Some(store.clone()),
            sealer: sealer.clone(),
            hasher: Arc::new(Argon2Hasher::with_cost(Cost::Least, entropy.clone())),
            clock: clock.clone(),
            entropy: entropy.clone(),
            sender: receivers.clone(),
            writer: Arc::new(EventPayloads),
            mail: None,
        };
        let mut use_cases = UseCases::new(dependencies, settings.use_cases);
        if let Some(tokens) = settings.tokens {
            let ports = CredentialPorts { tokens, personal_tokens: store.clone(), sessions: store.clone() };
            let index = Arc::new(PrincipalIndex::new(settings.use_cases.index, clock.clone()));
            let limits = Arc::new(LimitKeeper::new(None, clock.clone(), WhenStale::Refuse));
            let authenticator =
                Authenticator::new(ports, sealer.clone(), clock.clone(), index, Arc::default(), limits);
            use_cases.authenticator = Arc::new(authenticator);
        }
        let use_cases = Arc::new(use_cases);
        let exporter = Arc::new(Exporter::new("test").expect("an exporter"));
        let context = Context::new(use_cases.clone(), entropy, exporter, settings.http);
        let context = Arc::new(context.with_pages(Arc::new(Console::default())));
        let mut app = Self { use_cases, clock, store, sealer, receivers, context, credentials: Vec::new() };
        app.create_clients().await;
        app
    }

    async fn create_clients(&mut self) {
        self.project("elsewhere").await;
        for (who, root, place) in [
            (As::Root, "Admin", None),
            (As::Editor, "Editor", None),
            (As::Viewer, "Viewer", None),
            (As::Owner, "Viewer", Some(("default", "Owner"))),
            (As::Member, "Viewer", Some(("default", "Member"))),
            (As::MemberElsewhere, "Viewer", Some(("elsewhere", "Member"))),
        ] {
            let user = self.user(&format!("{who:?}"), root).await;
            if let Some((project, role)) = place {
                self.member(&user, project, role).await;
            }
            self.credentials.push((who, self.personal_token(&user).await));
        }
        let client = access(TokenKind::Client, ProjectScope::one(project_id("elsewhere")));
        let frontend = access(TokenKind::Frontend, ProjectScope::one(project_id("elsewhere")));
        let before = timestamp(1);
        for (who, reach, expires_at) in [
            (As::Admin, TokenAccess::Admin, None),
            (As::Client, client, None),
            (As::Frontend, frontend, None),
            (As::Expired, TokenAccess::Admin, Some(before)),
        ] {
            let draft = TokenDraft { expires_at: expires_at.into(), ..token_draft("made", reach) };
            let issued = self.use_cases.issuer.issue(draft, &Initiator::system()).await.expect("issued");
            self.credentials.push((who, issued.secret.expect("shown").reveal().to_owned()));
        }
        self.credentials.push((As::Unknown, "*:*.unknown".to_owned()));
    }

    /// Creates a project.
    pub async fn project(&self, project: &str) {
        let draft = ProjectDraft {
            id: Some(project_id(project)),
            name: ProjectName::new(project).expect("name"),
            description: ProjectDescription::new("").expect("empty"),
            mode: ProjectMode::Open,
            environments: None,
        };
        let permit = InstancePermit::<CreateProjects>::request(&Caller::system()).expect("may");
        self.use_cases.projects.create(&permit, draft).await.expect("created");
    }

    /// Creates a user of this name with [`PASSWORD`] and an e-mail address of the name in lower case at `example.com`.
    pub async fn user(&self, name: &str, root: &str) -> User {
        let draft = UserDraft {
            username: Username::new(name).ok(),
            email: Email::new(&format!("{}@example.com", name.to_lowercase())).ok(),
            name: None,
            root_role: RoleReference::Name(root.to_owned()),
            password: Some(PASSWORD.to_owned()),
        };
        self.use_cases.users.create(&users(), draft).await.expect("created")
    }

    /// Gives a user a role in a project.
    pub async fn member(&self, user: &User, project: &str, role: &str) {
        let permit = Permit::<UpdateProject>::request(&Caller::system(), project_id(project)).expect("may");
        let role = RoleReference::Name(role.to_owned());
        self.use_cases.members.add(&permit, vec![user.id], vec![], &[role]).await.expect("added");
    }

    /// Creates a personal token for a user; returns its secret.
    pub async fn personal_token(&self, user: &User) -> String {
        let draft = PersonalTokenDraft {
            description: Description::new("test").expect("text"),
            expires_at: timestamp(4_000_000_000_000),
        };
        let issued =
            self.use_cases.personal_tokens.create_for(&users(), user.id, draft).await.expect("issued");
        issued.secret.reveal().to_owned()
    }

    /// Logs a user in with [`PASSWORD`]; returns what a browser then sends as `Cookie`.
    pub async fn sign_in(&self, username: &str) -> String {
        let body = json!({"username": username, "password": PASSWORD});
        let response = self.post(As::Anonymous, "/auth/simple/login", &body).await;
        let cookie = response.header("set-cookie").unwrap_or_else(|| panic!("{}", response.json()));
        cookie.split(';').next().expect("a pair").to_owned()
    }

    /// Returns the user that this client is.
    pub async fn user_of(&self, who: As) -> User {
        self.use_cases.users.find_by_login(&users(), &format!("{who:?}")).await.expect("there")
    }

    /// Creates a token of any scope; returns its secret.
    pub async fn token(&self, access: TokenAccess) -> String {
        self.token_and_id(access).await.0
    }

    /// Creates a token of any scope; returns its secret and its id.
    pub async fn token_and_id(&self, access: TokenAccess) -> (String, String) {
        let issued = self
            .use_cases
            .issuer
            .issue(token_draft("given", access), &Initiator::system())
            .await
            .expect("issued");
        (issued.secret.expect("shown").reveal().to_owned(), issued.token.id.to_string())
    }

    /// Creates a user with these permissions for the instance and no others; returns the secret of a personal token.
    pub async fn holder_of(&self, permissions: &[&str]) -> String {
        let name = permissions.join(" and ");
        let permissions: Vec<_> = permissions.iter().map(|name| json!({"name": name})).collect();
        let role = json!({"name": name, "type": "root-custom", "permissions": permissions});
        assert_eq!(self.post(As::Admin, "/api/admin/roles", &role).await.status, 200);
        let user = self.user(&name.replace(' ', "-"), &name).await;
        self.personal_token(&user).await
    }

    /// Returns the secret of a client.
    pub fn secret_of(&self, who: As) -> Option<&str> {
        self.credentials.iter().find(|(one, _)| *one == who).map(|(_, secret)| secret.as_str())
    }

    /// Sends a request as a client.
    pub async fn send(&self, who: As, request: test::TestRequest) -> Response {
        match self.secret_of(who) {
            None => self.send_unchanged(request).await,
            Some(secret) => self.send_by(secret, request).await,
        }
    }

    /// Sends a request with this secret in its `Authorization` header.
    pub async fn send_by(&self, secret: &str, request: test::TestRequest) -> Response {
        self.send_unchanged(request.insert_header((header::AUTHORIZATION, secret))).await
    }

    /// Sends a request with this cookie.
    pub async fn send_with(&self, cookie: &str, request: test::TestRequest) -> Response {
        self.send_unchanged(request.insert_header((header::COOKIE, cookie))).await
    }

    /// Sends a request as a client and returns the response, whose body is not read.
    pub async fn respond(&self, who: As, request: test::TestRequest) -> ServiceResponse<BoxBody> {
        let secret = self.secret_of(who).expect("a client with a secret");
        let request = request.insert_header((header::AUTHORIZATION, secret)).to_request();
        test::call_service(&self.service().await, request).await
    }

    /// Ends all event streams, as a server that stops does.
    pub fn end_streams(&self) {
        self.context.end_streams();
    }

    /// Returns the application as one worker of a server runs it, for many requests.
    pub async fn service(
        &self,
    ) -> impl Service<actix_http::Request, Response = ServiceResponse<BoxBody>, Error = Error> + use<> {
        test::init_service(latchkey_http::app(&self.context, Routes::All { with_metrics: true })).await
    }

    async fn send_unchanged(&self, request: test::TestRequest) -> Response {
        Response::of(&self.service().await, request.to_request()).await
    }

    /// Sends a GET request.
    pub async fn get(&self, who: As, path: &str) -> Response {
        self.send(who, test::TestRequest::get().uri(path)).await
    }

    /// Sends a DELETE request.
    pub async fn delete(&self, who: As, path: &str) -> Response {
        self.send(who, test::TestRequest::delete().uri(path)).await
    }

    /// Sends a POST request.
    pub async fn post(&self, who: As, path: &str, body: &Value) -> Response {
        self.send(who, test::TestRequest::post().uri(path).set_json(body)).await
    }

    /// Sends a PUT request.
    pub async fn put(&self, who: As, path: &str, body: &Value) -> Response {
        self.send(who, test::TestRequest::put().uri(path).set_json(body)).await
    }

    /// Sends a request without a body.
    pub async fn method(&self, who: As, method: Method, path: &str) -> Response {
        self.send(who, test::TestRequest::with_uri(path).method(method)).await
    }
}

fn users() -> InstancePermit<ManageUsers> {
    InstancePermit::request(&Caller::system()).expect("may")
}

/// Returns a draft of a token that does not expire, unless the policy says so.
pub fn token_draft(name: &str, access: TokenAccess) -> TokenDraft {
    TokenDraft::new(TokenName::new(name).expect("a name"), access)
}
