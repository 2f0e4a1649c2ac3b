//! One request on its way: who calls, from where, with what.

use std::{net::IpAddr, sync::Arc};

use actix_web::{
    HttpRequest,
    http::header,
    web::{Bytes, Payload},
};
use latchkey_domain::{Origin, Principal};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::{
    context::Context,
    failure::{Detail, Failure},
};

/// A request, with what it is handled with.
pub(crate) struct Call {
    pub(crate) request: HttpRequest,
    pub(crate) context: Arc<Context>,
    payload: Payload,
}

impl Call {
    pub(crate) fn new(request: HttpRequest, context: Arc<Context>, payload: Payload) -> Self {
        Self { request, context, payload }
    }

    /// Who calls.
    ///
    /// # Errors
    /// [`Failure::NoCredentials`], [`Failure::BadCredentials`], or that the store is unavailable.
    pub(crate) async fn authenticate(&self) -> Result<Arc<Principal>, Failure> {
        let Some(header) = self.request.headers().get(header::AUTHORIZATION) else {
            return Err(Failure::NoCredentials);
        };
        let header = header.to_str().map_err(|_| Failure::BadCredentials)?;
        let secret = bearer(header.trim());
        if secret.is_empty() {
            return Err(Failure::NoCredentials);
        }
        Ok(self.context.use_cases.authenticator.authenticate(secret).await?)
    }

    /// A parameter of the path, decoded once, so that `%2F` is a slash in its value.
    ///
    /// # Errors
    /// [`Failure::BadInput`] for bytes that are no UTF-8, and for NUL.
    pub(crate) fn parameter(&self, name: &str) -> Result<String, Failure> {
        let bad = |message: &str| Failure::BadInput(vec![Detail::of_parameter(name, message)]);
        let pattern = self.request.match_pattern().unwrap_or_default();
        // Routes are matched on a path that was decoded already, but slash by slash the raw path is laid out alike.
        let is_wanted =
            |part: &str| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) == Some(name);
        let position = pattern.split('/').position(is_wanted).unwrap_or(usize::MAX);
        let raw = self.request.uri().path().split('/').nth(position).unwrap_or_default();
        let decoded = percent_decode_str(raw).decode_utf8();
        let decoded = decoded.map_err(|_| bad("This part of the path is not UTF-8 when it is decoded."))?;
        if decoded.contains('\0') {
            return Err(bad("This part of the path must not contain NUL."));
        }
        Ok(decoded.into_owned())
    }

    /// From where the call comes, for the audit trail.
    pub(crate) fn origin(&self) -> Origin {
        let agent = self.request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Origin::new(self.client_address(), agent)
    }

    /// The peer, or, where the peer is a trusted proxy, the last address before the trusted ones.
    fn client_address(&self) -> Option<IpAddr> {
        let trusted = &self.context.settings.trusted_proxies;
        let peer = self.request.peer_addr().map(|peer| peer.ip().to_canonical())?;
        if !trusted.contains(&peer) {
            return Some(peer);
        }
        let forwarded =
            self.request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
        let addresses: Vec<IpAddr> =
            forwarded.flat_map(|list| list.split(',')).map_while(|text| text.trim().parse().ok()).collect();
        Some(addresses.into_iter().rev().find(|address| !trusted.contains(address)).unwrap_or(peer))
    }

    /// The body as JSON; an empty one counts as `{}`, as in the reference.
    ///
    /// # Errors
    /// [`Failure::ContentType`], [`Failure::TooLarge`], [`Failure::BadInput`] where it is no JSON.
    pub(crate) async fn json(self) -> Result<Value, Failure> {
        check_content_type(&self.request)?;
        let limit = self.context.settings.body_limit;
        let body = read(self.payload, &self.request, limit).await?;
        if body.is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        let bad = |message: String| Failure::BadInput(vec![Detail::of_body(message)]);
        let text =
            std::str::from_utf8(&body).map_err(|error| bad(format!("The body is not UTF-8: {error}.")))?;
        serde_json::from_str(text).map_err(|error| bad(format!("The body is not valid JSON: {error}.")))
    }
}

/// `<secret>` or `Bearer <secret>`, the scheme in any case (RFC 9110, section 11.1).
fn bearer(header: &str) -> &str {
    match header.split_once(' ') {
        Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer") => secret.trim_start(),
        None if header.eq_ignore_ascii_case("bearer") => "",
        _ => header,
    }
}

fn check_content_type(request: &HttpRequest) -> Result<(), Failure> {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = text(header::CONTENT_TYPE);
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        let value = value.trim_matches('"');
        !name.eq_ignore_ascii_case("charset")
            || ["utf-8", "utf8", "us-ascii"].iter().any(|one| value.eq_ignore_ascii_case(one))
    });
    if !(is_json && is_utf8) {
        let message = "We do not accept this content type: send application/json, in UTF-8.";
        return Err(Failure::ContentType(message.to_owned()));
    }
    let encoding = text(header::CONTENT_ENCODING);
    if !(encoding.is_empty() || encoding.eq_ignore_ascii_case("identity")) {
        let message = format!("We do not accept the content encoding {encoding:?}: send the body as it is.");
        return Err(Failure::ContentType(message));
    }
    Ok(())
}

async fn read(payload: Payload, request: &HttpRequest, limit: usize) -> Result<Bytes, Failure> {
    let declared =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > limit) {
        return Err(Failure::TooLarge(limit));
    }
    match payload.to_bytes_limited(limit).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) => {
            Err(Failure::BadInput(vec![Detail::of_body(format!("The body could not be read: {error}."))]))
        }
        Err(_) => Err(Failure::TooLarge(limit)),
    }
}
