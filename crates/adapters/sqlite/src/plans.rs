//! Query plans of the statements that must stay fast with many tokens, events and projects.
//!
//! Unit tests, because the statements that the store sends do not leave the crate.

mod events;
mod projects;
mod tokens;

use diesel::{
    QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection, debug_query,
    query_builder::QueryFragment, sql_query, sql_types::Text, sqlite::Sqlite,
};

use crate::{
    location::Location,
    store::{SqliteSettings, SqliteStore},
};

/// 12 000 tokens over 200 projects; every fourth names a second project, every hundredth is for all projects. 200 users,
/// each in a fifth of the projects and in ten of 200 groups. 55 000 events, each of one project.
const LARGE_STORE: &str = "
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199)
    INSERT INTO projects (id, name, description, created_at) SELECT 'project-' || i, 'P', '', 0 FROM n;
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 11999)
    INSERT INTO api_tokens
    SELECT unhex(printf('%032x', i)), 'token' || i, 'client', i % 100 = 0,
        CASE WHEN i % 100 = 0 THEN 0 WHEN i % 4 = 0 THEN 2 ELSE 1 END, 'development',
        CASE WHEN i % 3 = 0 THEN i END, i, CASE WHEN i % 3 = 1 THEN i END,
        unhex(printf('%064x', i)), x'00000000', NULL, NULL, NULL, NULL, '{}', NULL
    FROM n;
    INSERT INTO api_token_projects
    SELECT id, 0, 'project-' || (created_at % 200) FROM api_tokens WHERE NOT all_projects;
    INSERT INTO api_token_projects
    SELECT id, 1, 'project-' || ((created_at + 7) % 200) FROM api_tokens
    WHERE NOT all_projects AND created_at % 4 = 0;
    INSERT INTO retired_secrets SELECT unhex(printf('%064x', 100000 + created_at)), x'00000000', id, 0 FROM api_tokens;
    INSERT INTO project_environments SELECT id, 'development' FROM projects WHERE id <> 'default';
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
    INSERT INTO users (username, account_kind, root_role_id, created_at)
    SELECT 'user' || i, CASE WHEN i % 10 = 0 THEN 'service' ELSE 'person' END, 1 + i % 3, 0 FROM n;
    INSERT INTO memberships SELECT users.id, projects.id, 4, 0 FROM users, projects
    WHERE (users.id + length(projects.id) + unicode(substr(projects.id, -1))) % 5 = 0;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
    INSERT INTO user_groups (name, description, sso_groups, root_role_id, created_at)
    SELECT 'group' || i, '', '[]', 3, 0 FROM n;
    INSERT INTO group_members SELECT user_groups.id, users.id, 0 FROM user_groups, users
    WHERE (user_groups.id + users.id) % 20 = 0;
    INSERT INTO group_roles SELECT id, 'project-' || (id % 200), 5, 0 FROM user_groups;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 55000)
    INSERT INTO events (kind, actor_name, actor_user_id, at, concerns)
    SELECT CASE i % 100 WHEN 0 THEN 'pat-created' WHEN 1 THEN 'pat-deleted' WHEN 2 THEN 'user-created'
        WHEN 3 THEN 'user-deleted' WHEN 4 THEN 'session-started' WHEN 5 THEN 'session-ended' ELSE 'api-token-created' END, 'x', i % 150, i, 'some' FROM n;
    INSERT INTO event_projects SELECT id, 0, 'project-' || (id % 200) FROM events;";

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

fn plan_of_text(connection: &mut SqliteConnection, statement: &str) -> Vec<String> {
    let steps: Vec<Step> =
        sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(connection).expect("a plan");
    steps.into_iter().map(|step| step.detail).collect()
}

fn plan(connection: &mut SqliteConnection, statement: &impl QueryFragment<Sqlite>) -> Vec<String> {
    let shown = debug_query::<Sqlite, _>(statement).to_string();
    let (text, _binds) = shown.split_once(" -- binds").expect("statement and binds");
    plan_of_text(connection, text)
}

/// Asserts that each step begins like this, and that there are no others.
#[track_caller]
fn assert_plan(plan: &[String], steps: &[&str]) {
    let fits = plan.len() == steps.len()
        && plan.iter().zip(steps).all(|(found, expected)| found.starts_with(expected));
    assert!(fits, "{plan:#?}, not {steps:#?}");
}

fn with_large_store(test: impl Fn(&mut SqliteConnection) + Send + 'static) {
    let store = SqliteStore::open(SqliteSettings { location: Location::Memory, ..SqliteSettings::default() })
        .expect("opens");
    store.migrate().expect("migrates");
    store
        .on_writer(move |connection| {
            connection.batch_execute(LARGE_STORE).expect("tokens");
            test(connection);
            // Statistics must not lead to worse plans.
            connection.batch_execute("ANALYZE;").expect("statistics");
            test(connection);
            Ok(())
        })
        .expect("a connection");
}
