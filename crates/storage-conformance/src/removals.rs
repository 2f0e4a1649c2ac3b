//! Deletion of projects and environments: the effect on their tokens and on all else that refers to them.

use std::sync::Arc;

use latchkey_domain::{Event, Grants, NewEvent, Project, ProjectScope, RemovalOutcome};
use latchkey_ports::{Entity, Quota, Rotation, Store, StoredToken, TokenMatch, TokenQuery};

use crate::{
    event_log::{events_after, latest_event},
    harness::{ErrorKind, all_events, all_tokens, expect_error, read_contents},
    samples::{
        AMPLE_QUOTA, MEMBER, OWNER, VIEWER, admin_token, built_in_role, digest, ending, environment,
        environment_removal, frontend, last_seen, moment, only, project, project_created, project_id,
        project_removal, secret, token, token_created, token_of_all_projects, user_named, with_alias,
        working_in,
    },
    setup,
};

/// Returns the token after the deletion of the project, by the rule of the domain; `None` if it is revoked.
fn narrowed(stored: &StoredToken, id: &str) -> Option<StoredToken> {
    match project_removal(id).outcome_of(&stored.token) {
        RemovalOutcome::Revoked { .. } => None,
        RemovalOutcome::Narrowed { access, .. } => {
            let mut narrowed = stored.clone();
            narrowed.token.access = access;
            Some(narrowed)
        }
    }
}

/// Deletes the project and expects the events of these tokens, in this order, then that of the deletion.
async fn assert_project_deletion(store: &dyn Store, id: &str, affected: &[&StoredToken]) {
    let last = latest_event(store).await;
    let removal = project_removal(id);
    let number = store.delete_project(&removal).await.expect("removed");
    let mut expected: Vec<NewEvent> =
        affected.iter().map(|stored| removal.outcome_of(&stored.token).event().clone()).collect();
    expected.push(removal.event);
    let events = events_after(store, last).await;
    assert_eq!(events.last().map(|event| event.id), Some(number), "the removal's own event is the last");
    let records: Vec<NewEvent> = events.into_iter().map(|Event { record, .. }| record).collect();
    assert_eq!(records, expected);
}

/// Tokens of this project alone are revoked; tokens of several projects lose this one and keep the order of
/// the others. Other tokens stay. Each change records an event, in the order of ids.
pub async fn deleting_a_project_revokes_or_narrows_its_tokens(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b", "A", "c"]).await;
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
        setup::token(store, stored).await;
    }
    let affected = [&tokens[0], &tokens[1], &tokens[6], &tokens[7], &tokens[8]];
    assert_project_deletion(store, "a", &affected).await;

    let remaining: Vec<_> = tokens.iter().filter_map(|stored| narrowed(stored, "a")).collect();
    assert_eq!(remaining.len(), 7);
    assert_eq!(all_tokens(store).await, remaining);
    for stored in &tokens {
        let now = narrowed(stored, "a");
        assert_eq!(store.find_token(stored.token.id).await.expect("a lookup"), now);
        let found = store.find_token_by_digest(&[stored.secret.digest]).await.expect("a lookup");
        assert_eq!(found.map(|found| found.stored), now);
    }
    let of_b: Vec<_> =
        remaining.iter().filter(|one| one.token.access.projects().names(&project_id("b"))).cloned().collect();
    assert_eq!(store.tokens(&TokenQuery::of_project(project_id("b"))).await.expect("tokens"), of_b);
}

/// A narrowed token keeps its secret, alias, retired secrets, expiry and last use.
pub async fn a_narrowed_token_keeps_everything_else(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b"]).await;
    let stored =
        with_alias(101, last_seen(Some(moment(4)), ending(Some(moment(5)), frontend(token(1, &["a", "b"])))));
    setup::token(store, &stored).await;
    let (from, overlap_until) = (stored.secret.digest, Some(moment(50)));
    setup::rotation(
        store,
        &Rotation { token: stored.token.id, from, to: secret(2), overlap_until, update: None },
    )
    .await;
    let now = StoredToken { secret: secret(2), ..stored };
    assert_project_deletion(store, "a", &[&now]).await;
    let remaining = narrowed(&now, "a").expect("the token keeps the project b");
    assert_eq!(remaining.token.access.projects(), &only(&["b"]));
    for (number, secret_until) in [(2, None), (101, None), (1, Some(moment(50)))] {
        let found = store.find_token_by_digest(&[digest(number)]).await.expect("a lookup");
        let expected = TokenMatch { stored: remaining.clone(), secret_until, found_by: digest(number) };
        assert_eq!(found, Some(expected));
    }
}

/// All secrets of a revoked token are invalid and can be used again.
pub async fn tokens_revoked_with_a_project_free_their_secrets(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    let stored = with_alias(101, token(1, &["a"]));
    setup::token(store, &stored).await;
    let (from, overlap_until) = (stored.secret.digest, Some(moment(50)));
    setup::rotation(
        store,
        &Rotation { token: stored.token.id, from, to: secret(2), overlap_until, update: None },
    )
    .await;
    assert_project_deletion(store, "a", &[&StoredToken { secret: secret(2), ..stored.clone() }]).await;
    for number in [1, 2, 101] {
        assert_eq!(store.find_token_by_digest(&[digest(number)]).await.expect("a lookup"), None);
    }
    let again = with_alias(2, token(1, &["default"]));
    setup::token(store, &with_alias(101, token(3, &["default"]))).await;
    setup::token(store, &again).await;
}

/// Projects are deleted until the last one that a token names; no token gains access.
pub async fn narrowing_never_widens_a_token(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b", "c"]).await;
    let mut tokens =
        vec![token(1, &["a", "b", "c"]), token(2, &["c", "b"]), token(3, &["b"]), token_of_all_projects(4)];
    setup::tokens(store, &tokens).await;
    for id in ["b", "c", "a"] {
        store.delete_project(&project_removal(id)).await.expect("removed");
        tokens = tokens.iter().filter_map(|stored| narrowed(stored, id)).collect();
        let existing = all_tokens(store).await;
        assert_eq!(existing, tokens);
        let of_all = existing.iter().filter(|one| *one.token.access.projects() == ProjectScope::All);
        assert_eq!(of_all.count(), 1);
    }
    assert_eq!(tokens, [token_of_all_projects(4)]);
}

/// Memberships in the project go; users, roles, environments and other projects stay.
pub async fn deleting_a_project_deletes_its_memberships_and_environments(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b"]).await;
    let ed = setup::user(store, &user_named("ed")).await;
    for (id, role) in [("a", OWNER), ("a", MEMBER), ("b", MEMBER)] {
        setup::membership(store, ed, &project_id(id), role).await;
    }
    for id in ["a", "b"] {
        setup::project_environments(store, id, &["production"]).await;
    }
    let before = read_contents(store).await;
    assert_project_deletion(store, "a", &[]).await;

    assert_eq!(store.find_project(&project_id("a")).await.expect("a lookup"), None);
    assert_eq!(store.project_overview(&project_id("a")).await.expect("a lookup"), None);
    let held = Grants::of_roles(&built_in_role(VIEWER), [(project_id("b"), &built_in_role(MEMBER))]);
    assert_eq!(store.grants_of(ed).await.expect("grants"), Some(held));
    assert_eq!(store.roles_in_project(ed.into(), &project_id("a")).await.expect("roles"), []);
    let not_found = ErrorKind::NotFound(Entity::Project(project_id("a")));
    assert_eq!(expect_error(store, store.members(&project_id("a"))).await, not_found);
    assert_eq!(store.tokens(&TokenQuery::of_project(project_id("a"))).await.expect("tokens"), []);
    let after = read_contents(store).await;
    assert_eq!((after.users, after.roles), (before.users, before.roles));
    let others: Vec<_> =
        before.projects.into_iter().filter(|one| one.project.id != project_id("a")).collect();
    assert_eq!(after.projects, others);
    for mut listed in before.environments {
        listed.projects -= u64::from(listed.environment.name == environment("production"));
        assert!(after.environments.contains(&listed), "{listed:?}");
    }
}

/// A project recreated under the same id has none of the former contents.
pub async fn a_deleted_project_can_be_created_again_empty(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    for _ in 0..2 {
        setup::projects(store, &["a"]).await;
        let overview = store.project_overview(&project_id("a")).await.expect("a lookup").expect("there");
        assert_eq!((overview.members, overview.tokens, overview.environments), (0, 0, vec![]));
        assert_eq!(store.tokens(&TokenQuery::of_project(project_id("a"))).await.expect("tokens"), []);
        setup::membership(store, ed, &project_id("a"), OWNER).await;
        setup::project_environments(store, "a", &["production"]).await;
        setup::token(store, &token(1, &["a"])).await;
        assert_project_deletion(store, "a", &[&token(1, &["a"])]).await;
    }
}

/// An archived project and an unused project can be deleted.
pub async fn archived_and_unused_projects_can_be_deleted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let archived = Project { archived_at: Some(moment(9)), ..project("old") };
    let created = project_created(&archived);
    store.create_project(&archived, &[], None, &created).await.expect("created");
    setup::token(store, &token(1, &["old"])).await;
    assert_project_deletion(store, "old", &[&token(1, &["old"])]).await;
    setup::projects(store, &["new"]).await;
    assert_project_deletion(store, "new", &[]).await;
}

/// A project that does not exist, or no longer exists, cannot be deleted and accepts no token; ids are
/// case-sensitive.
pub async fn deleting_an_unknown_project_fails(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "gone"]).await;
    setup::token(store, &token(1, &["a"])).await;
    assert_project_deletion(store, "gone", &[]).await;
    for id in ["gone", "nope", "A"] {
        let not_found = ErrorKind::NotFound(Entity::Project(project_id(id)));
        assert_eq!(expect_error(store, store.delete_project(&project_removal(id))).await, not_found);
        let stored = token(2, &["a", id]);
        let event = token_created(&stored);
        assert_eq!(expect_error(store, store.create_token(&stored, AMPLE_QUOTA, &event)).await, not_found);
    }
}

/// Several hundred tokens are revoked or narrowed in the order of ids.
pub async fn deleting_a_project_with_many_tokens_keeps_the_order_of_events(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b"]).await;
    let tokens: Vec<_> =
        (0..300).map(|number| token(number, if number % 3 == 0 { &["b", "a"] } else { &["a"] })).collect();
    setup::tokens(store, &tokens).await;
    let events = all_events(store).await.len();
    assert_project_deletion(store, "a", &tokens.iter().collect::<Vec<_>>()).await;
    assert_eq!(all_events(store).await.len() - events, 301);
    let remaining: Vec<_> = tokens.iter().filter_map(|stored| narrowed(stored, "a")).collect();
    assert_eq!(store.tokens(&TokenQuery::of_project(project_id("b"))).await.expect("tokens"), remaining);
    let overview = store.project_overview(&project_id("b")).await.expect("a lookup").expect("the project");
    assert_eq!(overview.tokens, 100);
}

/// Deletes the environment and expects the events of these tokens, in this order, then that of the
/// deletion.
async fn assert_environment_deletion(store: &dyn Store, name: &str, affected: &[&StoredToken]) {
    let last = latest_event(store).await;
    let removal = environment_removal(name);
    let number = store.delete_environment(&removal).await.expect("removed");
    let mut expected: Vec<NewEvent> =
        affected.iter().map(|stored| removal.outcome_of(&stored.token).event().clone()).collect();
    expected.push(removal.event);
    let events = events_after(store, last).await;
    assert_eq!(events.last().map(|event| event.id), Some(number), "the removal's own event is the last");
    let records: Vec<NewEvent> = events.into_iter().map(|Event { record, .. }| record).collect();
    assert_eq!(records, expected);
}

/// Returns the counts of the environment.
async fn projects_and_tokens(store: &dyn Store, name: &str) -> Option<(u64, u64)> {
    let listed = store.environments().await.expect("environments");
    let found = listed.into_iter().find(|one| one.environment.name == environment(name));
    found.map(|one| (one.projects, one.tokens))
}

/// Tokens of the environment are revoked, each with its event in the order of ids; tokens of other
/// environments and admin tokens stay.
pub async fn deleting_an_environment_revokes_its_tokens(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b"]).await;
    setup::environments(store, &["Staging", "staging"]).await;
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
        setup::token(store, stored).await;
    }
    assert_environment_deletion(store, "staging", &[&tokens[0], &tokens[1], &tokens[3]]).await;

    let remaining: Vec<_> = [2, 4, 5, 6].map(|index: usize| tokens[index].clone()).into();
    assert_eq!(all_tokens(store).await, remaining);
    for number in [1, 2, 4] {
        assert_eq!(store.find_token_by_digest(&[digest(number)]).await.expect("a lookup"), None);
    }
    assert_eq!(store.tokens(&TokenQuery::of_project(project_id("b"))).await.expect("tokens"), []);
    let of_a = store.tokens(&TokenQuery::of_project(project_id("a"))).await.expect("tokens");
    assert_eq!(of_a, [tokens[2].clone(), tokens[5].clone()]);
    for (id, expected) in [("a", 2), ("b", 0)] {
        let overview = store.project_overview(&project_id(id)).await.expect("a lookup").expect("there");
        assert_eq!(overview.tokens, expected, "in {id}");
    }
}

/// All secrets of a revoked token are invalid and can be used again, and its quota slot is free.
pub async fn tokens_revoked_with_an_environment_free_their_secrets_and_quota(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::environments(store, &["staging"]).await;
    let stored = working_in("staging", with_alias(101, token_of_all_projects(1)));
    setup::token(store, &stored).await;
    let (from, overlap_until) = (stored.secret.digest, Some(moment(50)));
    setup::rotation(
        store,
        &Rotation { token: stored.token.id, from, to: secret(2), overlap_until, update: None },
    )
    .await;
    assert_environment_deletion(store, "staging", &[&StoredToken { secret: secret(2), ..stored }]).await;
    for number in [1, 2, 101] {
        assert_eq!(store.find_token_by_digest(&[digest(number)]).await.expect("a lookup"), None);
    }
    let successor = with_alias(2, token_of_all_projects(1));
    let event = token_created(&successor);
    store.create_token(&successor, Quota(1), &event).await.expect("a slot is free");
}

/// Nothing else of the projects changes; tokens of other environments stay.
pub async fn a_deleted_environment_leaves_all_projects(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b", "c"]).await;
    for id in ["a", "b"] {
        setup::project_environments(store, id, &["production", "development"]).await;
    }
    setup::token(store, &token(1, &["a"])).await;
    let before = read_contents(store).await;
    assert_eq!(projects_and_tokens(store, "production").await, Some((3, 0)));
    assert_environment_deletion(store, "production", &[]).await;

    assert_eq!(store.find_environment(&environment("production")).await.expect("a lookup"), None);
    assert_eq!(projects_and_tokens(store, "production").await, None);
    let after = read_contents(store).await;
    let without = before.projects.into_iter().map(|mut listed| {
        listed.environments.retain(|name| *name != environment("production"));
        listed
    });
    assert_eq!(after.projects, without.collect::<Vec<_>>());
    assert_eq!((after.tokens, after.members), (before.tokens, before.members));
}

/// After the last environment is deleted, only admin tokens remain.
pub async fn the_last_environment_can_be_deleted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens = [token(1, &["default"]), admin_token(2), working_in("production", token_of_all_projects(3))];
    setup::tokens(store, &tokens).await;
    assert_environment_deletion(store, "development", &[&tokens[0]]).await;
    assert_environment_deletion(store, "production", &[&tokens[2]]).await;
    assert_eq!(all_tokens(store).await, [admin_token(2)]);
    assert_eq!(store.environments().await.expect("environments"), []);
}

/// An environment recreated under the same name is in no project and has no tokens.
pub async fn a_deleted_environment_can_be_created_again_empty(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for _ in 0..2 {
        setup::environments(store, &["staging"]).await;
        assert_eq!(projects_and_tokens(store, "staging").await, Some((0, 0)));
        setup::project_environments(store, "default", &["staging"]).await;
        let stored = working_in("staging", token(1, &["default"]));
        setup::token(store, &stored).await;
        assert_eq!(projects_and_tokens(store, "staging").await, Some((1, 1)));
        assert_environment_deletion(store, "staging", &[&stored]).await;
    }
}

/// An environment that does not exist, or no longer exists, cannot be deleted and accepts no token; names
/// are case-sensitive.
pub async fn deleting_an_unknown_environment_fails(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::environments(store, &["gone"]).await;
    setup::token(store, &token(1, &["default"])).await;
    assert_environment_deletion(store, "gone", &[]).await;
    for name in ["gone", "nope", "Development", "developmen_"] {
        let not_found = ErrorKind::NotFound(Entity::Environment(environment(name)));
        assert_eq!(
            expect_error(store, store.delete_environment(&environment_removal(name))).await,
            not_found
        );
        let stored = working_in(name, token_of_all_projects(2));
        let event = token_created(&stored);
        assert_eq!(expect_error(store, store.create_token(&stored, AMPLE_QUOTA, &event)).await, not_found);
    }
}

/// Several hundred tokens are revoked in the order of ids.
pub async fn deleting_an_environment_with_many_tokens_keeps_the_order_of_events(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let tokens: Vec<_> = (0..300).map(|number| token(number, &["default"])).collect();
    setup::tokens(store, &tokens).await;
    assert_eq!(projects_and_tokens(store, "development").await, Some((1, 300)));
    assert_environment_deletion(store, "development", &tokens.iter().collect::<Vec<_>>()).await;
    assert_eq!(all_tokens(store).await, []);
}
