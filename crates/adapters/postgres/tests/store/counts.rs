//! The counts of tokens and members are right whatever statement writes, and include what was there before them.

use tokio_postgres::Client;

use crate::databases::{connected, migrated, run};

const FIRST: &str = include_str!("../../../../../migrations/postgres/0001_first_schema/up.sql");
const SECOND: &str = include_str!("../../../../../migrations/postgres/0002_access_model/up.sql");
const THIRD: &str = include_str!("../../../../../migrations/postgres/0003_member_counts/up.sql");

const PLACES: &str = "
    INSERT INTO projects (id, name, description, created_at)
    SELECT 'project-' || i, 'P', '', now() FROM generate_series(0, 9) AS i;
    INSERT INTO environments (name, kind, sort_order, enabled) VALUES ('rare', 'test', 9, true);";

/// 200 tokens; every second names two projects, every tenth works in an environment that few use.
const TOKENS: &str = "
    INSERT INTO api_tokens (id, name, kind, all_projects, environment, created_at, secret_digest, secret_key)
    SELECT lpad(to_hex(i), 32, '0')::uuid, 'token', 'client', false,
        CASE WHEN i % 10 = 0 THEN 'rare' ELSE 'development' END, now(),
        decode(lpad(to_hex(i), 64, '0'), 'hex'), '\\x00000000'
    FROM generate_series(0, 199) AS i;
    INSERT INTO api_token_projects
    SELECT 'project-' || (i + step * 7) % 10, lpad(to_hex(i), 32, '0')::uuid, step
    FROM generate_series(0, 199) AS i, generate_series(0, 1) AS step
    WHERE step = 0 OR i % 2 = 0;";

/// Two users: `ada` has one role in every project, `grace` two in every second.
const MEMBERS: &str = "
    INSERT INTO users (username, account_kind, root_role_id, created_at)
    VALUES ('ada', 'person', 1, '2026-01-01'), ('grace', 'person', 3, '2026-01-01');
    INSERT INTO memberships (user_id, project_id, role_id)
    SELECT users.id, projects.id, role
    FROM users, projects, generate_series(4, 5) AS role
    WHERE CASE username WHEN 'ada' THEN role = 5 ELSE right(projects.id, 1) IN ('0', '2', '4', '6', '8') END;";

/// What a statement says of each place: what is kept, and what counting gives.
async fn kept_and_counted(client: &Client, statement: &str) -> [Vec<(String, i64)>; 2] {
    let rows = client.query(statement, &[]).await.expect("counted");
    let column = |column| rows.iter().map(|row| (row.get(0), row.get(column))).collect();
    [column(1), column(2)]
}

/// The number of tokens of each place: as kept, and as counted.
async fn counts(client: &Client) -> [Vec<(String, i64)>; 2] {
    let statement = "
        SELECT kept.project_id, tokens,
            (SELECT count(*) FROM api_token_projects WHERE project_id = kept.project_id)
        FROM project_token_counts AS kept
        UNION ALL
        SELECT kept.environment, tokens, (SELECT count(*) FROM api_tokens WHERE environment = kept.environment)
        FROM environment_token_counts AS kept
        ORDER BY 1";
    kept_and_counted(client, statement).await
}

/// The number of members of each project: as kept, and as counted.
async fn member_counts(client: &Client) -> [Vec<(String, i64)>; 2] {
    let statement = "
        SELECT project_id, members,
            (SELECT count(DISTINCT user_id) FROM memberships WHERE project_id = kept.project_id)
        FROM project_member_counts AS kept
        ORDER BY 1";
    kept_and_counted(client, statement).await
}

#[track_caller]
fn agree([kept, counted]: [Vec<(String, i64)>; 2], places: usize) {
    assert_eq!(kept, counted);
    assert_eq!(kept.len(), places);
}

#[tokio::test(flavor = "multi_thread")]
async fn they_follow_every_statement() {
    let (_store, database) = migrated().await;
    let client = connected(database.url()).await;
    run(&client, PLACES).await;
    agree(counts(&client).await, 14);
    run(&client, TOKENS).await;
    let [kept, counted] = counts(&client).await;
    assert!(
        kept.contains(&("rare".to_owned(), 20)) && kept.contains(&("project-1".to_owned(), 40)),
        "{kept:?}"
    );
    agree([kept, counted], 14);
    // Another project, another place among the projects, another environment.
    run(&client, "UPDATE api_token_projects SET project_id = 'default' WHERE project_id = 'project-3'").await;
    agree(counts(&client).await, 14);
    run(&client, "UPDATE api_token_projects SET position = position + 5").await;
    agree(counts(&client).await, 14);
    run(&client, "UPDATE api_tokens SET environment = 'production' WHERE secret_digest < '\\x01'").await;
    agree(counts(&client).await, 14);
    // Tokens go one by one and at once, with their links; a place goes when it is empty.
    run(&client, "DELETE FROM api_tokens WHERE id = '00000000-0000-0000-0000-000000000008'").await;
    agree(counts(&client).await, 14);
    run(&client, "DELETE FROM api_token_projects WHERE project_id = 'project-5'").await;
    run(&client, "DELETE FROM projects WHERE id = 'project-5'").await;
    agree(counts(&client).await, 13);
    run(&client, "DELETE FROM api_tokens; DELETE FROM environments WHERE name = 'rare'").await;
    let [kept, counted] = counts(&client).await;
    assert!(kept.iter().all(|(_, tokens)| *tokens == 0), "{kept:?}");
    agree([kept, counted], 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_counted_once_whatever_their_roles() {
    let (_store, database) = migrated().await;
    let client = connected(database.url()).await;
    run(&client, PLACES).await;
    agree(member_counts(&client).await, 11);
    run(&client, MEMBERS).await;
    let [kept, counted] = member_counts(&client).await;
    assert!(kept.contains(&("project-1".to_owned(), 1)) && kept.contains(&("project-2".to_owned(), 2)));
    agree([kept, counted], 11);
    for statement in [
        // One of two roles goes, then the other; a role is changed into another; a user's role moves to another project.
        "DELETE FROM memberships WHERE project_id = 'project-2' AND role_id = 4",
        "DELETE FROM memberships WHERE project_id = 'project-2'",
        "UPDATE memberships SET role_id = 4 WHERE project_id = 'project-1'",
        "UPDATE memberships SET project_id = 'default' WHERE project_id = 'project-4' AND role_id = 4",
        // One role gives way to another in one statement.
        "WITH gone AS (DELETE FROM memberships WHERE project_id = 'project-1' RETURNING user_id, project_id)
         INSERT INTO memberships (user_id, project_id, role_id) SELECT user_id, project_id, 5 FROM gone",
        "DELETE FROM users WHERE username = 'grace'",
    ] {
        run(&client, statement).await;
        agree(member_counts(&client).await, 11);
    }
    run(&client, "DELETE FROM projects WHERE id = 'project-6'; DELETE FROM memberships").await;
    let [kept, counted] = member_counts(&client).await;
    assert!(kept.iter().all(|(_, members)| *members == 0), "{kept:?}");
    agree([kept, counted], 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_before_is_brought_along() {
    let database = latchkey_testkit::database::TestDatabase::empty();
    let client = connected(database.url()).await;
    run(&client, FIRST).await;
    run(&client, PLACES).await;
    run(&client, TOKENS).await;
    run(
        &client,
        "INSERT INTO users (username, account_kind, root_role_id, created_at)
         VALUES ('ada', 'person', 1, '2026-01-01'), ('grace', 'person', 3, '2999-01-01');
         INSERT INTO memberships (user_id, project_id, role_id)
         SELECT users.id, projects.id, 5 FROM users, projects",
    )
    .await;
    run(&client, SECOND).await;
    let [kept, counted] = counts(&client).await;
    assert!(
        kept.contains(&("rare".to_owned(), 20)) && kept.contains(&("project-1".to_owned(), 40)),
        "{kept:?}"
    );
    agree([kept, counted], 14);
    let number =
        async |statement: &str| -> i64 { client.query_one(statement, &[]).await.expect("counted").get(0) };
    // Every environment was in every project, and nothing tells when a role was given but that all were there then.
    assert_eq!(number("SELECT count(*) FROM project_environments").await, 33);
    assert_eq!(
        number("SELECT count(*) FROM projects WHERE mode = 'open' AND updated_at = created_at").await,
        11
    );
    assert_eq!(number("SELECT count(*) FROM memberships WHERE added_at < now()").await, 11);
    assert_eq!(number("SELECT count(*) FROM memberships WHERE added_at = '2999-01-01'").await, 11);
    let made = "INSERT INTO roles (name, kind, description) VALUES ('R', 'custom', '') RETURNING id";
    assert_eq!(number(made).await, 6);

    run(&client, "DELETE FROM memberships WHERE project_id = 'project-1' AND user_id = 1").await;
    run(&client, THIRD).await;
    let [kept, counted] = member_counts(&client).await;
    assert!(kept.contains(&("project-1".to_owned(), 1)) && kept.contains(&("project-2".to_owned(), 2)));
    agree([kept, counted], 11);
}
