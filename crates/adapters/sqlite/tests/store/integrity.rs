//! The distribution's `sqlite3` finds nothing to complain about, in new files and in files of older versions.

use diesel::{connection::SimpleConnection, migration::MigrationSource, sqlite::Sqlite};
use diesel_migrations::MigrationHarness;
use latchkey_ports::{TokenQuery, TokenRepository};
use latchkey_sql::migrations::SQLITE;
use latchkey_storage_conformance::event_log::latest_event;
use latchkey_testkit::sqlite::integrity;
use tempfile::TempDir;

use super::fixtures::{NO_LIMIT, created, default_project, open, raw, token, token_of};

#[tokio::test]
async fn of_a_new_file() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("a.db");
    let store = open(&path);
    assert_eq!(integrity(&path), "ok", "empty");
    for number in 1..=50 {
        let token = token(number);
        store.create_token(&token, NO_LIMIT, &created(&token)).await.expect("created");
    }
    assert_eq!(integrity(&path), "ok", "while it is open");
    drop(store);
    assert_eq!(integrity(&path), "ok", "closed");
}

/// A project, tokens of one project, of two in an order that is not that of the ids, and of all, and events.
const OF_AN_OLDER_VERSION: &str = "
    INSERT INTO projects (id, name, description, created_at) VALUES ('other', 'Other', '', 1000);
    INSERT INTO api_tokens
        (id, name, kind, all_projects, named_projects, environment, created_at, secret_digest, secret_key)
    SELECT unhex(printf('018bcfe568007000800000000000%04x', column1)), 'a', 'client', column2 = 0, column2,
        'development', 1700000000000, unhex(printf('%064x', column1)), x'00000000'
    FROM (VALUES (1, 1), (2, 2), (3, 0));
    INSERT INTO api_token_projects (token_id, position, project_id)
    SELECT unhex(printf('018bcfe568007000800000000000%04x', column1)), column2, column3
    FROM (VALUES (2, 0, 'other'), (2, 1, 'default'), (1, 0, 'default'));
    INSERT INTO events (kind, actor_name, actor_user_id, at, concerns)
    VALUES ('api-token-created', 'x', 1, 1, 'some'), ('api-token-created', 'x', 1, 1, 'some');
    INSERT INTO event_projects (event_id, position, project_id)
    VALUES (2, 0, 'other'), (2, 1, 'default'), (1, 0, 'default');";

#[tokio::test]
async fn of_a_file_of_any_older_version_and_its_data_stays() {
    let versions = MigrationSource::<Sqlite>::migrations(&SQLITE).expect("read").len();
    for applied in 1..versions {
        let directory = TempDir::new().expect("a directory");
        let path = directory.path().join("a.db");
        let mut connection = raw(&path);
        for _ in 0..applied {
            connection.run_next_migration(SQLITE).expect("a migration of the older version");
        }
        connection.batch_execute(OF_AN_OLDER_VERSION).expect("written");
        drop(connection);

        let store = open(&path);
        assert_eq!(integrity(&path), "ok", "after {applied} migrations, and the rest");
        let tokens = store.tokens(&TokenQuery::of_project(default_project())).await.expect("reads");
        let found: Vec<_> = tokens.into_iter().map(|stored| stored.token.access).collect();
        assert_eq!(
            found,
            [["default"].as_slice(), &["other", "default"]].map(|ids| token_of(0, ids).token.access)
        );
        // The constraints and the counters still hold for new rows.
        let both = token_of(9, &["other", "default"]);
        store.create_token(&both, NO_LIMIT, &created(&both)).await.expect("created");
        let two_of_one = "INSERT INTO api_token_projects (token_id, position, project_id)
            SELECT token_id, 7, project_id FROM api_token_projects LIMIT 1";
        raw(&path).batch_execute(two_of_one).expect_err("a token names a project once");
        assert_eq!(latest_event(&store).await.0, 3);
        drop(store);
        assert_eq!(integrity(&path), "ok", "after {applied} migrations, the rest, and a change");
    }
}
