//! The plans that SQLite makes for the statements that must stay fast with many tokens.
//!
//! A unit test, because it asks for the plans of the very statements that the store sends, which do not leave the crate.

use diesel::{
    QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection, debug_query,
    query_builder::QueryFragment, sql_query, sql_types::Text, sqlite::Sqlite,
};

use crate::{
    Location, SqliteSettings, SqliteStore,
    token_queries::{
        RECORD_SEEN, by_digest, by_id, links, links_beyond_project, number_of_all_projects,
        number_of_project, of_project,
    },
};

/// 20 000 tokens over 200 projects; every fourth names a second project, every hundredth is for all projects.
const MANY_TOKENS: &str = "
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199)
    INSERT INTO projects (id, name, description, created_at) SELECT 'project-' || i, 'P', '', 0 FROM n;
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
    INSERT INTO api_tokens
    SELECT unhex(printf('%032x', i)), 'token', 'client', i % 100 = 0,
        CASE WHEN i % 100 = 0 THEN 0 WHEN i % 4 = 0 THEN 2 ELSE 1 END, 'development', NULL, i, NULL,
        unhex(printf('%064x', i)), x'00000000', NULL, NULL, NULL, NULL
    FROM n;
    INSERT INTO api_token_projects
    SELECT 'project-' || (created_at % 200), id, 0 FROM api_tokens WHERE NOT all_projects;
    INSERT INTO api_token_projects
    SELECT 'project-' || ((created_at + 7) % 200), id, 1 FROM api_tokens
    WHERE NOT all_projects AND created_at % 4 = 0;";

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

fn with_many_tokens(test: impl Fn(&mut SqliteConnection)) {
    let store = SqliteStore::open(SqliteSettings { location: Location::Memory, ..SqliteSettings::default() })
        .expect("opens");
    store.migrate().expect("migrates");
    store
        .on_writer(|connection| {
            connection.batch_execute(MANY_TOKENS).expect("tokens");
            test(connection);
            // What the planner knows of the sizes must not lead it astray either.
            connection.batch_execute("ANALYZE;").expect("statistics");
            test(connection);
            Ok(())
        })
        .expect("a connection");
}

#[test]
fn the_tokens_of_a_project_are_found_in_order_by_keys_alone() {
    with_many_tokens(|connection| {
        let plan = plan(connection, &of_project("project-7"));
        assert_eq!(
            plan,
            [
                "SEARCH api_token_projects USING COVERING INDEX api_token_projects_by_project (project_id=?)",
                "SEARCH api_tokens USING PRIMARY KEY (id=?)",
            ]
        );
        let plan = self::plan(connection, &links_beyond_project("project-7"));
        assert_eq!(
            plan,
            [
                "SEARCH api_token_projects USING COVERING INDEX api_token_projects_by_project (project_id=?)",
                "SEARCH api_tokens USING PRIMARY KEY (id=?)",
                "SEARCH links USING PRIMARY KEY (token_id=?)",
            ]
        );
    });
}

#[test]
fn a_token_is_found_by_id_and_digest_by_keys_alone() {
    with_many_tokens(|connection| {
        for plan in [
            plan(connection, &by_id(&[7; 16])),
            plan(connection, &links(&[7; 16])),
            plan(connection, &by_digest(&[7; 32])),
            plan_of_text(connection, "DELETE FROM api_tokens WHERE id = ?"),
        ] {
            let searches = plan.iter().filter(|step| step.contains("SEARCH")).count();
            assert!(searches > 0, "{plan:#?}");
            let dear = |step: &String| step.contains("SCAN") || step.contains("TEMP B-TREE");
            assert!(!plan.iter().any(dear), "{plan:#?}");
        }
    });
}

#[test]
fn quotas_are_counted_in_indexes() {
    with_many_tokens(|connection| {
        assert_eq!(
            plan(connection, &number_of_project("project-7")),
            ["SEARCH api_token_projects USING COVERING INDEX api_token_projects_by_project (project_id=?)"]
        );
        // A scan of the partial index, which holds the tokens of all projects and no other.
        assert_eq!(
            plan(connection, &number_of_all_projects()),
            ["SCAN api_tokens USING COVERING INDEX api_tokens_of_all_projects"]
        );
    });
}

#[test]
fn tokens_seen_are_found_by_id() {
    with_many_tokens(|connection| {
        let plan = plan_of_text(connection, RECORD_SEEN);
        assert!(plan.iter().any(|step| step == "SEARCH api_tokens USING PRIMARY KEY (id=?)"), "{plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("SCAN api_tokens")), "{plan:#?}");
    });
}
