//! Responses with lists of tokens of any length.

use actix_web::{
    HttpRequest, HttpResponse, Responder,
    body::{BodyStream, BoxBody, SizedStream},
    http::Method,
    web::{Bytes, Data},
};
use futures_util::stream::{self, Stream, StreamExt};
use latchkey_domain::TokenId;
use latchkey_ports::EntropyExt;
use latchkey_service::{RevealedToken, TokenPage, TokenPortions};
use serde::{Serialize, Serializer};
use tokio::task::yield_now;
use utoipa::ToSchema;

use super::token_body::{TOKEN_BYTES, TokenBody};
use crate::{
    context::Context,
    describe::{Describe, Entry},
    error::ApiError,
    limits::guarded,
    response::{ApiResult, Caching, EntityTag, TagBuilder, Tagged, tag_response, tagged},
};

/// A list of tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = apiTokensSchema)]
pub(crate) struct TokensBody<'t> {
    /// The tokens, in the order of creation unless the query says otherwise.
    #[schema(value_type = Vec<TokenBody<'_>>)]
    tokens: TokenBodies<'t>,
    /// The `cursor` of the next page; null: there is none. Sent only with a page in the order of creation: other orders have
    /// no cursors, so use `offset` until a page has fewer tokens than `limit`.
    #[serde(rename = "nextCursor", skip_serializing_if = "Next::is_absent")]
    #[schema(value_type = Option<String>, required = false, example = "0189d5a1-3f2b-7c0e-9d4a-5b6c7d8e9f00")]
    next_cursor: Next,
}

/// Tokens whose bodies are made one after the other.
struct TokenBodies<'t>(&'t [RevealedToken]);

impl Serialize for TokenBodies<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(TokenBody::of))
    }
}

/// The cursor of a list.
enum Next {
    /// The list is no page, or is in an order that has no cursors.
    Absent,
    /// This page is the last.
    Last,
    /// The next page begins after this token.
    After(TokenId),
}

impl Next {
    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl Serialize for Next {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent | Self::Last => serializer.serialize_none(),
            Self::After(id) => serializer.collect_str(id),
        }
    }
}

impl<'t> TokensBody<'t> {
    /// Shows all tokens to a caller who may read them.
    pub(crate) fn of(tokens: &'t [RevealedToken]) -> Self {
        Self { tokens: TokenBodies(tokens), next_cursor: Next::Absent }
    }

    /// Shows a page of tokens to a caller who may read them.
    pub(crate) fn of_page(page: &'t TokenPage) -> Self {
        Self { next_cursor: page.next.map_or(Next::Last, Next::After), ..Self::of(&page.tokens) }
    }
}

/// A list of tokens. One that fits into a portion is a body like any other; a longer one is streamed.
pub(crate) enum TokenList {
    Whole(Tagged),
    Streamed(EntityTag, ListText),
}

/// The text of a list that is read twice, because its entity tag is sent before it: once for the tag, then for the body.
/// It takes the memory of one portion at a time. It yields between portions, because a store that answers at once would
/// otherwise occupy the worker until the end of the list.
///
/// If a token changes between the two, the body shows the change under the tag of the state before, and the next request
/// finds another tag.
pub(crate) struct ListText {
    /// The first portion, which is read once.
    start: Bytes,
    rest: TokenPortions,
    end: &'static [u8],
    context: Data<Context>,
}

/// Returns the response with a page of tokens or, for a list without a limit, with all of them.
///
/// # Errors
/// As [`tagged`] and [`TokenPortions::read`]: nothing has been sent.
pub(crate) async fn list_response(
    mut page: TokenPage,
    has_cursor: bool,
    context: Data<Context>,
) -> ApiResult<TokenList> {
    let Some(rest) = page.rest.take() else {
        let body = if has_cursor { TokensBody::of_page(&page) } else { TokensBody::of(&page.tokens) };
        return tagged(&body, 64 + TOKEN_BYTES * page.tokens.len())
            .map(|list| TokenList::Whole(list.with_secrets()));
    };
    let start = text_of(br#"{"tokens":["#, &page.tokens, b"")?;
    drop(page);
    let end: &[u8] = if has_cursor { br#"],"nextCursor":null}"# } else { b"]}" };
    let mut tag = TagBuilder::default();
    tag.update(&start);
    let mut unread = Some(rest.clone());
    while let Some(rest) = unread {
        yield_now().await;
        let (text, next) = next_text(rest, end).await?;
        tag.update(&text);
        unread = next;
    }
    Ok(TokenList::Streamed(tag.finish(), ListText { start, rest, end, context }))
}

/// Reads the next portion as text, with the end of the list after the last one.
async fn next_text(rest: TokenPortions, end: &[u8]) -> ApiResult<(Bytes, Option<TokenPortions>)> {
    let TokenPage { tokens, rest, .. } = rest.read().await?;
    let end = if rest.is_none() { end } else { b"" };
    // A portion without tokens, because the last ones were deleted, has no comma before them.
    let comma: &[u8] = if tokens.is_empty() { b"" } else { b"," };
    Ok((text_of(comma, &tokens, end)?, rest))
}

/// Returns tokens as text, separated by commas, between two other texts.
fn text_of(start: &[u8], tokens: &[RevealedToken], end: &[u8]) -> ApiResult<Bytes> {
    let mut text = Vec::with_capacity(start.len() + TOKEN_BYTES * tokens.len() + end.len());
    text.extend_from_slice(start);
    for (index, token) in tokens.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, &TokenBody::of(token)).map_err(ApiError::internal)?;
    }
    text.extend_from_slice(end);
    Ok(text.into())
}

impl ListText {
    /// Returns the body in portions. The status has been sent when one fails, so the connection is closed then, and the
    /// client sees that the list is not complete.
    fn stream(self) -> impl Stream<Item = ApiResult<Bytes>> {
        let Self { start, rest, end, context } = self;
        let rest = stream::try_unfold(Some(rest), move |unread| {
            let context = context.clone();
            async move {
                let Some(rest) = unread else { return Ok(None) };
                // Outside the time limit, which polls twice at first.
                yield_now().await;
                let text = guarded(context.settings.request_timeout, next_text(rest, end)).await.flatten();
                text.map(Some).inspect_err(|error| error.log(context.entropy.uuid()))
            }
        });
        stream::once(async { Ok(start) }).chain(rest)
    }
}

impl Describe for TokenList {
    fn describe(entry: &mut Entry) {
        Tagged::describe(entry);
    }
}

impl Responder for TokenList {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match self {
            Self::Whole(body) => body.respond_to(request),
            Self::Streamed(tag, text) => {
                tag_response(request, &tag, Caching::Never, || match *request.method() {
                    // The length is known, so the list need not be read again.
                    Method::HEAD => {
                        BoxBody::new(SizedStream::new(tag.length, stream::empty::<ApiResult<Bytes>>()))
                    }
                    _ => BoxBody::new(BodyStream::new(Box::pin(text.stream()))),
                })
            }
        }
    }
}
