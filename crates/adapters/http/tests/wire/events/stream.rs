//! `GET /api/admin/events/stream`

use std::{future::poll_fn, pin::Pin, time::Duration};

use actix_web::{
    body::{BoxBody, MessageBody as _},
    http::{Method, StatusCode},
    test::TestRequest,
};
use futures_util::poll;
use latchkey_domain::TokenAccess;
use latchkey_service::EventStream;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use crate::expectations::{ADMINS, faults, newest_events, only};

const PATH: &str = "/api/admin/events/stream";

/// An open stream.
struct Stream(BoxBody);

impl Stream {
    async fn open(app: &TestApp, who: As, query: &str) -> Self {
        let request = TestRequest::get().uri(&format!("{PATH}{query}"));
        let response = app.respond(who, request).await;
        assert_eq!(response.status(), 200);
        Self(response.into_body())
    }

    /// Returns the next part; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        let part = poll_fn(|context| Pin::new(&mut self.0).poll_next(context)).await;
        part.map(|part| String::from_utf8(part.expect("a part").to_vec()).expect("text"))
    }

    /// Returns the events of the next part.
    async fn events(&mut self) -> Vec<Value> {
        events(&self.next().await.expect("a part"))
    }
}

fn events(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("an event")).collect()
}

async fn change(app: &TestApp, name: &str) {
    let body = json!({"name": name, "type": "test"});
    assert_eq!(app.post(As::Root, "/api/admin/environments", &body).await.status, 201);
}

#[actix_web::test]
async fn all_events_are_read_oldest_first_from_any_of_them_on() {
    let app = TestApp::new().await;
    let mut all = newest_events(&app, 1_000).await;
    all.reverse();
    let answer = app.get(As::Admin, &format!("{PATH}?follow=false")).await;
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(events(&answer.text()), all);
    for skipped in [0, 1, all.len() - 1, all.len()] {
        let after = all[..skipped].last().map_or(json!(0), |event| event["id"].clone());
        let answer = app.get(As::Admin, &format!("{PATH}?after={after}&follow=false")).await;
        assert_eq!(events(&answer.text()), all[skipped..], "after {after}");
    }
}

#[actix_web::test]
async fn a_number_that_no_event_has_yet_is_refused() {
    let app = TestApp::new().await;
    let newest = newest_events(&app, 1).await[0]["id"].as_u64().expect("a number");
    for after in [(newest + 1).to_string(), u64::MAX.to_string(), "-1".to_owned(), "x".to_owned()] {
        let answer = app.get(As::Admin, &format!("{PATH}?after={after}")).await;
        assert_eq!(faults(&answer), ["/query/after"], "{after}");
    }
    let answer = app.get(As::Admin, &format!("{PATH}?follow=maybe")).await;
    assert_eq!(faults(&answer), ["/query/follow"]);
}

#[actix_web::test]
async fn many_events_come_in_portions() {
    let app = TestApp::without_quota().await;
    for number in 0..450 {
        app.use_cases
            .issuer
            .issue(
                latchkey_testkit::app::token_draft(&format!("token-{number}"), TokenAccess::Admin),
                &latchkey_service::Initiator::system(),
            )
            .await
            .expect("issued");
    }
    let mut stream = Stream::open(&app, As::Admin, "?follow=false").await;
    let (mut ids, mut parts) = (Vec::new(), 0);
    while let Some(part) = stream.next().await {
        parts += 1;
        let part = events(&part);
        assert!(part.len() <= usize::try_from(EventStream::PORTION).expect("few"));
        ids.extend(part.iter().map(|event| event["id"].as_u64().expect("a number")));
    }
    assert!(parts >= 3 && ids.len() > 450, "{parts} parts");
    assert!(ids.is_sorted_by(|one, next| one < next));
}

#[actix_web::test]
async fn what_happens_is_sent_at_once() {
    let app = TestApp::new().await;
    let newest = newest_events(&app, 1).await[0]["id"].clone();
    let mut stream = Stream::open(&app, As::Admin, &format!("?after={newest}")).await;
    for name in ["a", "b"] {
        {
            let mut next = Box::pin(stream.next());
            for _ in 0..5 {
                assert!(poll!(&mut next).is_pending());
            }
        }
        change(&app, name).await;
        let events = stream.events().await;
        assert_eq!(events, newest_events(&app, 1).await);
        assert_eq!(events[0]["data"]["name"], name);
    }
}

#[actix_web::test]
async fn an_idle_stream_shows_that_it_is_alive() {
    let app = TestApp::new().await;
    let newest = newest_events(&app, 1).await[0]["id"].clone();
    let mut stream = Stream::open(&app, As::Admin, &format!("?after={newest}")).await;
    tokio::time::pause();
    for _ in 0..5 {
        let before = tokio::time::Instant::now();
        assert_eq!(stream.next().await.as_deref(), Some("\n"));
        assert!(before.elapsed() <= Duration::from_secs(11), "{:?}", before.elapsed());
    }
    change(&app, "a").await;
    assert_eq!(stream.events().await[0]["data"]["name"], "a");
}

#[actix_web::test]
async fn a_stream_ends_with_the_right_to_read_it() {
    let app = TestApp::new().await;
    app.user("Other", "Admin").await;
    let newest = newest_events(&app, 1).await[0]["id"].clone();
    let root = app.user_of(As::Root).await.id.0;
    let mut stream = Stream::open(&app, As::Root, &format!("?after={newest}")).await;
    change(&app, "a").await;
    assert_eq!(stream.events().await.len(), 1);
    let role = json!({"rootRole": 3});
    assert_eq!(app.put(As::Admin, &format!("/api/admin/user-admin/{root}"), &role).await.status, 200);
    assert_eq!(stream.next().await, None, "a viewer may not");

    let mut stream = Stream::open(&app, As::Admin, "").await;
    stream.next().await.expect("the oldest events");
    let tokens = app.get(As::Admin, "/api/admin/api-tokens?type=admin").await.json();
    let own = tokens["tokens"].as_array().expect("tokens").iter();
    let own = own.filter(|token| token["secret"].as_str() == app.secret_of(As::Admin));
    let id = own.map(|token| token["id"].as_str().expect("an id").to_owned()).next().expect("its own");
    assert_eq!(app.delete(As::Admin, &format!("/api/admin/api-tokens/{id}")).await.status, 200);
    assert_eq!(stream.next().await, None, "the token is no more");
}

#[actix_web::test]
async fn a_stream_is_one_use_of_its_token_however_long_it_is() {
    let app = TestApp::new().await;
    let newest = newest_events(&app, 1).await[0]["id"].clone();
    let uses = async || {
        app.use_cases.flush_usage().await.expect("written");
        app.get(As::Root, "/api/admin/usage").await.json()["usage"][0]["verified"].as_u64()
    };
    let before = uses().await.unwrap_or_default();
    let mut stream = Stream::open(&app, As::Admin, &format!("?after={newest}")).await;
    for name in ["a", "b", "c"] {
        change(&app, name).await;
        assert_eq!(stream.events().await.len(), 1);
    }
    assert_eq!(uses().await, Some(before + 1));
}

#[actix_web::test]
async fn there_are_so_many_streams_and_they_end_when_the_server_stops() {
    let app = TestApp::with(|settings| settings.http.event_streams = 2).await;
    let mut first = Stream::open(&app, As::Admin, "").await;
    let second = Stream::open(&app, As::Root, "").await;
    let count = "latchkey_event_streams 2";
    assert!(app.get(As::Anonymous, "/metrics").await.text().contains(count));
    let answer = app.get(As::Admin, PATH).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.header("retry-after"), Some("1"));
    drop(second);
    let mut third = Stream::open(&app, As::Root, "").await;
    first.next().await.expect("events");
    app.end_streams();
    assert_eq!((first.next().await, third.next().await), (None, None));
    assert_eq!(Stream::open(&app, As::Admin, "").await.next().await, None);
}

#[actix_web::test]
async fn a_head_takes_no_place() {
    let app = TestApp::with(|settings| settings.http.event_streams = 0).await;
    let request = TestRequest::with_uri(PATH).method(Method::HEAD);
    let answer = app.send(As::Admin, request).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 200, || TestRequest::get().uri("/api/admin/events/stream?follow=false")).await;
    app.get(As::Editor, &format!("{PATH}?after=x")).await.is(403, "NoAccessError");
}
