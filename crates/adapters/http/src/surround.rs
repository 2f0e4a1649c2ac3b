//! What surrounds every request, whatever becomes of it: its id, its span, and the headers of every answer.
//!
//! One function does all of it, because each layer of actix's costs every request an allocation.

use std::{panic::AssertUnwindSafe, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    dev::Payload,
    http::{
        Method,
        header::{CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS},
    },
};
use futures_util::FutureExt;
use latchkey_ports::EntropyExt;
use tracing::{Instrument, Level, Span};

use crate::{
    answers::Answer,
    call::Call,
    context::Context,
    failure::Failure,
    patience::within,
    routes::{Acting, Path, unknown},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_ID_BYTES: usize = 128;

/// Handles the request within all that.
pub(crate) async fn surround(context: Arc<Context>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let id = request_id(&context, &request);
    let path = context.table.find(request.uri().path());
    let pattern = path.map_or("-", Path::pattern);
    let method = request.method().clone();
    // A span costs more than a look into memory. Who does no more than that logs nothing but that it failed.
    let is_quiet = path.is_some_and(Path::is_quiet) && !tracing::enabled!(Level::DEBUG);
    let span = if is_quiet { Span::none() } else { new_span(&id, &method) };
    let call = Call::new(request, Arc::clone(&context), pattern, payload);
    let answer = guarded(&context, acting(path, call)).instrument(span.clone()).await;
    let mut answer = answer.unwrap_or_else(|failure| {
        let span = if is_quiet { new_span(&id, &method) } else { span.clone() };
        span.in_scope(|| fail(&context, &failure))
    });
    let headers = answer.headers_mut();
    headers.insert(REQUEST_ID, id);
    // An answer without a body has no type that a browser could guess.
    if headers.contains_key(CONTENT_TYPE) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    // Never the path: it may hold a secret.
    tracing::debug!(parent: &span, route = pattern, status = answer.status().as_u16(), "answered");
    answer
}

fn new_span(id: &HeaderValue, method: &Method) -> Span {
    tracing::info_span!("request", request_id = id.to_str().unwrap_or_default(), method = method.as_str())
}

fn acting(path: Option<&Path>, call: Call) -> Acting {
    match path {
        Some(path) => path.answer(call),
        None => Box::pin(unknown(call)),
    }
}

/// What a handler answers, with a net beneath it: a panic and a handler that takes too long are failures like others.
async fn guarded(context: &Context, acting: Acting) -> Answer {
    let caught = AssertUnwindSafe(acting).catch_unwind();
    let answer = within(context.settings.request_timeout, caught).await.ok_or(Failure::TimedOut)?;
    answer.unwrap_or(Err(Failure::Panicked))
}

/// The answer to a failure, which is logged under the same id.
fn fail(context: &Context, failure: &Failure) -> HttpResponse {
    let id = context.entropy.uuid();
    failure.log(id);
    failure.present(id)
}

/// The client's own id, where it is one that can be repeated in a header and a log line; else a new one.
fn request_id(context: &Context, request: &HttpRequest) -> HeaderValue {
    let sent = request.headers().get(REQUEST_ID).filter(|value| {
        (1..=MAX_ID_BYTES).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
    });
    sent.cloned().unwrap_or_else(|| {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let id = context.entropy.uuid().hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(id).unwrap_or(HeaderValue::from_static("-"))
    })
}
