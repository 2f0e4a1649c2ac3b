//! What a new store holds, and the first tokens it is given.

use std::sync::Arc;

use latchkey_domain::{Event, EventId, Project, ProjectScope, RoleId, Scope, TokenAccess, TokenId, UserId};
use latchkey_ports::{
    Entity, EnvironmentOverview, NewToken, ProjectOverview, Store, StoredToken, TokenQuery, initial_data,
};

use crate::{
    event_log::{events_after, latest_event},
    harness::{ErrorKind, all_events, all_projects, expect_error, token_of_digest},
    samples::{
        ADMIN, admin_token, built_in_role, digest, environment, moment, new_token, project_id, project_role,
        role_created, secret, token, token_deleted, token_of_all_projects,
    },
    setup,
};

/// A store that is ready answers a ping.
pub async fn a_new_store_answers_a_ping(store: &Arc<dyn Store>) {
    store.ping().await.expect("an answer");
}

/// The project `default` exists, alone, with the creation time that the store was given.
pub async fn a_new_store_has_only_the_default_project(store: &Arc<dyn Store>) {
    let projects = all_projects(store.as_ref()).await;
    assert_eq!(projects.len(), 1, "{projects:?}");
    let expected = initial_data::project(projects[0].project.created_at).expect("valid names");
    let overview = ProjectOverview {
        project: expected.clone(),
        members: 0,
        tokens: 0,
        environments: vec![environment("development"), environment("production")],
    };
    assert_eq!(projects, [overview]);
    let found = store.find_project(&project_id(Project::DEFAULT)).await.expect("a lookup");
    assert_eq!(found, Some(expected));
}

/// The environments of a fresh store exist, by sort order, and the default project contains both.
pub async fn a_new_store_has_two_environments(store: &Arc<dyn Store>) {
    let expected = initial_data::environments().expect("valid names");
    let listed = store.environments().await.expect("environments");
    let in_default = |environment| EnvironmentOverview { environment, projects: 1, tokens: 0 };
    assert_eq!(listed, expected.clone().map(in_default));
    for one in expected {
        let found = store.find_environment(&one.name).await.expect("a lookup");
        assert_eq!(found, Some(one));
    }
    for unknown in ["test", "Production", "productio_"] {
        let found = store.find_environment(&environment(unknown)).await.expect("a lookup");
        assert_eq!(found, None);
    }
}

/// The built-in roles exist, by id, each with its permissions.
pub async fn a_new_store_has_the_built_in_roles(store: &Arc<dyn Store>) {
    let roles = store.roles().await.expect("roles");
    assert_eq!(roles, initial_data::roles());
    assert_eq!(roles[0], built_in_role(ADMIN));
}

/// A new store has no tokens, users, personal tokens or events.
pub async fn a_new_store_has_no_tokens_users_or_events(store: &Arc<dyn Store>) {
    assert_eq!(latest_event(store.as_ref()).await, EventId(0));
    assert_eq!(events_after(store.as_ref(), EventId(0)).await, []);
    assert_eq!(store.tokens(&TokenQuery::of_project(project_id("default"))).await.expect("tokens"), []);
    let id = TokenId::new(moment(0), [0; 10]);
    assert_eq!(store.find_token(id).await.expect("a lookup"), None);
    assert_eq!(store.find_token_by_digest(&[digest(1)]).await.expect("a lookup"), None);
    assert_eq!(store.find_user(UserId(1)).await.expect("a lookup"), None);
    assert_eq!(store.find_account_by_login("admin").await.expect("a lookup"), None);
    assert_eq!(store.grants_of(UserId(1)).await.expect("a lookup"), None);
    assert_eq!(store.find_personal_token_by_digest(&[digest(1)]).await.expect("a lookup"), None);
}

/// The first custom role gets the first id that is not reserved for built-in roles.
pub async fn custom_roles_are_numbered_after_the_built_in_ids(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let RoleId(last) = initial_data::MAX_BUILT_IN_ROLE_ID;
    assert!(initial_data::roles().iter().all(|role| role.id.0 <= last));
    let new = project_role("CI");
    let (id, _) = store.create_role(&new, &role_created(&new)).await.expect("a role is created");
    assert_eq!(id, RoleId(last + 1));
}

fn first_tokens(tokens: impl IntoIterator<Item = StoredToken>) -> Vec<NewToken> {
    tokens.into_iter().map(new_token).collect()
}

/// An empty store accepts all first tokens, each with its event in the given order, without a limit.
pub async fn first_tokens_are_stored_with_their_events(store: &Arc<dyn Store>) {
    let mut with_alias = token(3, &["default"]);
    with_alias.alias = Some(secret(103));
    let tokens = first_tokens([token_of_all_projects(2), with_alias.clone(), admin_token(1)]);
    assert!(store.create_first_tokens(&tokens).await.expect("stored"));

    for first in &tokens {
        let found = store.find_token(first.token.token.id).await.expect("a lookup");
        assert_eq!(found.as_ref(), Some(&first.token));
    }
    let found = token_of_digest(store.as_ref(), &[digest(103)]).await;
    assert_eq!(found.as_ref(), Some(&with_alias));
    let listed = store.tokens(&TokenQuery::of_project(project_id("default"))).await.expect("tokens");
    assert_eq!(listed, [with_alias]);
    let events: Vec<_> =
        all_events(store.as_ref()).await.into_iter().map(|Event { record, .. }| record).collect();
    let expected: Vec<_> = tokens.into_iter().map(|first| first.event).collect();
    assert_eq!(events, expected);
}

/// A second call returns false and changes nothing.
pub async fn first_tokens_are_created_once(store: &Arc<dyn Store>) {
    assert!(store.create_first_tokens(&first_tokens([admin_token(1)])).await.expect("stored"));
    let events = all_events(store.as_ref()).await;
    assert!(!store.create_first_tokens(&first_tokens([admin_token(1)])).await.expect("an answer"));
    assert!(!store.create_first_tokens(&first_tokens([admin_token(2)])).await.expect("an answer"));
    assert_eq!(store.find_token(admin_token(2).token.id).await.expect("a lookup"), None);
    assert_eq!(all_events(store.as_ref()).await, events);
}

/// Any existing token, whatever its scope, prevents the creation of first tokens.
pub async fn first_tokens_are_skipped_when_a_token_exists(store: &Arc<dyn Store>) {
    setup::token(store.as_ref(), &token(1, &["default"])).await;
    assert!(!store.create_first_tokens(&first_tokens([admin_token(2)])).await.expect("an answer"));
    assert_eq!(store.find_token(admin_token(2).token.id).await.expect("a lookup"), None);
}

/// Only tokens that exist now count: after the last one is deleted, first tokens can be created again.
pub async fn first_tokens_are_created_again_after_all_are_deleted(store: &Arc<dyn Store>) {
    let deleted = token(1, &["default"]);
    setup::token(store.as_ref(), &deleted).await;
    store.delete_token(deleted.token.id, &token_deleted(&deleted)).await.expect("removed");
    assert!(store.create_first_tokens(&first_tokens([admin_token(2)])).await.expect("stored"));
}

/// An empty list leaves the store unchanged.
pub async fn an_empty_list_of_first_tokens_changes_nothing(store: &Arc<dyn Store>) {
    store.create_first_tokens(&[]).await.expect("an answer");
    assert_eq!(all_events(store.as_ref()).await, []);
    assert!(store.create_first_tokens(&first_tokens([admin_token(1)])).await.expect("stored"));
}

/// The store says whether it holds any token, of whatever kind.
pub async fn a_store_knows_whether_it_has_tokens(store: &Arc<dyn Store>) {
    for token in [admin_token(1), token(2, &["default"])] {
        assert!(!store.has_tokens().await.expect("an answer"));
        setup::token(store.as_ref(), &token).await;
        assert!(store.has_tokens().await.expect("an answer"));
        store.delete_token(token.token.id, &token_deleted(&token)).await.expect("removed");
    }
}

/// If one of the tokens is invalid, none is stored and no event is recorded; a later valid call still
/// succeeds.
pub async fn first_tokens_are_stored_all_or_none(store: &Arc<dyn Store>) {
    let mut elsewhere = token(2, &["default"]);
    elsewhere.token.access =
        TokenAccess::Client(Scope { projects: ProjectScope::All, environment: environment("nowhere") });
    let mut same_secret = token(2, &["default"]);
    same_secret.secret = secret(1);
    let mut same_alias = token(2, &["default"]);
    same_alias.alias = Some(secret(1));
    let mut same_id = token(2, &["default"]);
    same_id.token.id = token(1, &["default"]).token.id;
    let faults = [
        (token(2, &["default", "nope"]), ErrorKind::NotFound(Entity::Project(project_id("nope")))),
        (elsewhere, ErrorKind::NotFound(Entity::Environment(environment("nowhere")))),
        (same_secret, ErrorKind::Conflict(Entity::Secret)),
        (same_alias, ErrorKind::Conflict(Entity::Secret)),
        (same_id.clone(), ErrorKind::Conflict(Entity::Token(same_id.token.id))),
    ];
    for (faulty, expected) in faults {
        let tokens = first_tokens([token(1, &["default"]), faulty, admin_token(3)]);
        let refused = expect_error(store.as_ref(), store.create_first_tokens(&tokens)).await;
        assert_eq!(refused, expected);
        let digests = [digest(1), digest(2), digest(3)];
        assert_eq!(token_of_digest(store.as_ref(), &digests).await, None);
    }
    assert!(store.create_first_tokens(&first_tokens([admin_token(1)])).await.expect("stored"));
}
