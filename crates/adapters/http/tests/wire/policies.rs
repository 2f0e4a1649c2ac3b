//! What API tokens must be like: policies of projects, their enforcement, and the tokens that break them.

use std::time::Duration;

use actix_web::{http::Method, test::TestRequest};
use latchkey_domain::{Policy, Term, Unused};
use latchkey_testkit::app::{As, Response, TOKENS, TestApp};
use serde_json::{Value, json};

use crate::{
    expectations::{EDITORS, OWNERS, READERS, event_count, faults, newest_event, only},
    instance_tokens::ALL,
};

const OF_DEFAULT: &str = "/api/admin/projects/default/policy";
const VIOLATIONS_OF_DEFAULT: &str = "/api/admin/projects/default/policy/violations";
const VIOLATIONS: &str = "/api/admin/policy/violations";
/// Thirty days after the moment at which the clock stands.
const IN_30_DAYS: &str = "2023-05-19T08:15:14.000Z";

fn term(days: u64) -> Option<Term> {
    Term::new(Duration::from_secs(days * 86_400)).ok()
}

/// An application whose instance has a policy that its own tokens keep.
async fn strict() -> TestApp {
    let policy = Policy {
        max_lifetime: term(90),
        default_lifetime: term(30),
        require_expiry: true,
        allow_all_projects: false,
        unused: Unused::new(term(30), term(60)).expect("in order").with_notice(term(20)).expect("in order"),
        ..Policy::default()
    };
    TestApp::with(|settings| settings.use_cases.policy = policy).await
}

/// An application whose project `default` has this policy.
async fn with_policy(policy: &Value) -> TestApp {
    let app = TestApp::without_quota().await;
    set(&app, policy).await;
    app
}

async fn set(app: &TestApp, policy: &Value) -> Value {
    let answer = app.put(As::Owner, OF_DEFAULT, policy).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

fn token(members: &Value) -> Value {
    let mut body =
        json!({ "tokenName": "t", "type": "client", "projects": ["default"], "description": "why" });
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    body
}

async fn created(app: &TestApp, members: &Value) -> Value {
    let answer = app.post(As::Root, TOKENS, &token(members)).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()
}

async fn patch(app: &TestApp, path: &str, change: &Value) -> Response {
    app.send(As::Root, TestRequest::default().method(Method::PATCH).uri(path).set_json(change)).await
}

#[actix_web::test]
async fn a_policy_is_set_shown_and_removed_and_events_say_so() {
    let app = TestApp::new().await;
    let none = json!({ "project": {}, "instance": {}, "effective": {} });
    assert_eq!(app.get(As::Member, OF_DEFAULT).await.json(), none);
    let policy = json!({
        "maxLifetime": "P90D",
        "defaultLifetime": "PT12H",
        "requireExpiry": true,
        "requireDescription": true,
        "unusedNotice": "P10D",
        "unusedDisable": "P2W",
        "unusedDelete": "P28D",
    });
    let mut shown = policy.clone();
    shown["unusedDisable"] = json!("P14D");
    let expected = json!({ "project": shown, "instance": {}, "effective": shown });
    assert_eq!(set(&app, &policy).await, expected);
    assert_eq!(app.get(As::Member, OF_DEFAULT).await.json(), expected);
    let changed = |before: &Value, after: &Value| {
        ("project-policy-updated".to_owned(), "owner@example.com".to_owned(), before.clone(), after.clone())
    };
    assert_eq!(newest_event(&app).await, changed(&json!({}), &shown));

    let events = event_count(&app).await;
    assert_eq!(set(&app, &policy).await, expected, "a change to nothing new is none");
    assert_eq!(event_count(&app).await, events);
    assert_eq!(set(&app, &json!({ "maxLifetime": null, "requireExpiry": false })).await, none);
    assert_eq!(newest_event(&app).await, changed(&shown, &json!({})));
}

#[actix_web::test]
async fn what_holds_is_the_tighter_of_both() {
    let app = strict().await;
    let instance = json!({
        "maxLifetime": "P90D",
        "defaultLifetime": "P30D",
        "requireExpiry": true,
        "allowAllProjects": false,
        "unusedNotice": "P20D",
        "unusedDisable": "P30D",
        "unusedDelete": "P60D",
    });
    let own = json!({
        "maxLifetime": "P10D",
        "requireDescription": true,
        "unusedNotice": "P3D",
        "unusedDisable": "P5D",
    });
    let mut effective = instance.clone();
    for (member, value) in own.as_object().expect("an object") {
        effective[member] = value.clone();
    }
    assert_eq!(
        set(&app, &own).await,
        json!({ "project": own, "instance": instance, "effective": effective })
    );
    // The default lifetime of the instance is longer than the maximum of the project.
    assert_eq!(created(&app, &json!({})).await["expiresAt"], "2023-04-29T08:15:14.000Z");
}

#[actix_web::test]
async fn a_looser_policy_is_refused_at_the_member() {
    let app = strict().await;
    for (policy, member) in [
        (json!({ "maxLifetime": "P91D" }), "maxLifetime"),
        (json!({ "defaultLifetime": "P31D" }), "defaultLifetime"),
        (json!({ "maxLifetime": "P10D", "defaultLifetime": "P20D" }), "defaultLifetime"),
        (json!({ "requireExpiry": false }), "requireExpiry"),
        (json!({ "unusedDisable": "P31D" }), "unusedDisable"),
        (json!({ "unusedNotice": "P21D" }), "unusedNotice"),
        (json!({ "unusedNotice": "P5D", "unusedDisable": "P5D" }), "unusedNotice"),
        (json!({ "unusedDisable": "P20D" }), "unusedNotice"),
        (json!({ "unusedDisable": "P25D", "unusedDelete": "P61D" }), "unusedDelete"),
        (json!({ "unusedDelete": "P50D" }), "unusedDelete"),
        (json!({ "unusedDisable": "P20D", "unusedDelete": "P20D" }), "unusedDelete"),
        (json!({ "maxLifetime": "90d" }), "maxLifetime"),
        (json!({ "maxLifetime": "PT0S" }), "maxLifetime"),
        (json!({ "maxLifetime": 90 }), "maxLifetime"),
        (json!({ "requireDescription": "yes" }), "requireDescription"),
        (json!({ "allowAllProjects": false }), "allowAllProjects"),
    ] {
        let answer = app.put(As::Owner, OF_DEFAULT, &policy).await;
        assert_eq!(faults(&answer), [format!("/body/{member}")], "{policy}");
    }
    assert_eq!(app.get(As::Owner, OF_DEFAULT).await.json()["project"], json!({}));
}

#[actix_web::test]
async fn tokens_are_created_within_the_policy() {
    let app =
        with_policy(&json!({ "maxLifetime": "P30D", "defaultLifetime": "P10D", "requireDescription": true }))
            .await;
    for (members, outcome) in [
        (json!({}), Ok("2023-04-29T08:15:14.000Z")),
        (json!({ "expiresAt": IN_30_DAYS }), Ok(IN_30_DAYS)),
        (json!({ "expiresAt": "2001-01-01T00:00:00.000Z" }), Ok("2001-01-01T00:00:00.000Z")),
        (json!({ "expiresAt": "2023-05-19T08:15:14.001Z" }), Err("expiresAt")),
        (json!({ "expiresAt": null }), Err("expiresAt")),
        (json!({ "description": null }), Err("description")),
        (json!({ "description": " " }), Err("description")),
    ] {
        for route in [TOKENS, ALL] {
            let one = app.post(As::Root, route, &token(&members)).await;
            let batch = json!({ "tokens": [token(&json!({})), token(&members)] });
            let batch = app.post(As::Root, &format!("{route}/batch"), &batch).await;
            match outcome {
                Ok(end) => {
                    assert_eq!(
                        (one.status.as_u16(), &one.json()["expiresAt"]),
                        (201, &json!(end)),
                        "{members}"
                    );
                    assert_eq!(batch.json()["tokens"][1]["expiresAt"], end, "{members}");
                }
                Err(member) => {
                    assert_eq!(faults(&one), [format!("/body/{member}")], "{route} {members}");
                    assert_eq!(faults(&batch), [format!("/body/tokens/1/{member}")], "{route} {members}");
                }
            }
        }
    }
    // The policy of a project is no matter of tokens that do not name it.
    let everywhere = json!({ "tokenName": "t", "type": "client" });
    assert_eq!(app.post(As::Root, ALL, &everywhere).await.json()["expiresAt"], Value::Null);
}

#[actix_web::test]
async fn tokens_of_all_projects_can_be_forbidden() {
    let app = strict().await;
    for projects in [json!({ "projects": ["*"] }), json!({})] {
        let mut body = json!({ "tokenName": "t", "type": "client" });
        body.as_object_mut().expect("an object").extend(projects.as_object().expect("an object").clone());
        assert_eq!(faults(&app.post(As::Root, ALL, &body).await), ["/body/projects"]);
    }
    created(&app, &json!({})).await;
}

#[actix_web::test]
async fn without_a_default_null_and_nothing_are_never() {
    let app = with_policy(&json!({ "requireDescription": true })).await;
    for members in [json!({}), json!({ "expiresAt": null })] {
        assert_eq!(created(&app, &members).await["expiresAt"], Value::Null);
    }
    let app = with_policy(&json!({ "defaultLifetime": "P10D" })).await;
    assert_eq!(created(&app, &json!({ "expiresAt": null })).await["expiresAt"], Value::Null, "it says so");
    let app = with_policy(&json!({ "requireExpiry": true })).await;
    for members in [json!({}), json!({ "expiresAt": null })] {
        assert_eq!(faults(&app.post(As::Root, TOKENS, &token(&members)).await), ["/body/expiresAt"]);
    }
}

#[actix_web::test]
async fn tokens_are_changed_within_the_policy() {
    let app = TestApp::new().await;
    let id = created(&app, &json!({})).await["id"].as_str().expect("text").to_owned();
    set(&app, &json!({ "maxLifetime": "P30D", "requireExpiry": true, "requireDescription": true })).await;
    for route in [TOKENS, ALL] {
        let path = format!("{route}/{id}");
        // What is not changed may break the policy: the token is older than it.
        assert_eq!(patch(&app, &path, &json!({ "owner": route })).await.status, 200);
        assert_eq!(patch(&app, &path, &json!({ "description": route })).await.status, 200);
        for (change, member) in [
            (json!({ "expiresAt": "2023-05-19T08:15:14.001Z" }), "expiresAt"),
            (json!({ "description": null }), "description"),
            (json!({ "description": "", "owner": "x" }), "description"),
        ] {
            let answer = patch(&app, &path, &change).await;
            assert_eq!(faults(&answer), [format!("/body/{member}")], "{route} {change}");
        }
    }
    let path = format!("{ALL}/{id}");
    let put = app.put(As::Root, &path, &json!({ "expiresAt": "2099-01-01T00:00:00Z" })).await;
    assert_eq!(faults(&put), ["/body/expiresAt"]);
    assert_eq!(app.put(As::Root, &path, &json!({ "expiresAt": IN_30_DAYS })).await.status, 200);
    assert_eq!(faults(&patch(&app, &path, &json!({ "expiresAt": null })).await), ["/body/expiresAt"]);
    assert_eq!(patch(&app, &path, &json!({ "expiresAt": "2001-01-01T00:00:00Z" })).await.status, 200);
}

#[actix_web::test]
async fn tokens_that_break_a_policy_are_listed_and_stay() {
    let app = TestApp::without_quota().await;
    let endless = created(&app, &json!({ "tokenName": "endless", "description": null })).await;
    // Tokens of one moment have no order that a test knows.
    app.clock.advance(Duration::from_millis(1));
    created(&app, &json!({ "tokenName": "good", "expiresAt": IN_30_DAYS })).await;
    created(&app, &json!({ "tokenName": "over", "description": null, "expiresAt": "2001-01-01T00:00:00Z" }))
        .await;
    let undescribed =
        created(&app, &json!({ "tokenName": "undescribed", "description": "", "expiresAt": IN_30_DAYS }))
            .await;
    let none = json!({ "violations": [], "nextCursor": null });
    for path in [VIOLATIONS_OF_DEFAULT, VIOLATIONS] {
        assert_eq!(app.get(As::Editor, path).await.json(), none, "{path}");
    }
    set(&app, &json!({ "maxLifetime": "P30D", "requireExpiry": true, "requireDescription": true })).await;
    let expected = json!({
        "violations": [
            {
                "id": endless["id"],
                "tokenName": "endless",
                "rules": ["max_lifetime", "require_expiry", "require_description"],
            },
            { "id": undescribed["id"], "tokenName": "undescribed", "rules": ["require_description"] },
        ],
        "nextCursor": null,
    });
    for path in [VIOLATIONS_OF_DEFAULT, VIOLATIONS] {
        assert_eq!(app.get(As::Editor, path).await.json(), expected, "{path}");
        let after = |id: &Value| format!("{path}?cursor={}", id.as_str().expect("text"));
        let rest = app.get(As::Editor, &after(&endless["id"])).await.json();
        assert_eq!(rest["violations"], json!([expected["violations"][1]]), "{path}");
        assert_eq!(app.get(As::Editor, &after(&undescribed["id"])).await.json(), none, "{path}");
        assert_eq!(faults(&app.get(As::Editor, &format!("{path}?cursor=x")).await), ["/query/cursor"]);
    }
    let secret = endless["secret"].as_str().expect("text");
    assert_eq!(app.send_by(secret, TestRequest::get().uri("/auth/verify")).await.status, 200);
    app.clock.advance(Duration::from_secs(31 * 86_400));
    app.use_cases.follow_changes().await.expect("followed");
    let later = app.get(As::Editor, VIOLATIONS_OF_DEFAULT).await.json();
    assert_eq!(later["violations"], json!([expected["violations"][0]]), "the others have expired");
}

#[actix_web::test]
async fn a_list_of_violations_has_pages() {
    let app = TestApp::without_quota().await;
    let batch: Vec<_> = (0..1_000).map(|_| json!({ "tokenName": "t", "type": "client" })).collect();
    for _ in 0..2 {
        let made = app.post(As::Root, &format!("{TOKENS}/batch"), &json!({ "tokens": batch })).await;
        assert_eq!(made.status, 201);
    }
    set(&app, &json!({ "requireExpiry": true })).await;
    let (mut found, mut cursor) = (0, String::new());
    loop {
        let page = app.get(As::Root, &format!("{VIOLATIONS_OF_DEFAULT}?cursor={cursor}")).await.json();
        found += page["violations"].as_array().expect("a list").len();
        match page["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(found, 2_000);
}

#[actix_web::test]
async fn an_unknown_project_has_no_policy() {
    let app = TestApp::new().await;
    let of = |path: &str| path.replace("default", "nosuch");
    for path in [of(OF_DEFAULT), of(VIOLATIONS_OF_DEFAULT)] {
        app.get(As::Root, &path).await.is(404, "NotFoundError");
    }
    app.put(As::Root, &of(OF_DEFAULT), &json!({ "requireExpiry": true })).await.is(404, "NotFoundError");
}

#[actix_web::test]
async fn members_read_policies_and_owners_set_them() {
    let app = TestApp::new().await;
    for path in [OF_DEFAULT, VIOLATIONS_OF_DEFAULT] {
        only(&app, READERS, 200, || TestRequest::get().uri(path)).await;
    }
    let policy = json!({ "requireDescription": true });
    only(&app, OWNERS, 200, || TestRequest::put().uri(OF_DEFAULT).set_json(&policy)).await;
    only(&app, EDITORS, 200, || TestRequest::get().uri(VIOLATIONS)).await;
}
