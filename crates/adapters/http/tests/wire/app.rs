//! A whole Latchkey in memory, whose clock stands still and whose randomness repeats, and clients signed in as somebody.

use std::{sync::Arc, time::Duration};

use actix_http::Request;
use actix_web::{
    Error,
    body::BoxBody,
    dev::{Service, ServiceResponse},
    http::{Method, StatusCode, header},
    test,
};
use latchkey_crypto::{KeyRing, MasterKey, Sealer};
use latchkey_domain::{
    Description, EnvironmentName, EnvironmentScope, PersonName, ProjectDescription, ProjectId, ProjectName,
    ProjectScope, Timestamp, TokenAccess, TokenKind, TokenName, UserIdentity, Username,
};
use latchkey_http::{Context, HttpSettings};
use latchkey_memory::MemoryStore;
use latchkey_ports::{CountingEntropy, ManualClock, Quota, Store};
use latchkey_service::{
    IndexSettings, Initiator, PersonalTokenDraft, Reveal, Settings, Surroundings, TokenDraft, TokenPolicy,
    UseCases, UserDraft,
};
use serde_json::Value;

pub(crate) const TOKENS: &str = "/api/admin/projects/default/api-tokens";
pub(crate) const QUOTA: u64 = 5;

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum As {
    Nobody,
    Admin,
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

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: header::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("JSON")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    /// Status, kind and message, for errors.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, kind: &str) {
        let body = self.json();
        assert_eq!((self.status.as_u16(), body["name"].as_str()), (status, Some(kind)), "{body}");
        assert_eq!(self.header("content-type"), Some("application/json"));
    }
}

pub(crate) struct TestApp {
    pub(crate) use_cases: Arc<UseCases>,
    context: Arc<Context>,
    credentials: Vec<(As, String)>,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with(Reveal::Always).await
    }

    pub(crate) async fn with(reveal: Reveal) -> Self {
        let now = Timestamp::from_millis(1_681_892_114_000).expect("in range");
        let entropy = Arc::new(CountingEntropy::default());
        let keys = KeyRing::new(MasterKey::generate(&*entropy), []);
        let surroundings = Surroundings {
            store: Arc::new(MemoryStore::new(now)) as Arc<dyn Store>,
            sealer: Arc::new(Sealer::new(&keys, entropy.clone())),
            clock: Arc::new(ManualClock::at(now)),
            entropy: entropy.clone(),
        };
        let settings = Settings {
            tokens: TokenPolicy { quota: Quota(QUOTA), reveal },
            index: IndexSettings { capacity: 100, max_staleness: Duration::from_secs(5) },
        };
        let use_cases = Arc::new(UseCases::new(surroundings, settings));
        let context = Arc::new(Context::new(use_cases.clone(), entropy, HttpSettings::default()));
        let mut app = Self { use_cases, context, credentials: Vec::new() };
        app.sign_everybody_in().await;
        app
    }

    async fn sign_everybody_in(&mut self) {
        self.project("elsewhere").await;
        for (who, root, place) in [
            (As::Editor, "Editor", None),
            (As::Viewer, "Viewer", None),
            (As::Owner, "Viewer", Some(("default", "Owner"))),
            (As::Member, "Viewer", Some(("default", "Member"))),
            (As::MemberElsewhere, "Viewer", Some(("elsewhere", "Member"))),
        ] {
            let secret = self.user(&format!("{who:?}"), root, place).await;
            self.credentials.push((who, secret));
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
            let draft = TokenDraft { name: TokenName::new("made").expect("name"), access, expires_at };
            let issued = self.use_cases.issuer.issue(draft, &Initiator::system()).await.expect("issued");
            self.credentials.push((who, issued.secret.expect("shown").reveal().to_owned()));
        }
        self.credentials.push((As::Unknown, "*:*.unknown".to_owned()));
    }

    pub(crate) async fn project(&self, project: &str) {
        let name = ProjectName::new(project).expect("name");
        let by = Initiator::system();
        self.use_cases
            .projects
            .create(id(project), name, ProjectDescription::new("").expect("empty"), &by)
            .await
            .expect("created");
    }

    async fn user(&self, name: &str, root: &str, place: Option<(&str, &str)>) -> String {
        let by = Initiator::system();
        let people = &self.use_cases.people;
        let identity = UserIdentity::new(Username::new(name).ok(), None).expect("named");
        let draft = UserDraft { identity, name: PersonName::new(name).ok(), root_role: root.to_owned() };
        let user = people.create_user(draft, &by).await.expect("created");
        if let Some((project, role)) = place {
            people.grant(&user, &id(project), role, &by).await.expect("granted");
        }
        let draft = PersonalTokenDraft {
            description: Description::new("test").expect("text"),
            expires_at: Timestamp::from_millis(4_000_000_000_000).expect("in range"),
        };
        let issued = people.issue_personal_token(&user, draft, &by).await.expect("issued");
        issued.secret.reveal().to_owned()
    }

    /// A token of any scope, as the command line makes it.
    pub(crate) async fn token(&self, access: TokenAccess) -> String {
        let draft = TokenDraft { name: TokenName::new("given").expect("name"), access, expires_at: None };
        let issued = self.use_cases.issuer.issue(draft, &Initiator::system()).await.expect("issued");
        issued.secret.expect("shown").reveal().to_owned()
    }

    pub(crate) fn secret_of(&self, who: As) -> Option<&str> {
        self.credentials.iter().find(|(one, _)| *one == who).map(|(_, secret)| secret.as_str())
    }

    /// Sends a request as somebody.
    pub(crate) async fn send(&self, who: As, request: test::TestRequest) -> Answer {
        let request = match self.secret_of(who) {
            None => request,
            Some(secret) => request.insert_header((header::AUTHORIZATION, secret)),
        };
        let service = test::init_service(latchkey_http::app(&self.context)).await;
        answer(&service, request.to_request()).await
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

    pub(crate) async fn method(&self, who: As, method: Method, path: &str) -> Answer {
        self.send(who, test::TestRequest::with_uri(path).method(method)).await
    }
}

async fn answer<S>(service: &S, request: Request) -> Answer
where
    S: Service<Request, Response = ServiceResponse<BoxBody>, Error = Error>,
{
    let response = test::call_service(service, request).await;
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, bytes: test::read_body(response).await.to_vec() }
}

pub(crate) fn id(project: &str) -> ProjectId {
    ProjectId::new(project).expect("id")
}

pub(crate) fn scoped(kind: TokenKind, projects: ProjectScope) -> TokenAccess {
    let environment = EnvironmentScope::Only(EnvironmentName::new("development").expect("name"));
    TokenAccess::new(kind, projects, environment).expect("a scope")
}
