//! The callers, and the things that requests are about. All of it is created over HTTP.

use std::collections::HashMap;

use latchkey_testkit::{
    raw_http::{Request, Response},
    server::{Server, percent_encoded},
};
use serde_json::{Value, json};

use super::table::{CALLERS, Row};

const PASSWORD: &str = "correct horse";
const PROJECT: &str = "/api/admin/projects";
const USERS: &str = "/api/admin/user-admin";
const MEMBER: u64 = 5;
const OWNER: u64 = 4;

/// The callers of the table with their credentials.
pub(crate) struct Cast<'s> {
    server: &'s Server,
    credentials: HashMap<&'static str, String>,
    ids: HashMap<&'static str, u64>,
    made: u32,
}

impl<'s> Cast<'s> {
    pub(crate) fn of(server: &'s Server) -> Self {
        let mut cast = Self { server, credentials: HashMap::new(), ids: HashMap::new(), made: 0 };
        for (who, role) in [
            ("viewer", "Viewer"),
            ("stranger", "Viewer"),
            ("member", "Viewer"),
            ("owner", "Viewer"),
            ("editor", "Editor"),
            ("admin", "Admin"),
        ] {
            let id = cast.user(who, role);
            let secret = cast.personal_token(who);
            cast.ids.insert(who, id);
            cast.credentials.insert(who, secret);
        }
        let elsewhere = cast.project();
        cast.join(&elsewhere, cast.ids["stranger"], MEMBER);
        let account = json!({ "name": "Robot", "username": "service", "rootRole": 2 });
        let account = number(&cast.posted("/api/admin/service-account", &account), "id");
        let secret = cast.account_token(account)["secret"].clone();
        cast.credentials.insert("service", secret.as_str().expect("a secret").to_owned());
        for (who, kind, end) in [
            ("client", "client", Value::Null),
            ("frontend", "frontend", Value::Null),
            ("expired", "client", json!("2001-01-01T00:00:00Z")),
        ] {
            let body = json!({ "tokenName": who, "type": kind, "projects": ["default"], "expiresAt": end });
            let secret = text(&cast.posted("/api/admin/api-tokens", &body), "secret");
            cast.credentials.insert(who, secret);
        }
        cast
    }

    /// Returns the request of this row by that caller, after creating all that it refers to.
    pub(crate) fn request(&mut self, row: &Row, who: &'static str) -> Request {
        assert!(CALLERS.contains(&who));
        let mut things = HashMap::new();
        let path = self.filled_in(&row.path, who, &mut things, true);
        let mut request = Request::new(&row.method, &path);
        if let Some(body) = &row.body {
            let body = self.filled_in(body, who, &mut things, false);
            let kind =
                if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
            request = request.header("content-type", kind).body(body);
        }
        match self.credentials.get(who) {
            Some(secret) => request.by(secret),
            None => request,
        }
    }

    /// Returns the text with the things created for each `{parameter=thing}` and, in bodies, for each `{thing}` of a known name.
    fn filled_in(
        &mut self,
        text: &str,
        who: &'static str,
        things: &mut HashMap<String, String>,
        is_path: bool,
    ) -> String {
        const IN_BODIES: [&str; 5] = ["{text}", "{user}", "{group}", "{environment}", "{login}"];
        let mut filled = text.to_owned();
        if is_path {
            while let Some((start, end)) = filled.find('{').zip(filled.find('}')) {
                let (_, thing) = filled[start + 1..end].split_once('=').expect("a thing to make");
                let value = percent_encoded(&self.thing(thing, who, things));
                filled.replace_range(start..=end, &value);
            }
        } else {
            for wanted in IN_BODIES.into_iter().filter(|wanted| text.contains(wanted)) {
                let value = self.thing(wanted.trim_matches(['{', '}']), who, things);
                filled = filled.replace(wanted, &value);
            }
        }
        filled
    }

    fn thing(&mut self, thing: &str, who: &'static str, things: &mut HashMap<String, String>) -> String {
        let value = match thing {
            "text" => self.name(),
            "project" => self.project(),
            "token" => self.token(&things.get("project").cloned().unwrap_or_else(|| "default".to_owned())),
            "user" => {
                let name = self.name();
                self.user(&name, "Viewer").to_string()
            }
            "login" => {
                let name = self.name();
                self.user(&name, "Viewer");
                name
            }
            "memberOfIt" => self.ids["member"].to_string(),
            "account" => self.account().to_string(),
            "accountToken" => {
                let account = things["account"].parse().expect("an id");
                number(&self.account_token(account), "id").to_string()
            }
            "role" => {
                let body = json!({ "name": self.name(), "type": "custom", "permissions": [] });
                number(&self.posted("/api/admin/roles", &body), "id").to_string()
            }
            "group" => self.group().to_string(),
            "groupInIt" => {
                let (group, project) = (self.group(), things["project"].clone());
                let path = format!("{PROJECT}/{project}/groups/{group}/roles");
                let roles = json!({ "roles": [MEMBER] });
                expect_success(self.server.as_admin(Request::put(&path, &roles)));
                group.to_string()
            }
            "environment" => {
                let body = json!({ "name": self.name(), "type": "test" });
                text(&self.posted("/api/admin/environments", &body), "name")
            }
            "webhook" => {
                let body = json!({ "url": "https://127.0.0.1:9/hook", "enabled": false });
                text(&self.posted("/api/admin/webhooks", &body), "id")
            }
            "first" => "1".to_owned(),
            "pat" => self.own_personal_token(who),
            "session" => self.own_session(who),
            other => panic!("a {other} cannot be created"),
        };
        things.insert(thing.to_owned(), value.clone());
        value
    }

    fn name(&mut self) -> String {
        self.made += 1;
        format!("thing-{}", self.made)
    }

    /// Creates a project with the owner and the member in it.
    fn project(&mut self) -> String {
        let id = self.name();
        self.posted(PROJECT, &json!({ "id": id, "name": id }));
        for (who, role) in [("owner", OWNER), ("member", MEMBER)] {
            if let Some(user) = self.ids.get(who) {
                self.join(&id, *user, role);
            }
        }
        id
    }

    fn join(&self, project: &str, user: u64, role: u64) {
        let body = json!({ "users": [user], "groups": [], "roles": [role] });
        self.posted(&format!("{PROJECT}/{project}/access"), &body);
    }

    fn group(&mut self) -> u64 {
        let body = json!({ "name": self.name() });
        number(&self.posted("/api/admin/groups", &body), "id")
    }

    fn user(&self, name: &str, role: &str) -> u64 {
        let body = json!({ "username": name, "rootRole": role, "password": PASSWORD });
        number(&self.posted(USERS, &body), "id")
    }

    fn cookie(&self, name: &str) -> String {
        let body = json!({ "username": name, "password": PASSWORD });
        let answer = expect_success(self.server.send(&Request::post("/auth/simple/login", &body)));
        let cookie = answer.header("set-cookie").expect("a cookie");
        cookie.split(';').next().expect("a pair").to_owned()
    }

    fn personal_token(&mut self, name: &str) -> String {
        let body = json!({ "description": self.name(), "expiresAt": "2099-01-01T00:00:00Z" });
        let request = Request::post("/api/admin/user/tokens", &body).header("cookie", &self.cookie(name));
        text(&expect_success(self.server.send(&request)).json(), "secret")
    }

    /// Returns the id of a token of the caller; an unknown id for a caller that can have none.
    fn own_personal_token(&mut self, who: &'static str) -> String {
        let body = json!({ "description": self.name(), "expiresAt": "2099-01-01T00:00:00Z" });
        let Some(secret) = self.credentials.get(who) else { return "1".to_owned() };
        let answer = self.server.send(&Request::post("/api/admin/user/tokens", &body).by(secret));
        if answer.status == 201 { number(&answer.json(), "id").to_string() } else { "1".to_owned() }
    }

    /// Returns the id of a session of the caller; an unknown id for a caller that cannot sign in.
    fn own_session(&self, who: &str) -> String {
        if !self.ids.contains_key(who) {
            return "00000000-0000-4000-8000-000000000000".to_owned();
        }
        let request = Request::get("/api/admin/user/sessions").header("cookie", &self.cookie(who));
        let sessions = expect_success(self.server.send(&request)).json();
        let newest = sessions["sessions"].as_array().and_then(|list| list.last()).expect("a session").clone();
        text(&newest, "id")
    }

    fn token(&mut self, project: &str) -> String {
        let body = json!({ "tokenName": self.name(), "type": "client" });
        text(&self.posted(&format!("{PROJECT}/{project}/api-tokens"), &body), "secret")
    }

    fn account(&mut self) -> u64 {
        let body = json!({ "name": "Robot", "username": self.name(), "rootRole": 3 });
        number(&self.posted("/api/admin/service-account", &body), "id")
    }

    fn account_token(&mut self, account: u64) -> Value {
        let body = json!({ "description": self.name(), "expiresAt": "2099-01-01T00:00:00Z" });
        self.posted(&format!("/api/admin/service-account/{account}/token"), &body)
    }

    fn posted(&self, path: &str, body: &Value) -> Value {
        expect_success(self.server.as_admin(Request::post(path, body))).json()
    }
}

#[track_caller]
fn expect_success(answer: Response) -> Response {
    assert!(answer.status < 300, "{}: {}", answer.status, answer.text());
    answer
}

#[track_caller]
fn number(body: &Value, field: &str) -> u64 {
    body[field].as_u64().unwrap_or_else(|| panic!("no number {field} in {body}"))
}

#[track_caller]
fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap_or_else(|| panic!("no text {field} in {body}")).to_owned()
}
