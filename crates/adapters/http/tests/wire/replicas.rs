//! `GET /api/admin/replicas`

use std::time::Duration;

use actix_web::test::TestRequest;
use latchkey_ports::{Clock as _, Replica, ReplicaId};
use latchkey_service::NewReplica;
use latchkey_testkit::app::{As, NOW, TestApp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::expectations::{ADMINS, only};

const PATH: &str = "/api/admin/replicas";

/// An application that is a replica, and has reported itself.
async fn joined() -> TestApp {
    let app = TestApp::new().await;
    let named = |text: &str| text.to_owned();
    let new = NewReplica { host: named("one"), address: named("0.0.0.0:4242"), version: named("1.2.3") };
    app.use_cases.replicas.join(new);
    app.use_cases.replicas.report().await.expect("reported");
    app
}

async fn listed(app: &TestApp) -> Value {
    app.get(As::Root, PATH).await.json()
}

#[actix_web::test]
async fn the_process_that_answers_and_others_are_listed() {
    let app = joined().await;
    app.clock.advance(Duration::from_secs(10));
    let other = Replica {
        id: ReplicaId(Uuid::nil()),
        host: "two".to_owned(),
        address: "unix:/run/latchkey.sock".to_owned(),
        version: "1.2.4".to_owned(),
        started_at: app.clock.now(),
        seen_at: app.clock.now(),
        feed_age: Some(Duration::from_millis(1_250)),
    };
    app.store.report_replica(&other).await.expect("reported");
    let id = app.use_cases.replicas.this().expect("it has joined").to_string();
    let later = "2023-04-19T08:15:24.000Z";
    let expected = json!({ "replicas": [
        {
            "id": id, "host": "one", "address": "0.0.0.0:4242", "version": "1.2.3", "startedAt": NOW, "seenAt": NOW,
            "feedAgeMs": null, "current": true,
        },
        {
            "id": "00000000-0000-0000-0000-000000000000", "host": "two", "address": "unix:/run/latchkey.sock",
            "version": "1.2.4", "startedAt": later, "seenAt": later, "feedAgeMs": 1250, "current": false,
        },
    ]});
    assert_eq!(listed(&app).await, expected);
}

#[actix_web::test]
async fn a_replica_that_left_or_was_not_seen_for_a_minute_is_not_listed() {
    let app = joined().await;
    app.clock.advance(Duration::from_secs(61));
    assert_eq!(listed(&app).await, json!({ "replicas": [] }));
    app.use_cases.replicas.report().await.expect("reported");
    assert_eq!(listed(&app).await["replicas"][0]["seenAt"], "2023-04-19T08:16:15.000Z");
    app.use_cases.replicas.leave().await.expect("gone");
    assert_eq!(listed(&app).await, json!({ "replicas": [] }));
}

#[actix_web::test]
async fn administrators_may() {
    let app = joined().await;
    only(&app, ADMINS, 200, || TestRequest::get().uri(PATH)).await;
}
