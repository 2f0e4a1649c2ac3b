//! What surrounds every request, whatever becomes of it: its id, its span, its time limit, and a net beneath it.
//!
//! One layer does all of it, because each layer costs every request an allocation.

use std::{panic::AssertUnwindSafe, sync::Arc};

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    middleware::Next,
};
use futures_util::FutureExt;
use latchkey_ports::EntropyExt;
use tracing::{Instrument, Span, field};

use crate::{context::Context, failure::Failure};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MOST_ID_BYTES: usize = 128;

/// Handles the request within all that.
pub(crate) async fn surround(
    context: Arc<Context>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = request_id(&context, &request);
    // Never the path: it may hold a secret. The route's pattern is known once the route was found.
    let span = tracing::info_span!(
        "request",
        request_id = id.to_str().unwrap_or_default(),
        method = %request.method(),
        route = field::Empty
    );
    let kept = request.request().clone();
    let answering = AssertUnwindSafe(next.call(request)).catch_unwind();
    let limited = tokio::time::timeout(context.settings.request_timeout, answering).instrument(span.clone());
    let answered = match limited.await {
        Ok(Ok(answered)) => answered.map(ServiceResponse::map_into_boxed_body),
        Ok(Err(_)) => Ok(ServiceResponse::new(kept, span.in_scope(|| fail(&context, &Failure::Panicked)))),
        Err(_) => Ok(ServiceResponse::new(kept, span.in_scope(|| fail(&context, &Failure::TimedOut)))),
    };
    let mut answered = answered?;
    let headers = answered.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    finish(&span, &answered);
    Ok(answered)
}

fn finish(span: &Span, answered: &ServiceResponse<BoxBody>) {
    span.in_scope(|| {
        span.record("route", answered.request().match_pattern().as_deref().unwrap_or("-"));
        tracing::debug!(status = answered.status().as_u16(), "answered");
    });
}

/// The answer to a failure, which is logged under the same id.
pub(crate) fn fail(context: &Context, failure: &Failure) -> HttpResponse {
    let id = context.entropy.uuid();
    failure.log(id);
    failure.present(id)
}

/// The client's own id, where it is one that can be repeated in a header and a log line; else a new one.
fn request_id(context: &Context, request: &ServiceRequest) -> HeaderValue {
    let sent = request.headers().get(REQUEST_ID).filter(|value| {
        (1..=MOST_ID_BYTES).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
    });
    sent.cloned().unwrap_or_else(|| {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let id = context.entropy.uuid().hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(id).unwrap_or(HeaderValue::from_static("-"))
    })
}
