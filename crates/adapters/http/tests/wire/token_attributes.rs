//! Attributes of tokens beside the description: id, owner, metadata, enabled, scopes and networks.

use std::time::Duration;

use actix_web::{http::Method, test::TestRequest};
use latchkey_domain::{ProjectScope, TokenAccess, TokenId, TokenKind};
use latchkey_testkit::{
    app::{As, Response, TOKENS, TestApp},
    samples::{access, project_id},
};
use serde_json::{Value, json};

use crate::{
    expectations::{event_count, newest_event, refused_for},
    instance_tokens::ALL,
};

const BOTH: [&str; 2] = [TOKENS, ALL];
const HOME: &str = "192.0.2.7:1";
const AWAY: &str = "198.51.100.7:1";

fn of_default() -> TokenAccess {
    access(TokenKind::Client, ProjectScope::one(project_id("default")))
}

fn with(attributes: &Value) -> Value {
    let mut body = json!({ "tokenName": "t", "type": "client", "projects": ["default"] });
    let members = attributes.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(members);
    body
}

async fn created(app: &TestApp, route: &str, attributes: &Value) -> Value {
    let answer = app.post(As::Root, route, &with(attributes)).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()
}

fn patch_of(route: &str, token: &str) -> TestRequest {
    TestRequest::default().method(Method::PATCH).uri(&format!("{route}/{token}"))
}

async fn patch(app: &TestApp, route: &str, token: &str, change: &Value) -> Response {
    app.send(As::Root, patch_of(route, token).set_json(change)).await
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn all_attributes() -> Value {
    json!({
        "description": "Reads orders",
        "owner": "team-a@example.com",
        "metadata": { "team": "a", "cost": { "center": 7 } },
        "enabled": false,
        "scopes": ["orders:read", "stock:*"],
        "allowedNetworks": ["10.1.0.0/16", "2001:db8::/32"],
        "rotateEvery": "P90D",
    })
}

#[actix_web::test]
async fn attributes_are_shown_wherever_the_token_is_and_stand_in_the_event() {
    for route in BOTH {
        let app = TestApp::new().await;
        let token = created(&app, route, &all_attributes()).await;
        for (name, value) in all_attributes().as_object().expect("an object") {
            assert_eq!(token[name], *value, "{name}");
        }
        let id = text(&token["id"]);
        assert!(TokenId::parse(id).is_some(), "{id}");
        for path in [TOKENS.to_owned(), ALL.to_owned(), format!("{ALL}/t"), format!("{ALL}?limit=5")] {
            let listed = app.get(As::Root, &path).await.json();
            assert!(listed["tokens"].as_array().expect("tokens").contains(&token), "{path}: {listed}");
        }
        assert_eq!(app.get(As::Root, &format!("{TOKENS}/{id}")).await.json(), token);
        let (_, _, _, event) = newest_event(&app).await;
        for name in ["owner", "metadata", "enabled", "scopes", "allowedNetworks", "rotateEvery"] {
            assert_eq!(event[name], token[name], "{name}");
        }
    }
}

#[actix_web::test]
async fn what_is_not_set_is_absent() {
    let app = TestApp::new().await;
    for route in BOTH {
        let unset = json!({ "owner": null, "metadata": {}, "enabled": true, "scopes": [], "allowedNetworks": null, "rotateEvery": null });
        for attributes in [json!({}), unset] {
            let token = created(&app, route, &attributes).await;
            for name in all_attributes().as_object().expect("an object").keys() {
                assert_eq!(token.get(name), None, "{name}");
            }
            for name in ["rotationDueAt", "previousSecretExpiresAt"] {
                assert_eq!(token.get(name), None, "{name}");
            }
        }
    }
}

#[actix_web::test]
async fn every_problem_is_reported_and_nothing_changes() {
    let app = TestApp::new().await;
    let token = created(&app, ALL, &json!({ "metadata": { "a": "x".repeat(5_000) } })).await;
    let many = |count: usize, entry: &dyn Fn(usize) -> String| (0..count).map(entry).collect::<Vec<_>>();
    let cases: &[(Value, &[&str])] = &[
        (json!({ "owner": "x".repeat(256) }), &["/owner"]),
        (json!({ "owner": "" }), &["/owner"]),
        (json!({ "metadata": "x" }), &["/metadata"]),
        (json!({ "metadata": [] }), &["/metadata"]),
        (json!({ "metadata": { "a b": 1 } }), &["/metadata"]),
        (json!({ "metadata": { "b": "x".repeat(9_000) } }), &["/metadata"]),
        (json!({ "metadata": { "b": "\u{0}" } }), &["/metadata"]),
        (json!({ "enabled": "perhaps" }), &["/enabled"]),
        (json!({ "scopes": "orders:read" }), &["/scopes"]),
        (json!({ "scopes": ["orders:read", "a b"] }), &["/scopes"]),
        (json!({ "scopes": many(65, &|number| format!("s{number}")) }), &["/scopes"]),
        (json!({ "allowedNetworks": ["10.0.0.1/8"] }), &["/allowedNetworks"]),
        (json!({ "allowedNetworks": ["example.com"] }), &["/allowedNetworks"]),
        (json!({ "allowedNetworks": many(65, &|number| format!("10.0.0.{number}")) }), &["/allowedNetworks"]),
        (json!({ "rotateEvery": "90d" }), &["/rotateEvery"]),
        (json!({ "rotateEvery": "PT0S" }), &["/rotateEvery"]),
        (json!({ "rotateEvery": 90 }), &["/rotateEvery"]),
        (json!({ "owner": "", "scopes": ["a:"] }), &["/owner", "/scopes"]),
    ];
    let created: Vec<_> = cases.iter().map(|(attributes, paths)| (with(attributes), *paths)).collect();
    let before = event_count(&app).await;
    for route in BOTH {
        refused_for(&app, || TestRequest::post().uri(route), &created).await;
        refused_for(&app, || patch_of(route, text(&token["id"])), cases).await;
        let merged = json!({ "metadata": { "b": "x".repeat(5_000) } });
        refused_for(&app, || patch_of(route, text(&token["id"])), &[(merged, &["/metadata"])]).await;
    }
    assert_eq!(event_count(&app).await, before);
}

#[actix_web::test]
async fn a_patch_sets_merges_and_removes() {
    for route in BOTH {
        let app = TestApp::new().await;
        let mut expected = created(&app, route, &all_attributes()).await;
        let id = text(&expected["id"]).to_owned();
        let steps = [
            (
                json!({ "metadata": { "team": "b", "cost": { "place": 1.0 } } }),
                "metadata",
                Some(json!({ "team": "b", "cost": { "center": 7, "place": 1 } })),
            ),
            (json!({ "metadata": { "cost": null } }), "metadata", Some(json!({ "team": "b" }))),
            (json!({ "metadata": null }), "metadata", None),
            (json!({ "owner": " Ada " }), "owner", Some(json!("Ada"))),
            (json!({ "owner": null }), "owner", None),
            (json!({ "scopes": ["b", "a", "b"] }), "scopes", Some(json!(["a", "b"]))),
            (json!({ "scopes": [] }), "scopes", None),
            (
                json!({ "allowedNetworks": ["::1", "10.0.0.1"] }),
                "allowedNetworks",
                Some(json!(["10.0.0.1/32", "::1/128"])),
            ),
            (json!({ "allowedNetworks": null }), "allowedNetworks", None),
            (json!({ "enabled": true }), "enabled", None),
            (json!({ "enabled": false }), "enabled", Some(json!(false))),
            (json!({ "enabled": null }), "enabled", None),
        ];
        for (change, name, value) in steps {
            let before = expected.get(name).cloned();
            let members = expected.as_object_mut().expect("an object");
            members.remove(name);
            members.extend(value.map(|value| (name.to_owned(), value)));
            let answer = patch(&app, route, &id, &change).await;
            assert_eq!((answer.status.as_u16(), answer.json()), (200, expected.clone()), "{change}");
            assert_eq!(app.get(As::Root, &format!("{TOKENS}/{id}")).await.json(), expected);
            let (kind, _, old, new) = newest_event(&app).await;
            assert_eq!(kind, "api-token-updated");
            assert_eq!((old.get(name), new.get(name)), (before.as_ref(), expected.get(name)), "{change}");
        }
    }
}

#[actix_web::test]
async fn a_rotation_is_due_after_the_creation_or_the_last_one_and_blocks_nothing() {
    for route in BOTH {
        let app = TestApp::new().await;
        let token = created(&app, route, &json!({ "rotateEvery": "P2W" })).await;
        let due = |token: &Value| (token["rotateEvery"].clone(), token["rotationDueAt"].clone());
        assert_eq!(due(&token), (json!("P14D"), json!("2023-05-03T08:15:14.000Z")));
        let batch = json!({ "tokens": [with(&json!({ "rotateEvery": "P1D" })), with(&json!({}))] });
        let batch = app.post(As::Root, &format!("{route}/batch"), &batch).await.json();
        assert_eq!(due(&batch["tokens"][0]), (json!("P1D"), json!("2023-04-20T08:15:14.000Z")));
        assert_eq!(due(&batch["tokens"][1]), (Value::Null, Value::Null));

        app.clock.advance(Duration::from_secs(20 * 86_400));
        let (id, secret) = (text(&token["id"]), text(&token["secret"]));
        let verified = app.send_by(secret, TestRequest::get().uri("/auth/verify")).await;
        assert_eq!(verified.status, 200, "it is long due");
        let rotate = async || {
            let rotated = app.post(As::Root, &format!("{route}/{id}/rotate"), &json!({})).await;
            assert_eq!(rotated.status, 200, "{}", rotated.json());
            rotated.json()
        };
        assert_eq!(due(&rotate().await), (json!("P14D"), json!("2023-05-23T08:15:14.000Z")));
        let later = patch(&app, route, id, &json!({ "rotateEvery": "PT36H" })).await.json();
        assert_eq!(due(&later), (json!("P1DT12H"), json!("2023-05-10T20:15:14.000Z")));
        let never = patch(&app, route, id, &json!({ "rotateEvery": null })).await.json();
        assert_eq!(due(&never), (Value::Null, Value::Null));
        assert_eq!(due(&rotate().await), (Value::Null, Value::Null));
        let shown = app.get(As::Root, &format!("{TOKENS}/{id}")).await.json();
        assert_eq!(shown.get("rotated"), None);
    }
}

#[actix_web::test]
async fn lists_are_filtered_by_owner_and_metadata() {
    let app = TestApp::without_quota().await;
    for (owner, metadata) in [
        ("ada", json!({ "team": "a", "on": true, "number": 1 })),
        ("Ada", json!({ "team": "b", "on": "true", "number": 1.5 })),
        ("ada", json!({ "team": "a b+c", "on": null, "deep": { "x": 1 } })),
    ] {
        created(&app, ALL, &json!({ "owner": owner, "metadata": metadata })).await;
    }
    created(&app, ALL, &json!({})).await;
    for (query, expected) in [
        ("owner=ada", 2),
        ("owner=ad", 0),
        ("metadata.team=a", 1),
        ("metadata.team=a%20b%2Bc", 1),
        ("metadata.on=true", 2),
        ("metadata.on=null", 1),
        ("metadata.number=1", 1),
        ("metadata.number=1.0", 1),
        ("metadata.number=1.5", 1),
        ("metadata.number=2", 0),
        ("metadata.deep=1", 0),
        ("metadata.absent=x", 0),
        ("metadata.team=b&metadata.team=a", 1),
        ("metadata.team=a&owner=ada&metadata.number=1", 1),
        ("metadata.team=a&owner=Ada", 0),
    ] {
        for route in BOTH {
            let listed = app.get(As::Root, &format!("{route}?{query}")).await;
            assert_eq!(
                listed.json()["tokens"].as_array().expect("tokens").len(),
                expected,
                "{route} {query}"
            );
        }
    }
    let all = app.get(As::Root, ALL).await.json();
    assert_eq!(
        app.get(As::Root, &format!("{ALL}?metadata.team=")).await.json(),
        all,
        "an empty parameter is absent"
    );
    let refused = app.get(As::Root, &format!("{ALL}?metadata.a%22b=1")).await;
    refused.is(400, "BadDataError");
}

#[actix_web::test]
async fn a_disabled_token_is_refused_until_it_is_enabled() {
    let app = TestApp::new().await;
    app.use_cases.follow_changes().await.expect("followed");
    let (secret, id) = app.token_and_id(TokenAccess::Admin).await;
    let (client, client_id) = app.token_and_id(of_default()).await;
    let status_of =
        async |path: &str, secret: &str| app.send_by(secret, TestRequest::get().uri(path)).await.status;
    for _ in 0..2 {
        assert_eq!(status_of(ALL, &secret).await, 200);
        assert_eq!(status_of("/auth/verify", &client).await, 200);
        for id in [&id, &client_id] {
            assert_eq!(patch(&app, ALL, id, &json!({ "enabled": false })).await.status, 200);
        }
        app.send_by(&secret, TestRequest::get().uri(ALL)).await.is(401, "UnauthorizedError");
        assert_eq!(status_of("/auth/verify", &client).await, 401);
        let asked = app.post(As::Root, "/edge/validate", &json!({ "tokens": [secret, client] })).await;
        assert_eq!(asked.json(), json!({ "tokens": [] }));
        let rotated =
            app.post(As::Root, &format!("{ALL}/{client_id}/rotate"), &json!({ "overlap": "PT1H" })).await;
        let new = text(&rotated.json()["secret"]).to_owned();
        assert_eq!(status_of("/auth/verify", &new).await, 401, "a new secret enables nothing");
        for id in [&id, &client_id] {
            assert_eq!(patch(&app, ALL, id, &json!({ "enabled": true })).await.status, 200);
        }
        assert_eq!(status_of("/auth/verify", &new).await, 200);
    }
}

#[actix_web::test]
async fn a_token_is_accepted_from_its_networks_alone() {
    let app = TestApp::new().await;
    let networks = json!({ "allowedNetworks": ["192.0.2.0/24"] });
    let bound = created(&app, ALL, &networks).await;
    let secret = text(&bound["secret"]).to_owned();
    let (admin, id) = app.token_and_id(TokenAccess::Admin).await;
    patch(&app, ALL, &id, &networks).await;
    let asked = async |secret: &str, path: &str, peer: Option<&str>| {
        let request = TestRequest::get().uri(path);
        let request = match peer {
            Some(peer) => request.peer_addr(peer.parse().expect("an address")),
            None => request,
        };
        app.send_by(secret, request).await.status.as_u16()
    };
    for (peer, verified, administered) in [
        (Some(HOME), 200, 200),
        (Some(AWAY), 403, 401),
        (Some("[::ffff:192.0.2.9]:1"), 200, 200),
        (None, 403, 401),
    ] {
        assert_eq!(asked(&secret, "/auth/verify", peer).await, verified, "{peer:?}");
        assert_eq!(asked(&admin, ALL, peer).await, administered, "{peer:?}");
    }
    // From where another program's client comes, that program alone knows.
    let introspected = TestRequest::post().uri("/oauth2/introspect").set_form([("token", &secret)]);
    let introspected = app.send(As::Root, introspected).await.json();
    assert_eq!(
        (&introspected["active"], &introspected["allowed_networks"]),
        (&json!(true), &networks["allowedNetworks"])
    );
    let validated = TestRequest::post().uri("/edge/validate").set_json(json!({ "tokens": [secret] }));
    let validated = app.send(As::Root, validated.peer_addr(HOME.parse().expect("an address"))).await.json();
    assert_eq!(validated, json!({ "tokens": [] }), "an Edge would accept it from everywhere");
}

#[actix_web::test]
async fn introspection_tells_scopes_owner_and_metadata() {
    let app = TestApp::new().await;
    let token = created(&app, ALL, &all_attributes()).await;
    let introspected = async |secret: &str| {
        let request = TestRequest::post().uri("/oauth2/introspect").set_form([("token", secret)]);
        app.send(As::Root, request).await.json()
    };
    assert_eq!(introspected(text(&token["secret"])).await, json!({ "active": false }), "it is disabled");
    patch(&app, ALL, text(&token["id"]), &json!({ "enabled": true })).await;
    let told = introspected(text(&token["secret"])).await;
    assert_eq!(told["scope"], "orders:read stock:*");
    assert_eq!((&told["owner"], &told["metadata"]), (&token["owner"], &token["metadata"]));
    let plain = introspected(&app.token(of_default()).await).await;
    for name in ["scope", "owner", "metadata", "allowed_networks"] {
        assert_eq!(plain.get(name), None, "{name}");
    }
}

#[actix_web::test]
async fn to_widen_a_token_needs_the_permission_to_create_it() {
    let app = TestApp::new().await;
    let updater = app.holder_of(&["UPDATE_CLIENT_API_TOKEN"]).await;
    let other_kind = app.holder_of(&["UPDATE_CLIENT_API_TOKEN", "CREATE_FRONTEND_API_TOKEN"]).await;
    let creator = app.holder_of(&["UPDATE_CLIENT_API_TOKEN", "CREATE_CLIENT_API_TOKEN"]).await;
    let bounds = json!({ "scopes": ["orders:*"], "allowedNetworks": ["10.0.0.0/8"] });
    let id = text(&created(&app, ALL, &bounds).await["id"]).to_owned();
    let by = async |holder: &str, change: &Value| {
        app.send_by(holder, patch_of(ALL, &id).set_json(change)).await.status.as_u16()
    };
    for wider in [
        json!({ "scopes": ["*"] }),
        json!({ "scopes": ["orders:*", "stock:read"] }),
        json!({ "allowedNetworks": null }),
        json!({ "allowedNetworks": ["10.0.0.0/8", "192.0.2.1"] }),
        json!({ "allowedNetworks": ["0.0.0.0/0"] }),
    ] {
        let before = event_count(&app).await;
        for holder in [&updater, &other_kind] {
            assert_eq!(by(holder, &wider).await, 403, "{wider}");
        }
        assert_eq!(event_count(&app).await, before);
        assert_eq!(by(&creator, &wider).await, 200, "{wider}");
        assert_eq!(by(&updater, &bounds).await, 200, "back again is narrower");
    }
    for narrower in [
        json!({ "scopes": ["orders:read"], "allowedNetworks": ["10.1.0.0/16"] }),
        json!({ "scopes": null }),
        json!({ "enabled": false, "owner": "x", "metadata": { "a": 1 } }),
        json!({ "enabled": true }),
    ] {
        assert_eq!(by(&updater, &narrower).await, 200, "{narrower}");
    }
}

#[actix_web::test]
async fn a_rotation_tells_until_when_the_old_secret_is_good() {
    let app = TestApp::new().await;
    let (_, id) = app.token_and_id(of_default()).await;
    for route in BOTH {
        for (overlap, expected) in [("PT1H", Some("2023-04-19T09:15:14.000Z")), ("PT0S", None)] {
            let asked =
                app.post(As::Root, &format!("{route}/{id}/rotate"), &json!({ "overlap": overlap })).await;
            let rotated = asked.json();
            assert_eq!(rotated.get("previousSecretExpiresAt").and_then(Value::as_str), expected, "{rotated}");
            assert_eq!(rotated["id"], json!(id));
            let shown = app.get(As::Root, &format!("{TOKENS}/{id}")).await.json();
            assert_eq!(shown.get("previousSecretExpiresAt"), None);
        }
    }
}
