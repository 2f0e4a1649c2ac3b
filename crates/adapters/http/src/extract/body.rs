//! The body.

use std::{
    future::{Ready, ready},
    marker::PhantomData,
    mem,
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header,
    web::{self, Data},
};
use deserr::{Deserr, IntoValue};
use latchkey_service::Message;
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub(crate) use super::member_rules::MemberRule;
use super::{
    bytes::{BodyBytes, read},
    client::Client,
    problems::{MAX_ENTRIES, Problems, kind_name, parse, required},
    unknown_members::Inspector,
};
use crate::{context::Context, error::ApiError, error_body::Detail, memory::Sender, response::JSON};

const FORM: &str = "application/x-www-form-urlencoded";

/// The type of a merge patch (RFC 7396, section 4).
const MERGE_PATCH: &str = "application/merge-patch+json";

/// A body that has not been read yet.
pub struct RawBody {
    request: HttpRequest,
    payload: Payload,
    context: Data<Context>,
}

impl RawBody {
    /// The body of a request.
    pub(crate) fn new(request: HttpRequest, payload: Payload, context: Data<Context>) -> Self {
        Self { request, payload, context }
    }

    /// Returns the client that sends the body.
    #[must_use]
    pub fn client(&self) -> Client<'_> {
        Client::new(&self.request, &self.context)
    }

    /// Reads a JSON body of a route whose clients send members that only Unleash knows, or that refuses all that are not known:
    /// others are ignored without a warning. An empty body counts as `{}`.
    pub(crate) async fn read_as_sent<T: Deserr<Problems>>(self, sender: Sender) -> Result<T, ApiError> {
        Ok(parse(object(&self.json_bytes(sender).await?)?, "body")?)
    }

    /// Reads bytes that are declared as JSON.
    pub(crate) async fn json_bytes(self, sender: Sender) -> Result<BodyBytes, ApiError> {
        check_content_type(&self.request, &[JSON])?;
        read(self.payload, &self.request, &self.context.settings, sender).await
    }

    /// Reads the pairs of a form.
    ///
    /// # Errors
    /// [`ApiError::ContentType`] for anything else, [`ApiError::TooLarge`], [`ApiError::BadInput`].
    pub async fn form(self, sender: Sender) -> Result<Vec<(String, String)>, ApiError> {
        check_content_type(&self.request, &[FORM])?;
        let body = read(self.payload, &self.request, &self.context.settings, sender).await?;
        let unreadable = || ApiError::BadInput(vec![Detail::of_body("The form cannot be read.")]);
        let text = std::str::from_utf8(&body).map_err(|_| unreadable())?;
        let pairs = web::Query::<Vec<(String, String)>>::from_query(text).map_err(|_| unreadable())?;
        Ok(pairs.into_inner())
    }
}

impl FromRequest for RawBody {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let context = Context::of(request).cloned();
        ready(context.map(|context| Self::new(request.clone(), payload.take(), context)))
    }
}

/// A JSON body, read when the handler asks for it. Members that are not known are refused if they are misspelt, and ignored with a
/// warning otherwise.
pub(crate) struct Body<T> {
    raw: RawBody,
    target: PhantomData<T>,
}

impl<T: Deserr<Problems> + ToSchema + 'static> Body<T> {
    /// Reads the body, and reports every problem of every member. An empty body counts as `{}`.
    pub(crate) async fn read(self) -> Result<T, ApiError> {
        self.read_with(&[]).await
    }

    /// Reads a merge patch (RFC 7396), declared as such or as JSON. It has to be an object, because no resource here is
    /// anything else.
    ///
    /// # Errors
    /// As [`Body::read`].
    pub(crate) async fn read_patch(self) -> Result<T, ApiError> {
        let RawBody { request, payload, context } = self.raw;
        check_content_type(&request, &[JSON, MERGE_PATCH])?;
        let bytes = read(payload, &request, &context.settings, Sender::Authenticated).await?;
        parse_members(object(&bytes)?, &[], &Inspector::of(&request))
    }

    /// Reads a body that has rules about several members.
    pub(crate) async fn read_with(self, rules: &[MemberRule]) -> Result<T, ApiError> {
        let inspector = Inspector::of(&self.raw.request);
        let bytes = self.raw.json_bytes(Sender::Authenticated).await?;
        parse_members(object(&bytes)?, rules, &inspector)
    }

    /// Reads a body that may be missing or `null`. A request without a body need not declare its type.
    pub(crate) async fn read_optional(self) -> Result<T, ApiError> {
        let RawBody { request, payload, context } = self.raw;
        let bytes = read(payload, &request, &context.settings, Sender::Authenticated).await?;
        if !bytes.is_empty() {
            check_content_type(&request, &[JSON])?;
        }
        let is_null = bytes.trim_ascii() == b"null";
        let members = if is_null { Map::new() } else { object(&bytes)? };
        parse_members(members, &[], &Inspector::of(&request))
    }
}

impl<T: ToSchema + 'static> Body<T> {
    /// Reads a body whose only member is a list of 1 to 1,000 objects. Problems are reported at the entries that have them.
    ///
    /// # Errors
    /// As [`Body::read`].
    pub(crate) async fn read_entries<E: Deserr<Problems> + ToSchema + 'static>(
        self,
        list: &str,
        rules: &[MemberRule],
    ) -> Result<Vec<E>, ApiError> {
        let inspector = Inspector::of(&self.raw.request);
        let bytes = self.raw.json_bytes(Sender::Authenticated).await?;
        let mut members = object(&bytes)?;
        let sent = members.remove(list);
        let problems = inspector.inspect::<T>(&members, None);
        entries(list, sent, rules, problems, &inspector)
    }

    /// Reads a body that is one object, or whose only member is a list of 1 to 1,000 of them. No other member may stand beside the
    /// list: its sender would take it for obeyed in every entry.
    ///
    /// # Errors
    /// As [`Body::read`].
    pub(crate) async fn read_one_or_entries<E: Deserr<Problems> + ToSchema + 'static>(
        self,
        list: &str,
    ) -> Result<OneOrMany<E>, ApiError> {
        let inspector = Inspector::of(&self.raw.request);
        let bytes = self.raw.json_bytes(Sender::Authenticated).await?;
        let mut members = object(&bytes)?;
        let Some(sent) = members.remove(list) else {
            return parse_members(members, &[], &inspector).map(OneOrMany::One);
        };
        let mut problems = Problems::default();
        for name in members.keys() {
            let message = format!("{name} cannot stand beside {list}: say it in each entry.");
            problems.push(Detail::of_field(name, message));
        }
        entries(list, Some(sent), &[], problems, &inspector).map(OneOrMany::Many)
    }
}

/// What a body is that can be one object or a list of them.
pub(crate) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

/// Reads the list of 1 to 1,000 objects in a body, beside problems that were found in the rest of it.
fn entries<E: Deserr<Problems> + ToSchema + 'static>(
    list: &str,
    sent: Option<Value>,
    rules: &[MemberRule],
    mut problems: Problems,
    inspector: &Inspector,
) -> Result<Vec<E>, ApiError> {
    let mut bad = |message: Message| {
        problems.push(Detail::of_field(list, message));
        Err(mem::take(&mut problems).into())
    };
    let entries = match sent {
        Some(Value::Array(entries)) => entries,
        Some(other) => return bad(format!("{list} must be a list, not {}.", kind_name(other.kind())).into()),
        None => return bad(required(list)),
    };
    if !(1..=MAX_ENTRIES).contains(&entries.len()) {
        let count = entries.len();
        return bad(format!("{list} must have 1 to {MAX_ENTRIES} entries, not {count}.").into());
    }
    each_entry_and(problems, list, entries, |entry| match entry {
        Value::Object(members) => try_parse_members(members, rules, Some(list), inspector),
        other => {
            let message = format!("Each entry must be a JSON object, not {}.", kind_name(other.kind()));
            Err(Detail::of_body(message).into())
        }
    })
}

impl<T> FromRequest for Body<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let raw = RawBody::from_request(request, payload).into_inner();
        ready(raw.map(|raw| Self { raw, target: PhantomData }))
    }
}

/// Reads the members of a JSON object.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let bad = |message: String| ApiError::BadInput(vec![Detail::of_body(message)]);
    let text = std::str::from_utf8(body).map_err(|error| bad(format!("The body is not UTF-8: {error}.")))?;
    match serde_json::from_str(text).map_err(|error| bad(format!("The body is not valid JSON: {error}.")))? {
        Value::Object(members) => Ok(members),
        other => Err(bad(format!("The body must be a JSON object, not {}.", kind_name(other.kind())))),
    }
}

fn parse_members<T: Deserr<Problems> + ToSchema + 'static>(
    members: Map<String, Value>,
    rules: &[MemberRule],
    inspector: &Inspector,
) -> Result<T, ApiError> {
    Ok(try_parse_members(members, rules, None, inspector)?)
}

/// Reads the members of the body, or of an entry of this list in it.
fn try_parse_members<T: Deserr<Problems> + ToSchema + 'static>(
    members: Map<String, Value>,
    rules: &[MemberRule],
    list: Option<&str>,
    inspector: &Inspector,
) -> Result<T, Problems> {
    let problems = inspector.inspect::<T>(&members, list);
    parse_by_rules(members, rules, problems)
}

/// Reads members about which there are rules, beside problems that were found in them.
pub(crate) fn parse_by_rules<T: Deserr<Problems>>(
    mut members: Map<String, Value>,
    rules: &[MemberRule],
    mut problems: Problems,
) -> Result<T, Problems> {
    for rule in rules {
        rule.check(&mut members, &mut problems);
    }
    problems.or_value(parse(members, "body"))
}

/// Converts each entry of a list in a body. Problems are reported at the entries that have them.
///
/// # Errors
/// The problems of all entries.
pub(crate) fn each_entry<T, U>(
    list: &str,
    entries: Vec<T>,
    convert: impl Fn(T) -> Result<U, Problems>,
) -> Result<Vec<U>, ApiError> {
    each_entry_and(Problems::default(), list, entries, convert)
}

/// As [`each_entry`], beside problems that were found in the rest of the body.
fn each_entry_and<T, U>(
    mut problems: Problems,
    list: &str,
    entries: Vec<T>,
    convert: impl Fn(T) -> Result<U, Problems>,
) -> Result<Vec<U>, ApiError> {
    let mut converted = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        match convert(entry) {
            Ok(entry) => converted.push(entry),
            Err(found) => problems.extend(found.in_entry(list, index)),
        }
    }
    if problems.is_empty() { Ok(converted) } else { Err(problems.into()) }
}

/// Checks that the body has one of these types, in UTF-8 and without an encoding.
fn check_content_type(request: &HttpRequest, accepted: &[&str]) -> Result<(), ApiError> {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = text(header::CONTENT_TYPE);
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_accepted = accepted.iter().any(|accepted| essence.eq_ignore_ascii_case(accepted));
    let is_utf8 = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        let value = value.trim_matches('"');
        !name.eq_ignore_ascii_case("charset")
            || ["utf-8", "utf8", "us-ascii"].iter().any(|one| value.eq_ignore_ascii_case(one))
    });
    if !(is_accepted && is_utf8) {
        let message =
            format!("We do not accept this content type: send {}, in UTF-8.", accepted.join(" or "));
        return Err(ApiError::ContentType(message));
    }
    let encoding = text(header::CONTENT_ENCODING);
    if !(encoding.is_empty() || encoding.eq_ignore_ascii_case("identity")) {
        let message = format!("We do not accept the content encoding {encoding:?}: send the body as it is.");
        return Err(ApiError::ContentType(message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[derive(Deserr, ToSchema)]
    #[deserr(error = Problems)]
    struct Sent {
        _one: String,
        _other: String,
        _required: String,
    }

    #[test]
    fn broken_rules_and_misspelt_members_are_reported_together_with_other_problems() {
        let members = object(br#"{"_one": "a", "_other": "b", "_Other": "c"}"#).expect("an object");
        let rules = [MemberRule::Same { name: "_one", other: "_other" }];
        let inspector = Inspector::of(&TestRequest::default().to_http_request());
        let Err(ApiError::BadInput(details)) = parse_members::<Sent>(members, &rules, &inspector) else {
            panic!("no problem was found");
        };
        let paths: Vec<_> = details.iter().filter_map(|detail| detail.path.as_deref()).collect();
        assert_eq!(paths, ["/body/_Other", "/body/_other", "/body/_required"]);
    }
}
