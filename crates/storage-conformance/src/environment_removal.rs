//! The removal of an environment: every token that works in it is revoked, and it leaves all projects.

use std::sync::Arc;

use latchkey_domain::{Event, NewEvent};
use latchkey_ports::{Entity, Quota, Rotation, Store, StoredToken};

use crate::{
    given,
    observed::{ServiceError, all_tokens, observe, refusal},
    samples::{
        ROOM_ENOUGH, admin_token, digest, environment, environment_removal, frontend, moment, project_id,
        secret, token, token_created, token_of_all_projects, with_alias, working_in,
    },
};

/// Removes the environment and expects, in this order: the events of the ends of these tokens, and the removal's own.
async fn removes(store: &dyn Store, name: &str, affected: &[&StoredToken]) {
    let last = store.latest_event().await.expect("a number");
    let removal = environment_removal(name);
    let number = store.delete_environment(&removal).await.expect("removed");
    let mut expected: Vec<NewEvent> =
        affected.iter().map(|stored| removal.outcome_of(&stored.token).event().clone()).collect();
    expected.push(removal.event);
    let events = store.events_after(last, u32::MAX).await.expect("events");
    assert_eq!(events.last().map(|event| event.id), Some(number), "the removal's own event is the last");
    let records: Vec<NewEvent> = events.into_iter().map(|Event { record, .. }| record).collect();
    assert_eq!(records, expected);
}

async fn projects_and_tokens(store: &dyn Store, name: &str) -> Option<(u64, u64)> {
    let listed = store.environments().await.expect("environments");
    let found = listed.into_iter().find(|one| one.environment.name == environment(name));
    found.map(|one| (one.projects, one.tokens))
}

/// Tokens that work in it are revoked, of whatever projects, each with its event in the order of ids; those of other
/// environments and admin tokens stay as they are.
pub async fn each_token_in_it_is_revoked(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a", "b"]).await;
    given::environments(store, &["Staging", "staging"]).await;
    let tokens = [
        working_in("staging", token(1, &["a"])),
        working_in("staging", frontend(token(2, &["b", "a"]))),
        token(3, &["a"]),
        working_in("staging", token_of_all_projects(4)),
        admin_token(5),
        working_in("Staging", token(6, &["a"])),
        working_in("production", token_of_all_projects(7)),
    ];
    for stored in tokens.iter().rev() {
        given::token(store, stored).await;
    }
    removes(store, "staging", &[&tokens[0], &tokens[1], &tokens[3]]).await;

    let left: Vec<_> = [2, 4, 5, 6].map(|index: usize| tokens[index].clone()).into();
    assert_eq!(all_tokens(store).await, left);
    for number in [1, 2, 4] {
        assert_eq!(store.find_token_by_digest(&[digest(number)]).await.expect("a look-up"), None);
    }
    assert_eq!(store.tokens_of_project(&project_id("b")).await.expect("tokens"), []);
    let of_a = store.tokens_of_project(&project_id("a")).await.expect("tokens");
    assert_eq!(of_a, [tokens[2].clone(), tokens[5].clone()]);
    for (id, expected) in [("a", 2), ("b", 0)] {
        let overview = store.project_overview(&project_id(id)).await.expect("a look-up").expect("there");
        assert_eq!(overview.tokens, expected, "in {id}");
    }
}

/// A revoked token takes all its secrets with it, and they are free again; so is the room that it took.
pub async fn a_revoked_token_is_gone(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::environments(store, &["staging"]).await;
    let stored = working_in("staging", with_alias(101, token_of_all_projects(1)));
    given::token(store, &stored).await;
    let (from, overlap_until) = (stored.secret.digest, Some(moment(50)));
    given::rotation(store, &Rotation { token: stored.token.id, from, to: secret(2), overlap_until }).await;
    removes(store, "staging", &[&StoredToken { secret: secret(2), ..stored }]).await;
    for number in [1, 2, 101] {
        assert_eq!(store.find_token_by_digest(&[digest(number)]).await.expect("a look-up"), None);
    }
    let heir = with_alias(2, token_of_all_projects(1));
    let event = token_created(&heir);
    store.create_token(&heir, Quota(1), &event).await.expect("there is room again");
}

/// It leaves every project, and nothing else of them goes; tokens that work elsewhere stay in them.
pub async fn it_leaves_all_projects(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a", "b", "c"]).await;
    for id in ["a", "b"] {
        given::project_environments(store, id, &["production", "development"]).await;
    }
    given::token(store, &token(1, &["a"])).await;
    let before = observe(store).await;
    assert_eq!(projects_and_tokens(store, "production").await, Some((3, 0)));
    removes(store, "production", &[]).await;

    assert_eq!(store.find_environment(&environment("production")).await.expect("a look-up"), None);
    assert_eq!(projects_and_tokens(store, "production").await, None);
    let after = observe(store).await;
    let without = before.projects.into_iter().map(|mut listed| {
        listed.environments.retain(|name| *name != environment("production"));
        listed
    });
    assert_eq!(after.projects, without.collect::<Vec<_>>());
    assert_eq!((after.tokens, after.members), (before.tokens, before.members));
}

/// The last environment can go too, and then only admin tokens are left.
pub async fn all_of_them(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [token(1, &["default"]), admin_token(2), working_in("production", token_of_all_projects(3))];
    given::tokens(store, &tokens).await;
    removes(store, "development", &[&tokens[0]]).await;
    removes(store, "production", &[&tokens[2]]).await;
    assert_eq!(all_tokens(store).await, [admin_token(2)]);
    assert_eq!(store.environments().await.expect("environments"), []);
}

/// The name is free again, and an environment made under it is in no project and has no tokens.
pub async fn a_removed_environment_can_be_created_again(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for _ in 0..2 {
        given::environments(store, &["staging"]).await;
        assert_eq!(projects_and_tokens(store, "staging").await, Some((0, 0)));
        given::project_environments(store, "default", &["staging"]).await;
        let stored = working_in("staging", token(1, &["default"]));
        given::token(store, &stored).await;
        assert_eq!(projects_and_tokens(store, "staging").await, Some((1, 1)));
        removes(store, "staging", &[&stored]).await;
    }
}

/// What is not there, or not any more, cannot be removed; case matters. Nor can a token be created in it.
pub async fn nothing_to_remove(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::environments(store, &["gone"]).await;
    given::token(store, &token(1, &["default"])).await;
    removes(store, "gone", &[]).await;
    for name in ["gone", "nope", "Development", "developmen_"] {
        let not_found = ServiceError::NotFound(Entity::Environment(environment(name)));
        assert_eq!(refusal(store, store.delete_environment(&environment_removal(name))).await, not_found);
        let stored = working_in(name, token_of_all_projects(2));
        let event = token_created(&stored);
        assert_eq!(refusal(store, store.create_token(&stored, ROOM_ENOUGH, &event)).await, not_found);
    }
}

/// Some hundred tokens at a time are revoked in the order of their ids.
pub async fn many_tokens(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens: Vec<_> = (0..300).map(|number| token(number, &["default"])).collect();
    given::tokens(store, &tokens).await;
    assert_eq!(projects_and_tokens(store, "development").await, Some((1, 300)));
    removes(store, "development", &tokens.iter().collect::<Vec<_>>()).await;
    assert_eq!(all_tokens(store).await, []);
}
