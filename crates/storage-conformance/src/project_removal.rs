//! The removal of a project: what becomes of the tokens that name it, and what else goes with it.

use std::sync::Arc;

use latchkey_domain::{Event, Grants, NewEvent, Project, ProjectScope, RemovalOutcome};
use latchkey_ports::{Entity, Rotation, Store, StoredToken, TokenMatch};

use crate::{
    given,
    observed::{ServiceError, all_events, all_tokens, observe, refusal},
    samples::{
        MEMBER, OWNER, ROOM_ENOUGH, VIEWER, admin_token, built_in_role, digest, ending, environment,
        frontend, last_seen, moment, only, project, project_created, project_id, project_removal, secret,
        token, token_created, token_of_all_projects, user_named, with_alias, working_in,
    },
};

/// The token after the project is gone, by the rule of the domain; `None` where nothing is left of it.
fn left_of(stored: &StoredToken, id: &str) -> Option<StoredToken> {
    match project_removal(id).outcome_of(&stored.token) {
        RemovalOutcome::Revoked { .. } => None,
        RemovalOutcome::Narrowed { access, .. } => {
            let mut narrowed = stored.clone();
            narrowed.token.access = access;
            Some(narrowed)
        }
    }
}

/// Removes the project and expects, in this order: the events of the fates of these tokens, and the removal's own.
async fn removes(store: &dyn Store, id: &str, affected: &[&StoredToken]) {
    let last = store.latest_event().await.expect("a number");
    let removal = project_removal(id);
    let number = store.delete_project(&removal).await.expect("removed");
    let mut expected: Vec<NewEvent> =
        affected.iter().map(|stored| removal.outcome_of(&stored.token).event().clone()).collect();
    expected.push(removal.event);
    let events = store.events_after(last, u32::MAX).await.expect("events");
    assert_eq!(events.last().map(|event| event.id), Some(number), "the removal's own event is the last");
    let records: Vec<NewEvent> = events.into_iter().map(|Event { record, .. }| record).collect();
    assert_eq!(records, expected);
}

/// Tokens of that project alone are revoked, those that name others too lose just this one and keep the order of the rest;
/// tokens of other projects and of all stay as they are. Each that changes has its event, in the order of ids.
pub async fn each_token_meets_its_fate(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a", "b", "A", "c"]).await;
    let tokens = [
        token(1, &["a"]),
        frontend(token(2, &["c", "a", "b"])),
        token(3, &["b"]),
        token_of_all_projects(4),
        admin_token(5),
        token(6, &["A"]),
        working_in("production", token(7, &["a", "b"])),
        frontend(token(8, &["a"])),
        token(9, &["b", "c", "a"]),
    ];
    for stored in tokens.iter().rev() {
        given::token(store, stored).await;
    }
    let affected = [&tokens[0], &tokens[1], &tokens[6], &tokens[7], &tokens[8]];
    removes(store, "a", &affected).await;

    let left: Vec<_> = tokens.iter().filter_map(|stored| left_of(stored, "a")).collect();
    assert_eq!(left.len(), 7);
    assert_eq!(all_tokens(store).await, left);
    for stored in &tokens {
        let now = left_of(stored, "a");
        assert_eq!(store.find_token(stored.token.id).await.expect("a look-up"), now);
        let found = store.find_token_by_digest(&[stored.secret.digest]).await.expect("a look-up");
        assert_eq!(found.map(|found| found.stored), now);
    }
    let of_b: Vec<_> =
        left.iter().filter(|one| one.token.access.projects().names(&project_id("b"))).cloned().collect();
    assert_eq!(store.tokens_of_project(&project_id("b")).await.expect("tokens"), of_b);
}

/// What is left of a token is all it was but the project: its secrets, alias and retired ones too, end and last use.
pub async fn a_narrowed_token_goes_on(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a", "b"]).await;
    let stored =
        with_alias(101, last_seen(Some(moment(4)), ending(Some(moment(5)), frontend(token(1, &["a", "b"])))));
    given::token(store, &stored).await;
    let (from, overlap_until) = (stored.secret.digest, Some(moment(50)));
    given::rotation(store, &Rotation { token: stored.token.id, from, to: secret(2), overlap_until }).await;
    let now = StoredToken { secret: secret(2), ..stored };
    removes(store, "a", &[&now]).await;
    let left = left_of(&now, "a").expect("the project b is left");
    assert_eq!(left.token.access.projects(), &only(&["b"]));
    for (number, secret_until) in [(2, None), (101, None), (1, Some(moment(50)))] {
        let found = store.find_token_by_digest(&[digest(number)]).await.expect("a look-up");
        let expected = TokenMatch { stored: left.clone(), secret_until, found_by: digest(number) };
        assert_eq!(found, Some(expected));
    }
}

/// A revoked token takes all its secrets with it, and they are free again.
pub async fn a_revoked_token_is_gone(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a"]).await;
    let stored = with_alias(101, token(1, &["a"]));
    given::token(store, &stored).await;
    let (from, overlap_until) = (stored.secret.digest, Some(moment(50)));
    given::rotation(store, &Rotation { token: stored.token.id, from, to: secret(2), overlap_until }).await;
    removes(store, "a", &[&StoredToken { secret: secret(2), ..stored.clone() }]).await;
    for number in [1, 2, 101] {
        assert_eq!(store.find_token_by_digest(&[digest(number)]).await.expect("a look-up"), None);
    }
    let again = with_alias(2, token(1, &["default"]));
    given::token(store, &with_alias(101, token(3, &["default"]))).await;
    given::token(store, &again).await;
}

/// Project after project goes, down to the last one that a token names; no token ever reaches more than before.
pub async fn no_token_widens(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a", "b", "c"]).await;
    let mut tokens =
        vec![token(1, &["a", "b", "c"]), token(2, &["c", "b"]), token(3, &["b"]), token_of_all_projects(4)];
    given::tokens(store, &tokens).await;
    for id in ["b", "c", "a"] {
        store.delete_project(&project_removal(id)).await.expect("removed");
        tokens = tokens.iter().filter_map(|stored| left_of(stored, id)).collect();
        let kept = all_tokens(store).await;
        assert_eq!(kept, tokens);
        let of_all = kept.iter().filter(|one| *one.token.access.projects() == ProjectScope::All);
        assert_eq!(of_all.count(), 1);
    }
    assert_eq!(tokens, [token_of_all_projects(4)]);
}

/// With the project go its memberships and its environments; users, roles, environments and other projects stay.
pub async fn what_was_in_it_goes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a", "b"]).await;
    let ed = given::user(store, &user_named("ed")).await;
    for (id, role) in [("a", OWNER), ("a", MEMBER), ("b", MEMBER)] {
        given::membership(store, ed, &project_id(id), role).await;
    }
    for id in ["a", "b"] {
        given::project_environments(store, id, &["production"]).await;
    }
    let before = observe(store).await;
    removes(store, "a", &[]).await;

    assert_eq!(store.find_project(&project_id("a")).await.expect("a look-up"), None);
    assert_eq!(store.project_overview(&project_id("a")).await.expect("a look-up"), None);
    let held = Grants::of_roles(&built_in_role(VIEWER), [(project_id("b"), &built_in_role(MEMBER))]);
    assert_eq!(store.grants_of(ed).await.expect("grants"), Some(held));
    assert_eq!(store.roles_in_project(ed, &project_id("a")).await.expect("roles"), []);
    let not_found = ServiceError::NotFound(Entity::Project(project_id("a")));
    assert_eq!(refusal(store, store.members(&project_id("a"))).await, not_found);
    assert_eq!(refusal(store, store.tokens_of_project(&project_id("a"))).await, not_found);
    let after = observe(store).await;
    assert_eq!((after.users, after.roles), (before.users, before.roles));
    let others: Vec<_> =
        before.projects.into_iter().filter(|one| one.project.id != project_id("a")).collect();
    assert_eq!(after.projects, others);
    for mut listed in before.environments {
        listed.projects -= u64::from(listed.environment.name == environment("production"));
        assert!(after.environments.contains(&listed), "{listed:?}");
    }
}

/// The id is free again, and a project made under it has nothing of what was there.
pub async fn a_removed_project_can_be_created_again(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = given::user(store, &user_named("ed")).await;
    for _ in 0..2 {
        given::projects(store, &["a"]).await;
        let overview = store.project_overview(&project_id("a")).await.expect("a look-up").expect("there");
        assert_eq!((overview.members, overview.tokens, overview.environments), (0, 0, vec![]));
        assert_eq!(store.tokens_of_project(&project_id("a")).await.expect("tokens"), []);
        given::membership(store, ed, &project_id("a"), OWNER).await;
        given::project_environments(store, "a", &["production"]).await;
        given::token(store, &token(1, &["a"])).await;
        removes(store, "a", &[&token(1, &["a"])]).await;
    }
}

/// An archived project can be removed, and so can one that nobody ever used.
pub async fn an_archived_project_can_be_removed(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let archived = Project { archived_at: Some(moment(9)), ..project("old") };
    let created = project_created(&archived);
    store.create_project(&archived, &[], None, &created).await.expect("created");
    given::token(store, &token(1, &["old"])).await;
    removes(store, "old", &[&token(1, &["old"])]).await;
    given::projects(store, &["new"]).await;
    removes(store, "new", &[]).await;
}

/// What is not there, or not any more, cannot be removed; case matters. Nor can a token be created in it.
pub async fn nothing_to_remove(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a", "gone"]).await;
    given::token(store, &token(1, &["a"])).await;
    removes(store, "gone", &[]).await;
    for id in ["gone", "nope", "A"] {
        let not_found = ServiceError::NotFound(Entity::Project(project_id(id)));
        assert_eq!(refusal(store, store.delete_project(&project_removal(id))).await, not_found);
        let stored = token(2, &["a", id]);
        let event = token_created(&stored);
        assert_eq!(refusal(store, store.create_token(&stored, ROOM_ENOUGH, &event)).await, not_found);
    }
}

/// Some hundred tokens at a time meet their fates in the order of their ids.
pub async fn many_tokens(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a", "b"]).await;
    let tokens: Vec<_> =
        (0..300).map(|number| token(number, if number % 3 == 0 { &["b", "a"] } else { &["a"] })).collect();
    given::tokens(store, &tokens).await;
    let events = all_events(store).await.len();
    removes(store, "a", &tokens.iter().collect::<Vec<_>>()).await;
    assert_eq!(all_events(store).await.len() - events, 301);
    let left: Vec<_> = tokens.iter().filter_map(|stored| left_of(stored, "a")).collect();
    assert_eq!(store.tokens_of_project(&project_id("b")).await.expect("tokens"), left);
    let overview = store.project_overview(&project_id("b")).await.expect("a look-up").expect("the project");
    assert_eq!(overview.tokens, 100);
}
