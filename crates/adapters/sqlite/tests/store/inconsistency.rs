//! Rows that another program broke: an error names them, and nothing panics.

use diesel::connection::SimpleConnection;
use latchkey_domain::{ProjectId, UserId};
use latchkey_ports::{
    AccessRepository, EnvironmentRepository, EventQuery, EventRepository, EventScope, Inconsistency,
    ProjectRepository, StoreError, TokenQuery, TokenRepository, UserRepository,
};
use latchkey_sqlite::SqliteStore;
use tempfile::TempDir;

use super::fixtures::{NO_LIMIT, created, default_project, open, raw, token};

/// A store with one token, in which another program has run these statements.
async fn broken_by(statements: &str) -> (TempDir, SqliteStore) {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("a.db");
    let store = open(&path);
    let token = token(1);
    store.create_token(&token, NO_LIMIT, &created(&token)).await.expect("created");
    raw(&path).batch_execute(&format!("PRAGMA foreign_keys = OFF; {statements}")).expect("broken");
    (directory, store)
}

fn place<T: std::fmt::Debug>(outcome: Result<T, StoreError>) -> (&'static str, &'static str, String) {
    match outcome {
        Err(StoreError::Inconsistent(Inconsistency { table, column, row, .. })) => (table, column, row),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn tokens() {
    let id = token(1).token.id;
    for (statement, column) in [
        ("UPDATE api_tokens SET kind = 'root'", "kind"),
        ("UPDATE api_tokens SET name = ''", "name"),
        ("UPDATE api_tokens SET attributes = '[]'", "attributes"),
        ("UPDATE api_tokens SET environment = 'a b'", "environment"),
        ("UPDATE api_tokens SET created_at = 9000000000000000000", "created_at"),
        ("DELETE FROM api_token_projects", "named_projects"),
        ("INSERT INTO api_token_projects SELECT id, 1, 'other' FROM api_tokens", "named_projects"),
        ("UPDATE api_tokens SET all_projects = 1, named_projects = 0", "named_projects"),
    ] {
        let (_directory, store) = broken_by(statement).await;
        let expected = ("api_tokens", column, id.to_string());
        assert_eq!(place(store.find_token(id).await), expected, "{statement}");
    }
}

#[tokio::test]
async fn the_list_that_has_a_broken_token() {
    let (_directory, store) = broken_by("UPDATE api_tokens SET kind = 'root'").await;
    let (table, column, _) = place(store.tokens(&TokenQuery::of_project(default_project())).await);
    assert_eq!((table, column), ("api_tokens", "kind"));
}

#[tokio::test]
async fn events() {
    for (statement, column) in [
        ("UPDATE events SET kind = 'nothing'", "kind"),
        ("UPDATE events SET address = 'here'", "address"),
        ("UPDATE events SET after = '[1]'", "after"),
        ("UPDATE events SET before = '{'", "before"),
        ("UPDATE events SET concerns = 'all'", "concerns"),
        ("DELETE FROM event_projects", "concerns"),
    ] {
        let (_directory, store) = broken_by(statement).await;
        let expected = ("events", column, "1".to_owned());
        assert_eq!(place(store.events(&EventQuery::within(EventScope::All)).await), expected, "{statement}");
    }
}

#[tokio::test]
async fn places_and_people() {
    let (_directory, store) = broken_by(
        "UPDATE projects SET name = '';
         UPDATE environments SET sort_order = 3000000000 WHERE name = 'production';
         INSERT INTO role_permissions VALUES (5, 'FLY');
         INSERT INTO users VALUES (1, 'eve', NULL, NULL, NULL, 'robot', 5, 0, NULL, NULL);",
    )
    .await;
    let default = ProjectId::new("default").expect("an id");
    let row = |table, column, row: &str| (table, column, row.to_owned());
    assert_eq!(place(store.find_project(&default).await), row("projects", "name", "default"));
    assert_eq!(place(store.environments().await), row("environments", "sort_order", "production"));
    assert_eq!(place(store.roles().await), row("role_permissions", "permission", "5"));
    assert_eq!(place(store.grants_of(UserId(1)).await), row("role_permissions", "permission", "5"));
    assert_eq!(place(store.find_user(UserId(1)).await), row("users", "account_kind", "1"));
}
