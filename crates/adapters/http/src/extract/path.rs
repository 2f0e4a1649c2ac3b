//! The parameters of the path.

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::Uri};
use percent_encoding::percent_decode_str;

use crate::{error::ApiError, error_body::Detail};

/// The parameters of the path, read when the handler asks for them.
pub struct PathParameters(HttpRequest);

impl PathParameters {
    /// Returns a parameter, percent-decoded once, so that `%2F` is a slash in its value.
    ///
    /// # Errors
    /// [`ApiError::BadInput`] if it is not UTF-8.
    pub fn text(&self, name: &str) -> Result<String, ApiError> {
        parameter(&self.0, name)
    }

    /// Returns a parameter that is an integer.
    ///
    /// # Errors
    /// [`ApiError::BadInput`] for anything else.
    pub fn id(&self, name: &str) -> Result<i64, ApiError> {
        let bad =
            |_| ApiError::BadInput(vec![Detail::of_parameter(name, format!("{name} must be an integer."))]);
        self.text(name)?.parse().map_err(bad)
    }
}

impl FromRequest for PathParameters {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(request.clone())))
    }
}

/// Returns a parameter of the path, percent-decoded once.
pub(crate) fn parameter(request: &HttpRequest, name: &str) -> Result<String, ApiError> {
    let bad = |message: &str| ApiError::BadInput(vec![Detail::of_parameter(name, message)]);
    let matched = request.match_info().get(name).unwrap_or_default();
    // Nearly every parameter is sent as it is.
    if !matched.contains('%') {
        return Ok(matched.to_owned());
    }
    let sent = matched.replace(ESCAPED_PERCENT, "%");
    let decoded = percent_decode_str(&sent).decode_utf8();
    let decoded = decoded.map_err(|_| bad("This part of the path is not UTF-8 when it is decoded."))?;
    if decoded.contains('\0') {
        return Err(bad("This part of the path must not contain NUL."));
    }
    Ok(decoded.into_owned())
}

const ESCAPED_PERCENT: &str = "%25";

/// Returns the URI to route a request by, or `None` if that is its own URI.
///
/// One slash at the end is removed. Every `%` is escaped once more: actix decodes a path before it matches it, so that
/// `/projects/%61rchive` would be taken for the route `/projects/archive`. [`parameter`] removes both escapes.
pub(crate) fn routing_uri(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let exact = match path.strip_suffix('/') {
        Some(rest) if !(rest.is_empty() || rest.ends_with('/')) => rest,
        _ => path,
    };
    if exact.len() == path.len() && !path.contains('%') {
        return None;
    }
    exact.replace('%', ESCAPED_PERCENT).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ASCII_PARAMETER` relies on it.
    #[test]
    fn a_path_that_is_not_ascii_is_no_uri() {
        assert!("/p/\u{e9}".parse::<Uri>().is_err());
    }

    #[test]
    fn paths_are_matched_as_they_are_sent_but_for_one_slash() {
        for (sent, routed) in [
            ("/health", None),
            ("/health/", Some("/health")),
            ("/health//", None),
            ("/", None),
            ("/p/%61rchive/", Some("/p/%2561rchive")),
            ("/p/a%2Fb?q=%20", Some("/p/a%252Fb")),
        ] {
            let uri: Uri = sent.parse().expect("a URI");
            assert_eq!(routing_uri(&uri).map(|uri| uri.to_string()).as_deref(), routed, "{sent}");
        }
    }
}
