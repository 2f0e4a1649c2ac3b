//! `/edge/validate`, `/auth/verify` and `/oauth2/introspect`: whether tokens are good, and for what.

use std::time::Duration;

use actix_web::test::TestRequest;
use latchkey_domain::{
    Actor, ApiToken, EventKind, NewEvent, Origin, ProjectScope, Timestamp, TokenAttributes, TokenId,
    TokenKind, TokenName, TokenSecret,
};
use latchkey_ports::{Quota, StoredToken};
use serde_json::json;

use crate::app::{As, TOKENS, TestApp, id, scoped};

mod introspect;
mod requirements;
mod validate;
mod verify;

/// The overlap of [`Secrets::replaced`].
const OVERLAP: Duration = Duration::from_secs(3_600);

/// One secret in each state in which a secret can be.
struct Secrets {
    /// A client token of `default` in `development`.
    good: String,
    /// Of the same scope, by its alias, as an old proxy token is used.
    alias: String,
    /// Replaced by a rotation, and still good for an hour.
    replaced: String,
    /// What it was replaced by.
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

    /// Those that are nobody's at this moment.
    fn bad_ones(&self) -> [&str; 4] {
        [&self.unknown, &self.expired, &self.revoked, &self.retired]
    }
}

async fn token(app: &TestApp) -> String {
    app.token(scoped(TokenKind::Client, ProjectScope::one(id("default")))).await
}

async fn rotated(app: &TestApp, secret: &str, overlap: &str) -> String {
    let request = TestRequest::post().uri(&format!("{TOKENS}/{secret}/rotate"));
    let answer = app.send(As::Root, request.set_json(json!({"overlap": overlap}))).await;
    answer.json()["secret"].as_str().expect("a secret").to_owned()
}

/// The alias of a token that came from elsewhere: none that is made here has one.
async fn alias(app: &TestApp) -> String {
    let at = Timestamp::from_millis(1).expect("in range");
    let alias = "an-old-proxy-secret";
    let sealed =
        |text, token| app.sealer.seal(&TokenSecret::parse(text).expect("a secret"), token).expect("sealed");
    let token = ApiToken {
        id: TokenId::new(at, [7; 10]),
        name: TokenName::new("proxy").expect("a name"),
        access: scoped(TokenKind::Client, ProjectScope::one(id("default"))),
        expires_at: None,
        created_at: at,
        last_used_at: None,
        attributes: TokenAttributes::default(),
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
