//! The statements that list tokens by any filters, in any order.
//!
//! A page costs about the same however many tokens there are: if a filter leaves few of them, its index finds those and
//! they are sorted; if each filter leaves many, the index of the order is read until the page is full. No index has the order of
//! projects, for which all tokens that are left are sorted.
//!
//! The choice is made here and not by SQLite's planner. `PRAGMA optimize` keeps the average number of rows per key, and not
//! that some values are rare (a full `ANALYZE` would, and locks out writers while it reads all indexes). With such averages
//! and plain statements, of 300,000 tokens the first page of a common environment by name took 650 ms, and that of 300
//! expired tokens 620 to 730 ms. The choice below reads at most some ten thousand index entries for each filter.

use std::collections::BTreeSet;

use diesel::{
    ExpressionMethods, NullableExpressionMethods, QueryDsl, QueryResult, SqliteConnection,
    dsl::{SqlTypeOf, exists, sql},
    sql_types::{Nullable, Text},
    sqlite::Sqlite,
};
use latchkey_domain::{EnvironmentName, ProjectId, TokenKind, TokenName};
use latchkey_ports::{AttributeFilter, Direction, ReadableTokens, TokenOrder, TokenQuery};
use latchkey_sql::{
    columns::{DbId, DbTime, Id},
    schema::{api_token_projects, api_tokens},
};
use serde_json::Value;

use crate::{
    paging::{count, instr, json_at, json_extract, paged, unindexed},
    token_queries::{TOKEN_COLUMNS, TokenColumns},
};

/// Fewer tokens than this are sorted within milliseconds.
const FEW: u32 = 10_000;

/// The smallest id of the projects that a token names; NULL for one of all projects.
const SMALLEST_PROJECT: &str =
    "(SELECT min(links.project_id) FROM api_token_projects AS links WHERE links.token_id = api_tokens.id)";

/// Admin, client and frontend.
const ALL_KINDS: usize = 3;

type Tokens<'a> = api_tokens::BoxedQuery<'a, Sqlite>;
type TokenRows<'a> = api_tokens::BoxedQuery<'a, Sqlite, SqlTypeOf<TokenColumns>>;
type TokenIds<'a> = api_tokens::BoxedQuery<'a, Sqlite, Id>;
type LinkedTokens<'a> = api_token_projects::BoxedQuery<'a, Sqlite, Id>;

/// A filter that has an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    Project,
    Readable,
    AllProjects,
    Name,
    Enabled,
    Expired,
    Unused,
    Environment,
    Kind,
}

impl Filter {
    /// The most selective first, as a rule.
    pub(crate) const ALL: [Self; 9] = [
        Self::Project,
        Self::Readable,
        Self::AllProjects,
        Self::Name,
        Self::Enabled,
        Self::Expired,
        Self::Unused,
        Self::Environment,
        Self::Kind,
    ];

    /// Whether the query uses this filter.
    fn is_in(self, query: &TokenQuery) -> bool {
        match self {
            Self::Project => query.project.is_some(),
            Self::Readable => matches!(query.readable, ReadableTokens::OfProjects(_)),
            Self::AllProjects => query.of_all_projects,
            Self::Name => query.name.is_some(),
            // Nearly all tokens are enabled, so only the others are worth a look.
            Self::Enabled => query.enabled == Some(false),
            Self::Expired => query.ends.is_set(),
            Self::Unused => query.unused_since.is_some(),
            Self::Environment => query.environment.is_some(),
            Self::Kind => query.kinds.len() == 1,
        }
    }

    /// The first filter of the query that leaves few tokens.
    pub(crate) fn that_leaves_few(
        connection: &mut SqliteConnection,
        query: &TokenQuery,
    ) -> QueryResult<Option<Self>> {
        for filter in Self::ALL {
            if filter.is_in(query) && !filter.is_range(query) {
                let number = match (filter, &query.project, &query.readable) {
                    (Self::Project, Some(project), _) => count(connection, links(project).limit(FEW.into())),
                    (Self::Readable, _, ReadableTokens::OfProjects(projects)) => {
                        count(connection, links_of_any(projects).limit(FEW.into()))
                    }
                    _ => count(connection, filter.ids(query).limit(FEW.into())),
                };
                if number? < FEW.into() {
                    return Ok(Some(filter));
                }
            }
        }
        Ok(None)
    }

    /// Whether what the filter selects is a range of the index of the order.
    fn is_range(self, query: &TokenQuery) -> bool {
        match (query.order, self) {
            (TokenOrder::ExpiresAt, Self::Expired)
            | (TokenOrder::SeenAt, Self::Unused)
            | (TokenOrder::Environment, Self::Environment)
            | (TokenOrder::Status, Self::Enabled) => true,
            (TokenOrder::Status, Self::Expired) => query.enabled.is_some(),
            (TokenOrder::Kind, Self::Kind) => query.kinds.len() == 1,
            _ => false,
        }
    }

    /// The ids of all tokens that this filter leaves, in its index.
    pub(crate) fn ids(self, query: &TokenQuery) -> TokenIds<'_> {
        self.narrow(api_tokens::table.into_boxed(), query, true).select(api_tokens::id)
    }

    /// Narrows tokens by this filter, with its index or without.
    fn narrow<'a>(self, tokens: Tokens<'a>, query: &'a TokenQuery, indexed: bool) -> Tokens<'a> {
        match self {
            Self::Project => match &query.project {
                Some(project) => {
                    let link = api_token_projects::table
                        .filter(api_token_projects::project_id.eq(project.as_str()))
                        .filter(api_token_projects::token_id.eq(api_tokens::id));
                    tokens.filter(exists(link))
                }
                None => tokens,
            },
            Self::Readable => match &query.readable {
                ReadableTokens::All => tokens,
                ReadableTokens::OfAnyProject => tokens.filter(unindexed(api_tokens::all_projects).eq(false)),
                ReadableTokens::OfProjects(projects) => {
                    // Looks at the projects of each token, which are few; those that are readable may be many.
                    let ids: Vec<&str> = projects.iter().map(ProjectId::as_str).collect();
                    let link = api_token_projects::table
                        .filter(api_token_projects::token_id.eq(api_tokens::id))
                        .filter(unindexed(api_token_projects::project_id).eq_any(ids));
                    tokens.filter(exists(link))
                }
            },
            Self::AllProjects if !query.of_all_projects => tokens,
            Self::AllProjects if indexed => tokens.filter(api_tokens::all_projects),
            Self::AllProjects => tokens.filter(unindexed(api_tokens::all_projects)),
            Self::Name => match query.name.as_ref().map(TokenName::as_str) {
                Some(name) if indexed => tokens.filter(api_tokens::name.eq(name)),
                Some(name) => tokens.filter(unindexed(api_tokens::name).eq(name)),
                None => tokens,
            },
            Self::Enabled => match query.enabled {
                Some(enabled) if indexed => tokens.filter(api_tokens::enabled.eq(enabled)),
                Some(enabled) => tokens.filter(unindexed(api_tokens::enabled).eq(enabled)),
                None => tokens,
            },
            Self::Expired => {
                let tokens = match query.ends.after.map(DbTime::from) {
                    Some(at) if indexed => tokens.filter(api_tokens::ends_at.gt(at)),
                    Some(at) => tokens.filter(unindexed(api_tokens::ends_at).gt(at)),
                    None => tokens,
                };
                match query.ends.by.map(DbTime::from) {
                    Some(at) if indexed => tokens.filter(api_tokens::ends_at.le(at)),
                    Some(at) => tokens.filter(unindexed(api_tokens::ends_at).le(at)),
                    None => tokens,
                }
            }
            Self::Unused => match query.unused_since.map(DbTime::from) {
                Some(since) if indexed => tokens.filter(api_tokens::used_at.lt(since)),
                Some(since) => tokens.filter(unindexed(api_tokens::used_at).lt(since)),
                None => tokens,
            },
            Self::Environment => match query.environment.as_ref().map(EnvironmentName::as_str) {
                Some(name) if indexed => tokens.filter(api_tokens::environment.eq(name)),
                Some(name) => tokens.filter(unindexed(api_tokens::environment).eq(name)),
                None => tokens,
            },
            // An unknown kind in a row is then reported as an inconsistency.
            Self::Kind if query.kinds.len() == ALL_KINDS => tokens,
            Self::Kind => {
                let kinds: Vec<&str> = query.kinds.iter().copied().map(TokenKind::as_str).collect();
                if indexed {
                    tokens.filter(api_tokens::kind.eq_any(kinds))
                } else {
                    tokens.filter(unindexed(api_tokens::kind).eq_any(kinds))
                }
            }
        }
    }
}

/// The ids of a project's tokens.
pub(crate) fn links(project: &ProjectId) -> LinkedTokens<'_> {
    api_token_projects::table
        .filter(api_token_projects::project_id.eq(project.as_str()))
        .select(api_token_projects::token_id)
        .into_boxed()
}

/// The ids of the tokens of these projects; that of a token of several of them occurs several times.
pub(crate) fn links_of_any(projects: &BTreeSet<ProjectId>) -> LinkedTokens<'_> {
    let ids: Vec<&str> = projects.iter().map(ProjectId::as_str).collect();
    api_token_projects::table
        .filter(api_token_projects::project_id.eq_any(ids))
        .select(api_token_projects::token_id)
        .into_boxed()
}

/// Selects the page of a query: among the few tokens that a filter leaves, or else in the index of the order.
pub(crate) fn token_list(query: &TokenQuery, few: Option<Filter>) -> TokenRows<'_> {
    let mut tokens = api_tokens::table.into_boxed();
    for filter in Filter::ALL.into_iter().filter(|filter| few != Some(*filter)) {
        let indexed = few.is_none() && filter.is_range(query);
        tokens = filter.narrow(tokens, query, indexed);
    }
    // A list of ids and not the filter itself, which the planner might still expect to leave many.
    tokens = match (few, &query.project, &query.readable) {
        (Some(Filter::Project), Some(project), _) => tokens.filter(api_tokens::id.eq_any(links(project))),
        (Some(Filter::Readable), _, ReadableTokens::OfProjects(projects)) => {
            tokens.filter(api_tokens::id.eq_any(links_of_any(projects)))
        }
        (Some(filter), ..) => tokens.filter(api_tokens::id.eq_any(filter.ids(query))),
        (None, ..) => tokens,
    };
    tokens = ordered(without_index(tokens, query, few.is_some()), query, few.is_some());
    paged(tokens, query.page).select(TOKEN_COLUMNS)
}

/// The filters that have no index of their own.
fn without_index<'a>(mut tokens: Tokens<'a>, query: &'a TokenQuery, few: bool) -> Tokens<'a> {
    if let Some(text) = &query.name_contains {
        tokens = tokens.filter(instr(api_tokens::name.nullable(), text).gt(0));
    }
    for filter in &query.attributes {
        tokens = match filter {
            AttributeFilter::Contains { name, text } => {
                let attribute = json_extract(api_tokens::attributes, format!("$.{name}"));
                tokens.filter(instr(attribute, text).gt(0))
            }
            AttributeFilter::IsSet { name } => {
                let attribute = json_extract(api_tokens::attributes, format!("$.{name}"));
                tokens.filter(attribute.is_not_null())
            }
            AttributeFilter::Is { path, values } => {
                let path = format!("$.\"{}\"", path.join("\".\""));
                let values: Vec<String> = values.iter().map(Value::to_string).collect();
                tokens.filter(json_at(api_tokens::attributes, path).eq_any(values))
            }
        };
    }
    if let Some(since) = query.unused_since {
        tokens = tokens.filter(api_tokens::created_at.lt(DbTime::from(since)));
    }
    let Some(after) = query.after.filter(|_| query.order == TokenOrder::CreatedAt) else { return tokens };
    let after = DbId::from(after);
    match query.direction {
        Direction::Ascending if few => tokens.filter(unindexed(api_tokens::id).gt(after)),
        Direction::Descending if few => tokens.filter(unindexed(api_tokens::id).lt(after)),
        Direction::Ascending => tokens.filter(api_tokens::id.gt(after)),
        Direction::Descending => tokens.filter(api_tokens::id.lt(after)),
    }
}

macro_rules! ordered {
    ($tokens:expr, $direction:expr, $($key:expr),+) => {
        match $direction {
            Direction::Ascending => $tokens.order(($($key.asc(),)+)),
            Direction::Descending => $tokens.order(($($key.desc(),)+)),
        }
    };
}

/// Orders by an index or, if the tokens are few, by sorting. SQLite takes NULL for less than anything.
fn ordered<'a>(tokens: Tokens<'a>, query: &TokenQuery, few: bool) -> Tokens<'a> {
    let direction = query.direction;
    macro_rules! by {
        ($($key:expr),+) => {
            if few {
                ordered!(tokens, direction, $(unindexed($key),)+ api_tokens::id)
            } else {
                ordered!(tokens, direction, $($key,)+ api_tokens::id)
            }
        };
    }
    match query.order {
        // A list of ids is in order too.
        TokenOrder::CreatedAt => ordered!(tokens, direction, api_tokens::id),
        TokenOrder::Name => by!(api_tokens::name),
        TokenOrder::Kind => by!(api_tokens::kind),
        TokenOrder::Environment => by!(api_tokens::environment),
        // No index has this order.
        TokenOrder::Project => {
            ordered!(tokens, direction, sql::<Nullable<Text>>(SMALLEST_PROJECT), api_tokens::id)
        }
        TokenOrder::Owner => by!(api_tokens::owner),
        TokenOrder::Status => by!(api_tokens::enabled, api_tokens::ends_at),
        TokenOrder::ExpiresAt => by!(api_tokens::ends_at),
        TokenOrder::SeenAt => by!(api_tokens::used_at),
    }
}
