//! `/edge/validate`, `/auth/verify`, `/api/verify` and `/oauth2/introspect`: whether tokens are valid, and what they may reach; and that they
//! were used elsewhere.

use std::time::Duration;

use actix_web::test::TestRequest;
use latchkey_domain::{Actor, ApiToken, EventKind, NewEvent, Origin, ProjectScope, TokenKind, TokenSecret};
use latchkey_ports::{Quota, StoredToken};
use latchkey_testkit::{
    app::{As, TOKENS, TestApp},
    samples::{access, api_token, project_id, timestamp},
};
use serde_json::json;

mod introspect;
mod issue;
mod questions;
mod reasons;
mod requirements;
mod usage;
mod validate;
mod verify;

/// The overlap of [`Secrets::replaced`].
const OVERLAP: Duration = Duration::from_secs(3_600);

/// One secret in each state that a secret can be in.
struct Secrets {
    /// A client token of `default` in `development`.
    good: String,
    /// The alias of a token of the same scope, as an old proxy token is used.
    alias: String,
    /// Replaced by a rotation and valid for another hour.
    replaced: String,
    /// The secret that replaced it.
    successor: String,
    /// Replaced by a rotation without an overlap.
    retired: String,
    revoked: String,
    expired: String,
    /// A personal access token, which is no API token.
    personal: String,
    unknown: String,
}

impl Secrets {
    async fn of(app: &TestApp) -> Self {
        app.use_cases.follow_changes().await.expect("followed");
        let secret_of = |who| app.secret_of(who).expect("signed in").to_owned();
        let [good, replaced, retired, revoked] =
            [token(app).await, token(app).await, token(app).await, token(app).await];
        let successor = rotated(app, &replaced, "PT1H").await;
        rotated(app, &retired, "PT0S").await;
        assert_eq!(app.delete(As::Root, &format!("{TOKENS}/{revoked}")).await.status, 200);
        Self {
            good,
            alias: alias(app).await,
            replaced,
            successor,
            retired,
            revoked,
            expired: secret_of(As::Expired),
            personal: secret_of(As::Root),
            unknown: secret_of(As::Unknown),
        }
    }

    fn good_ones(&self) -> [&str; 4] {
        [&self.good, &self.alias, &self.replaced, &self.successor]
    }

    /// Those that are not valid now.
    fn bad_ones(&self) -> [&str; 4] {
        [&self.unknown, &self.expired, &self.revoked, &self.retired]
    }
}

async fn token(app: &TestApp) -> String {
    app.token(access(TokenKind::Client, ProjectScope::one(project_id("default")))).await
}

async fn rotated(app: &TestApp, secret: &str, overlap: &str) -> String {
    let request = TestRequest::post().uri(&format!("{TOKENS}/{secret}/rotate"));
    let answer = app.send(As::Root, request.set_json(json!({"overlap": overlap}))).await;
    answer.json()["secret"].as_str().expect("a secret").to_owned()
}

/// Returns the alias of an imported token: tokens that Latchkey creates have none.
async fn alias(app: &TestApp) -> String {
    let at = timestamp(1);
    let alias = "an-old-proxy-secret";
    let sealed =
        |text, token| app.sealer.seal(&TokenSecret::parse(text).expect("a secret"), token).expect("sealed");
    let token = ApiToken {
        access: access(TokenKind::Client, ProjectScope::one(project_id("default"))),
        ..api_token(at)
    };
    let stored = StoredToken {
        secret: sealed("default:development.imported", token.id),
        alias: Some(sealed(alias, token.id)),
        token,
    };
    let event = NewEvent::new(EventKind::ApiTokenCreated, Actor::System, Origin::default(), at);
    app.store.create_token(&stored, Quota(u64::MAX), &event).await.expect("kept");
    alias.to_owned()
}
