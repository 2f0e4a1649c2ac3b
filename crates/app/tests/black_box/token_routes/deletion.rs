//! What a deletion answers, and leaves.

use serde_json::{Value, json};

use super::house::{House, WIDE};
use crate::{
    ground::{ADMIN, Store},
    refusals::assert_refused,
    server::TOKENS,
    wire::Call,
};

pub(super) fn a_deletion_answers_nothing_and_leaves_an_event(store: Store) {
    let house = House::on(store);
    let secret = house.server.create("doomed");
    assert_eq!(house.server.send(&Call::get(TOKENS).by(&secret)).status, 403, "it is known");
    let deleted = house.server.delete(&secret);
    assert_eq!((deleted.status, deleted.text().as_str()), (200, ""));
    assert_eq!(house.server.send(&Call::get(TOKENS).by(&secret)).status, 401, "it is refused at once");
    assert!(house.server.tokens().iter().all(|token| token["secret"] != *secret));
    let events = house.events();
    if let Some(event) = events.last() {
        assert_eq!((event.kind.as_str(), event.actor.as_str()), ("api-token-deleted", "admin"));
        assert_eq!((&event.before["tokenName"], &event.after), (&json!("doomed"), &Value::Null));
        assert_eq!(event.before.get("secret"), None, "no secret in {}", event.before);
    }
    for token in [secret.as_str(), WIDE, ADMIN, "nosuch"] {
        assert_refused(&house.server.delete(token), 404, "NotFoundError", &[], token);
    }
    if let Some(others) = &house.others {
        assert_refused(
            &house.server.delete(&others.of_two_projects),
            400,
            "BadDataError",
            &["several projects"],
            "of two",
        );
    }
    assert_eq!(house.events().len(), events.len(), "a refusal leaves no event");
}

pub(super) fn a_token_is_deleted_by_its_id_too(store: Store) {
    let house = House::on(store);
    let created = house.post(&json!({ "tokenName": "doomed", "type": "client" }));
    // A list does not show the id, but the event does.
    let event = house.events().pop().expect("an event");
    let id = event.after["id"].as_str().expect("an id");
    assert_eq!(house.server.delete(id).status, 200);
    assert_refused(&house.server.delete(id), 404, "NotFoundError", &[], "a second time");
    let secret = created.json()["secret"].as_str().expect("a secret").to_owned();
    assert_refused(&house.server.delete(&secret), 404, "NotFoundError", &[], "by its secret now");
}
