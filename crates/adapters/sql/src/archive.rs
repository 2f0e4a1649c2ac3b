//! The tables of an archive, and the statements that read and load them.
//!
//! [`tables`] lists what is archived; the columns come from [`schema`], so a new column needs no change here, and
//! a new table a line. The databases convert values to and from JSON themselves: a statement for each table reads rows as JSON
//! arrays ([`select`]), and another takes an array of such rows ([`Loading`]). Not archived are views, and what triggers and
//! generated columns derive from other rows: loading derives it anew.

mod column_list;
mod loading;

use diesel::{
    QueryableByName, Table,
    sql_types::{BigInt, Text},
};
use latchkey_ports::{ArchiveError, ArchiveHeader, ArchiveRow, ArchivedColumn, ArchivedTable, ColumnKind};

use self::column_list::ColumnList;
pub use self::loading::{Insertion, Loading, TableDigest};
use crate::{
    migrations::SCHEMA,
    schema::{self, Keyed},
};

/// The rows that are read or loaded at once: enough to make statements cheap, and few enough to bound memory.
pub const ROWS_AT_ONCE: usize = 500;

/// The table with the last ids that were given, which are given to no other. It exists in archives only.
const SEQUENCES: &str = "sequences";

/// One of the databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL, from version 14 on.
    Postgres,
    /// SQLite.
    Sqlite,
}

/// A table that is archived.
#[derive(Debug, Clone)]
pub struct SourceTable {
    /// Its name and columns.
    pub name: &'static str,
    pub columns: Vec<ArchivedColumn>,
    key: &'static str,
    /// Whether a new database has rows in it, which are replaced.
    pub has_initial_rows: bool,
    /// Whether the rows that its triggers would write are archived too.
    pub loads_without_triggers: bool,
    /// A column that only SQLite has, and the expression that computes it on PostgreSQL.
    computed: Option<(&'static str, &'static str)>,
}

/// Returns the tables that are archived, each after those that it refers to.
#[must_use]
pub fn tables() -> Vec<SourceTable> {
    vec![
        SourceTable::of::<schema::projects::table>("projects").with_initial_rows(),
        SourceTable::of::<schema::environments::table>("environments").with_initial_rows(),
        SourceTable::of::<schema::project_environments::table>("project_environments").with_initial_rows(),
        SourceTable::of::<schema::project_policies::table>("project_policies"),
        SourceTable::of::<schema::roles::table>("roles").with_initial_rows(),
        SourceTable::of::<schema::role_permissions::table>("role_permissions").with_initial_rows(),
        // Users of old versions may have a login name in common, which the triggers refuse.
        SourceTable { loads_without_triggers: true, ..SourceTable::of::<schema::users::table>("users") },
        SourceTable::of::<schema::login_names::table>("login_names"),
        SourceTable::of::<schema::memberships::table>("memberships"),
        SourceTable::of::<schema::user_groups::table>("user_groups"),
        SourceTable::of::<schema::group_members::table>("group_members"),
        SourceTable::of::<schema::group_roles::table>("group_roles"),
        SourceTable {
            computed: Some((
                "named_projects",
                "(SELECT count(*) FROM api_token_projects WHERE token_id = api_tokens.id)",
            )),
            ..SourceTable::of::<schema::api_tokens::table>("api_tokens")
                .without(&["ends_at", "used_at", "enabled", "owner"])
        },
        SourceTable::of::<schema::api_token_projects::table>("api_token_projects"),
        SourceTable::of::<schema::retired_secrets::table>("retired_secrets"),
        SourceTable::of::<schema::token_usage::table>("token_usage"),
        SourceTable::of::<schema::token_addresses::table>("token_addresses"),
        SourceTable::of::<schema::token_rates::table>("token_rates"),
        SourceTable::of::<schema::token_uses::table>("token_uses"),
        SourceTable::of::<schema::notices::table>("notices"),
        SourceTable::of::<schema::personal_tokens::table>("personal_tokens"),
        SourceTable::of::<schema::sessions::table>("sessions"),
        SourceTable::of::<schema::login_failures::table>("login_failures"),
        SourceTable::of::<schema::idempotency_keys::table>("idempotency_keys"),
        SourceTable::of::<schema::events::table>("events"),
        SourceTable::of::<schema::event_projects::table>("event_projects"),
        SourceTable::of::<schema::event_seals::table>("event_seals"),
        SourceTable::of::<schema::webhooks::table>("webhooks"),
        SourceTable::of::<schema::webhook_deliveries::table>("webhook_deliveries"),
        SourceTable::of::<schema::event_consumers::table>("event_consumers"),
        SourceTable::of::<schema::mail_digests::table>("mail_digests"),
        SourceTable::of::<schema::mail_items::table>("mail_items"),
        sequences(),
    ]
}

fn sequences() -> SourceTable {
    let column = |name: &str, kind| ArchivedColumn { name: name.to_owned(), kind };
    SourceTable {
        name: SEQUENCES,
        columns: vec![column("name", ColumnKind::Text), column("last", ColumnKind::Integer)],
        key: "(name)",
        has_initial_rows: true,
        loads_without_triggers: false,
        computed: None,
    }
}

impl SourceTable {
    fn of<T>(name: &'static str) -> Self
    where
        T: Table + Keyed,
        T::AllColumns: ColumnList,
    {
        Self {
            name,
            columns: T::AllColumns::list(),
            key: T::KEY,
            has_initial_rows: false,
            loads_without_triggers: false,
            computed: None,
        }
    }

    fn with_initial_rows(self) -> Self {
        Self { has_initial_rows: true, ..self }
    }

    fn without(mut self, generated: &[&str]) -> Self {
        self.columns.retain(|column| !generated.contains(&column.name.as_str()));
        self
    }

    /// Returns the statement that counts its rows, as a column `count`.
    #[must_use]
    pub fn count(&self, dialect: Dialect) -> String {
        match self.name {
            SEQUENCES => format!("SELECT count(*) AS count FROM ({}) AS rows", select_sequences(dialect)),
            name => format!("SELECT count(*) AS count FROM {name}"),
        }
    }

    /// Returns the description of it for a header.
    #[must_use]
    pub fn with_rows(&self, rows: u64) -> ArchivedTable {
        ArchivedTable { name: self.name.to_owned(), rows, columns: self.columns.clone() }
    }
}

/// The row of [`SourceTable::count`].
#[derive(QueryableByName)]
pub struct Count {
    #[diesel(sql_type = BigInt)]
    pub count: i64,
}

/// A row of [`select`].
#[derive(QueryableByName)]
pub struct Line {
    #[diesel(sql_type = Text)]
    pub line: String,
}

/// Returns whether the table is a real one, with rows that can be deleted.
#[must_use]
pub fn is_stored(table: &ArchivedTable) -> bool {
    table.name != SEQUENCES
}

/// Returns the statement that reads all rows of these columns, in the order of the key, each as a JSON array in a column `line`.
///
/// # Errors
/// [`ArchiveError::Malformed`] for a table that is unknown.
pub fn select(dialect: Dialect, table: &ArchivedTable) -> Result<String, ArchiveError> {
    if table.name == SEQUENCES {
        return Ok(select_sequences(dialect));
    }
    let source = source(&table.name)?;
    let array = match dialect {
        Dialect::Postgres => "json_build_array",
        Dialect::Sqlite => "json_array",
    };
    let values: Vec<_> = table
        .columns
        .iter()
        .map(|column| match source.computed {
            Some((name, sql)) if name == column.name && dialect == Dialect::Postgres => sql.to_owned(),
            _ => reading(dialect, column),
        })
        .collect();
    let key = source.key.trim_matches(['(', ')']).split(',').map(str::trim);
    let order: Vec<_> = key
        .map(|name| match table.columns.iter().find(|column| column.name == name) {
            // The order of bytes, whatever the locale of the database, so that archives of both databases have one order.
            Some(ArchivedColumn { kind: ColumnKind::Text, .. }) if dialect == Dialect::Postgres => {
                format!(r#"{name} COLLATE "C""#)
            }
            _ => name.to_owned(),
        })
        .collect();
    let closing = match dialect {
        Dialect::Postgres => "::text",
        Dialect::Sqlite => "",
    };
    Ok(format!(
        "SELECT {array}({}){closing} AS line FROM {} ORDER BY {}",
        values.join(", "),
        table.name,
        order.join(", ")
    ))
}

/// Returns the statements that load rows of these columns. Each has one bind: a JSON array of rows, as text.
fn inserts(dialect: Dialect, table: &ArchivedTable) -> Result<Vec<String>, ArchiveError> {
    if table.name == SEQUENCES {
        return Ok(insert_sequences(dialect));
    }
    let source = source(&table.name)?;
    let is_computed = |name: &str| {
        dialect == Dialect::Postgres && source.computed.is_some_and(|(computed, _)| computed == name)
    };
    let written = table.columns.iter().enumerate().filter(|(_, column)| !is_computed(&column.name));
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for (place, column) in written {
        names.push(column.name.as_str());
        values.push(writing(dialect, place, column.kind));
    }
    let (names, values) = (names.join(", "), values.join(", "));
    let insert = format!("INSERT INTO {} ({names})", table.name);
    Ok(vec![match dialect {
        // Ids are kept as they are, also those that the database would give.
        Dialect::Postgres => format!("{insert} OVERRIDING SYSTEM VALUE SELECT {values} FROM {POSTGRES_ROWS}"),
        Dialect::Sqlite => format!("{insert} SELECT {values} FROM {SQLITE_ROWS}"),
    }])
}

const POSTGRES_ROWS: &str = "jsonb_array_elements($1::jsonb) AS r";
const SQLITE_ROWS: &str = "json_each(?1) AS r";

/// The expression that reads a column as JSON.
fn reading(dialect: Dialect, ArchivedColumn { name, kind }: &ArchivedColumn) -> String {
    match (dialect, kind) {
        (_, ColumnKind::Text | ColumnKind::Integer)
        | (Dialect::Postgres, ColumnKind::Boolean | ColumnKind::Json)
        | (Dialect::Sqlite, ColumnKind::Time) => name.clone(),
        (Dialect::Postgres, ColumnKind::Time) => {
            format!("(extract(epoch FROM date_trunc('milliseconds', {name})) * 1000)::bigint")
        }
        (Dialect::Postgres, ColumnKind::Bytes | ColumnKind::RawText) => format!("encode({name}, 'hex')"),
        (Dialect::Postgres, ColumnKind::Id) => format!("encode(uuid_send({name}), 'hex')"),
        (Dialect::Sqlite, ColumnKind::Boolean) => {
            format!("json(CASE {name} WHEN 0 THEN 'false' WHEN 1 THEN 'true' ELSE 'null' END)")
        }
        (Dialect::Sqlite, ColumnKind::Bytes | ColumnKind::Id | ColumnKind::RawText) => {
            format!("CASE WHEN {name} IS NOT NULL THEN lower(hex({name})) END")
        }
        (Dialect::Sqlite, ColumnKind::Json) => format!("json({name})"),
    }
}

/// The expression that converts the value at this place in the row `r`.
fn writing(dialect: Dialect, place: usize, kind: ColumnKind) -> String {
    match dialect {
        Dialect::Postgres => {
            let text = format!("r ->> {place}");
            match kind {
                ColumnKind::Text => text,
                ColumnKind::Integer => format!("({text})::bigint"),
                ColumnKind::Boolean => format!("({text})::boolean"),
                // In two parts: a double cannot hold milliseconds in far times, but any such second.
                ColumnKind::Time => format!(
                    "'epoch'::timestamptz + make_interval(secs => (({text})::bigint / 1000)::double precision) \
                     + make_interval(secs => (({text})::bigint % 1000)::double precision / 1000)"
                ),
                ColumnKind::Bytes | ColumnKind::RawText => format!("decode({text}, 'hex')"),
                ColumnKind::Id => format!("({text})::uuid"),
                ColumnKind::Json => format!("nullif(r -> {place}, 'null'::jsonb)"),
            }
        }
        Dialect::Sqlite => {
            let value = format!("r.value ->> {place}");
            match kind {
                ColumnKind::Text | ColumnKind::Integer | ColumnKind::Boolean | ColumnKind::Time => value,
                ColumnKind::Bytes | ColumnKind::Id => format!("unhex({value})"),
                ColumnKind::RawText => format!("CAST(unhex({value}) AS TEXT)"),
                ColumnKind::Json => format!("nullif(r.value -> {place}, 'null')"),
            }
        }
    }
}

/// Those of the tables that exist: the database has the schema of the archive, which may be an older one.
fn select_sequences(dialect: Dialect) -> String {
    match dialect {
        Dialect::Postgres => {
            "SELECT json_build_array(name, coalesce(pg_sequence_last_value(pg_get_serial_sequence(name, 'id')), 0))::text \
             AS line FROM unnest(ARRAY['events', 'personal_tokens', 'roles', 'user_groups', 'users']) AS name \
             WHERE to_regclass(name) IS NOT NULL ORDER BY name COLLATE \"C\""
        }
        Dialect::Sqlite => {
            "SELECT json_array(column1, coalesce(CASE column1 WHEN 'roles' THEN (SELECT id FROM last_made_role) \
             ELSE (SELECT seq FROM sqlite_sequence WHERE name = column1) END, 0)) AS line \
             FROM (VALUES ('events'), ('personal_tokens'), ('roles'), ('user_groups'), ('users')) \
             WHERE column1 IN (SELECT name FROM sqlite_schema WHERE type = 'table') ORDER BY column1"
        }
    }
    .to_owned()
}

fn insert_sequences(dialect: Dialect) -> Vec<String> {
    let statements: &[&str] = match dialect {
        Dialect::Postgres => &["SELECT setval(pg_get_serial_sequence(r ->> 0, 'id'), \
              greatest((r ->> 1)::bigint, 1), (r ->> 1)::bigint > 0) FROM jsonb_array_elements($1::jsonb) AS r"],
        Dialect::Sqlite => &[
            "DELETE FROM sqlite_sequence WHERE name IN (SELECT r.value ->> 0 FROM json_each(?1) AS r)",
            "INSERT INTO sqlite_sequence (name, seq) SELECT r.value ->> 0, r.value ->> 1 FROM json_each(?1) AS r \
             WHERE r.value ->> 0 <> 'roles' AND r.value ->> 1 > 0",
            "UPDATE last_made_role SET id = r.value ->> 1 FROM json_each(?1) AS r WHERE r.value ->> 0 = 'roles'",
        ],
    };
    statements.iter().map(|statement| (*statement).to_owned()).collect()
}

fn source(name: &str) -> Result<SourceTable, ArchiveError> {
    let known = tables().into_iter().find(|table| table.name == name);
    known.ok_or_else(|| ArchiveError::Malformed(format!("it has an unknown table {name:?}")))
}

/// Returns the known tables of an archive, in its order, after a check that this program can load it.
///
/// # Errors
/// [`ArchiveError::NewerArchive`]; [`ArchiveError::Malformed`] for names that are not plain, as they become part of statements.
pub fn check(header: &ArchiveHeader) -> Result<Vec<SourceTable>, ArchiveError> {
    if header.schema > SCHEMA {
        return Err(ArchiveError::NewerArchive { archive: header.schema, program: SCHEMA });
    }
    let is_plain = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let columns = header.tables.iter().flat_map(|table| &table.columns);
    if let Some(column) = columns.into_iter().find(|column| !is_plain(&column.name)) {
        return Err(ArchiveError::Malformed(format!("it has an impossible column {:?}", column.name)));
    }
    header.tables.iter().map(|table| source(&table.name)).collect()
}

/// Reads a row as the database wrote it.
///
/// # Errors
/// [`ArchiveError::Malformed`], if it is no JSON array.
pub fn parse_row(line: &str) -> Result<ArchiveRow, ArchiveError> {
    serde_json::from_str(line).map_err(|error| ArchiveError::Malformed(format!("a row is not JSON: {error}")))
}
