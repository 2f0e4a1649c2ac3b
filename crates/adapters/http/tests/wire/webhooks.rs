//! `/api/admin/webhooks`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, NOW, TestApp};
use serde_json::{Value, json};

use crate::expectations::{ADMINS, event_count, faults, newest_event, only, refused_for};

const WEBHOOKS: &str = "/api/admin/webhooks";
const UNKNOWN: &str = "/api/admin/webhooks/00000000-0000-4000-8000-000000000000";

async fn created(app: &TestApp, body: &Value) -> Value {
    let answer = app.post(As::Root, WEBHOOKS, body).await;
    assert_eq!(answer.status, 201, "{}", answer.json());
    answer.json()
}

fn path_of(webhook: &Value) -> String {
    format!("{WEBHOOKS}/{}", webhook["id"].as_str().expect("an id"))
}

/// Makes deliveries of all events, and attempts each that is due.
async fn deliver(app: &TestApp) {
    let deliveries = &app.use_cases.webhook_deliveries;
    deliveries.enqueue().await.expect("made");
    for delivery in deliveries.claim(100, Vec::new()).await.expect("claimed") {
        let attempt = deliveries.attempt(delivery).await.expect("sent").expect("there");
        assert!(deliveries.end(&attempt).await.expect("recorded"));
    }
}

#[actix_web::test]
async fn the_secret_is_in_the_answer_to_the_creation_alone() {
    let app = TestApp::new().await;
    let body = json!({
        "url": "https://hooks.example.com/services/key?x=y", "events": ["api-token-leaked", "api-token-created"],
        "projects": ["shop", "default"], "enabled": false, "template": "slack"
    });
    let answer = app.post(As::Root, WEBHOOKS, &body).await;
    let mut shown = answer.json();
    let location = format!("webhooks/{}", shown["id"].as_str().expect("an id"));
    assert_eq!((answer.status.as_u16(), answer.header("location")), (201, Some(&*location)));
    let secret = shown.as_object_mut().expect("an object").remove("secret").expect("a secret");
    assert!(secret.as_str().is_some_and(|text| text.starts_with("whsec_") && text.len() == 38), "{secret}");
    let expected = json!({
        "id": shown["id"], "url": "https://hooks.example.com/services/key?x=y",
        "events": ["api-token-created", "api-token-leaked"], "projects": ["shop", "default"],
        "enabled": false, "template": "slack", "createdAt": NOW
    });
    assert_eq!(shown, expected);
    assert_eq!(app.get(As::Admin, &path_of(&shown)).await.json(), expected);
    assert_eq!(app.get(As::Admin, WEBHOOKS).await.json(), json!({ "webhooks": [expected] }));
    // What may be a secret of the receiver is not in the audit trail.
    let (kind, by, before, data) = newest_event(&app).await;
    assert_eq!((kind.as_str(), by.as_str(), before), ("webhook-created", "root@example.com", Value::Null));
    let mut expected = expected;
    expected["url"] = json!("https://hooks.example.com/…");
    assert_eq!(data, expected);
    let events = app.get(As::Admin, "/api/admin/events?limit=1").await.json();
    assert_eq!(
        events["events"][0]["summary"],
        "**root@example.com** created webhook **https://hooks.example.com/…**"
    );
}

#[actix_web::test]
async fn by_default_everything_is_sent() {
    let app = TestApp::new().await;
    for body in [
        json!({ "url": "https://example.com" }),
        json!({ "url": "https://example.com", "events": null, "projects": null, "enabled": null, "template": null }),
        json!({ "url": "https://example.com", "events": ["user-created", "*"], "projects": ["*"] }),
    ] {
        let webhook = created(&app, &body).await;
        let shown = ["events", "projects", "enabled", "template"].map(|member| webhook[member].clone());
        assert_eq!(shown, [json!(["*"]), json!(["*"]), json!(true), json!("standard")], "{body}");
    }
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let existing = path_of(&created(&app, &json!({ "url": "https://example.com" })).await);
    let before = event_count(&app).await;
    let with = |member: &str, value: Value| {
        let mut body = json!({ "url": "https://example.com" });
        body[member] = value;
        body
    };
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/url"]),
        (with("url", json!("example.com")), &["/url"]),
        (with("url", json!("ftp://example.com")), &["/url"]),
        (with("url", json!("https://user:password@example.com")), &["/url"]),
        (with("url", json!([])), &["/url"]),
        (with("events", json!("*")), &["/events"]),
        (with("events", json!([])), &["/events"]),
        (with("events", json!(["nonsense"])), &["/events"]),
        (with("projects", json!("default")), &["/projects"]),
        (with("projects", json!([])), &["/projects"]),
        (with("projects", json!(["not an id"])), &["/projects"]),
        (with("enabled", json!("maybe")), &["/enabled"]),
        (with("template", json!("teams")), &["/template"]),
        (with("event", json!(["*"])), &["/event"]),
        (json!({ "url": "x", "events": [], "template": 1 }), &["/url", "/events", "/template"]),
    ];
    refused_for(&app, || TestRequest::post().uri(WEBHOOKS), cases).await;
    refused_for(&app, || TestRequest::put().uri(&existing), cases).await;
    assert_eq!(event_count(&app).await, before, "nothing was made");
}

#[actix_web::test]
async fn a_webhook_is_replaced_as_a_whole_and_keeps_its_secret() {
    let app = TestApp::new().await;
    let body = json!({ "url": "https://example.com/a", "events": ["user-created"], "enabled": false });
    let webhook = created(&app, &body).await;
    let path = path_of(&webhook);
    let answer = app.put(As::Root, &path, &json!({ "url": "https://example.com/b" })).await;
    let expected = json!({
        "id": webhook["id"], "url": "https://example.com/b", "events": ["*"], "projects": ["*"],
        "enabled": true, "template": "standard", "createdAt": NOW
    });
    assert_eq!((answer.status.as_u16(), answer.json()), (200, expected.clone()));
    assert_eq!(app.get(As::Admin, &path).await.json(), expected);
    let (kind, _, before, after) = newest_event(&app).await;
    assert_eq!(
        (kind.as_str(), &before["enabled"], &after["enabled"]),
        ("webhook-updated", &json!(false), &json!(true))
    );
    app.post(As::Root, &format!("{path}/ping"), &json!({})).await;
    let sent = app.receivers.take().remove(0);
    assert_eq!(Some(sent.secret.reveal()), webhook["secret"].as_str());
    assert_eq!(sent.url.as_str(), "https://example.com/b");
    let count = event_count(&app).await;
    app.put(As::Root, &path, &json!({ "url": "https://example.com/b" })).await;
    assert_eq!(event_count(&app).await, count, "nothing has changed");
}

#[actix_web::test]
async fn a_removed_webhook_is_gone_with_its_deliveries() {
    let app = TestApp::new().await;
    let path = path_of(&created(&app, &json!({ "url": "https://example.com" })).await);
    app.user("ed", "Viewer").await;
    let answer = app.delete(As::Root, &path).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!(newest_event(&app).await.0, "webhook-deleted");
    for path in [path.clone(), format!("{path}/deliveries")] {
        app.get(As::Root, &path).await.is(404, "NotFoundError");
    }
    app.delete(As::Root, &path).await.is(404, "NotFoundError");
    deliver(&app).await;
    assert!(app.receivers.take().is_empty());
}

#[actix_web::test]
async fn a_test_says_what_became_of_it() {
    let app = TestApp::new().await;
    let webhook = created(&app, &json!({ "url": "https://example.com", "enabled": false })).await;
    let ping = format!("{}/ping", path_of(&webhook));
    let answer = app.post(As::Root, &ping, &json!({})).await;
    assert_eq!(answer.json(), json!({ "delivered": true, "status": 204, "durationMs": 7 }));
    let sent = app.receivers.take().remove(0);
    assert_eq!(sent.body, format!(r#"{{"type":"ping","timestamp":"{NOW}","data":{{}}}}"#));
    assert!(sent.id.starts_with("ping_"), "{}", sent.id);
    app.receivers.answer([500]);
    let answer = app.method(As::Root, actix_web::http::Method::POST, &ping).await;
    let expected =
        json!({ "delivered": false, "status": 500, "durationMs": 7, "error": "the receiver answered 500" });
    assert_eq!((answer.status.as_u16(), answer.json()), (200, expected));
    assert_eq!(
        app.get(As::Root, &format!("{}/deliveries", path_of(&webhook))).await.json(),
        json!({ "deliveries": [] })
    );
}

#[actix_web::test]
async fn deliveries_are_listed_with_status_and_duration_and_sent_again() {
    let app = TestApp::new().await;
    let webhook = created(&app, &json!({ "url": "https://example.com", "events": ["user-created"] })).await;
    let path = format!("{}/deliveries", path_of(&webhook));
    for name in ["a", "b", "c"] {
        app.user(name, "Viewer").await;
    }
    app.receivers.answer([204, 500, 204]);
    deliver(&app).await;
    let body = app.get(As::Admin, &path).await.json();
    let all = body["deliveries"].as_array().expect("deliveries");
    let ids: Vec<_> = all.iter().map(|one| one["eventId"].as_i64().expect("an id")).collect();
    assert!(ids.len() == 3 && ids.is_sorted_by(|one, other| one > other), "{ids:?}");
    let delivered = json!({
        "eventId": ids[2], "type": "user-created", "createdAt": NOW, "state": "delivered", "attempts": 1,
        "endedAt": NOW, "status": 204, "durationMs": 7
    });
    assert_eq!(all[2], delivered);
    let waiting = json!({
        "eventId": ids[1], "type": "user-created", "createdAt": NOW, "state": "waiting", "attempts": 1,
        "nextAttemptAt": all[1]["nextAttemptAt"], "status": 500, "durationMs": 7,
        "error": "the receiver answered 500"
    });
    assert_eq!(all[1], waiting);
    // The envelope has the event as the API has it.
    let sent: Value = serde_json::from_str(&app.receivers.take()[0].body).expect("JSON");
    let events = app.get(As::Admin, "/api/admin/events?limit=3").await.json();
    let expected = json!({ "type": "user-created", "timestamp": NOW, "data": events["events"][2] });
    assert_eq!(sent, expected);

    for (query, expected) in [
        ("state=waiting", vec![ids[1]]),
        ("state=delivered", vec![ids[0], ids[2]]),
        ("state=failed", vec![]),
        ("limit=1", vec![ids[0]]),
        (&*format!("before={}", ids[0]), vec![ids[1], ids[2]]),
    ] {
        let body = app.get(As::Admin, &format!("{path}?{query}")).await.json();
        let found: Vec<_> =
            body["deliveries"].as_array().expect("a list").iter().map(|one| &one["eventId"]).collect();
        assert_eq!(json!(found), json!(expected), "{query}");
    }
    for (query, fault) in [("state=lost", "state"), ("before=x", "before"), ("limit=-1", "limit")] {
        let answer = app.get(As::Admin, &format!("{path}?{query}")).await;
        assert_eq!(faults(&answer), [format!("/query/{fault}")]);
    }

    let redeliver = |event: i64| format!("{path}/{event}/redeliver");
    let answer = app.post(As::Root, &redeliver(ids[2]), &json!({})).await;
    let again = json!({
        "eventId": ids[2], "type": "user-created", "createdAt": NOW, "state": "waiting", "attempts": 0,
        "nextAttemptAt": NOW, "status": 204, "durationMs": 7
    });
    assert_eq!((answer.status.as_u16(), answer.json()), (200, again));
    assert_eq!(app.post(As::Root, &redeliver(ids[1]), &json!({})).await.json(), waiting, "as it was");
    deliver(&app).await;
    let sent = app.receivers.take();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].id.starts_with(&format!("evt_{}_1681892114000_", ids[2])), "{}", sent[0].id);
    app.post(As::Root, &redeliver(1), &json!({})).await.is(404, "NotFoundError");
    assert_eq!(
        faults(&app.post(As::Root, &format!("{path}/x/redeliver"), &json!({})).await),
        ["/params/eventId"]
    );
}

#[actix_web::test]
async fn what_is_not_there_is_not_found() {
    let app = TestApp::new().await;
    for id in [UNKNOWN, "/api/admin/webhooks/x", "/api/admin/webhooks/1"] {
        let answer = app.get(As::Root, id).await;
        answer.is(404, "NotFoundError");
        assert_eq!(answer.json()["message"], "No webhook found.");
        app.put(As::Root, id, &json!({ "url": "https://example.com" })).await.is(404, "NotFoundError");
        app.delete(As::Root, id).await.is(404, "NotFoundError");
        app.get(As::Root, &format!("{id}/deliveries")).await.is(404, "NotFoundError");
        for action in ["ping", "deliveries/1/redeliver"] {
            app.post(As::Root, &format!("{id}/{action}"), &json!({})).await.is(404, "NotFoundError");
        }
    }
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 200, || TestRequest::get().uri(WEBHOOKS)).await;
    only(&app, ADMINS, 400, || TestRequest::post().uri(WEBHOOKS).set_json(json!({}))).await;
    only(&app, ADMINS, 404, || TestRequest::get().uri(UNKNOWN)).await;
    only(&app, ADMINS, 404, || TestRequest::delete().uri(UNKNOWN)).await;
    only(&app, ADMINS, 404, || TestRequest::get().uri(&format!("{UNKNOWN}/deliveries"))).await;
    for action in ["ping", "deliveries/1/redeliver"] {
        only(&app, ADMINS, 404, || TestRequest::post().uri(&format!("{UNKNOWN}/{action}"))).await;
    }
}
