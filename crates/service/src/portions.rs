//! Reading many tokens, a portion at a time.

use latchkey_domain::Timestamp;
use latchkey_ports::{Page, StoreError, StoredToken, TokenOrder, TokenQuery, TokenRepository};

/// The tokens that are read at once.
const PORTION: u32 = 1_000;

/// The tokens of a query, in portions. What is changed meanwhile may be missing or come twice, unless the order is that of creation.
pub(crate) struct Portions {
    /// The query of the next portion; `None` after the last one.
    rest: Option<TokenQuery>,
}

impl Portions {
    pub(crate) fn of(query: TokenQuery) -> Self {
        Self { rest: Some(TokenQuery { page: Page::first(PORTION), ..query }) }
    }

    /// Returns the next portion, which can be empty; `None` after the last one.
    pub(crate) async fn next(
        &mut self,
        tokens: &dyn TokenRepository,
    ) -> Result<Option<Vec<StoredToken>>, StoreError> {
        let Some(mut query) = self.rest.take() else { return Ok(None) };
        let portion = tokens.tokens(&query).await?;
        let number = u32::try_from(portion.len()).unwrap_or(u32::MAX);
        if number >= PORTION {
            if query.order == TokenOrder::CreatedAt {
                query.after = portion.last().map(|stored| stored.token.id);
            } else {
                query.page.offset += u64::from(number);
            }
            self.rest = Some(query);
        }
        Ok(Some(portion))
    }
}

/// Returns the moment for [`TokenQuery::unused_since`] that finds the tokens whose last use was at that moment or earlier. The query is
/// for earlier ones.
pub(crate) fn unused_since(moment: Timestamp) -> Timestamp {
    Timestamp::saturating_from_millis(moment.millis().saturating_add(1))
}
