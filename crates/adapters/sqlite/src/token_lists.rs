//! The statements that find tokens by any filter, in any order.
//!
//! A list costs about the same however many tokens there are: where a filter leaves few of them, its index finds those
//! and they are sorted; where each leaves many, the index of the order is walked, and a page is full soon.

use diesel::{
    BoolExpressionMethods, ExpressionMethods, QueryDsl, QueryResult, SelectableHelper, SqliteConnection,
    define_sql_function,
    dsl::{AsSelect, exists, sql},
    expression::SqlLiteral,
    sql_types::{BigInt, Binary, Text},
    sqlite::Sqlite,
};
use latchkey_domain::{EnvironmentName, TokenKind, TokenName};
use latchkey_ports::{Direction, TokenOrder, TokenQuery};

use crate::{
    paging::{Counted, paged, unindexed},
    rows::TokenRow,
    schema::{api_token_projects, api_tokens},
};

define_sql_function! {
    /// Where a text is in another, from 1; 0 where it is not.
    fn instr(whole: Text, part: Text) -> Integer;
}

/// Fewer tokens than this are few: sorted within milliseconds. Of a million tokens, so many are met as quickly.
const FEW: u32 = 10_000;

/// Admin, client and frontend.
const ALL_KINDS: usize = 3;

type Tokens<'a> = api_tokens::BoxedQuery<'a, Sqlite>;
type TokenRows<'a> =
    api_tokens::BoxedQuery<'a, Sqlite, <AsSelect<TokenRow, Sqlite> as diesel::Expression>::SqlType>;
type TokenIds<'a> = api_tokens::BoxedQuery<'a, Sqlite, Binary>;

/// A filter that has an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    Project,
    Name,
    Expired,
    Environment,
    Kind,
}

impl Filter {
    /// In the order in which they are likely to leave few tokens.
    pub(crate) const ALL: [Self; 5] =
        [Self::Project, Self::Name, Self::Expired, Self::Environment, Self::Kind];

    /// Whether the query asks for one thing under this filter.
    fn is_in(self, query: &TokenQuery) -> bool {
        match self {
            Self::Project => query.project.is_some(),
            Self::Name => query.name.is_some(),
            Self::Expired => query.expired.is_some(),
            Self::Environment => query.environment.is_some(),
            Self::Kind => query.kinds.len() == 1,
        }
    }

    /// The first filter of the query that leaves few tokens.
    pub(crate) fn that_leaves_few(
        connection: &mut SqliteConnection,
        query: &TokenQuery,
    ) -> QueryResult<Option<Self>> {
        for filter in Self::ALL.into_iter().filter(|filter| filter.is_in(query)) {
            if Counted(filter.alone(query)).number(connection)? < FEW.into() {
                return Ok(Some(filter));
            }
        }
        Ok(None)
    }

    /// The ids of tokens that this filter leaves, as many as are not few any more.
    pub(crate) fn alone(self, query: &TokenQuery) -> TokenIds<'_> {
        self.narrow(api_tokens::table.into_boxed(), query, true).select(api_tokens::id).limit(FEW.into())
    }

    /// The tokens that this filter leaves, found by its index or not.
    fn narrow<'a>(self, tokens: Tokens<'a>, query: &'a TokenQuery, indexed: bool) -> Tokens<'a> {
        match self {
            Self::Project => match query.project.as_ref() {
                Some(project) => of_project(tokens, project.as_str(), indexed),
                None => tokens,
            },
            Self::Name => match query.name.as_ref().map(TokenName::as_str) {
                Some(name) if indexed => tokens.filter(api_tokens::name.eq(name)),
                Some(name) => tokens.filter(unindexed(api_tokens::name).eq(name)),
                None => tokens,
            },
            Self::Expired => match query.expired {
                Some((true, at)) if indexed => tokens.filter(api_tokens::ends_at.le(at.millis())),
                Some((false, at)) if indexed => tokens.filter(api_tokens::ends_at.gt(at.millis())),
                Some((true, at)) => tokens.filter(unindexed(api_tokens::ends_at).le(at.millis())),
                Some((false, at)) => tokens.filter(unindexed(api_tokens::ends_at).gt(at.millis())),
                None => tokens,
            },
            Self::Environment => match query.environment.as_ref().map(EnvironmentName::as_str) {
                Some(name) if indexed => tokens.filter(api_tokens::environment.eq(name)),
                Some(name) => tokens.filter(unindexed(api_tokens::environment).eq(name)),
                None => tokens,
            },
            // Also then where somebody wrote a kind that there is not: the list says so.
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

/// From the links to the tokens, or from each token to its link.
fn of_project<'a>(tokens: Tokens<'a>, project: &'a str, indexed: bool) -> Tokens<'a> {
    let links = api_token_projects::table.filter(api_token_projects::project_id.eq(project));
    if indexed {
        tokens.filter(api_tokens::id.eq_any(links.select(api_token_projects::token_id)))
    } else {
        tokens.filter(exists(links.filter(api_token_projects::token_id.eq(api_tokens::id))))
    }
}

/// The tokens asked for. The first filter that leaves few, where there is one, finds them; else the order does.
pub(crate) fn list(query: &TokenQuery, few: Option<Filter>) -> TokenRows<'_> {
    let tokens = Filter::ALL.into_iter().fold(api_tokens::table.into_boxed(), |tokens, filter| {
        filter.narrow(tokens, query, few == Some(filter))
    });
    let tokens = without_index(tokens, query);
    // The other indexes have the tokens of one value, or the links of one project, by id.
    let by_id = query.order == TokenOrder::CreatedAt && few != Some(Filter::Expired);
    paged(ordered(tokens, query, few.is_some() && !by_id), query.page).select(TokenRow::as_select())
}

/// The filters that have no index of their own.
fn without_index<'a>(mut tokens: Tokens<'a>, query: &'a TokenQuery) -> Tokens<'a> {
    if let Some(text) = &query.name_contains {
        tokens = tokens.filter(instr(api_tokens::name, text).gt(0));
    }
    if let Some(since) = query.unused_since.map(latchkey_domain::Timestamp::millis) {
        let unused = unindexed(api_tokens::seen_at).is_null().or(unindexed(api_tokens::seen_at).lt(since));
        tokens = tokens.filter(api_tokens::created_at.lt(since)).filter(unused);
    }
    let Some(after) = query.after.filter(|_| query.order == TokenOrder::CreatedAt) else { return tokens };
    let after = after.as_uuid().as_bytes().to_vec();
    match query.direction {
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

/// Sorted, or in the order of an index.
fn ordered<'a>(tokens: Tokens<'a>, query: &TokenQuery, sorted: bool) -> Tokens<'a> {
    let direction = query.direction;
    if sorted {
        // No matter what type the key has: it is for sorting alone.
        let key: SqlLiteral<BigInt> = sql(match query.order {
            TokenOrder::CreatedAt => "+id",
            TokenOrder::Name => "+name",
            TokenOrder::ExpiresAt => "+ends_at",
            TokenOrder::SeenAt => "+seen_at",
        });
        return ordered!(tokens, direction, key.clone(), unindexed(api_tokens::id));
    }
    match query.order {
        TokenOrder::CreatedAt => ordered!(tokens, direction, api_tokens::id),
        TokenOrder::Name => ordered!(tokens, direction, api_tokens::name, api_tokens::id),
        TokenOrder::ExpiresAt => ordered!(tokens, direction, api_tokens::ends_at, api_tokens::id),
        // SQLite puts NULL before all else.
        TokenOrder::SeenAt => ordered!(tokens, direction, api_tokens::seen_at, api_tokens::id),
    }
}
