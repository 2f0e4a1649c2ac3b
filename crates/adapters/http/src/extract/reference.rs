//! References to roles, users and groups in bodies.

use deserr::{Deserr, IntoValue, Value, ValueKind, ValuePointerRef as Location};
use latchkey_domain::{GroupId, RoleId, UserId};
use latchkey_service::RoleReference;

use super::problems::{Problems, wrong_kind};

/// An integer, also as text, is the id of a role; other text is its name.
impl Deserr<Problems> for RoleReference {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        let refused = |kind| Err(wrong_kind(place, "the id or the name of a role", kind));
        match value {
            Value::String(text) if text.trim().is_empty() => refused(ValueKind::String),
            Value::String(text) => {
                Ok(text.parse().map_or_else(|_| Self::Name(text), |id| Self::Id(RoleId(id))))
            }
            other => integer(&other).map_or_else(|| refused(other.kind()), |id| Ok(Self::Id(RoleId(id)))),
        }
    }
}

impl Deserr<Problems> for UserId {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        integer(&value).map(Self).ok_or_else(|| wrong_kind(place, "the id of a user", value.kind()))
    }
}

impl Deserr<Problems> for GroupId {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        integer(&value).map(Self).ok_or_else(|| wrong_kind(place, "the id of a group", value.kind()))
    }
}

fn integer<V: IntoValue>(value: &Value<V>) -> Option<i64> {
    match value {
        Value::Integer(number) => i64::try_from(*number).ok(),
        Value::NegativeInteger(number) => Some(*number),
        _ => None,
    }
}
