//! How text becomes a value: declared once for each type, for bodies, queries and headers alike.

use deserr::{Deserr, IntoValue, Value, ValueKind, ValuePointerRef as Location};
use latchkey_domain::{
    Description, Email, EnvironmentKind, EnvironmentName, EnvironmentScope, GroupDescription, GroupName,
    PersonName, ProjectDescription, ProjectId, ProjectMode, ProjectName, ProjectScope, RoleDescription,
    RoleKind, RoleName, SsoGroupName, Timestamp, TokenDescription, TokenId, TokenKind, TokenName, TokenOwner,
    TokenScope, TokenStatus, Username,
};
use latchkey_service::{Fault as _, Message, Rule};

use super::problems::{Problems, name, wrong_kind};
use crate::wire_time;

/// A type that is written as text.
pub(crate) trait FromText: Sized {
    /// Reads the text, which messages call by this name. The error is a sentence that says what to change.
    fn from_text(text: &str, name: &str) -> Result<Self, Message>;
}

/// Reads a value that has to be a string, or another [`scalar`].
pub(crate) fn read<T: FromText, V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<T, Problems> {
    let text = scalar(value).map_err(|kind| wrong_kind(place, "a string", kind))?;
    T::from_text(&text, &name(place)).map_err(|message| Problems::at(place, message))
}

/// Returns a string, or the number or boolean in its place as text: like Unleash, because its clients send those. The error is
/// the kind of any other value.
pub(crate) fn scalar<V: IntoValue>(value: Value<V>) -> Result<String, ValueKind> {
    match value {
        Value::String(text) => Ok(text),
        Value::Integer(number) => Ok(number.to_string()),
        Value::NegativeInteger(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(word) => Ok(word.to_string()),
        other => Err(other.kind()),
    }
}

/// Lets bodies and queries have members of types that are written as text.
macro_rules! text_members {
    ($($type:ty),* $(,)?) => {$(
        impl ::deserr::Deserr<$crate::extract::problems::Problems> for $type {
            fn deserialize_from_value<V: ::deserr::IntoValue>(
                value: ::deserr::Value<V>,
                place: ::deserr::ValuePointerRef<'_>,
            ) -> Result<Self, $crate::extract::problems::Problems> {
                $crate::extract::text::read(value, place)
            }
        }
    )*};
}
pub(crate) use text_members;

/// Reads names by the rules of the domain, as members of bodies and queries too.
macro_rules! names {
    ($($type:ty),* $(,)?) => {$(
        impl FromText for $type {
            fn from_text(text: &str, _: &str) -> Result<Self, Message> {
                <$type>::new(text).map_err(|error| error.rule().says(format!("The {error}.")))
            }
        }

        text_members!($type);
    )*};
}

/// Reads what has to be one of a few words, or a number.
macro_rules! words {
    ($($type:ty: $rule:literal, $words:literal),* $(,)?) => {$(
        impl FromText for $type {
            fn from_text(text: &str, name: &str) -> Result<Self, Message> {
                text.parse().map_err(|_| {
                    let rule = Rule::named($rule).with("values", $words);
                    rule.says(format!(concat!("{} must be ", $words, "."), name))
                })
            }
        }
    )*};
}

names!(
    Description,
    EnvironmentName,
    GroupDescription,
    GroupName,
    PersonName,
    ProjectDescription,
    ProjectId,
    ProjectName,
    RoleDescription,
    RoleName,
    SsoGroupName,
    TokenDescription,
    TokenName,
    TokenOwner,
    TokenScope,
    Username,
);
words!(
    EnvironmentKind: "one-of", "development, test, pre-production or production",
    ProjectMode: "one-of", "open, protected or private",
    RoleKind: "one-of", "root-custom or custom",
    TokenKind: "one-of", "client (or backend), frontend or admin",
    TokenStatus: "one-of", "disabled, expired, expiring or active",
    bool: "one-of", "true or false",
    u32: "whole-number", "a whole number, such as 100",
    u64: "whole-number", "a whole number, such as 100",
);
text_members!(
    Email,
    EnvironmentKind,
    EnvironmentScope,
    ProjectMode,
    ProjectScope,
    RoleKind,
    Timestamp,
    TokenId,
    TokenKind,
    TokenStatus,
);

impl FromText for Email {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        Self::new(text).map_err(|error| Rule::named("email").says(format!("{name}: {error}.")))
    }
}

/// `*` is every environment.
impl FromText for EnvironmentScope {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        if text == "*" { Ok(Self::All) } else { FromText::from_text(text, name).map(Self::Only) }
    }
}

/// One project; `*` is every project.
impl FromText for ProjectScope {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        if text == "*" { Ok(Self::All) } else { FromText::from_text(text, name).map(Self::one) }
    }
}

impl FromText for Timestamp {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        wire_time::parse(text).ok_or_else(|| {
            let text = format!("{name} must be a time as in RFC 3339, such as 2030-01-31T12:00:00Z.");
            Rule::named("time").says(text)
        })
    }
}

impl FromText for TokenId {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        Self::parse(text).ok_or_else(|| format!("{name} must be the id of a token.").into())
    }
}

/// A boolean or a number in a query, where everything is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parsed<T>(pub(crate) T);

impl<T: FromText> Deserr<Problems> for Parsed<T> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        read(value, place).map(Parsed)
    }
}

impl<T: FromText> FromText for Parsed<T> {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        T::from_text(text, name).map(Self)
    }
}
