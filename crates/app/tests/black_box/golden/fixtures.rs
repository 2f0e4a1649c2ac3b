//! The steps of a set-up that were done to the reference's database, because it has no route for them. Latchkey has
//! routes for most; only what no route can do is done to its database too.

use std::sync::Arc;

use latchkey_crypto::{KeyRing, Sealer, SystemEntropy};
use latchkey_domain::{
    Actor, ApiToken, EnvironmentName, EnvironmentScope, EventKind, NewEvent, Origin, ProjectScope, Timestamp,
    TokenAccess, TokenAttributes, TokenId, TokenName, TokenSecret,
};
use latchkey_ports::{EntropyExt as _, Quota, SecretSealer as _, StoredToken, TokenRepository as _};
use latchkey_sqlite::{Location, SqliteSettings, SqliteStore};
use serde_json::{Value, json};

use crate::{database::Records, ground::Ground, server::Server, wire::Call};

/// Does the step of that name, with the texts in it filled in. The reference's database was changed behind its back, so
/// nothing of it is in the audit trail.
pub(crate) fn make(ground: &Ground, server: &Server, admin: &str, step: &Value) {
    let traced = newest_event(ground);
    let text = |field: &str| step[field].as_str().unwrap_or_default();
    let call = match text("fixture") {
        "project" => Call::post("/api/admin/projects", &json!({ "id": step["id"], "name": step["name"] })),
        "deleteProjectRow" => Call::delete(&format!("/api/admin/projects/{}", text("id"))),
        // The place in lists is the recorded one.
        "environment" => Call::post(
            "/api/admin/environments",
            &json!({ "name": step["name"], "type": step["type"], "enabled": true, "sortOrder": 9 }),
        ),
        "deleteEnvironment" => Call::delete(&format!("/api/admin/environments/{}", text("name"))),
        "customRootRole" => {
            let permissions = step["permissions"].as_array().into_iter().flatten();
            let permissions: Vec<_> = permissions.map(|name| json!({ "name": name })).collect();
            let body = json!({ "name": step["name"], "type": "root-custom", "permissions": permissions });
            Call::post("/api/admin/roles", &body)
        }
        "projectRole" => {
            let user: i64 = text("user").parse().expect("the id of a user");
            let role = match text("role") {
                "Owner" => 4,
                "Member" => 5,
                other => panic!("no role of projects is called {other}"),
            };
            let body = json!({ "users": [user], "groups": [], "roles": [role] });
            Call::post(&format!("/api/admin/projects/{}/access", text("project")), &body)
        }
        "expirePat" => {
            let id: i64 = text("pat").parse().expect("the id of a token");
            let expired = format!("UPDATE personal_tokens SET expires_at = 1 WHERE id = {id}");
            assert!(Records::of(ground).try_execute(&expired), "{step}");
            return;
        }
        "expireToken" | "legacyToken" => {
            put_token(ground, step);
            return forget_events_after(ground, traced);
        }
        other => panic!("no fixture is called {other}"),
    };
    let answer = server.send(&call.by(admin));
    assert!(answer.status < 300, "{step}: {} {}", answer.status, answer.text());
    if text("fixture") == "customRootRole" {
        assert_eq!(answer.json()["id"], step["id"], "the first role that is made has the recorded id");
    }
    forget_events_after(ground, traced);
}

/// Puts a token with a secret, and perhaps an alias, of somebody else's choice into the store of a running server: no
/// route takes a secret, and `INIT_*` takes none without a prefix.
fn put_token(ground: &Ground, step: &Value) {
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
        created_at: now,
        last_used_at: None,
        attributes: TokenAttributes::default(),
    };
    let database = ground.directory().join("latchkey.db");
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

/// The number of the newest event; 0 where there is none.
pub(crate) fn newest_event(ground: &Ground) -> i64 {
    let newest = "SELECT CAST(coalesce(max(id), 0) AS TEXT) AS value FROM events";
    Records::of(ground).texts(newest)[0].parse().expect("a number")
}

/// Takes the events after that number out of the audit trail, which nobody can do from outside.
pub(crate) fn forget_events_after(ground: &Ground, number: i64) {
    let forget = format!("DELETE FROM events WHERE id > {number}");
    assert!(Records::of(ground).try_execute(&forget), "the events can be forgotten");
}
