//! The limits of tokens, as they are set, shown and enforced.

use actix_web::{http::Method, test::TestRequest};
use latchkey_domain::TokenAccess;
use latchkey_testkit::app::{As, Response, TOKENS, TestApp};
use serde_json::{Value, json};

use crate::{
    expectations::{newest_event, refused_for},
    instance_tokens::ALL,
};

const BOTH: [&str; 2] = [TOKENS, ALL];
const VERIFY: &str = "/auth/verify";

fn with(limits: &Value) -> Value {
    let mut body = json!({ "tokenName": "t", "type": "client", "projects": ["default"] });
    body.as_object_mut().expect("an object").extend(limits.as_object().expect("an object").clone());
    body
}

async fn created(app: &TestApp, route: &str, limits: &Value) -> Value {
    let answer = app.post(As::Root, route, &with(limits)).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()
}

fn patch_of(route: &str, token: &Value) -> TestRequest {
    let id = token["id"].as_str().expect("an id");
    TestRequest::default().method(Method::PATCH).uri(&format!("{route}/{id}"))
}

async fn patched(app: &TestApp, route: &str, token: &Value, change: &Value) -> Value {
    let answer = app.send(As::Root, patch_of(route, token).set_json(change)).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

async fn verify(app: &TestApp, token: &Value) -> Response {
    app.send_by(token["secret"].as_str().expect("a secret"), TestRequest::get().uri(VERIFY)).await
}

fn rate_headers(answer: &Response) -> [Option<&str>; 3] {
    ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map(|name| answer.header(name))
}

#[actix_web::test]
async fn limits_are_set_shown_and_removed() {
    for route in BOTH {
        let app = TestApp::new().await;
        let limits = json!({
            "rateLimit": { "requests": 100, "per": "PT1M", "burst": 20 },
            "uses": { "remaining": 5, "refill": { "amount": 7, "every": "P1D" } },
        });
        let token = created(&app, route, &limits).await;
        let shown = |token: &Value| json!({ "rateLimit": token["rateLimit"], "uses": token["uses"] });
        assert_eq!(shown(&token), limits);
        assert_eq!(newest_event(&app).await.3["rateLimit"], limits["rateLimit"]);
        for (change, rate, uses) in [
            (
                json!({ "rateLimit": { "requests": 50 } }),
                json!({ "requests": 50, "per": "PT1M", "burst": 20 }),
                limits["uses"].clone(),
            ),
            (
                json!({ "rateLimit": { "burst": null, "per": "PT60M" } }),
                json!({ "requests": 50, "per": "PT1H" }),
                limits["uses"].clone(),
            ),
            (
                json!({ "uses": { "remaining": 9, "refill": { "amount": 8 } } }),
                json!({ "requests": 50, "per": "PT1H" }),
                json!({ "remaining": 9, "refill": { "amount": 8, "every": "P1D" } }),
            ),
            (
                json!({ "uses": { "remaining": 0, "refill": null }, "rateLimit": null }),
                Value::Null,
                json!({ "remaining": 0 }),
            ),
            (json!({ "uses": null }), Value::Null, Value::Null),
            (
                json!({ "rateLimit": { "requests": 1, "per": "PT1S" } }),
                json!({ "requests": 1, "per": "PT1S" }),
                Value::Null,
            ),
        ] {
            let changed = patched(&app, route, &token, &change).await;
            assert_eq!(shown(&changed), json!({ "rateLimit": rate, "uses": uses }), "{change}");
        }
        let none = created(&app, route, &json!({ "rateLimit": null, "uses": null })).await;
        assert!(none.get("rateLimit").is_none() && none.get("uses").is_none(), "{none}");
    }
}

#[actix_web::test]
async fn every_problem_is_reported_at_its_place() {
    let app = TestApp::new().await;
    let token = created(&app, ALL, &json!({})).await;
    let cases: &[(Value, &[&str])] = &[
        (json!({ "rateLimit": 5 }), &["/rateLimit"]),
        (json!({ "rateLimit": {} }), &["/rateLimit"]),
        (json!({ "rateLimit": { "requests": 5 } }), &["/rateLimit"]),
        (json!({ "rateLimit": { "requests": 0, "per": "PT1M" } }), &["/rateLimit"]),
        (json!({ "rateLimit": { "requests": 1, "per": "PT0S" } }), &["/rateLimit"]),
        (json!({ "rateLimit": { "requests": 1, "per": "1m" } }), &["/rateLimit/per"]),
        (json!({ "rateLimit": { "requests": -1, "per": "PT1M" } }), &["/rateLimit/requests"]),
        (json!({ "rateLimit": { "requests": 1, "per": "PT1M", "bursts": 1 } }), &["/rateLimit/bursts"]),
        (json!({ "uses": 5 }), &["/uses"]),
        (json!({ "uses": {} }), &["/uses/remaining"]),
        (json!({ "uses": { "remaining": 1_000_000_000_001_u64 } }), &["/uses"]),
        (json!({ "uses": { "remaining": 1, "refill": { "amount": 1 } } }), &["/uses"]),
        (json!({ "uses": { "remaining": 1, "refill": { "amount": 0, "every": "P1D" } } }), &["/uses"]),
        (
            json!({ "uses": { "remaining": 1, "refill": { "amount": 1, "every": "day" } } }),
            &["/uses/refill/every"],
        ),
    ];
    let created: Vec<_> = cases.iter().map(|(limits, paths)| (with(limits), *paths)).collect();
    for route in BOTH {
        refused_for(&app, || TestRequest::post().uri(route), &created).await;
        refused_for(&app, || patch_of(route, &token), cases).await;
    }
}

#[actix_web::test]
async fn beyond_its_rate_limit_a_token_waits_for_the_next_window() {
    let app = TestApp::new().await;
    let token = created(&app, ALL, &json!({ "rateLimit": { "requests": 2, "per": "PT1M" } })).await;
    for left in ["1", "0"] {
        let answer = verify(&app, &token).await;
        assert_eq!(
            (answer.status.as_u16(), rate_headers(&answer)),
            (200, [Some("2"), Some(left), Some("46")])
        );
    }
    // What is refused for another reason costs nothing.
    let elsewhere = TestRequest::get().uri("/auth/verify?project=other");
    app.send_by(token["secret"].as_str().expect("text"), elsewhere).await.is(403, "OperationDeniedError");
    let refused = verify(&app, &token).await;
    refused.is(429, "RateLimitError");
    assert_eq!(rate_headers(&refused), [Some("2"), Some("0"), Some("46")]);
    assert_eq!(refused.header("retry-after"), Some("46"));
    assert_eq!(
        (refused.header("x-latchkey-reason"), &refused.json()["code"]),
        (Some("rate_limited"), &json!("rate_limited"))
    );
    app.clock.advance(std::time::Duration::from_secs(46));
    assert_eq!(verify(&app, &token).await.status, 200);
    let plain = created(&app, ALL, &json!({})).await;
    assert_eq!(rate_headers(&verify(&app, &plain).await), [None; 3]);
}

#[actix_web::test]
async fn without_uses_a_token_is_refused_until_it_gets_others() {
    let app = TestApp::new().await;
    let token = created(&app, ALL, &json!({ "uses": { "remaining": 2 } })).await;
    let path = format!("{TOKENS}/{}", token["id"].as_str().expect("text"));
    for left in [1, 0] {
        assert_eq!(verify(&app, &token).await.status, 200);
        assert_eq!(app.get(As::Root, &path).await.json()["uses"], json!({ "remaining": left }));
        let listed = app.get(As::Root, ALL).await.json();
        let mut tokens = listed["tokens"].as_array().expect("tokens").iter();
        assert_eq!(tokens.find(|one| one["id"] == token["id"]).expect("listed")["uses"]["remaining"], left);
    }
    let refused = verify(&app, &token).await;
    refused.is(403, "OperationDeniedError");
    assert_eq!(refused.header("x-latchkey-reason"), Some("no_uses_left"));
    patched(&app, ALL, &token, &json!({ "owner": "x" })).await;
    assert_eq!(verify(&app, &token).await.status, 403, "another change sets nothing anew");
    patched(&app, ALL, &token, &json!({ "uses": { "remaining": 1 } })).await;
    assert_eq!(verify(&app, &token).await.status, 200);
    assert_eq!(verify(&app, &token).await.status, 403);
    patched(&app, ALL, &token, &json!({ "uses": null })).await;
    assert_eq!(verify(&app, &token).await.status, 200);
}

#[actix_web::test]
async fn a_program_says_what_a_use_costs() {
    let app = TestApp::new().await;
    let limits = json!({ "rateLimit": { "requests": 10, "per": "PT1M" }, "uses": { "remaining": 6 } });
    let token = created(&app, ALL, &limits).await;
    let question = |cost: Value| json!({ "token": token["secret"], "cost": cost });
    let ask = async |cost: u32| app.post(As::Client, "/api/verify", &question(cost.into())).await.json();
    let answer = ask(4).await;
    assert_eq!(answer["valid"], json!(true));
    let window = "2023-04-19T08:16:00.000Z";
    assert_eq!(answer["rateLimit"], json!({ "limit": 10, "remaining": 6, "resetAt": window }));
    assert_eq!(answer["uses"], json!({ "remaining": 2 }));
    let refused = ask(3).await;
    assert_eq!((&refused["valid"], &refused["reason"]), (&json!(false), &json!("no_uses_left")));
    let refused = ask(7).await;
    assert_eq!(refused["reason"], "rate_limited");
    assert_eq!(refused["rateLimit"], json!({ "limit": 10, "remaining": 6, "resetAt": window }));
    let batch = json!({ "tokens": [question(json!(1)), question(Value::Null), question(json!(1))] });
    let answers = app.post(As::Client, "/api/verify", &batch).await.json();
    let valid: Vec<_> =
        answers["tokens"].as_array().expect("a list").iter().map(|one| &one["valid"]).collect();
    assert_eq!(valid, [&json!(true), &json!(true), &json!(false)]);
    for wrong in [0, 10_001] {
        let cases: &[(Value, &[&str])] = &[(question(json!(wrong)), &["/cost"])];
        refused_for(&app, || TestRequest::post().uri("/api/verify"), cases).await;
    }
}

#[actix_web::test]
async fn introspection_shows_limits_and_charges_none_and_edge_gets_no_limited_token() {
    let app = TestApp::new().await;
    let limits = json!({ "rateLimit": { "requests": 1, "per": "PT1M" }, "uses": { "remaining": 3 } });
    let token = created(&app, ALL, &limits).await;
    assert_eq!(verify(&app, &token).await.status, 200);
    for _ in 0..3 {
        let request = TestRequest::post().uri("/oauth2/introspect");
        let told = app
            .send(As::Root, request.set_form([("token", token["secret"].as_str().expect("text"))]))
            .await
            .json();
        assert_eq!(told["active"], json!(true));
        assert_eq!((&told["rate_limit"], &told["uses"]), (&limits["rateLimit"], &json!({ "remaining": 2 })));
    }
    let validated = app.post(As::Anonymous, "/edge/validate", &json!({ "tokens": [token["secret"]] })).await;
    assert_eq!(validated.json(), json!({ "tokens": [] }));
}

#[actix_web::test]
async fn an_admin_token_is_limited_on_administrative_routes() {
    let app = TestApp::new().await;
    let (secret, id) = app.token_and_id(TokenAccess::Admin).await;
    let token = json!({ "id": id });
    patched(&app, ALL, &token, &json!({ "rateLimit": { "requests": 2, "per": "PT1M" } })).await;
    let list = async || app.send_by(&secret, TestRequest::get().uri(ALL)).await;
    assert_eq!([list().await.status.as_u16(), list().await.status.as_u16()], [200, 200]);
    let refused = list().await;
    refused.is(429, "RateLimitError");
    assert_eq!(
        (refused.header("retry-after"), rate_headers(&refused)),
        (Some("46"), [Some("2"), Some("0"), Some("46")])
    );
    patched(&app, ALL, &token, &json!({ "rateLimit": null, "uses": { "remaining": 1 } })).await;
    assert_eq!(list().await.status, 200);
    list().await.is(403, "OperationDeniedError");
    let introspect = TestRequest::post().uri("/oauth2/introspect").set_form([("token", "x")]);
    app.send_by(&secret, introspect).await.is(403, "OperationDeniedError");
}

#[actix_web::test]
async fn to_widen_a_limit_needs_the_permission_to_create() {
    let app = TestApp::new().await;
    let updater = app.holder_of(&["UPDATE_CLIENT_API_TOKEN"]).await;
    let creator = app.holder_of(&["UPDATE_CLIENT_API_TOKEN", "CREATE_CLIENT_API_TOKEN"]).await;
    let bounds = json!({ "rateLimit": { "requests": 60, "per": "PT1M" } });
    let token = created(&app, ALL, &bounds).await;
    let by = async |holder: &str, change: &Value| {
        app.send_by(holder, patch_of(ALL, &token).set_json(change)).await.status.as_u16()
    };
    for wider in [
        json!({ "rateLimit": { "requests": 61 } }),
        json!({ "rateLimit": { "per": "PT59S" } }),
        json!({ "rateLimit": { "burst": 1 } }),
        json!({ "rateLimit": { "requests": 3600, "per": "PT1H" } }),
        json!({ "rateLimit": null }),
    ] {
        assert_eq!(by(&updater, &wider).await, 403, "{wider}");
        assert_eq!(by(&creator, &wider).await, 200, "{wider}");
        let back = json!({ "rateLimit": { "requests": 60, "per": "PT1M", "burst": null } });
        assert_eq!(by(&updater, &back).await, 200, "{wider}");
    }
    assert_eq!(
        by(&updater, &json!({ "rateLimit": { "requests": 1 }, "uses": { "remaining": 9 } })).await,
        200
    );
    for anew in [json!({ "uses": { "remaining": 8 } }), json!({ "uses": null })] {
        assert_eq!(by(&updater, &anew).await, 403, "what is left may be less: {anew}");
        assert_eq!(by(&creator, &anew).await, 200, "{anew}");
    }
}
