//! A server with users, whose console browsers visit.

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::Server,
};
use serde_json::{Value, json};

use crate::browser::Browser;

/// The password of all users.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// The tokens of the project that every instance has.
pub(crate) const TOKENS: &str = "/console/projects/default/tokens";

/// Who visits, by what they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything.
    Admin,
    /// Everything in the project `default`.
    Owner,
    /// The tokens of the project `default`.
    Member,
    /// To look, and at no tokens.
    Viewer,
}

impl Role {
    const ALL: [Self; 4] = [Self::Admin, Self::Owner, Self::Member, Self::Viewer];

    /// Returns the name of the user who has it.
    pub(crate) fn username(self) -> &'static str {
        match self {
            Self::Admin => "ada",
            Self::Owner => "olga",
            Self::Member => "milo",
            Self::Viewer => "vera",
        }
    }
}

/// A server and what it needs to start again.
pub(crate) struct Site {
    env: TestEnv,
    server: Option<Server>,
    url: String,
}

impl Site {
    /// Starts a server that has no users.
    pub(crate) fn empty(store: Store) -> Self {
        // Uses of tokens are shown soon.
        let env = TestEnv::on(store).with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", "50ms");
        let server = env.serve();
        let url = format!("http://{}", server.address());
        Self { env, server: Some(server), url }
    }

    /// Starts a server with a user of every role.
    pub(crate) fn start(store: Store) -> Self {
        let site = Self::empty(store);
        for role in Role::ALL {
            let root = if role == Role::Admin { "Admin" } else { "Viewer" };
            let body = json!({ "username": role.username(), "password": PASSWORD, "rootRole": root });
            let user = site.made("/api/admin/user-admin", &body);
            let in_project = match role {
                Role::Owner => 4,
                Role::Member => 5,
                Role::Admin | Role::Viewer => continue,
            };
            let access = json!({ "users": [user["id"]], "roles": [in_project] });
            site.made("/api/admin/projects/default/access", &access);
        }
        site
    }

    /// Returns the server.
    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().expect("it runs")
    }

    /// Makes something by the API; returns the answer.
    #[track_caller]
    pub(crate) fn made(&self, path: &str, body: &Value) -> Value {
        let answer = self.server().as_admin(Request::post(path, body));
        assert!(answer.status < 300, "{path}: {} {}", answer.status, answer.text());
        answer.json()
    }

    /// Creates a client token in the project `default`; returns its id and its secret.
    #[track_caller]
    pub(crate) fn token(&self, name: &str) -> (String, String) {
        let body = json!({ "tokenName": name, "type": "client", "environment": "development" });
        let made = self.made("/api/admin/projects/default/api-tokens", &body);
        let text = |member: &str| made[member].as_str().expect("a text").to_owned();
        (text("id"), text("secret"))
    }

    /// Makes one of everything that pages show.
    pub(crate) fn furnish(&self) -> Things {
        let (token, secret) = self.token("web shop");
        assert_eq!(self.verify(&secret), 200);
        let user = json!({ "username": "ed", "password": PASSWORD, "rootRole": "Viewer" });
        let account = json!({ "username": "robot", "name": "A robot", "rootRole": "Viewer" });
        let role = json!({ "name": "Looker", "type": "custom", "permissions": [] });
        let webhook = json!({ "url": "https://hooks.example.com/latchkey", "events": ["api-token-created"] });
        let group = json!({ "name": "Payments", "rootRole": "Viewer", "users": [] });
        let made = [
            ("{user}", "/api/admin/user-admin", user),
            ("{account}", "/api/admin/service-account", account),
            ("{role}", "/api/admin/roles", role),
            ("{webhook}", "/api/admin/webhooks", webhook),
            ("{group}", "/api/admin/groups", group),
        ];
        let ids = made.map(|(name, path, body)| (name, id_of(&self.made(path, &body))));
        Things(ids.into_iter().chain([("{token}", token)]).collect())
    }

    /// Returns the status of a verification.
    #[track_caller]
    pub(crate) fn verify(&self, secret: &str) -> u16 {
        self.server().status("/auth/verify", secret)
    }

    /// Starts a browser with which no user has signed in.
    pub(crate) fn browser(&self) -> Browser {
        Browser::start(&self.url)
    }

    /// Starts a browser without JavaScript.
    pub(crate) fn browser_without_scripts(&self) -> Browser {
        Browser::start_without_scripts(&self.url)
    }

    /// Signs a browser in, by the API.
    #[track_caller]
    pub(crate) fn sign_in(&self, browser: &Browser, role: Role) {
        let cookie = self.server().sign_in(role.username(), PASSWORD).expect("signed in");
        browser.open("/console/sign-in");
        browser.set_cookie(&cookie);
    }

    /// Starts a browser with which a user has signed in.
    #[track_caller]
    pub(crate) fn browser_of(&self, role: Role) -> Browser {
        let browser = self.browser();
        self.sign_in(&browser, role);
        browser
    }

    /// Ends the server as a power cut would.
    pub(crate) fn crash(&mut self) {
        self.server.take().expect("it runs").crash();
    }

    /// Starts the server again, at the same address.
    pub(crate) fn start_again(&mut self) {
        let port = self.url.rsplit_once(':').expect("a port").1;
        let command = self.env.command(&format!("serve --port {port}"));
        self.server = Some(Server::start(command).expect("the server is ready"));
    }
}

/// The ids of what [`Site::furnish`] has made, by the names that stand for them in paths.
pub(crate) struct Things(Vec<(&'static str, String)>);

impl Things {
    /// Returns a path with ids in place of their names.
    pub(crate) fn fill(&self, path: &str) -> String {
        self.0.iter().fold(path.to_owned(), |path, (name, id)| path.replace(name, id))
    }
}

/// Returns the id of what was made; the answer may hold it in a member.
fn id_of(made: &Value) -> String {
    let id = made.get("id").or_else(|| made.as_object()?.values().find_map(|inner| inner.get("id")));
    match id {
        Some(Value::String(id)) => id.clone(),
        Some(id) => id.to_string(),
        None => panic!("no id in {made}"),
    }
}
