//! How the steps that a recorded case begins with are done here: the one table that translates the reference's
//! routes and fixtures into what Latchkey has. A step whose route Latchkey has by now is simply sent: whoever adds a
//! route takes its arm out of [`Known::step`].

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    command_line::NewToken,
    golden::{Case, send},
    ground::{Ground, Store},
    server::{Server, percent_encoded},
};

/// The admin token that the reference is installed with.
const ADMIN_OF_THE_REFERENCE: &str = "*:*.unleash4all";
/// The administrator that the reference is installed with.
const FIRST_USER: &str = "admin";

/// What a case's set-up made, under the names that the case gives it.
#[derive(Default)]
pub(crate) struct Known {
    /// `name.field` → value.
    fields: HashMap<String, String>,
    /// Secrets that stand in the case as such → those that do their work here.
    secrets: HashMap<String, String>,
}

/// An empty SQLite store with all that the case presumes, and its server.
pub(crate) fn prepare(case: &Case) -> (Ground, Server, Known) {
    let ground = Ground::on(Store::Sqlite).with("INIT_ADMIN_API_TOKENS", ADMIN_OF_THE_REFERENCE);
    let server = ground.serve();
    let mut known = Known::default();
    for step in &case.setup {
        let made = known.step(&ground, &server, step);
        let Some(name) = step["as"].as_str() else { continue };
        for (field, value) in made.as_object().into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            known.fields.insert(format!("{name}.{field}"), value);
        }
    }
    (ground, server, known)
}

impl Known {
    /// Does one step; gives back what the case may refer to.
    fn step(&mut self, ground: &Ground, server: &Server, step: &Value) -> Value {
        let text = |field: &str| step[field].as_str().unwrap_or_default();
        let body = &step["body"];
        match (text("fixture"), text("method"), text("path")) {
            ("project", ..) => {
                ground.make_project(text("id"));
                Value::Null
            }
            ("expireToken", ..) => self.expired_token(ground, text("secret"), text("type")),
            (_, "POST", "/api/admin/api-tokens") => api_token(ground, body),
            (_, "POST", "/api/admin/user-admin") => {
                ground.make_user(given(body, "username"), given(body, "rootRole"));
                Value::Null
            }
            (_, "POST", "/auth/simple/login") => session(ground, given(body, "username")),
            (_, "POST", "/api/admin/user/tokens") => {
                let user = self.fill_in(step["headers"]["cookie"].as_str().expect("a session"));
                let user =
                    self.fields.iter().find(|(name, value)| name.ends_with(".cookie") && **value == user);
                let (session, _) = user.expect("a known session");
                let user = &self.fields[&session.replace(".cookie", ".username")];
                json!({ "secret": ground.make_personal_token(user, given(body, "description")) })
            }
            // Whether an environment is switched on plays no part for tokens, and nothing here switches it off yet.
            (_, "POST", "/api/admin/environments/development/off") => Value::Null,
            _ => sent(server, step, self),
        }
    }

    fn expired_token(&mut self, ground: &Ground, secret: &str, kind: &str) -> Value {
        let made = ground.make_token(&NewToken {
            kind,
            environment: None,
            expires_at: Some("2001-01-01T00:00:00Z"),
            ..NewToken::default()
        });
        self.secrets.insert(secret.to_owned(), made);
        Value::Null
    }

    /// The text with `${name.field}` and `${name.field|enc}` replaced.
    pub(crate) fn fill_in(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.fields {
            text = text.replace(&format!("${{{name}}}"), value);
            text = text.replace(&format!("${{{name}|enc}}"), &percent_encoded(value));
        }
        for (secret, ours) in &self.secrets {
            text = text.replace(secret, ours);
        }
        assert!(!text.contains("${"), "nothing is known for {text}");
        text
    }

    /// A header as it is sent here: a personal access token does the work of a session.
    pub(crate) fn header(&self, name: &str, value: &str) -> (String, String) {
        let is_session = name == "cookie" && self.fields.values().any(|known| known == value);
        (if is_session { "authorization" } else { name }.to_owned(), value.to_owned())
    }
}

fn given<'v>(body: &'v Value, field: &str) -> &'v str {
    body[field].as_str().unwrap_or_else(|| panic!("no {field} in {body}"))
}

fn api_token(ground: &Ground, body: &Value) -> Value {
    let projects: Vec<&str> =
        body["projects"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let secret = ground.make_token(&NewToken {
        name: given(body, "tokenName"),
        kind: given(body, "type"),
        environment: body["environment"].as_str(),
        projects: if projects == ["*"] { &[] } else { &projects },
        expires_at: body["expiresAt"].as_str(),
    });
    json!({ "secret": secret })
}

fn session(ground: &Ground, username: &str) -> Value {
    if username == FIRST_USER {
        ground.make_user(FIRST_USER, "Admin");
    }
    json!({ "cookie": ground.make_personal_token(username, "session"), "username": username })
}

fn sent(server: &Server, step: &Value, known: &Known) -> Value {
    let answer = send(server, step, known);
    assert!(answer.status < 300, "{step} answered {}: {}", answer.status, answer.text());
    let mut made = answer.json();
    if let (Some(etag), Value::Object(fields)) = (answer.header("etag"), &mut made) {
        fields.insert("etag".to_owned(), json!(etag));
    }
    made
}
