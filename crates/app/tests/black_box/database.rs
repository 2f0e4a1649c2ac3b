//! What is really written in the database of a server.

use std::fmt::Write as _;

use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types::Text};
use latchkey_testkit::{
    cluster::connect,
    env::{Store, TestEnv},
};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

/// A connection of the test to the database of an environment.
pub(crate) enum Records {
    Sqlite(SqliteConnection),
    Postgres(Runtime, Client),
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    value: String,
}

/// One stored event.
#[derive(Debug)]
pub(crate) struct WrittenEvent {
    pub(crate) kind: String,
    pub(crate) actor: String,
    pub(crate) environment: Value,
    /// The ids of the projects that it is listed under.
    pub(crate) projects: Vec<String>,
    pub(crate) before: Value,
    pub(crate) after: Value,
}

impl Records {
    pub(crate) fn of(env: &TestEnv) -> Self {
        match env.store() {
            Store::Memory => panic!("the memory store can only be read by its own process"),
            Store::Sqlite => {
                let file = env.directory().join("latchkey.db");
                let mut connection =
                    SqliteConnection::establish(&file.to_string_lossy()).expect("the database");
                for pragma in ["PRAGMA busy_timeout = 5000", "PRAGMA foreign_keys = ON"] {
                    sql_query(pragma).execute(&mut connection).expect("a pragma");
                }
                Self::Sqlite(connection)
            }
            Store::Postgres => {
                let runtime = Runtime::new().expect("a runtime");
                let client = runtime.block_on(connect(env.postgres_url())).expect("the database");
                Self::Postgres(runtime, client)
            }
        }
    }

    /// Returns the only column of a query, which must be text.
    #[track_caller]
    pub(crate) fn texts(&mut self, query: &str) -> Vec<String> {
        match self {
            Self::Sqlite(connection) => {
                let rows = sql_query(format!("SELECT value FROM ({query})")).load::<Row>(connection);
                rows.expect(query).into_iter().map(|row| row.value).collect()
            }
            Self::Postgres(runtime, client) => {
                let rows = runtime.block_on(client.query(query, &[])).expect(query);
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    /// Returns the number of rows of a table, perhaps with a condition.
    #[track_caller]
    pub(crate) fn count(&mut self, rows: &str) -> usize {
        let counted = self.texts(&format!("SELECT CAST(count(*) AS TEXT) AS value FROM {rows}"));
        counted[0].parse().expect("a number")
    }

    /// Runs a statement; returns whether it succeeded.
    pub(crate) fn try_execute(&mut self, statement: &str) -> bool {
        match self {
            Self::Sqlite(connection) => sql_query(statement).execute(connection).is_ok(),
            Self::Postgres(runtime, client) => runtime.block_on(client.batch_execute(statement)).is_ok(),
        }
    }

    /// Returns the events about API tokens, in order.
    pub(crate) fn token_events(&mut self) -> Vec<WrittenEvent> {
        let object = match self {
            Self::Sqlite(_) => "json_object",
            Self::Postgres(..) => "json_build_object",
        };
        let list = match self {
            Self::Sqlite(_) => "json_group_array(project_id)",
            Self::Postgres(..) => "coalesce(json_agg(project_id ORDER BY position), '[]')",
        };
        let json = |column: &str| match object {
            "json_object" => format!("json({column})"),
            _ => column.to_owned(),
        };
        let mut query =
            format!("SELECT CAST({object}('kind', kind, 'actor', actor_name, 'environment', environment, ");
        write!(
            query,
            "'before', {}, 'after', {}, 'projects', \
             (SELECT {list} FROM event_projects WHERE event_id = events.id)) AS TEXT) AS value \
             FROM events WHERE kind LIKE 'api-token-%' ORDER BY id",
            json("before"),
            json("after"),
        )
        .expect("a text can be written to");
        self.texts(&query).iter().map(|row| WrittenEvent::read(row)).collect()
    }

    /// Returns every row of every table as text and, for a superuser, the bytes of the files of tables and indexes.
    /// PostgreSQL only: the files of SQLite can be read directly.
    pub(crate) fn everything(&mut self) -> Vec<(String, Vec<u8>)> {
        let mut places = Vec::new();
        for table in self.texts("SELECT tablename::text AS value FROM pg_tables WHERE schemaname = 'public'")
        {
            let rows = self.texts(&format!("SELECT t::text AS value FROM \"{table}\" AS t"));
            places.push((format!("table {table}"), rows.join("\n").into_bytes()));
        }
        if self.texts("SELECT current_setting('is_superuser') AS value") == ["on"] {
            assert!(self.try_execute("CHECKPOINT"), "a superuser may");
            let files = "SELECT encode(pg_read_binary_file(pg_relation_filepath(oid)), 'escape') AS value \
                         FROM pg_class WHERE relkind IN ('r', 'i', 't') AND relnamespace::regnamespace::text IN ('public', 'pg_toast')";
            places.extend(self.texts(files).into_iter().map(|file| ("a file".to_owned(), file.into_bytes())));
        }
        places
    }

    /// Returns the number of events of a kind.
    pub(crate) fn events(&mut self, kind: &str) -> usize {
        self.count(&format!("events WHERE kind = '{kind}'"))
    }
}

impl WrittenEvent {
    fn read(row: &str) -> Self {
        let mut row: Value = serde_json::from_str(row).expect("an object");
        let projects = row["projects"].as_array().into_iter().flatten();
        Self {
            kind: row["kind"].as_str().expect("a kind").to_owned(),
            actor: row["actor"].as_str().expect("a name").to_owned(),
            projects: projects.map(|id| id.as_str().expect("an id").to_owned()).collect(),
            environment: row["environment"].take(),
            before: row["before"].take(),
            after: row["after"].take(),
        }
    }
}
