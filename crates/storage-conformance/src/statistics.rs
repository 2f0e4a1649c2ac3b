//! Counts of everything, and of the tokens that work in a project.

use std::{collections::BTreeMap, sync::Arc};

use latchkey_domain::TokenKind;
use latchkey_ports::{Statistics, Store};

use crate::{
    samples::{
        admin_token, environment, frontend, project_id, project_role, root_role, service_account, token,
        token_of_all_projects, user_named,
    },
    setup,
};

/// A fresh store has its initial contents; each thing is counted where it belongs.
pub async fn everything_is_counted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let fresh = store.statistics().await.expect("counts");
    let expected =
        Statistics { projects: 1, environments: 2, roles: 5, tokens: BTreeMap::new(), ..fresh.clone() };
    assert_eq!(fresh, expected);
    assert_eq!((fresh.users, fresh.service_accounts, fresh.custom_root_roles), (0, 0, 0));

    setup::projects(store, &["a", "b"]).await;
    setup::environments(store, &["staging"]).await;
    setup::role(store, &project_role("CI")).await;
    setup::role(store, &root_role("Auditor", &[])).await;
    for user in [user_named("a"), user_named("b"), service_account("bot")] {
        setup::user(store, &user).await;
    }
    let tokens =
        [token(1, &["default"]), token_of_all_projects(2), frontend(token(3, &["a"])), admin_token(4)];
    setup::tokens(store, &tokens).await;
    let expected = Statistics {
        users: 2,
        service_accounts: 1,
        projects: 3,
        environments: 3,
        roles: 7,
        custom_root_roles: 1,
        tokens: [(TokenKind::Client, 2), (TokenKind::Frontend, 1), (TokenKind::Admin, 1)].into(),
    };
    assert_eq!(store.statistics().await.expect("counts"), expected);
}

/// Tokens that name the project and tokens of all projects work in it; admin tokens are of no environment.
pub async fn tokens_of_a_project_are_counted_by_environment(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b"]).await;
    let tokens = [
        token(1, &["a"]),
        frontend(token(2, &["b", "a"])),
        token(3, &["b"]),
        token_of_all_projects(4),
        admin_token(5),
    ];
    setup::tokens(store, &tokens).await;
    let counts = async |project: &str| store.tokens_in_project(&project_id(project)).await.expect("counts");
    let development = |tokens| BTreeMap::from([(environment("development"), tokens)]);
    assert_eq!(counts("a").await, development(3));
    assert_eq!(counts("b").await, development(3));
    assert_eq!(counts("default").await, development(1));
    assert_eq!(counts("nope").await, development(1));
}
