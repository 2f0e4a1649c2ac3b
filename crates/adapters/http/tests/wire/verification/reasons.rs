//! Why `/auth/verify` refuses a token, in the body and in a header; and the scopes that it can require.

use actix_web::{http::header::HeaderValue, test::TestRequest};
use latchkey_domain::Reason;
use latchkey_testkit::app::{As, Response, TOKENS, TestApp};
use serde_json::{Value, json};

use super::Secrets;
use crate::expectations::faults;

const VERIFY: &str = "/auth/verify";
const AT_HOME: &str = "192.0.2.7:1";

/// Returns the id and the secret of a new client token of `default` in `development`.
async fn created(app: &TestApp, attributes: Value) -> (String, String) {
    let mut body = json!({ "tokenName": "t", "type": "client" });
    body.as_object_mut().expect("an object").extend(attributes.as_object().expect("an object").clone());
    let token = app.post(As::Root, TOKENS, &body).await.json();
    let text = |name: &str| token[name].as_str().expect(name).to_owned();
    (text("id"), text("secret"))
}

async fn verify(app: &TestApp, secret: &str, path: &str) -> Response {
    app.send_by(secret, TestRequest::get().uri(path).peer_addr(AT_HOME.parse().expect("an address"))).await
}

#[track_caller]
fn refused_for(response: &Response, status: u16, reason: Reason) {
    let told = (response.header("x-latchkey-reason"), response.json()["code"].clone());
    assert_eq!(told, (Some(reason.as_str()), json!(reason.as_str())), "{}", response.json());
    assert_eq!(response.status.as_u16(), status, "{reason}");
    assert_eq!(response.header("www-authenticate").is_some(), status == 401, "{reason}");
    assert_eq!(response.header("x-latchkey-token-id"), None);
}

#[actix_web::test]
async fn each_reason_is_told_in_the_body_and_in_a_header() {
    let app = TestApp::without_quota().await;
    let secrets = Secrets::of(&app).await;
    let (_, disabled) = created(&app, json!({ "enabled": false })).await;
    let (_, elsewhere) = created(&app, json!({ "allowedNetworks": ["198.51.100.0/24"] })).await;
    for (secret, query, status, reason) in [
        (&secrets.unknown, "", 401, Reason::Unknown),
        (&secrets.revoked, "", 401, Reason::Unknown),
        (&"a b".to_owned(), "", 401, Reason::Unknown),
        (&secrets.expired, "", 401, Reason::Expired),
        (&disabled, "", 401, Reason::Disabled),
        (&elsewhere, "", 403, Reason::Network),
        (&secrets.personal, "", 403, Reason::WrongType),
        (&secrets.good, "?type=frontend", 403, Reason::WrongType),
        (&secrets.good, "?project=other", 403, Reason::WrongProject),
        (&secrets.good, "?environment=production", 403, Reason::WrongEnvironment),
        (&secrets.good, "?scope=orders:read", 403, Reason::MissingScope),
    ] {
        for path in [VERIFY, "/auth/verify/"] {
            refused_for(&verify(&app, secret, &format!("{path}{query}")).await, status, reason);
        }
    }
    let bytes = HeaderValue::from_bytes(b"Bearer \xff").expect("allowed on the wire");
    let unreadable = TestRequest::get().uri(VERIFY).insert_header(("authorization", bytes));
    refused_for(&app.send(As::Anonymous, unreadable).await, 401, Reason::Unknown);
    // Without credentials there is nothing to refuse; and elsewhere it stays a secret why they are.
    let none = app.get(As::Anonymous, VERIFY).await;
    let admin = app.get(As::Expired, TOKENS).await;
    for answer in [none, admin] {
        assert_eq!((answer.status.as_u16(), answer.header("x-latchkey-reason")), (401, None));
        assert_eq!(answer.json().get("code"), None);
    }
    assert_eq!(verify(&app, &secrets.good, VERIFY).await.header("x-latchkey-reason"), None);
}

#[actix_web::test]
async fn of_several_reasons_the_first_is_told() {
    let app = TestApp::new().await;
    let everything = json!({ "enabled": false, "allowedNetworks": ["198.51.100.0/24"], "expiresAt": "2030-01-01T00:00:00Z" });
    let (id, secret) = created(&app, everything).await;
    let query = format!("{VERIFY}?type=frontend&project=other&environment=production&scope=x");
    let expired = json!({ "expiresAt": "2020-01-01T00:00:00Z" });
    let steps = [
        (expired, Reason::Expired),
        (json!({ "expiresAt": null }), Reason::Disabled),
        (json!({ "enabled": true }), Reason::Network),
        (json!({ "allowedNetworks": null }), Reason::WrongType),
    ];
    for (change, reason) in steps {
        let request = TestRequest::patch().uri(&format!("{TOKENS}/{id}")).set_json(change);
        assert_eq!(app.send(As::Root, request).await.status, 200);
        assert_eq!(verify(&app, &secret, &query).await.json()["code"], reason.as_str());
    }
    for (query, reason) in [
        ("?project=other&environment=production&scope=x", Reason::WrongProject),
        ("?environment=production&scope=x", Reason::WrongEnvironment),
        ("?scope=x", Reason::MissingScope),
    ] {
        let refused = verify(&app, &secret, &format!("{VERIFY}{query}")).await;
        assert_eq!(refused.json()["code"], reason.as_str(), "{query}");
    }
}

#[actix_web::test]
async fn every_required_scope_is_needed_wherever_it_is_required() {
    let app = TestApp::new().await;
    let (_, secret) = created(&app, json!({ "scopes": ["orders:*", "stock:read"] })).await;
    for (scopes, status) in [
        ("orders:read", 200),
        ("orders:read stock:read", 200),
        ("orders:*", 200),
        ("orders", 403),
        ("orders:read stock:write", 403),
        ("*", 403),
    ] {
        let encoded = scopes.replace(' ', "+");
        let by_query = verify(&app, &secret, &format!("{VERIFY}?scope={encoded}")).await;
        assert_eq!(by_query.status.as_u16(), status, "{scopes}");
        let by_header = TestRequest::get().uri(VERIFY).insert_header(("x-latchkey-require-scope", scopes));
        assert_eq!(app.send_by(&secret, by_header).await.status.as_u16(), status, "{scopes}");
    }
    let missing = verify(&app, &secret, &format!("{VERIFY}?scope=stock:write")).await;
    assert_eq!(missing.json()["message"], "This token lacks the scope \"stock:write\".");
    for query in ["scope=", "scope=+", "scope", "scope=a//b", "scope=a&scope=b", "scope=a,b"] {
        let answer = verify(&app, &secret, &format!("{VERIFY}?{query}")).await;
        assert_eq!(faults(&answer), ["/query/scope"], "{query}");
    }
    let many: Vec<String> = (0..65).map(|number| format!("s{number}")).collect();
    let answer = verify(&app, &secret, &format!("{VERIFY}?scope={}", many.join("+"))).await;
    assert_eq!(faults(&answer), ["/query/scope"]);
}

#[actix_web::test]
async fn id_scopes_and_owner_are_told_to_the_gateway() {
    let app = TestApp::new().await;
    let (id, secret) =
        created(&app, json!({ "scopes": ["stock:read", "orders:*"], "owner": "Käthe, 50 %" })).await;
    let answer = verify(&app, &secret, VERIFY).await;
    let told = |name: &str| answer.header(&format!("x-latchkey-token-{name}")).map(ToOwned::to_owned);
    assert_eq!(told("id"), Some(id));
    assert_eq!(told("scopes").as_deref(), Some("orders:* stock:read"));
    assert_eq!(told("owner").as_deref(), Some("K%C3%A4the, 50 %25"));
    let (id, plain) = created(&app, json!({ "description": "x" })).await;
    let answer = verify(&app, &plain, VERIFY).await;
    assert_eq!(answer.header("x-latchkey-token-id"), Some(id.as_str()));
    for absent in ["scopes", "owner"] {
        assert_eq!(answer.header(&format!("x-latchkey-token-{absent}")), None);
    }
}

#[actix_web::test]
async fn refusals_are_counted_by_reason() {
    let app = TestApp::new().await;
    let secrets = Secrets::of(&app).await;
    for path in [VERIFY, "/auth/verify?project=other", "/auth/verify?project=other"] {
        verify(&app, &secrets.good, path).await;
    }
    verify(&app, &secrets.revoked, VERIFY).await;
    let count = |reason: Reason| {
        app.use_cases.verification.refusals().find(|(counted, _)| *counted == reason).expect("counted").1
    };
    assert_eq!((count(Reason::WrongProject), count(Reason::Unknown), count(Reason::Expired)), (2, 1, 0));
}
