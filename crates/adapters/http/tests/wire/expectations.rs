//! Assertions that tests of many routes share.

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, Response, TestApp};
use serde_json::Value;

const ALL_CLIENTS: &[As] = &[
    As::Anonymous,
    As::Unknown,
    As::Expired,
    As::Client,
    As::Frontend,
    As::Viewer,
    As::MemberElsewhere,
    As::Member,
    As::Owner,
    As::Editor,
    As::Root,
    As::Admin,
];

/// The clients that may use administrative routes at all.
pub(crate) const SIGNED_IN: &[As] =
    &[As::Viewer, As::MemberElsewhere, As::Member, As::Owner, As::Editor, As::Root, As::Admin];
/// The clients that may administer everything.
pub(crate) const ADMINS: &[As] = &[As::Root, As::Admin];
/// The clients that may create projects.
pub(crate) const EDITORS: &[As] = &[As::Editor, As::Root, As::Admin];
/// The clients that may change and delete the project `default`.
pub(crate) const OWNERS: &[As] = &[As::Owner, As::Editor, As::Root, As::Admin];
/// The clients that may read the tokens and events of the project `default`.
pub(crate) const READERS: &[As] = &[As::Member, As::Owner, As::Editor, As::Root, As::Admin];

/// Asserts that these clients get that status, unauthenticated ones 401 and all others 403.
pub(crate) async fn only(app: &TestApp, allowed: &[As], status: u16, request: impl Fn() -> TestRequest) {
    for who in ALL_CLIENTS {
        let answer = app.send(*who, request()).await;
        let expected = match who {
            As::Anonymous | As::Unknown | As::Expired => 401,
            one if allowed.contains(one) => status,
            _ => 403,
        };
        let body = String::from_utf8_lossy(&answer.bytes);
        assert_eq!(answer.status.as_u16(), expected, "{who:?}: {body}");
    }
}

/// Returns the paths of the problems in a 400 response.
#[track_caller]
pub(crate) fn faults(answer: &Response) -> Vec<String> {
    answer.is(400, "BadDataError");
    let body = answer.json();
    let details = body["details"].as_array().expect("details");
    details.iter().map(|detail| detail["path"].as_str().unwrap_or("-").to_owned()).collect()
}

/// Asserts that each body is refused for these members and for nothing else.
pub(crate) async fn refused_for(
    app: &TestApp,
    request: impl Fn() -> TestRequest,
    cases: &[(Value, &[&str])],
) {
    for (body, members) in cases {
        let answer = app.send(As::Admin, request().set_json(body)).await;
        let mut expected: Vec<_> = members.iter().map(|member| format!("/body{member}")).collect();
        expected.sort();
        assert_eq!(faults(&answer), expected, "{body}: {}", answer.json());
    }
}

/// Returns the newest events, newest first.
pub(crate) async fn newest_events(app: &TestApp, count: usize) -> Vec<Value> {
    let answer = app.get(As::Admin, &format!("/api/admin/events?limit={count}")).await;
    answer.json()["events"].as_array().expect("events").clone()
}

/// Returns the number of events.
pub(crate) async fn event_count(app: &TestApp) -> u64 {
    let answer = app.get(As::Admin, "/api/admin/events").await;
    answer.json()["totalEvents"].as_u64().expect("a number")
}

/// Returns the newest event: its type, its actor, and the data before and after.
pub(crate) async fn newest_event(app: &TestApp) -> (String, String, Value, Value) {
    let mut events = newest_events(app, 1).await;
    let mut event = events.remove(0);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (text(&event["type"]), text(&event["createdBy"]), event["preData"].take(), event["data"].take())
}
