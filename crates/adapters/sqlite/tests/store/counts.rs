//! The numbers of tokens and members that triggers keep: the same as a count would find, however they come and go.

use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text};
use latchkey_domain::{
    Actor, EnvironmentRemoval, EventKind, NewEvent, Origin, Project, ProjectMode, ProjectRemoval,
};
use latchkey_ports::{EnvironmentRepository, ProjectRepository, TokenRepository};
use latchkey_sqlite::SqliteStore;
use tempfile::TempDir;

use super::fixtures::{NO_LIMIT, created, default_project, moment, open, raw, token_of};

fn event(kind: EventKind) -> NewEvent {
    NewEvent::new(kind, Actor::System, Origin::default(), moment())
}

/// Projects `default` and `other`, and four tokens of development: of each, of both, of `default` again.
async fn store_of_four(directory: &TempDir) -> SqliteStore {
    let store = open(&directory.path().join("a.db"));
    let other = Project {
        id: "other".parse().expect("an id"),
        name: "Other".parse().expect("a name"),
        description: "".parse().expect("a description"),
        mode: ProjectMode::Open,
        created_at: moment(),
        updated_at: moment(),
        archived_at: None,
    };
    let made = event(EventKind::ProjectCreated);
    store.create_project(&other, &[], None, &made).await.expect("created");
    let scopes: [&[&str]; 4] = [&["default"], &["other"], &["other", "default"], &["default"]];
    for (number, scope) in (0..).zip(scopes) {
        let token = token_of(number, scope);
        store.create_token(&token, NO_LIMIT, &created(&token)).await.expect("created");
    }
    store
}

#[derive(QueryableByName, Debug, PartialEq, Eq)]
struct Numbers {
    #[diesel(sql_type = Text)]
    kept: String,
    #[diesel(sql_type = Text)]
    counted: String,
}

/// The numbers of all projects, then of all environments, as they are kept and as a count finds them.
fn assert_numbers(directory: &TempDir, expected: &str) {
    let numbers: Numbers = sql_query(
        "SELECT
            (SELECT group_concat(project_id || ' ' || tokens, ', ' ORDER BY project_id) FROM project_token_counts)
            || '; '
            || (SELECT group_concat(environment || ' ' || tokens, ', ' ORDER BY environment)
                FROM environment_token_counts) AS kept,
            (SELECT group_concat(
                id || ' ' || (SELECT count(*) FROM api_token_projects WHERE project_id = projects.id), ', ' ORDER BY id
            ) FROM projects)
            || '; '
            || (SELECT group_concat(
                name || ' ' || (SELECT count(*) FROM api_tokens WHERE environment = environments.name), ', ' ORDER BY name
            ) FROM environments) AS counted",
    )
    .get_result(&mut raw(&directory.path().join("a.db")))
    .expect("numbers");
    assert_eq!(numbers, Numbers { kept: expected.to_owned(), counted: expected.to_owned() });
}

#[tokio::test]
async fn tokens_that_come_and_go_are_counted() {
    let directory = TempDir::new().expect("a directory");
    let store = store_of_four(&directory).await;
    assert_numbers(&directory, "default 3, other 2; development 4, production 0");
    let both = token_of(2, &["other", "default"]).token.id;
    store.delete_token(both, &event(EventKind::ApiTokenDeleted)).await.expect("deleted");
    assert_numbers(&directory, "default 2, other 1; development 3, production 0");
    // A creation that fails is undone with what it counted.
    let twice = token_of(0, &["other"]);
    store.create_token(&twice, NO_LIMIT, &created(&twice)).await.expect_err("the secret is taken");
    assert_numbers(&directory, "default 2, other 1; development 3, production 0");
}

#[tokio::test]
async fn a_project_that_goes_takes_its_number_along_and_lessens_others() {
    let directory = TempDir::new().expect("a directory");
    let store = store_of_four(&directory).await;
    let removal = ProjectRemoval { project: default_project(), event: event(EventKind::ProjectDeleted) };
    store.delete_project(&removal).await.expect("deleted");
    // The token of both projects lives on in the other one.
    assert_numbers(&directory, "other 2; development 2, production 0");
}

#[tokio::test]
async fn an_environment_that_goes_takes_its_number_along() {
    let directory = TempDir::new().expect("a directory");
    let store = store_of_four(&directory).await;
    let environment = "development".parse().expect("a name");
    let removal = EnvironmentRemoval { environment, event: event(EventKind::EnvironmentDeleted) };
    store.delete_environment(&removal).await.expect("deleted");
    assert_numbers(&directory, "default 0, other 0; production 0");
}

#[tokio::test]
async fn writes_of_other_programs_are_counted_too() {
    let directory = TempDir::new().expect("a directory");
    let _store = store_of_four(&directory).await;
    let mut other = raw(&directory.path().join("a.db"));
    other
        .batch_execute(
            "PRAGMA foreign_keys = ON;
             DELETE FROM api_tokens WHERE named_projects = 2;
             INSERT INTO environments (name, kind, sort_order, enabled) VALUES ('test', 'test', 1, 1);
             DELETE FROM environments WHERE name = 'production';",
        )
        .expect("written");
    assert_numbers(&directory, "default 2, other 1; development 3, test 0");
}

#[tokio::test]
async fn a_member_is_counted_from_the_first_role_to_the_last() {
    let directory = TempDir::new().expect("a directory");
    let _store = store_of_four(&directory).await;
    let mut other = raw(&directory.path().join("a.db"));
    let mut after = |statements: &str| {
        other.batch_execute(statements).expect("written");
        let numbers: Numbers = sql_query(
            "SELECT
                (SELECT group_concat(project_id || ' ' || members, ', ' ORDER BY project_id)
                    FROM project_member_counts) AS kept,
                (SELECT group_concat(
                    id || ' ' || (SELECT count(DISTINCT user_id) FROM memberships WHERE project_id = projects.id),
                    ', ' ORDER BY id
                ) FROM projects) AS counted",
        )
        .get_result(&mut other)
        .expect("numbers");
        assert_eq!(numbers.kept, numbers.counted);
        numbers.kept
    };
    let members = "PRAGMA foreign_keys = ON;
        INSERT INTO users (id, username, account_kind, root_role_id, created_at)
        VALUES (7, 'ada', 'person', 1, 0), (8, 'grace', 'person', 1, 0);
        INSERT INTO memberships (user_id, project_id, role_id)
        VALUES (7, 'default', 4), (7, 'default', 5), (7, 'other', 5), (8, 'default', 5);";
    assert_eq!(after(members), "default 2, other 1");
    assert_eq!(after("DELETE FROM memberships WHERE user_id = 7 AND role_id = 5"), "default 2, other 0");
    assert_eq!(after("DELETE FROM users WHERE id = 7"), "default 1, other 0");
    assert_eq!(
        after("DELETE FROM api_tokens; DELETE FROM projects WHERE id = 'other'; DELETE FROM memberships"),
        "default 0"
    );
}
