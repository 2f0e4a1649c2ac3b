//! One request on its way: who calls, from where, with what.

use std::sync::Arc;

use actix_web::{
    HttpRequest,
    body::{BodyStream, to_bytes_limited},
    dev::Payload,
    http::header,
    web::{self, Bytes},
};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{
    answers::JSON,
    context::{Context, HttpSettings},
    error_body::Detail,
    failure::Failure,
    patience::within,
    query::Query,
};

const FORM: &str = "application/x-www-form-urlencoded";

/// A request, with what it is handled with.
pub(crate) struct Call {
    pub(crate) request: HttpRequest,
    pub(crate) context: Arc<Context>,
    pattern: &'static str,
    payload: Payload,
}

impl Call {
    /// A request that this pattern led here.
    pub(crate) fn new(
        request: HttpRequest,
        context: Arc<Context>,
        pattern: &'static str,
        payload: Payload,
    ) -> Self {
        Self { request, context, pattern, payload }
    }

    /// A parameter of the path, decoded once, so that `%2F` is a slash in its value.
    ///
    /// # Errors
    /// [`Failure::BadInput`] for bytes that are no UTF-8, and for NUL.
    pub(crate) fn parameter(&self, name: &str) -> Result<String, Failure> {
        let bad = |message: &str| Failure::BadInput(vec![Detail::of_parameter(name, message)]);
        // Routes are matched on a path that was decoded already, but slash by slash the raw path is laid out alike.
        let is_wanted =
            |part: &str| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) == Some(name);
        let position = self.pattern.split('/').position(is_wanted).unwrap_or(usize::MAX);
        let raw = self.request.uri().path().split('/').nth(position).unwrap_or_default();
        let decoded = percent_decode_str(raw).decode_utf8();
        let decoded = decoded.map_err(|_| bad("This part of the path is not UTF-8 when it is decoded."))?;
        if decoded.contains('\0') {
            return Err(bad("This part of the path must not contain NUL."));
        }
        Ok(decoded.into_owned())
    }

    /// An id in the path: a whole number.
    ///
    /// # Errors
    /// [`Failure::BadInput`] for anything else.
    pub(crate) fn id_parameter(&self, name: &str) -> Result<i64, Failure> {
        let text = self.parameter(name)?;
        let bad =
            || Failure::BadInput(vec![Detail::of_parameter(name, format!("{name} must be an integer."))]);
        text.parse().map_err(|_| bad())
    }

    /// The parameters of the query.
    ///
    /// # Errors
    /// [`Failure::BadInput`] where it cannot be read.
    pub(crate) fn query(&self) -> Result<Query, Failure> {
        Query::of(&self.request)
    }

    /// The body as JSON; an empty one counts as `{}`, as in the reference.
    ///
    /// # Errors
    /// [`Failure::ContentType`], [`Failure::TooLarge`], [`Failure::BadInput`] where it is no JSON.
    pub(crate) async fn json(self) -> Result<Value, Failure> {
        check_content_type(&self.request, JSON)?;
        let body = read(self.payload, &self.request, &self.context.settings).await?;
        parse(&body)
    }

    /// The body as bytes that are declared as JSON, for those who read them their own way.
    ///
    /// # Errors
    /// [`Failure::ContentType`], [`Failure::TooLarge`].
    pub(crate) async fn json_bytes(self) -> Result<Bytes, Failure> {
        check_content_type(&self.request, JSON)?;
        read(self.payload, &self.request, &self.context.settings).await
    }

    /// The body as the pairs of a form.
    ///
    /// # Errors
    /// [`Failure::ContentType`], [`Failure::TooLarge`], [`Failure::BadInput`] where it cannot be read.
    pub(crate) async fn form(self) -> Result<Vec<(String, String)>, Failure> {
        check_content_type(&self.request, FORM)?;
        let body = read(self.payload, &self.request, &self.context.settings).await?;
        let unreadable = || Failure::BadInput(vec![Detail::of_body("The form cannot be read.")]);
        let text = std::str::from_utf8(&body).map_err(|_| unreadable())?;
        let pairs = web::Query::<Vec<(String, String)>>::from_query(text).map_err(|_| unreadable())?;
        Ok(pairs.into_inner())
    }

    /// As [`Call::json`], but a request without a body need not declare what it does not have, and `null` is none.
    ///
    /// # Errors
    /// As [`Call::json`].
    pub(crate) async fn optional_json(self) -> Result<Value, Failure> {
        let body = read(self.payload, &self.request, &self.context.settings).await?;
        if !body.is_empty() {
            check_content_type(&self.request, JSON)?;
        }
        parse(&body).map(|body| if body.is_null() { nothing() } else { body })
    }
}

/// What no body counts as, as in the reference.
fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}

fn parse(body: &[u8]) -> Result<Value, Failure> {
    if body.is_empty() {
        return Ok(nothing());
    }
    let bad = |message: String| Failure::BadInput(vec![Detail::of_body(message)]);
    let text = std::str::from_utf8(body).map_err(|error| bad(format!("The body is not UTF-8: {error}.")))?;
    serde_json::from_str(text).map_err(|error| bad(format!("The body is not valid JSON: {error}.")))
}

fn check_content_type(request: &HttpRequest, accepted: &str) -> Result<(), Failure> {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = text(header::CONTENT_TYPE);
    let mut parts = content_type.split(';').map(str::trim);
    let is_accepted = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case(accepted));
    let is_utf8 = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        let value = value.trim_matches('"');
        !name.eq_ignore_ascii_case("charset")
            || ["utf-8", "utf8", "us-ascii"].iter().any(|one| value.eq_ignore_ascii_case(one))
    });
    if !(is_accepted && is_utf8) {
        let message = format!("We do not accept this content type: send {accepted}, in UTF-8.");
        return Err(Failure::ContentType(message));
    }
    let encoding = text(header::CONTENT_ENCODING);
    if !(encoding.is_empty() || encoding.eq_ignore_ascii_case("identity")) {
        let message = format!("We do not accept the content encoding {encoding:?}: send the body as it is.");
        return Err(Failure::ContentType(message));
    }
    Ok(())
}

async fn read(payload: Payload, request: &HttpRequest, settings: &HttpSettings) -> Result<Bytes, Failure> {
    let (limit, patience) = (settings.body_limit, settings.request_timeout / 2);
    let declared =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > limit) {
        return Err(Failure::TooLarge(limit));
    }
    let unreadable = |problem: String| Err(Failure::BadInput(vec![Detail::of_body(problem)]));
    match within(patience, to_bytes_limited(BodyStream::new(payload), limit)).await {
        Some(Ok(Ok(body))) => Ok(body),
        Some(Ok(Err(error))) => unreadable(format!("The body could not be read: {error}.")),
        Some(Err(_)) => Err(Failure::TooLarge(limit)),
        // While half of the time is left to say so: after all of it, the request would be taken for one that is stuck here.
        None => unreadable(format!("The body did not arrive within {patience:?}.")),
    }
}
