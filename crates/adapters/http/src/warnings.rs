//! `X-Latchkey-Warning`: what a response says of a request that was carried out as the wire contract demands, although its
//! sender may have meant something else.

use std::{
    convert::Infallible,
    future::{Ready, ready},
};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    body::BoxBody,
    dev::{Payload, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The header, as the OpenAPI document names it.
pub(crate) const NAME: &str = "X-Latchkey-Warning";
const HEADER: HeaderName = HeaderName::from_static("x-latchkey-warning");
/// The most unknown members that one response names.
const MAX_MEMBERS: usize = 10;
/// The longest name of one, in characters: a header is no place for what a body may hold.
const MAX_CHARACTERS: usize = 100;
/// What stands for itself in a name. Everything else could end the name, or is no ASCII.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a sender may have meant otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Warning {
    /// The body has a member that is not known, and was ignored.
    UnknownMember(MemberName),
    /// A token was given an expiry that has passed.
    AlreadyExpired,
    /// There is no such token, so nothing was done.
    NoSuchToken,
}

impl Warning {
    /// Writes the warning as an entry of a list (RFC 9651, section 3.1).
    fn entry(&self) -> String {
        match self {
            Self::UnknownMember(MemberName(name)) => format!("unknown-member;name=\"{name}\""),
            Self::AlreadyExpired => "already-expired".to_owned(),
            Self::NoSuchToken => "no-such-token".to_owned(),
        }
    }
}

/// The name of a member of a body, after the names of the members that it is in: percent-encoded, with a slash between two, and
/// cut where it is too long.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct MemberName(String);

impl MemberName {
    /// The member at the end of this path.
    pub(crate) fn new<'n>(path: impl IntoIterator<Item = &'n str>) -> Self {
        let mut text = String::new();
        for (index, name) in path.into_iter().enumerate() {
            if index > 0 {
                text.push('/');
            }
            // One character after another, so that none is cut in two.
            for character in name.chars() {
                let length = text.len();
                text.extend(utf8_percent_encode(character.encode_utf8(&mut [0; 4]), ENCODED));
                if text.len() > MAX_CHARACTERS {
                    text.truncate(length);
                    return Self(text);
                }
            }
        }
        Self(text)
    }
}

/// The warnings about a request, which its response will have.
pub(crate) struct Warnings {
    request: HttpRequest,
}

impl Warnings {
    /// The warnings about this request.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        Self { request: request.clone() }
    }

    /// Adds a warning, unless the response has it already or names as many unknown members as it may.
    pub(crate) fn add(&self, warning: Warning) {
        let mut extensions = self.request.extensions_mut();
        let Kept(kept) = extensions.get_or_insert_with(Kept::default);
        let is_member = |warning: &Warning| matches!(warning, Warning::UnknownMember(_));
        let is_full =
            is_member(&warning) && kept.iter().filter(|kept| is_member(kept)).count() >= MAX_MEMBERS;
        if !(is_full || kept.contains(&warning)) {
            kept.push(warning);
        }
    }

    /// Adds a warning if the condition holds.
    pub(crate) fn add_if(&self, condition: bool, warning: Warning) {
        if condition {
            self.add(warning);
        }
    }
}

impl FromRequest for Warnings {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

/// What is kept with a request until its response is complete.
#[derive(Default)]
struct Kept(Vec<Warning>);

/// Adds the header to the response to a request that there are warnings about.
pub(crate) fn add_header(response: &mut ServiceResponse<BoxBody>) {
    let Some(Kept(warnings)) = response.request().extensions_mut().remove() else { return };
    let entries: Vec<_> = warnings.iter().map(Warning::entry).collect();
    // Names are encoded, so this is always a header.
    if let Ok(value) = HeaderValue::from_str(&entries.join(", ")) {
        response.headers_mut().insert(HEADER, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_and_cut_between_characters() {
        for (path, expected) in [
            (vec!["foo"], "foo"),
            (vec!["tokens", "a/b"], "tokens/a%2Fb"),
            (vec!["a\"\r\n, b"], "a%22%0D%0A%2C%20b"),
            (vec!["ü"], "%C3%BC"),
            (vec![""], ""),
        ] {
            assert_eq!(MemberName::new(path).0, expected);
        }
        assert_eq!(MemberName::new([&*"x".repeat(101)]).0, "x".repeat(100));
        assert_eq!(MemberName::new([&*"ü".repeat(20)]).0, "%C3%BC".repeat(16));
        assert_eq!(MemberName::new([&*"x".repeat(99), "y"]).0, format!("{}/", "x".repeat(99)));
    }
}
