//! `POST …/api-tokens/{token}/rotate`, which the route of a project and that of the instance share.

use std::time::Duration;

use actix_web::test::TestRequest;
use latchkey_domain::{ProjectScope, ProjectSet, TokenAccess, TokenKind};
use latchkey_service::Reveal;
use latchkey_testkit::{
    app::{As, Response, TOKENS, TestApp},
    samples::{access, project_id},
};
use serde_json::json;

use crate::expectations::{ADMINS, READERS, faults, newest_event, newest_events, only};

const ALL: &str = "/api/admin/api-tokens";
const BOTH: [&str; 2] = [TOKENS, ALL];
const DAY: Duration = Duration::from_secs(86_400);
const BLINK: Duration = Duration::from_millis(1);

fn of_default() -> TokenAccess {
    access(TokenKind::Client, ProjectScope::one(project_id("default")))
}

fn request(route: &str, token: &str) -> TestRequest {
    TestRequest::post().uri(&format!("{route}/{token}/rotate"))
}

/// Rotates as an admin; returns the new secret.
async fn rotate(app: &TestApp, route: &str, token: &str, overlap: &str) -> String {
    let answer = app.send(As::Root, request(route, token).set_json(json!({"overlap": overlap}))).await;
    secret(&answer)
}

fn secret(answer: &Response) -> String {
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()["secret"].as_str().expect("text").to_owned()
}

/// Returns whether a client token is valid: then it gets a 403 here.
async fn is_good(app: &TestApp, secret: &str) -> bool {
    match app.send_by(secret, TestRequest::get().uri(TOKENS)).await.status.as_u16() {
        403 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

#[actix_web::test]
async fn the_answer_is_the_token_with_a_new_secret() {
    for route in BOTH {
        let app = TestApp::new().await;
        let (old, token_id) = app.token_and_id(of_default()).await;
        let before = app.get(As::Root, TOKENS).await.json()["tokens"][0].clone();
        let answer = app.send(As::Root, request(route, &old).set_json(json!({"overlap": "PT1H"}))).await;
        let new = secret(&answer);
        assert!(new.starts_with("default:development.") && new != old, "{new}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let mut expected = before.clone();
        expected["secret"] = json!(new);
        let mut rotated = expected.clone();
        rotated["previousSecretExpiresAt"] = json!("2023-04-19T09:15:14.000Z");
        assert_eq!(answer.json(), rotated, "{route}");
        assert_eq!(app.get(As::Root, TOKENS).await.json(), json!({"tokens": [expected]}));
        let by_id = app.get(As::Root, &format!("{TOKENS}/{token_id}")).await;
        assert_eq!(by_id.json()["secret"], json!(new), "the id stays");
    }
}

#[actix_web::test]
async fn the_old_secret_is_good_until_the_overlap_ends() {
    for route in BOTH {
        let app = TestApp::new().await;
        let old = app.token(of_default()).await;
        let new = rotate(&app, route, &old, "P1DT1S").await;
        assert!(is_good(&app, &old).await && is_good(&app, &new).await);
        app.clock.advance(DAY.saturating_sub(BLINK) + Duration::from_secs(1));
        assert!(is_good(&app, &old).await && is_good(&app, &new).await);
        app.clock.advance(BLINK);
        assert!(!is_good(&app, &old).await && is_good(&app, &new).await);
    }
}

#[actix_web::test]
async fn without_an_overlap_the_old_secret_is_refused_at_once() {
    for route in BOTH {
        let app = TestApp::new().await;
        app.use_cases.follow_changes().await.expect("followed");
        let old = app.token(of_default()).await;
        assert!(is_good(&app, &old).await);
        let new = rotate(&app, route, &old, "PT0S").await;
        assert!(!is_good(&app, &old).await && is_good(&app, &new).await);
    }
}

#[actix_web::test]
async fn the_overlap_defaults_to_a_day() {
    for route in BOTH {
        let app = TestApp::new().await;
        let mut current = app.token(of_default()).await;
        for asked in [
            request(route, &current),
            request(route, &current).insert_header(("content-type", "application/json")),
            request(route, &current).set_json(json!({})),
            request(route, &current).set_json(json!({"overlap": null, "unknown": true})),
        ] {
            // Each of these names the current secret.
            let path = format!("{route}/{current}/rotate");
            let new = secret(&app.send(As::Root, asked.uri(&path)).await);
            app.clock.advance(DAY.saturating_sub(BLINK));
            assert!(is_good(&app, &current).await && is_good(&app, &new).await);
            app.clock.advance(BLINK);
            assert!(!is_good(&app, &current).await && is_good(&app, &new).await);
            current = new;
        }
    }
}

#[actix_web::test]
async fn an_old_secret_keeps_its_own_end_and_names_no_token() {
    let app = TestApp::new().await;
    let first = app.token(of_default()).await;
    let second = rotate(&app, TOKENS, &first, "PT1H").await;
    // A 404 would be taken for the end of the token (`docs/design/decisions/0014-a-retired-secret-names-no-token.md`).
    for route in BOTH {
        app.send(As::Root, request(route, &first)).await.is(400, "BadDataError");
        app.delete(As::Root, &format!("{route}/{first}")).await.is(400, "BadDataError");
    }
    app.get(As::Root, &format!("{TOKENS}/{first}")).await.is(400, "BadDataError");
    let third = rotate(&app, ALL, &second, "PT24H").await;
    app.clock.advance(Duration::from_secs(3_600));
    let good = [is_good(&app, &first).await, is_good(&app, &second).await, is_good(&app, &third).await];
    assert_eq!(good, [false, true, true]);
    assert_eq!(app.delete(As::Root, &format!("{TOKENS}/{third}")).await.status, 200);
    assert!(!is_good(&app, &second).await && !is_good(&app, &third).await, "all go with the token");
}

#[actix_web::test]
async fn a_show_once_token_is_rotated_by_its_id_and_shown_once() {
    let app = TestApp::with(|settings| settings.use_cases.tokens.reveal = Reveal::Once).await;
    let (old, token_id) = app.token_and_id(of_default()).await;
    let answer = app.send(As::Member, request(TOKENS, &token_id)).await;
    assert_eq!(answer.json()["secure"], true);
    assert!(is_good(&app, &old).await && is_good(&app, &secret(&answer)).await);
    assert_eq!(app.get(As::Member, TOKENS).await.json()["tokens"][0]["secret"], token_id);
}

#[actix_web::test]
async fn each_rotation_leaves_an_event_without_secrets() {
    for route in BOTH {
        let app = TestApp::new().await;
        let old = app.token(of_default()).await;
        let new = rotate(&app, route, &old, "PT1H").await;
        let (kind, by, before, after) = newest_event(&app).await;
        assert_eq!((kind.as_str(), by.as_str()), ("api-token-rotated", "root@example.com"));
        assert_eq!(before["tokenName"], "given");
        assert_eq!(after["oldSecretUntil"], "2023-04-19T09:15:14.000Z");
        let events = json!(newest_events(&app, 100).await).to_string();
        let random = |secret: &str| secret.split_once('.').expect("a prefix").1.to_owned();
        assert!(!events.contains(&random(&old)) && !events.contains(&random(&new)), "never a secret");
    }
}

#[actix_web::test]
async fn what_is_no_overlap_is_refused() {
    let app = TestApp::new().await;
    let token = app.token(of_default()).await;
    for route in BOTH {
        for overlap in [
            json!(""),
            json!("24h"),
            json!("PT"),
            json!("P1Y"),
            json!("-PT1H"),
            json!("PT1.5H"),
            json!("P366D"),
            json!("PT31536001S"),
            json!("P99999999999999D"),
            json!(86_400),
            json!(true),
            json!([]),
        ] {
            let asked = request(route, &token).set_json(json!({"overlap": overlap}));
            assert_eq!(faults(&app.send(As::Root, asked).await), ["/body/overlap"], "{overlap}");
        }
        for body in ["[]", "1", "{", "\u{fffd}"] {
            let typed = request(route, &token).insert_header(("content-type", "application/json"));
            assert_eq!(faults(&app.send(As::Root, typed.set_payload(body)).await), ["/body"], "{body}");
        }
        app.send(As::Root, request(route, &token).set_payload("{}")).await.is(415, "ContentTypeError");
        let form = request(route, &token).set_form([("overlap", "PT1H")]);
        app.send(As::Root, form).await.is(415, "ContentTypeError");
        let large = request(route, &token).set_payload(vec![b' '; 1024 * 1024 + 1]);
        app.send(As::Root, large).await.is(413, "PayloadTooLargeError");
    }
    assert!(is_good(&app, &token).await, "nothing was changed");
    assert_eq!(rotate(&app, TOKENS, &token, "P365D").await.len(), token.len(), "the longest");
}

#[actix_web::test]
async fn what_is_not_there_is_not_found_once_the_body_is_good() {
    let app = TestApp::new().await;
    let elsewhere = app.token(access(TokenKind::Client, ProjectScope::one(project_id("elsewhere")))).await;
    for route in BOTH {
        for token in ["nosuch", "a%20b", "9c40958a-daac-400e-98fb-3bb438567008"] {
            app.send(As::Root, request(route, token)).await.is(404, "NotFoundError");
            let bad = request(route, token).set_json(json!({"overlap": 1}));
            app.send(As::Root, bad).await.is(400, "BadDataError");
        }
        app.send(As::Root, request(route, "%FF")).await.is(400, "BadDataError");
    }
    app.send(As::Root, request(TOKENS, &elsewhere)).await.is(404, "NotFoundError");
    assert_eq!(app.send(As::Root, request(ALL, &elsewhere)).await.status, 200);
}

#[actix_web::test]
async fn a_token_of_several_projects_is_rotated_as_the_instances() {
    let app = TestApp::new().await;
    let both = ProjectSet::new(["default", "elsewhere"].map(project_id)).expect("two");
    let token = app.token(access(TokenKind::Client, ProjectScope::Only(both))).await;
    app.send(As::Root, request(TOKENS, &token)).await.is(400, "BadDataError");
    let answer = app.send(As::Root, request(ALL, &token)).await;
    assert!(secret(&answer).starts_with("[]:development."));
}

#[actix_web::test]
async fn rotation_in_a_project_needs_the_permissions_to_create_and_delete() {
    let app = TestApp::new().await;
    only(&app, READERS, 404, || request(TOKENS, "nosuch")).await;
    let token = app.token(of_default()).await;
    for permission in ["CREATE_PROJECT_API_TOKEN", "DELETE_PROJECT_API_TOKEN"] {
        let half = app.holder_of(&[permission]).await;
        let answer = app.send_by(&half, request(TOKENS, &token)).await;
        answer.is(403, "NoAccessError");
        assert_ne!(answer.json()["permissions"], json!([permission]), "the other one is missing");
    }
    let whole = app.holder_of(&["CREATE_PROJECT_API_TOKEN", "DELETE_PROJECT_API_TOKEN"]).await;
    assert_eq!(app.send_by(&whole, request(TOKENS, &token)).await.status, 200);
}

#[actix_web::test]
async fn rotation_in_the_instance_needs_the_permission_to_update_that_type() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 404, || request(ALL, "nosuch")).await;
    let client = app.token(of_default()).await;
    let frontend = app.token(access(TokenKind::Frontend, ProjectScope::All)).await;
    let admin = app.token(TokenAccess::Admin).await;
    let holder = app.holder_of(&["UPDATE_CLIENT_API_TOKEN"]).await;
    for (token, status) in [(&client, 200), (&frontend, 403), (&admin, 403)] {
        assert_eq!(app.send_by(&holder, request(ALL, token)).await.status, status);
    }
    let new = rotate(&app, ALL, &admin, "PT0S").await;
    assert_eq!(app.send_by(&new, TestRequest::get().uri(ALL)).await.status, 200);
    assert_eq!(app.send_by(&admin, TestRequest::get().uri(ALL)).await.status, 401);
}

#[actix_web::test]
async fn other_sites_cannot_have_a_browser_rotate() {
    let app = TestApp::new().await;
    let token = app.token(of_default()).await;
    let cookie = app.sign_in("Root").await;
    for route in BOTH {
        let asked = request(route, &token).insert_header(("sec-fetch-site", "cross-site"));
        app.send_with(&cookie, asked).await.is(403, "OperationDeniedError");
    }
    let own = request(TOKENS, &token).insert_header(("sec-fetch-site", "same-origin"));
    assert_eq!(app.send_with(&cookie, own).await.json()["secret"].as_str().map(str::len), Some(token.len()));
}

#[actix_web::test]
async fn only_so_many_old_secrets_are_good_at_once() {
    for route in BOTH {
        let app = TestApp::new().await;
        let mut current = app.token(of_default()).await;
        for _ in 0..10 {
            current = rotate(&app, route, &current, "P30D").await;
        }
        let refused = app.send(As::Root, request(route, &current).set_json(json!({"overlap": "PT1S"}))).await;
        refused.is(400, "BadDataError");
        assert_eq!(refused.json()["details"][0]["path"], "/body/overlap");
        assert!(is_good(&app, &current).await);
        current = rotate(&app, route, &current, "PT0S").await;
        app.clock.advance(DAY * 30);
        rotate(&app, route, &current, "PT1S").await;
    }
}

#[actix_web::test]
async fn the_old_secret_can_end_with_the_first_use_of_the_new_one() {
    for route in BOTH {
        let app = TestApp::new().await;
        let old = app.token(of_default()).await;
        let body = json!({ "overlap": "PT1H", "endOnFirstUse": true });
        let answer = app.send(As::Root, request(route, &old).set_json(body)).await;
        assert_eq!(answer.json()["previousSecretExpiresAt"], json!("2023-04-19T09:15:14.000Z"));
        assert_eq!(answer.json()["rotation"], json!(null), "how it is kept is not shown");
        let new = secret(&answer);
        assert!(is_good(&app, &old).await && is_good(&app, &new).await);
        assert_eq!(app.use_cases.end_rotations().await.expect("ended"), 1);
        assert_eq!(newest_event(&app).await.0, "api-token-rotation-ended");
        app.clock.advance(Duration::from_secs(60));
        assert!(!is_good(&app, &old).await && is_good(&app, &new).await);
        let bad = request(route, &new).set_json(json!({ "endOnFirstUse": "yes" }));
        assert_eq!(faults(&app.send(As::Root, bad).await), ["/body/endOnFirstUse"]);
    }
}
