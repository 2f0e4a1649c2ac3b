//! What tests of many routes expect in one and the same way.

use actix_web::test::TestRequest;
use serde_json::Value;

use crate::app::{Answer, As, TestApp};

const EVERYBODY: &[As] = &[
    As::Nobody,
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

/// Those who have business on the administrative routes at all.
pub(crate) const SIGNED_IN: &[As] =
    &[As::Viewer, As::MemberElsewhere, As::Member, As::Owner, As::Editor, As::Root, As::Admin];
/// Those who may administer everything.
pub(crate) const ADMINS: &[As] = &[As::Root, As::Admin];
/// Those who may create projects.
pub(crate) const EDITORS: &[As] = &[As::Editor, As::Root, As::Admin];
/// Those who may change and delete the project `default`.
pub(crate) const OWNERS: &[As] = &[As::Owner, As::Editor, As::Root, As::Admin];
/// Those who may read the tokens of the project `default`, and its events.
pub(crate) const READERS: &[As] = &[As::Member, As::Owner, As::Editor, As::Root, As::Admin];

/// That these are answered with that status, those who are not known with 401, and all others with 403.
pub(crate) async fn only(app: &TestApp, allowed: &[As], status: u16, request: impl Fn() -> TestRequest) {
    for who in EVERYBODY {
        let answer = app.send(*who, request()).await;
        let expected = match who {
            As::Nobody | As::Unknown | As::Expired => 401,
            one if allowed.contains(one) => status,
            _ => 403,
        };
        let body = String::from_utf8_lossy(&answer.bytes);
        assert_eq!(answer.status.as_u16(), expected, "{who:?}: {body}");
    }
}

/// Where the problems are that an answer speaks of.
#[track_caller]
pub(crate) fn faults(answer: &Answer) -> Vec<String> {
    answer.is(400, "BadDataError");
    let body = answer.json();
    let details = body["details"].as_array().expect("details");
    details.iter().map(|detail| detail["path"].as_str().unwrap_or("-").to_owned()).collect()
}

/// That a body is refused for these members, and for nothing else.
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

/// The newest events, newest first.
pub(crate) async fn newest_events(app: &TestApp, count: usize) -> Vec<Value> {
    let answer = app.get(As::Admin, &format!("/api/admin/events?limit={count}")).await;
    answer.json()["events"].as_array().expect("events").clone()
}

/// How many events there are.
pub(crate) async fn event_count(app: &TestApp) -> u64 {
    let answer = app.get(As::Admin, "/api/admin/events").await;
    answer.json()["totalEvents"].as_u64().expect("a number")
}

/// The newest event: its type, who did it, what was before and what is now.
pub(crate) async fn newest_event(app: &TestApp) -> (String, String, Value, Value) {
    let mut events = newest_events(app, 1).await;
    let mut event = events.remove(0);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (text(&event["type"]), text(&event["createdBy"]), event["preData"].take(), event["data"].take())
}
