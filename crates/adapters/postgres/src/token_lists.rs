//! The statements that list API tokens by what is asked of them. They are made in one function, which the test of query
//! plans calls as well.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, IntoSql, NullableExpressionMethods, PgSortExpressionMethods,
    QueryDsl,
    dsl::{Select, array, not, sql},
    pg::Pg,
    sql_types::{Array, Nullable, Text},
};
use latchkey_domain::{EnvironmentName, ProjectId, TokenKind, TokenName};
use latchkey_ports::{AttributeFilter, Direction, ReadableTokens, TokenOrder, TokenQuery};
use latchkey_sql::{
    columns::{DbId, DbTime, Json, NewJson},
    queries::{page_limit, page_offset},
    schema::{api_token_projects, token_rows},
};

use crate::{
    connection::Unprepared,
    token_queries::{TOKEN_COLUMNS, TokenColumns, token_ids_of_project},
};

diesel::define_sql_function! {
    /// Where the part begins in the whole, from 1; 0 where it does not.
    fn strpos(whole: Text, part: Text) -> diesel::sql_types::Integer;
}

diesel::define_sql_function! {
    /// The text of a member of a JSON object; NULL if there is no such member.
    fn jsonb_extract_path_text(object: latchkey_sql::columns::Json, member: Text) -> diesel::sql_types::Nullable<Text>;
}

// What is at a path of names in JSON; NULL if there is nothing.
diesel::infix_operator!(JsonAt, " #> ", Nullable<Json>, backend: Pg);

/// The smallest id of the projects that a token names; NULL for one of all projects.
const SMALLEST_PROJECT: &str =
    "(SELECT min(links.project_id) FROM api_token_projects AS links WHERE links.token_id = token_rows.id)";

type Tokens<'q> = token_rows::BoxedQuery<'q, Pg>;
type Listed<'q> = Unprepared<Select<Tokens<'q>, TokenColumns>>;

/// The tokens asked for; `None` where there can be none.
pub(crate) fn token_list(query: &TokenQuery) -> Option<Listed<'_>> {
    let tokens = of_kinds(token_rows::table.into_boxed(), query)?;
    let tokens = in_places(readable(tokens, query), query);
    let tokens = named(tokens, query)?;
    let tokens = ordered(used(tokens, query), query);
    let tokens = tokens.limit(page_limit(query.page)).offset(page_offset(query.page));
    Some(Unprepared(tokens.select(TOKEN_COLUMNS)))
}

/// Of one kind, an index gives the tokens in order; of all, there is nothing to look for.
fn of_kinds<'q>(tokens: Tokens<'q>, query: &'q TokenQuery) -> Option<Tokens<'q>> {
    let kinds: Vec<&str> = query.kinds.iter().map(|kind| TokenKind::as_str(*kind)).collect();
    match kinds.as_slice() {
        [] => None,
        [kind] => Some(tokens.filter(token_rows::kind.eq(*kind))),
        [_, _, _, ..] => Some(tokens),
        _ => Some(tokens.filter(token_rows::kind.eq_any(kinds))),
    }
}

/// Of several projects, the planner chooses whether to look for their tokens, or at the projects of each token in order.
fn readable<'q>(tokens: Tokens<'q>, query: &'q TokenQuery) -> Tokens<'q> {
    match &query.readable {
        ReadableTokens::All => tokens,
        ReadableTokens::OfAnyProject => tokens.filter(not(token_rows::all_projects)),
        ReadableTokens::OfProjects(projects) => {
            let ids: Vec<&str> = projects.iter().map(ProjectId::as_str).collect();
            let links = api_token_projects::table.filter(api_token_projects::project_id.eq_any(ids));
            tokens.filter(token_rows::id.eq_any(links.select(api_token_projects::token_id)))
        }
    }
}

fn in_places<'q>(mut tokens: Tokens<'q>, query: &'q TokenQuery) -> Tokens<'q> {
    if let Some(project) = query.project.as_ref().map(ProjectId::as_str) {
        tokens = tokens.filter(token_rows::id.eq_any(array(token_ids_of_project(project))));
    }
    if query.of_all_projects {
        // The condition of a partial index.
        tokens = tokens.filter(token_rows::all_projects);
    }
    if let Some(environment) = query.environment.as_ref().map(EnvironmentName::as_str) {
        tokens = tokens.filter(token_rows::environment.eq(environment));
    }
    tokens
}

fn named<'q>(mut tokens: Tokens<'q>, query: &'q TokenQuery) -> Option<Tokens<'q>> {
    if let Some(name) = query.name.as_ref().map(TokenName::as_str) {
        tokens = tokens.filter(token_rows::name.eq(name));
    }
    // Text of PostgreSQL contains no NUL.
    if query.name_contains.as_ref().is_some_and(|text| text.contains('\0')) {
        return None;
    }
    if let Some(part) = query.name_contains.as_deref() {
        tokens = tokens.filter(strpos(token_rows::name, part).gt(0));
    }
    query.attributes.iter().try_fold(tokens, with_attribute)
}

/// By a condition on the attributes; `None` where none can meet it.
fn with_attribute<'q>(tokens: Tokens<'q>, filter: &'q AttributeFilter) -> Option<Tokens<'q>> {
    Some(match filter {
        AttributeFilter::Contains { text, .. } if text.contains('\0') => return None,
        AttributeFilter::Contains { name, text } => {
            let attribute = jsonb_extract_path_text(token_rows::attributes, *name);
            tokens.filter(strpos(attribute.assume_not_null(), text.as_str()).gt(0))
        }
        AttributeFilter::IsSet { name } => {
            tokens.filter(jsonb_extract_path_text(token_rows::attributes, *name).is_not_null())
        }
        AttributeFilter::Is { path, values } => {
            let values = values.iter().filter(|value| value.as_str().is_none_or(|text| !text.contains('\0')));
            let values: Vec<_> = values.map(NewJson).collect();
            let found = JsonAt::new(token_rows::attributes, path.as_slice().into_sql::<Array<Text>>());
            tokens.filter(found.eq_any(values))
        }
    })
}

/// By the status, the end and the last use.
fn used<'q>(mut tokens: Tokens<'q>, query: &'q TokenQuery) -> Tokens<'q> {
    tokens = match query.enabled {
        Some(true) => tokens.filter(token_rows::enabled),
        Some(false) => tokens.filter(not(token_rows::enabled)),
        None => tokens,
    };
    tokens = match (query.ends.after.map(DbTime::from), query.ends.by.map(DbTime::from)) {
        (None, None) => tokens,
        (None, Some(by)) => tokens.filter(token_rows::expires_at.le(by)),
        (Some(after), None) => {
            tokens.filter(token_rows::expires_at.is_null().or(token_rows::expires_at.gt(after)))
        }
        // A token without an end is none of these, so the others are one piece of an index.
        (Some(after), Some(by)) => {
            tokens.filter(token_rows::expires_at.gt(after)).filter(token_rows::expires_at.le(by))
        }
    };
    if let Some(since) = query.unused_since.map(DbTime::from) {
        tokens = tokens
            .filter(token_rows::created_at.lt(since))
            .filter(token_rows::seen_at.is_null().or(token_rows::seen_at.lt(since)));
    }
    tokens
}

/// Orders by these keys. Where nothing else is said, PostgreSQL takes NULL for greater than anything.
macro_rules! ordered {
    ($tokens:expr, $direction:expr, $($key:expr),+) => {
        match $direction {
            Direction::Ascending => $tokens.order(($($key.asc(),)+)),
            Direction::Descending => $tokens.order(($($key.desc(),)+)),
        }
    };
}

/// Orders by this key, of which NULL is the least, and then by id.
macro_rules! ordered_from_null {
    ($tokens:expr, $direction:expr, $key:expr) => {
        match $direction {
            Direction::Ascending => $tokens.order(($key.asc().nulls_first(), token_rows::id.asc())),
            Direction::Descending => $tokens.order(($key.desc().nulls_last(), token_rows::id.desc())),
        }
    };
}

/// As the indexes run.
fn ordered<'q>(mut tokens: Tokens<'q>, query: &'q TokenQuery) -> Tokens<'q> {
    let direction = query.direction;
    if let (Some(after), TokenOrder::CreatedAt) = (query.after, query.order) {
        tokens = match direction {
            Direction::Ascending => tokens.filter(token_rows::id.gt(DbId::from(after))),
            Direction::Descending => tokens.filter(token_rows::id.lt(DbId::from(after))),
        };
    }
    match query.order {
        TokenOrder::CreatedAt => ordered!(tokens, direction, token_rows::id),
        TokenOrder::Name => ordered!(tokens, direction, token_rows::name, token_rows::id),
        TokenOrder::Kind => ordered!(tokens, direction, token_rows::kind, token_rows::id),
        TokenOrder::Environment => {
            ordered_from_null!(tokens, direction, sql::<Nullable<Text>>("environment COLLATE \"C\""))
        }
        TokenOrder::Project => ordered_from_null!(tokens, direction, sql::<Nullable<Text>>(SMALLEST_PROJECT)),
        TokenOrder::Owner => ordered_from_null!(tokens, direction, token_rows::owner),
        TokenOrder::Status => {
            ordered!(tokens, direction, token_rows::enabled, token_rows::expires_at, token_rows::id)
        }
        TokenOrder::ExpiresAt => ordered!(tokens, direction, token_rows::expires_at, token_rows::id),
        TokenOrder::SeenAt => ordered_from_null!(tokens, direction, token_rows::seen_at),
    }
}
