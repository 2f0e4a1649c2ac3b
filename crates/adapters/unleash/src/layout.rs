//! Which tables and columns the database has.

use std::collections::HashSet;

use crate::error::UnleashError;

/// The columns of a schema, and those by which it has an index.
pub(crate) struct Layout {
    columns: HashSet<(String, String)>,
    indexed: HashSet<(String, String)>,
}

/// Tables that every version has, each with a column that it has.
const REQUIRED: [(&str, &str); 7] = [
    ("projects", "id"),
    ("environments", "name"),
    ("users", "email"),
    ("roles", "type"),
    ("role_user", "project"),
    ("api_tokens", "secret"),
    ("api_token_project", "project"),
];

/// The statement that reads the columns of the schema `$1`.
pub(crate) const COLUMNS: &str =
    "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = $1";

/// The statement that reads with which columns the indexes of the schema `$1` begin.
pub(crate) const INDEXES: &str = "\
    SELECT c.relname::text, a.attname::text FROM pg_index AS i \
    INNER JOIN pg_class AS c ON c.oid = i.indrelid \
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace \
    INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] \
    WHERE n.nspname = $1 AND i.indisvalid AND i.indpred IS NULL";

impl Layout {
    /// Returns the layout of these tables and columns.
    ///
    /// # Errors
    /// [`UnleashError::NotUnleash`] if something is missing that every version has.
    pub(crate) fn new(
        columns: impl IntoIterator<Item = (String, String)>,
        schema: &str,
    ) -> Result<Self, UnleashError> {
        let layout = Self { columns: columns.into_iter().collect(), indexed: HashSet::new() };
        match REQUIRED.iter().find(|(table, column)| !layout.has(table, column)) {
            Some((table, _)) => Err(UnleashError::NotUnleash { schema: schema.to_owned(), table }),
            None => Ok(layout),
        }
    }

    /// Returns the layout with indexes that begin with these columns.
    pub(crate) fn with_indexes(self, indexed: HashSet<(String, String)>) -> Self {
        Self { indexed, ..self }
    }

    /// Whether rows of the table are found by the column without a look at the others.
    pub(crate) fn is_indexed(&self, table: &str, column: &str) -> bool {
        self.indexed.contains(&(table.to_owned(), column.to_owned()))
    }

    /// Whether the table has the column.
    pub(crate) fn has(&self, table: &str, column: &str) -> bool {
        self.columns.contains(&(table.to_owned(), column.to_owned()))
    }

    /// Returns the expression if the table has the column, and otherwise this one.
    pub(crate) fn or(&self, (table, column): (&str, &str), there: &str, otherwise: &str) -> String {
        if self.has(table, column) { there.to_owned() } else { otherwise.to_owned() }
    }

    /// Returns the major version, as far as the columns show it, for people.
    pub(crate) fn version(&self) -> &'static str {
        match () {
            () if self.has("api_tokens_v2", "selector") => "8.1 or later",
            () if self.has("users", "updated_at") => "7 or 8",
            () if self.has("projects", "archived_at") => "6 or 7",
            () if self.has("api_tokens", "created_by_user_id") => "5.8 to 6.1",
            () if self.has("api_tokens", "token_name") => "5.1 to 5.7",
            () => "5.0 or earlier",
        }
    }
}

/// Returns the statement after which names mean the tables of this schema, until the transaction ends.
pub(crate) fn search_path(schema: &str) -> String {
    format!("SET LOCAL search_path TO \"{}\"", schema.replace('"', "\"\""))
}

/// Returns the expression of a time in milliseconds since 1970. Infinite times are those far away, which are clamped later.
/// Of a column without a time zone, the time is taken as UTC, which the servers write.
pub(crate) fn millis(column: &str) -> String {
    format!(
        "CASE {column} WHEN 'infinity' THEN 9223372036854775807 WHEN '-infinity' THEN -9223372036854775807 \
         ELSE floor(extract(epoch FROM {column}) * 1000)::bigint END"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn required() -> impl Iterator<Item = (String, String)> {
        REQUIRED.iter().map(|(table, column)| ((*table).to_owned(), (*column).to_owned()))
    }

    #[test]
    fn a_database_of_another_program_is_refused_and_the_missing_table_named() {
        assert!(Layout::new(required(), "public").is_ok());
        let Err(error) = Layout::new(required().filter(|(table, _)| table != "api_tokens"), "flags") else {
            panic!("it lacks a table");
        };
        let text = error.to_string();
        assert!(text.contains("api_tokens") && text.contains("flags") && text.contains("--schema"), "{text}");
    }

    #[test]
    fn the_version_is_told_by_columns() {
        let with = |more: &[(&str, &str)]| {
            let more = more.iter().map(|(table, column)| ((*table).to_owned(), (*column).to_owned()));
            Layout::new(required().chain(more), "public").map(|layout| layout.version()).expect("a layout")
        };
        assert_eq!(with(&[]), "5.0 or earlier");
        assert_eq!(with(&[("api_tokens", "token_name"), ("projects", "archived_at")]), "6 or 7");
        assert_eq!(with(&[("api_tokens_v2", "selector"), ("users", "updated_at")]), "8.1 or later");
    }
}
