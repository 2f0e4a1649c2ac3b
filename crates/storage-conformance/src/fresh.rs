//! What a store holds before anybody has used it.

use std::sync::Arc;

use latchkey_domain::{EventId, Project, RoleId, TokenId, UserId};
use latchkey_ports::{EnvironmentOverview, ProjectOverview, Store, fresh};

use crate::{
    observed::all_projects,
    samples::{ADMIN, built_in_role, digest, environment, moment, project_id, project_role, role_created},
};

/// A store that is ready answers.
pub async fn it_answers(store: &Arc<dyn Store>) {
    store.ping().await.expect("an answer");
}

/// There is the project `default`, and no other; when it was created, the store says.
pub async fn there_is_one_project(store: &Arc<dyn Store>) {
    let projects = all_projects(store.as_ref()).await;
    assert_eq!(projects.len(), 1, "{projects:?}");
    let expected = fresh::project(projects[0].project.created_at).expect("good names");
    let overview = ProjectOverview {
        project: expected.clone(),
        members: 0,
        tokens: 0,
        environments: vec![environment("development"), environment("production")],
    };
    assert_eq!(projects, [overview]);
    let found = store.find_project(&project_id(Project::DEFAULT)).await.expect("a look-up");
    assert_eq!(found, Some(expected));
}

/// There are the environments of every fresh store, by sort order, both in the project that is there.
pub async fn there_are_two_environments(store: &Arc<dyn Store>) {
    let expected = fresh::environments().expect("good names");
    let listed = store.environments().await.expect("environments");
    let in_default = |environment| EnvironmentOverview { environment, projects: 1, tokens: 0 };
    assert_eq!(listed, expected.clone().map(in_default));
    for one in expected {
        let found = store.find_environment(&one.name).await.expect("a look-up");
        assert_eq!(found, Some(one));
    }
    for unknown in ["test", "Production", "productio_"] {
        let found = store.find_environment(&environment(unknown)).await.expect("a look-up");
        assert_eq!(found, None);
    }
}

/// There are the built-in roles, by id, each with its permissions.
pub async fn there_are_the_built_in_roles(store: &Arc<dyn Store>) {
    let roles = store.roles().await.expect("roles");
    assert_eq!(roles, fresh::roles());
    assert_eq!(roles[0], built_in_role(ADMIN));
}

/// There are no tokens, users, personal tokens or events.
pub async fn there_is_nothing_else(store: &Arc<dyn Store>) {
    assert_eq!(store.latest_event().await.expect("a number"), EventId(0));
    assert_eq!(store.events_after(EventId(0), 10).await.expect("events"), []);
    assert_eq!(store.tokens_of_project(&project_id("default")).await.expect("tokens"), []);
    let id = TokenId::new(moment(0), [0; 10]);
    assert_eq!(store.find_token(id).await.expect("a look-up"), None);
    assert_eq!(store.find_token_by_digest(&[digest(1)]).await.expect("a look-up"), None);
    assert_eq!(store.find_user(UserId(1)).await.expect("a look-up"), None);
    assert_eq!(store.find_account_by_login("admin").await.expect("a look-up"), None);
    assert_eq!(store.grants_of(UserId(1)).await.expect("a look-up"), None);
    assert_eq!(store.find_personal_token_by_digest(&[digest(1)]).await.expect("a look-up"), None);
}

/// The first role that is made has the first id that is not kept for those that are built in.
pub async fn an_id_is_none_of_a_built_in_role(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let RoleId(last) = fresh::MAX_BUILT_IN_ROLE_ID;
    assert!(fresh::roles().iter().all(|role| role.id.0 <= last));
    let new = project_role("CI");
    let (id, _) = store.create_role(&new, &role_created(&new)).await.expect("a role is created");
    assert_eq!(id, RoleId(last + 1));
}
