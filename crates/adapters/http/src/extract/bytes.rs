//! The bytes of a body: how many are read, for how long, and who holds the memory.

use std::{mem, ops::Deref};

use actix_web::{
    HttpRequest,
    dev::Payload,
    http::header,
    web::{Bytes, BytesMut},
};
use futures_util::StreamExt as _;

use super::idempotency::keep_fingerprint;
use crate::{
    context::HttpSettings,
    error::ApiError,
    error_body::Detail,
    memory::{Reservation, Sender},
    timeout::timeout,
};

/// The bytes of a body, which count as held until this is dropped.
pub(crate) struct BodyBytes {
    bytes: Bytes,
    _held: Reservation,
}

impl Deref for BodyBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a body within the limits of size, time and memory.
///
/// # Errors
/// [`ApiError::TooLarge`], [`ApiError::NoMemory`], or [`ApiError::BadInput`] for a body that does not arrive.
pub(super) async fn read(
    payload: Payload,
    request: &HttpRequest,
    settings: &HttpSettings,
    sender: Sender,
) -> Result<BodyBytes, ApiError> {
    let (limit, time_limit) = (settings.body_limit, settings.request_timeout / 2);
    let declared =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > limit) {
        return Err(ApiError::TooLarge(limit));
    }
    let collected = timeout(time_limit, collect(payload, settings, sender)).await;
    // Half of the time of a request, because a slow client is answered 400, and 503 once the request itself times out.
    let late = || unreadable(format!("The body did not arrive within {time_limit:?}."));
    let bytes = collected.unwrap_or_else(|| Err(late()))?;
    keep_fingerprint(request, &bytes);
    Ok(bytes)
}

async fn collect(
    mut payload: Payload,
    settings: &HttpSettings,
    sender: Sender,
) -> Result<BodyBytes, ApiError> {
    let mut held = settings.memory.reserve();
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| unreadable(format!("The body could not be read: {error}.")))?;
        let length = first.len() + joined.len() + chunk.len();
        if length > settings.body_limit {
            return Err(ApiError::TooLarge(settings.body_limit));
        }
        if !held.hold(length, sender) {
            return Err(ApiError::NoMemory);
        }
        // Most bodies are one chunk, which need not be copied.
        if length == chunk.len() {
            first = chunk;
        } else {
            joined.extend_from_slice(&mem::take(&mut first));
            joined.extend_from_slice(&chunk);
        }
    }
    let bytes = if joined.is_empty() { first } else { joined.freeze() };
    Ok(BodyBytes { bytes, _held: held })
}

fn unreadable(problem: String) -> ApiError {
    ApiError::BadInput(vec![Detail::of_body(problem)])
}
