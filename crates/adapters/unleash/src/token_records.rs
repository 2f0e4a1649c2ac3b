//! Rows of API tokens, of both forms, as plain records, and the statements that read them.
//!
//! The first form has its secret in the database. Of the second form (8.1), the database has a selector and the SHA-256 of the
//! whole secret.

use tokio_postgres::{Error, Row};

use crate::{
    layout::{Layout, millis},
    records::Record,
};

/// What the rows of both forms say of a token.
#[derive(Debug)]
pub(crate) struct TokenRecord {
    pub(crate) name: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) created: Option<i64>,
    pub(crate) expires: Option<i64>,
    pub(crate) seen: Option<i64>,
    pub(crate) projects: Vec<String>,
    pub(crate) created_by: Option<String>,
}

impl TokenRecord {
    /// Reads the columns that both statements begin with.
    fn read(row: &Row) -> Result<Self, Error> {
        // Before 5.9, a token may have the same project twice. To sort them here costs less than in the aggregate.
        let mut projects: Vec<String> = row.try_get(6)?;
        projects.sort_unstable();
        projects.dedup();
        Ok(Self {
            name: row.try_get(0)?,
            kind: row.try_get(1)?,
            environment: row.try_get(2)?,
            created: row.try_get(3)?,
            expires: row.try_get(4)?,
            seen: row.try_get(5)?,
            projects,
            created_by: row.try_get(7)?,
        })
    }
}

/// A row of `api_tokens`. It has a secret.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is what the statement says of a row, and they are independent"
)]
pub(crate) struct SecretTokenRecord {
    pub(crate) token: TokenRecord,
    pub(crate) secret: String,
    pub(crate) alias: Option<String>,
    /// Whether Unleash issued it to an Edge.
    pub(crate) is_of_edge: bool,
    /// Whether a token that works has this alias as its secret, or has a better claim to it.
    pub(crate) alias_is_taken: bool,
    /// Whether the secret of this expired token is the alias of another one.
    pub(crate) is_alias: bool,
    /// Whether the server looks for secrets of the second form in their own table alone.
    pub(crate) second_form_is_elsewhere: bool,
}

impl Record for SecretTokenRecord {
    const ORDER: &str = " ORDER BY t.created_at, t.secret";

    fn select(layout: &Layout) -> Option<String> {
        let name =
            layout.or(("api_tokens", "token_name"), "coalesce(t.token_name, t.username)", "t.username");
        let (creator, creators) = if layout.has("api_tokens", "created_by_user_id") {
            (
                "coalesce(u.email, u.username, u.name)::text",
                "LEFT JOIN users AS u ON u.id = t.created_by_user_id AND u.id > 0",
            )
        } else {
            ("NULL::text", "")
        };
        // With an index, tokens are read in the order in which they are kept, which is nearly that of their creation. Most have one
        // project, which a join brings in a third of the time of a lookup for each token.
        let (projects, all_projects) = if layout.is_indexed("api_token_project", "secret") {
            (
                "CASE WHEN m.secret IS NOT NULL \
                        THEN ARRAY(SELECT p.project::text FROM api_token_project AS p WHERE p.secret = t.secret) \
                    WHEN l.project IS NULL THEN '{}' ELSE ARRAY[l.project::text] END",
                "LEFT JOIN (SELECT secret FROM api_token_project GROUP BY secret HAVING count(*) > 1) AS m \
                    ON m.secret = t.secret \
                 LEFT JOIN api_token_project AS l ON l.secret = t.secret AND m.secret IS NULL",
            )
        } else {
            (
                "coalesce(p.projects, '{}')",
                "LEFT JOIN (SELECT secret, array_agg(project::text) AS projects \
                    FROM api_token_project GROUP BY secret) AS p ON p.secret = t.secret",
            )
        };
        let of_edge = layout.or(
            ("edge_api_tokens", "token_value"),
            "EXISTS (SELECT FROM edge_api_tokens AS e WHERE e.token_value = t.secret)",
            "false",
        );
        let works = |table: &str| format!("({table}.expires_at IS NULL OR {table}.expires_at > now())");
        Some(format!(
            "SELECT ({name})::text, t.type::text, t.environment::text, {created}, {expires}, {seen}, \
                {projects}, {creator}, t.secret, t.alias::text, {of_edge}, \
                coalesce(a.place > 1, false) OR s.secret IS NOT NULL, \
                x.alias IS NOT NULL AND NOT {token_works}, {elsewhere} \
             FROM api_tokens AS t {all_projects} \
             LEFT JOIN (SELECT o.secret, \
                row_number() OVER (PARTITION BY o.alias ORDER BY {other_works} DESC, o.created_at, o.secret) AS place \
                FROM api_tokens AS o WHERE o.alias IS NOT NULL) AS a ON a.secret = t.secret \
             LEFT JOIN (SELECT o.secret FROM api_tokens AS o \
                INNER JOIN api_tokens AS s ON s.secret = o.alias AND s.secret <> o.secret AND {shadow_works} \
                WHERE o.alias IS NOT NULL) AS s ON s.secret = t.secret \
             LEFT JOIN (SELECT DISTINCT o.alias FROM api_tokens AS o WHERE o.alias IS NOT NULL AND o.alias <> o.secret) AS x \
                ON x.alias = t.secret \
             {creators}",
            created = millis("t.created_at"),
            expires = millis("t.expires_at"),
            seen = millis("t.seen_at"),
            elsewhere = layout.has("api_tokens_v2", "selector"),
            token_works = works("t"),
            other_works = works("o"),
            shadow_works = works("s"),
        ))
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            token: TokenRecord::read(row)?,
            secret: row.try_get(8)?,
            alias: row.try_get(9)?,
            is_of_edge: row.try_get(10)?,
            alias_is_taken: row.try_get(11)?,
            is_alias: row.try_get(12)?,
            second_form_is_elsewhere: row.try_get(13)?,
        })
    }
}

/// A row of `api_tokens_v2`: a token of the second form.
#[derive(Debug)]
pub(crate) struct SelectorTokenRecord {
    pub(crate) token: TokenRecord,
    pub(crate) selector: String,
    /// The SHA-256 of the secret.
    pub(crate) verifier: String,
    /// Whether another row has the same verifier.
    pub(crate) verifier_is_repeated: bool,
    /// Whether Unleash issued it to an Edge, and lists it nowhere.
    pub(crate) is_of_edge: bool,
    /// Whether the events about its creation say that it was made for all projects.
    pub(crate) was_for_all: bool,
}

impl Record for SelectorTokenRecord {
    const ORDER: &str = " ORDER BY t.created_at, t.selector";

    fn select(layout: &Layout) -> Option<String> {
        if !layout.has("api_tokens_v2", "selector") {
            return None;
        }
        let of_edge = layout.or(("api_tokens_v2", "user_created"), "NOT t.user_created", "false");
        // From 8.2 on, an event has the selector. Before, all events count that can be about the token: those about one of the
        // same name and environment at that time.
        let (for_all, creator, creations) = if layout.has("events", "data") {
            (
                "coalesce(c.for_all, false)",
                "c.creator",
                "LEFT JOIN (SELECT m.selector, bool_and(coalesce(m.data->>'projects' = '[\"*\"]', false)) AS for_all, \
                    CASE WHEN count(*) = 1 AND min(m.created_by_user_id) > 0 THEN min(m.created_by) END AS creator \
                    FROM (SELECT o.selector, e.data, e.created_by, e.created_by_user_id \
                        FROM api_tokens_v2 AS o INNER JOIN events AS e ON e.data->>'selector' = o.selector \
                        WHERE e.type = 'api-token-created' \
                    UNION ALL SELECT o.selector, e.data, e.created_by, e.created_by_user_id \
                        FROM api_tokens_v2 AS o INNER JOIN events AS e \
                        ON e.data->>'tokenName' = o.token_name AND e.environment = o.environment \
                        WHERE e.type = 'api-token-created' AND e.data->>'selector' IS NULL \
                        AND e.created_at BETWEEN o.created_at - interval '1 minute' AND o.created_at + interval '1 minute' \
                    ) AS m GROUP BY m.selector) AS c ON c.selector = t.selector",
            )
        } else {
            ("false", "NULL::text", "")
        };
        Some(format!(
            "SELECT t.token_name::text, t.type::text, t.environment::text, {created}, {expires}, {seen}, \
                coalesce(p.projects, '{{}}'), ({creator})::text, t.selector, t.verifier, \
                count(*) OVER (PARTITION BY t.verifier) > 1, {of_edge}, {for_all} \
             FROM api_tokens_v2 AS t \
             LEFT JOIN (SELECT selector, array_agg(project::text) AS projects \
                FROM api_tokens_v2_project GROUP BY selector) AS p ON p.selector = t.selector \
             {creations}",
            created = millis("t.created_at"),
            expires = millis("t.expires_at"),
            seen = millis("t.seen_at"),
        ))
    }

    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            token: TokenRecord::read(row)?,
            selector: row.try_get(8)?,
            verifier: row.try_get(9)?,
            verifier_is_repeated: row.try_get(10)?,
            is_of_edge: row.try_get(11)?,
            was_for_all: row.try_get(12)?,
        })
    }
}
