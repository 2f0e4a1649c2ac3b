//! Deleting a token: the response and the event.

use latchkey_testkit::{
    env::{ADMIN, Store},
    raw_http::Request,
    server::TOKENS,
};
use serde_json::{Value, json};

use super::fixtures::{Fixture, WIDE};
use crate::refusals::assert_refused;

pub(super) fn a_deletion_answers_nothing_and_leaves_an_event(store: Store) {
    let fixture = Fixture::on(store);
    let secret = fixture.server.create_token("doomed");
    assert_eq!(fixture.server.send(&Request::get(TOKENS).by(&secret)).status, 403, "it is known");
    let deleted = fixture.server.delete_token(&secret);
    assert_eq!((deleted.status, deleted.text().as_str()), (200, ""));
    assert_eq!(fixture.server.send(&Request::get(TOKENS).by(&secret)).status, 401, "it is refused at once");
    assert!(fixture.server.tokens().iter().all(|token| token["secret"] != *secret));
    let events = fixture.events();
    if let Some(event) = events.last() {
        assert_eq!((event.kind.as_str(), event.actor.as_str()), ("api-token-deleted", "admin"));
        assert_eq!((&event.before["tokenName"], &event.after), (&json!("doomed"), &Value::Null));
        assert_eq!(event.before.get("secret"), None, "no secret in {}", event.before);
    }
    for token in [secret.as_str(), WIDE, ADMIN, "nosuch"] {
        assert_refused(&fixture.server.delete_token(token), 404, "NotFoundError", &[], token);
    }
    if let Some(others) = &fixture.others {
        assert_refused(
            &fixture.server.delete_token(&others.of_two_projects),
            400,
            "BadDataError",
            &["several projects"],
            "of two",
        );
    }
    assert_eq!(fixture.events().len(), events.len(), "a refusal leaves no event");
}

pub(super) fn a_token_is_deleted_by_its_id_too(store: Store) {
    let fixture = Fixture::on(store);
    let created = fixture.post(&json!({ "tokenName": "doomed", "type": "client" }));
    // A list does not show the id, but the event does.
    let event = fixture.events().pop().expect("an event");
    let id = event.after["id"].as_str().expect("an id");
    assert_eq!(fixture.server.delete_token(id).status, 200);
    assert_refused(&fixture.server.delete_token(id), 404, "NotFoundError", &[], "a second time");
    let secret = created.json()["secret"].as_str().expect("a secret").to_owned();
    assert_refused(&fixture.server.delete_token(&secret), 404, "NotFoundError", &[], "by its secret now");
}
