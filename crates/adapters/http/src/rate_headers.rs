//! The headers that tell what is left of the rate limit of a token.

use actix_web::http::header::{HeaderName, HeaderValue};
use latchkey_service::{RateLeft, whole_seconds};

const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Returns the headers: the requests of a window, how many are left, and the seconds until the next one.
pub(crate) fn of(left: &RateLeft) -> [(HeaderName, HeaderValue); 3] {
    [
        (LIMIT, left.limit.into()),
        (REMAINING, left.remaining.into()),
        (RESET, whole_seconds(left.resets_in).into()),
    ]
}
