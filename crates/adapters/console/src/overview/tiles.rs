//! What needs attention: a count of each, and the list that has exactly these.
//!
//! A view costs about the same however many tokens there are; each tile says below what it reads.

use std::time::Duration;

use latchkey_domain::{Timestamp, TokenKind, TokenStatus};
use latchkey_http::pages::ApiResult;
use latchkey_ports::TokenOrder;
use latchkey_service::{Concern, ReadInstanceTokens, ServiceError, TokenFilter};

use super::{
    address::{EXPIRED_IN_USE, LEAKED, VIOLATIONS, list},
    concern,
};
use crate::{tokens::Reach, visitor::Visitor};

/// The days after which a token counts as unused.
const UNUSED: Duration = Duration::from_secs(90 * 86_400);

/// One thing that needs attention.
pub(super) struct Tile {
    /// The key of its words.
    pub(super) key: &'static str,
    /// Where the list is.
    pub(super) path: String,
    /// `None` if it is not known without reading all tokens.
    pub(super) count: Option<Count>,
}

/// A number of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) number: u64,
    /// Whether there may be more.
    pub(super) has_more: bool,
}

impl Count {
    fn of(number: usize, has_more: bool) -> Self {
        Self { number: u64::try_from(number).unwrap_or(u64::MAX), has_more }
    }

    /// Returns the count of a page: as many as a page may have can be more.
    fn of_page(number: usize) -> Self {
        let count = Self::of(number, false);
        Self { has_more: count.number >= u64::from(TokenFilter::MAX), ..count }
    }

    pub(super) fn shown(self) -> String {
        format!("{}{}", self.number, if self.has_more { "+" } else { "" })
    }
}

impl Tile {
    /// Whether it is to catch the eye.
    pub(super) fn is_pressing(&self) -> bool {
        self.count.is_some_and(|count| count.number > 0)
    }
}

/// Returns the tiles.
pub(super) async fn all(visitor: &Visitor, reach: &Reach, now: Timestamp) -> ApiResult<Vec<Tile>> {
    let root = reach.path();
    let tile = |key, path, count| Tile { key, path, count };
    let mut tiles = vec![
        tile("overview-expiring", format!("{root}?status=expiring"), Some(expiring(visitor, reach).await?)),
        tile(
            "overview-expired-in-use",
            list(EXPIRED_IN_USE, reach, None),
            Some(concerned(visitor, reach, Concern::ExpiredInUse).await?),
        ),
        tile(
            "overview-unused",
            format!("{root}?unused=90&expired=false"),
            unused(visitor, reach, now).await?,
        ),
        tile(
            "overview-leaked",
            list(LEAKED, reach, None),
            Some(concerned(visitor, reach, Concern::Leaked).await?),
        ),
        tile("overview-violations", list(VIOLATIONS, reach, None), violations(visitor, reach).await?),
    ];
    // A token for all projects is in the list of none.
    if *reach == Reach::Instance {
        let path = format!("{root}?attention=all-projects");
        tiles.insert(3, tile("overview-all-projects", path, Some(of_all_projects(visitor, reach).await?)));
    }
    Ok(tiles)
}

/// Reads at most 1,000 tokens, of those that end in this time by the index of ends. Of a project, its tokens.
async fn expiring(visitor: &Visitor, reach: &Reach) -> ApiResult<Count> {
    let status = Some(TokenStatus::Expiring);
    let filter = TokenFilter { status, order: TokenOrder::ExpiresAt, ..few() };
    Ok(Count::of_page(reach.search(visitor, filter).await?.tokens.len()))
}

/// Of all tokens, reads nothing: the process counts them once a minute for its metrics, and until it has, there is no count.
/// Of a project, reads its tokens.
async fn unused(visitor: &Visitor, reach: &Reach, now: Timestamp) -> ApiResult<Option<Count>> {
    if *reach == Reach::Instance {
        let permit = visitor.may::<ReadInstanceTokens>()?;
        let Some(counts) = visitor.use_cases().counted_tokens() else { return Ok(None) };
        let readable = TokenKind::ALL.into_iter().filter(|kind| permit.check_kind(*kind).is_ok());
        let number =
            readable.filter_map(|kind| counts.get(&kind)).map(|counts| counts.unused_for_90_days).sum();
        return Ok(Some(Count { number, has_more: false }));
    }
    let filter = TokenFilter { expired: Some(false), unused_since: now.minus(UNUSED).ok(), ..few() };
    Ok(Some(Count::of_page(reach.search(visitor, filter).await?.tokens.len())))
}

/// Reads at most 1,000 tokens in the index of those for all projects.
async fn of_all_projects(visitor: &Visitor, reach: &Reach) -> ApiResult<Count> {
    let filter = TokenFilter { of_all_projects: true, ..few() };
    Ok(Count::of_page(reach.search(visitor, filter).await?.tokens.len()))
}

/// Reads at most 100 events in the index of kinds, and the tokens that they name by their ids.
async fn concerned(visitor: &Visitor, reach: &Reach, concern: Concern) -> ApiResult<Count> {
    let found = concern::tokens(visitor, reach, concern).await?;
    Ok(Count::of(found.tokens.len(), found.has_more))
}

/// Looks at the first 1,000 tokens by creation. If there are others and none of these breaks a rule, there is no count.
async fn violations(visitor: &Visitor, reach: &Reach) -> Result<Option<Count>, ServiceError> {
    let found = concern::violations(visitor, reach, None).await?;
    let count = Count::of(found.violations.len(), found.next.is_some());
    Ok(Some(count).filter(|count| count.number > 0 || !count.has_more))
}

fn few() -> TokenFilter {
    TokenFilter { limit: Some(TokenFilter::MAX), ..TokenFilter::default() }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn a_count_says_whether_there_may_be_more() {
        assert_eq!(Count::of_page(0).shown(), "0");
        assert_eq!(Count::of_page(999).shown(), "999");
        assert_eq!(Count::of_page(1_000).shown(), "1000+");
        assert_eq!(Count::of(3, true).shown(), "3+");
    }
}
