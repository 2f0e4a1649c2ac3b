//! A whole Latchkey in memory, whose clock stands still and whose randomness repeats, and clients signed in as somebody.

use std::{sync::Arc, time::Duration};

use actix_web::{
    http::{Method, header},
    test,
};
use latchkey_crypto::{Argon2Hasher, Cost, KeyRing, MasterKey, Sealer};
use latchkey_domain::{
    Description, Email, EnvironmentName, EnvironmentScope, ProjectDescription, ProjectId, ProjectMode,
    ProjectName, ProjectScope, Timestamp, TokenAccess, TokenKind, TokenName, User, Username,
};
use latchkey_http::{Context, HttpSettings};
use latchkey_memory::MemoryStore;
use latchkey_ports::{CountingEntropy, ManualClock, Quota, SecretSealer, Store};
use latchkey_service::{
    Caller, CreateProjects, Dependencies, IndexSettings, Initiator, InstancePermit, ManageUsers, Permit,
    PersonalTokenDraft, ProjectDraft, Reveal, RoleReference, SessionPolicy, Settings, TokenDraft,
    TokenPolicy, UpdateProject, UseCases, UserDraft, WhenStale,
};
use serde_json::{Value, json};

pub(crate) use crate::answer::Answer;

pub(crate) const TOKENS: &str = "/api/admin/projects/default/api-tokens";
pub(crate) const QUOTA: u64 = 5;
/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse";
/// How long a session lasts.
pub(crate) const SESSION: Duration = Duration::from_secs(3_600);
/// The most sessions of a user.
pub(crate) const SESSIONS: u32 = 3;
/// The most personal tokens of a user; each of those below has one.
pub(crate) const PERSONAL_TOKENS: u32 = 3;

/// Who calls: users by a personal token, programs by an API token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum As {
    Nobody,
    /// An admin token.
    Admin,
    /// A user with the role Admin.
    Root,
    Editor,
    Viewer,
    Owner,
    Member,
    MemberElsewhere,
    Client,
    Frontend,
    Expired,
    Unknown,
}

/// What a test may decide about its Latchkey.
pub(crate) struct Choices {
    pub(crate) settings: Settings,
    pub(crate) http: HttpSettings,
}

impl Default for Choices {
    fn default() -> Self {
        let settings = Settings {
            tokens: TokenPolicy { quota: Quota(QUOTA), reveal: Reveal::Always, allow_admin: false },
            index: IndexSettings {
                capacity: 100,
                max_staleness: Duration::from_secs(5),
                when_stale: WhenStale::Refuse,
                unknown_per_second: 500,
            },
            sessions: SessionPolicy { ttl: SESSION, max_per_user: SESSIONS },
            personal_tokens: PERSONAL_TOKENS,
            retention: None,
        };
        Self { settings, http: HttpSettings::default() }
    }
}

pub(crate) struct TestApp {
    pub(crate) use_cases: Arc<UseCases>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) sealer: Arc<dyn SecretSealer>,
    context: Arc<Context>,
    credentials: Vec<(As, String)>,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// A Latchkey whose projects may have any number of tokens.
    pub(crate) async fn roomy() -> Self {
        Self::with(|choices| choices.settings.tokens.quota = Quota(u64::MAX)).await
    }

    /// A Latchkey about which something is decided otherwise.
    pub(crate) async fn with(decide: impl FnOnce(&mut Choices)) -> Self {
        let mut choices = Choices::default();
        decide(&mut choices);
        let now = Timestamp::from_millis(1_681_892_114_000).expect("in range");
        let clock = Arc::new(ManualClock::at(now));
        let entropy = Arc::new(CountingEntropy::default());
        let keys = KeyRing::new(MasterKey::generate(&*entropy), []);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new(now));
        let sealer: Arc<dyn SecretSealer> = Arc::new(Sealer::new(&keys, entropy.clone()));
        let surroundings = Dependencies {
            store: store.clone(),
            sealer: sealer.clone(),
            hasher: Arc::new(Argon2Hasher::with_cost(Cost::Least, entropy.clone())),
            clock: clock.clone(),
            entropy: entropy.clone(),
        };
        let use_cases = Arc::new(UseCases::new(surroundings, choices.settings));
        let context = Arc::new(Context::new(use_cases.clone(), entropy, choices.http));
        let mut app = Self { use_cases, clock, store, sealer, context, credentials: Vec::new() };
        app.sign_everybody_in().await;
        app
    }

    async fn sign_everybody_in(&mut self) {
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
        let client = scoped(TokenKind::Client, ProjectScope::one(id("elsewhere")));
        let frontend = scoped(TokenKind::Frontend, ProjectScope::one(id("elsewhere")));
        let before = Timestamp::from_millis(1).expect("in range");
        for (who, access, expires_at) in [
            (As::Admin, TokenAccess::Admin, None),
            (As::Client, client, None),
            (As::Frontend, frontend, None),
            (As::Expired, TokenAccess::Admin, Some(before)),
        ] {
            let draft =
                TokenDraft { expires_at, ..TokenDraft::new(TokenName::new("made").expect("name"), access) };
            let issued = self.use_cases.issuer.issue(draft, &Initiator::system()).await.expect("issued");
            self.credentials.push((who, issued.secret.expect("shown").reveal().to_owned()));
        }
        self.credentials.push((As::Unknown, "*:*.unknown".to_owned()));
    }

    pub(crate) async fn project(&self, project: &str) {
        let draft = ProjectDraft {
            id: Some(id(project)),
            name: ProjectName::new(project).expect("name"),
            description: ProjectDescription::new("").expect("empty"),
            mode: ProjectMode::Open,
            environments: None,
        };
        let permit = InstancePermit::<CreateProjects>::request(&Caller::system()).expect("may");
        self.use_cases.projects.create(&permit, draft).await.expect("created");
    }

    /// A user of this name with [`PASSWORD`], and an e-mail address of that name in lower case at `example.com`.
    pub(crate) async fn user(&self, name: &str, root: &str) -> User {
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
    pub(crate) async fn member(&self, user: &User, project: &str, role: &str) {
        let permit = Permit::<UpdateProject>::request(&Caller::system(), id(project)).expect("may");
        let role = RoleReference::Name(role.to_owned());
        self.use_cases.members.add(&permit, vec![user.id], &[role]).await.expect("added");
    }

    /// The secret of a personal token, as the command line makes it.
    pub(crate) async fn personal_token(&self, user: &User) -> String {
        let draft = PersonalTokenDraft {
            description: Description::new("test").expect("text"),
            expires_at: Timestamp::from_millis(4_000_000_000_000).expect("in range"),
        };
        let issued =
            self.use_cases.personal_tokens.create_for(&users(), user.id, draft).await.expect("issued");
        issued.secret.reveal().to_owned()
    }

    /// Signs a user in with [`PASSWORD`], and gives what a browser then sends as `Cookie`.
    pub(crate) async fn sign_in(&self, username: &str) -> String {
        let body = json!({"username": username, "password": PASSWORD});
        let answer = self.post(As::Nobody, "/auth/simple/login", &body).await;
        let cookie = answer.header("set-cookie").unwrap_or_else(|| panic!("{}", answer.json()));
        cookie.split(';').next().expect("a pair").to_owned()
    }

    /// The user of that role among those who are signed in from the start.
    pub(crate) async fn user_of(&self, who: As) -> User {
        self.use_cases.users.find_by_login(&users(), &format!("{who:?}")).await.expect("there")
    }

    /// A token of any scope, as the command line makes it.
    pub(crate) async fn token(&self, access: TokenAccess) -> String {
        self.token_and_id(access).await.0
    }

    /// The secret of a token of any scope, and its id.
    pub(crate) async fn token_and_id(&self, access: TokenAccess) -> (String, String) {
        let draft = TokenDraft::new(TokenName::new("given").expect("name"), access);
        let issued = self.use_cases.issuer.issue(draft, &Initiator::system()).await.expect("issued");
        (issued.secret.expect("shown").reveal().to_owned(), issued.token.id.to_string())
    }

    /// A user who holds these permissions for the instance and no others, by a personal token.
    pub(crate) async fn holder_of(&self, permissions: &[&str]) -> String {
        let name = permissions.join(" and ");
        let permissions: Vec<_> = permissions.iter().map(|name| json!({"name": name})).collect();
        let role = json!({"name": name, "type": "root-custom", "permissions": permissions});
        assert_eq!(self.post(As::Admin, "/api/admin/roles", &role).await.status, 201);
        let user = self.user(&name.replace(' ', "-"), &name).await;
        self.personal_token(&user).await
    }

    pub(crate) fn secret_of(&self, who: As) -> Option<&str> {
        self.credentials.iter().find(|(one, _)| *one == who).map(|(_, secret)| secret.as_str())
    }

    /// Sends a request as somebody.
    pub(crate) async fn send(&self, who: As, request: test::TestRequest) -> Answer {
        match self.secret_of(who) {
            None => self.send_as_it_is(request).await,
            Some(secret) => self.send_by(secret, request).await,
        }
    }

    /// Sends a request with this secret in its header.
    pub(crate) async fn send_by(&self, secret: &str, request: test::TestRequest) -> Answer {
        self.send_as_it_is(request.insert_header((header::AUTHORIZATION, secret))).await
    }

    /// Sends a request as a browser does that is signed in.
    pub(crate) async fn send_with(&self, cookie: &str, request: test::TestRequest) -> Answer {
        self.send_as_it_is(request.insert_header((header::COOKIE, cookie))).await
    }

    async fn send_as_it_is(&self, request: test::TestRequest) -> Answer {
        let service = test::init_service(latchkey_http::app(&self.context)).await;
        Answer::of(&service, request.to_request()).await
    }

    pub(crate) async fn get(&self, who: As, path: &str) -> Answer {
        self.send(who, test::TestRequest::get().uri(path)).await
    }

    pub(crate) async fn delete(&self, who: As, path: &str) -> Answer {
        self.send(who, test::TestRequest::delete().uri(path)).await
    }

    pub(crate) async fn post(&self, who: As, path: &str, body: &Value) -> Answer {
        self.send(who, test::TestRequest::post().uri(path).set_json(body)).await
    }

    pub(crate) async fn put(&self, who: As, path: &str, body: &Value) -> Answer {
        self.send(who, test::TestRequest::put().uri(path).set_json(body)).await
    }

    pub(crate) async fn method(&self, who: As, method: Method, path: &str) -> Answer {
        self.send(who, test::TestRequest::with_uri(path).method(method)).await
    }
}

fn users() -> InstancePermit<ManageUsers> {
    InstancePermit::request(&Caller::system()).expect("may")
}

pub(crate) fn id(project: &str) -> ProjectId {
    ProjectId::new(project).expect("id")
}

pub(crate) fn scoped(kind: TokenKind, projects: ProjectScope) -> TokenAccess {
    let environment = EnvironmentScope::Only(EnvironmentName::new("development").expect("name"));
    TokenAccess::new(kind, projects, environment).expect("a scope")
}
