//! The steps of a set-up that were applied to the database of Unleash, which has no route for them. Latchkey has routes
//! for most; only the others are applied to its database.

use std::sync::Arc;

use latchkey_crypto::{KeyRing, Sealer, SystemEntropy};
use latchkey_domain::{
    Actor, ApiToken, EnvironmentName, EnvironmentScope, EventKind, NewEvent, Origin, ProjectScope, Timestamp,
    TokenAccess, TokenId, TokenName, TokenSecret,
};
use latchkey_ports::{EntropyExt as _, Quota, SecretSealer as _, StoredToken, TokenRepository as _};
use latchkey_sqlite::{Location, SqliteSettings, SqliteStore};
use latchkey_testkit::{env::TestEnv, raw_http::Request, samples::api_token, server::Server};
use serde_json::{Value, json};

use crate::database::Records;

/// Applies a step, with its texts filled in. The database of Unleash was changed directly, so the step leaves no event.
pub(crate) fn make(env: &TestEnv, server: &Server, admin: &str, step: &Value) {
    let traced = newest_event(env);
    let text = |field: &str| step[field].as_str().unwrap_or_default();
    let request = match text("fixture") {
        "project" => Request::post("/api/admin/projects", &json!({ "id": step["id"], "name": step["name"] })),
        "deleteProjectRow" => Request::delete(&format!("/api/admin/projects/{}", text("id"))),
        // The sort order is the recorded one.
        "environment" => Request::post(
            "/api/admin/environments",
            &json!({ "name": step["name"], "type": step["type"], "enabled": true, "sortOrder": 9 }),
        ),
        "deleteEnvironment" => Request::delete(&format!("/api/admin/environments/{}", text("name"))),
        "customRootRole" => {
            let permissions = step["permissions"].as_array().into_iter().flatten();
            let permissions: Vec<_> = permissions.map(|name| json!({ "name": name })).collect();
            let body = json!({ "name": step["name"], "type": "root-custom", "permissions": permissions });
            Request::post("/api/admin/roles", &body)
        }
        "projectRole" => {
            let user: i64 = text("user").parse().expect("the id of a user");
            let role = match text("role") {
                "Owner" => 4,
                "Member" => 5,
                other => panic!("no role of projects is called {other}"),
            };
            let body = json!({ "users": [user], "groups": [], "roles": [role] });
            Request::post(&format!("/api/admin/projects/{}/access", text("project")), &body)
        }
        "expirePat" => {
            let id: i64 = text("pat").parse().expect("the id of a token");
            let expired = format!("UPDATE personal_tokens SET expires_at = 1 WHERE id = {id}");
            assert!(Records::of(env).try_execute(&expired), "{step}");
            return;
        }
        "expireToken" | "legacyToken" => {
            put_token(env, step);
            return forget_events_after(env, traced);
        }
        other => panic!("no fixture is called {other}"),
    };
    let answer = server.send(&request.by(admin));
    assert!(answer.status < 300, "{step}: {} {}", answer.status, answer.text());
    if text("fixture") == "customRootRole" {
        assert_eq!(answer.json()["id"], step["id"], "the first role that is made has the recorded id");
    }
    forget_events_after(env, traced);
}

/// Puts a token with a given secret, and perhaps an alias, into the store of a running server: no route takes a secret, and
/// `INIT_*` takes none without a prefix.
fn put_token(env: &TestEnv, step: &Value) {
    let text = |field: &str| step[field].as_str();
    let secret = |text: &str| TokenSecret::parse(text).expect("a secret");
    let kind = text("type").expect("a type").parse().expect("a type");
    let environment = match text("environment").filter(|_| kind != latchkey_domain::TokenKind::Admin) {
        Some(name) => EnvironmentScope::Only(EnvironmentName::new(name).expect("a name")),
        None => EnvironmentScope::All,
    };
    let now = Timestamp::from_millis(1_700_000_000_000).expect("a moment");
    let is_expired = text("fixture") == Some("expireToken");
    let token = ApiToken {
        id: TokenId::new(now, SystemEntropy.bytes()),
        name: TokenName::new(text("name").unwrap_or("expired")).expect("a name"),
        access: TokenAccess::new(kind, ProjectScope::All, environment).expect("an access"),
        expires_at: is_expired.then_some(now),
        ..api_token(now)
    };
    let database = env.directory().join("latchkey.db");
    let keys = KeyRing::load(&database.with_extension("key")).expect("its keys");
    let sealer = Sealer::new(&keys, Arc::new(SystemEntropy));
    let record = |text: &str| sealer.seal(&secret(text), token.id).expect("a sealed secret");
    let kept = StoredToken {
        secret: record(text("secret").expect("a secret")),
        alias: text("alias").map(record),
        token,
    };
    let event = NewEvent::new(EventKind::ApiTokenCreated, Actor::System, Origin::default(), now);
    let store =
        SqliteStore::open(SqliteSettings { location: Location::File(database), ..SqliteSettings::default() });
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let created = runtime.block_on(store.expect("the database").create_token(&kept, Quota(100), &event));
    created.expect("the token is kept");
}

/// Returns the number of the newest event, or 0.
pub(crate) fn newest_event(env: &TestEnv) -> i64 {
    let newest = "SELECT CAST(coalesce(max(id), 0) AS TEXT) AS value FROM events";
    Records::of(env).texts(newest)[0].parse().expect("a number")
}

/// Deletes the events after that number, for which there is no route.
pub(crate) fn forget_events_after(env: &TestEnv, number: i64) {
    let forget = format!("DELETE FROM events WHERE id > {number}");
    assert!(Records::of(env).try_execute(&forget), "the events can be forgotten");
}
