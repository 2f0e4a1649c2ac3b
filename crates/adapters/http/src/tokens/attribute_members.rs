//! How members of bodies become attributes of a token.

use deserr::{Deserr, IntoValue, Value, ValuePointerRef as Location};
use latchkey_domain::{Enabled, Metadata, NetworkSet, ScopeSet, TokenScope};
use latchkey_service::{Fault as _, Patched};
use serde_json::{Map, Value as Json};

use crate::extract::{
    Problems,
    problems::{name, wrong_kind},
};

impl<T: Deserr<Problems>> Deserr<Problems> for Patched<T> {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: Location<'_>,
    ) -> Result<Self, Problems> {
        let value = Option::<T>::deserialize_from_value(value, location)?;
        Ok(value.map_or(Self::Removed, Self::Set))
    }
}

/// A merge patch of metadata.
#[derive(Debug)]
pub(super) struct MetadataPatch(pub(super) Map<String, Json>);

impl Deserr<Problems> for MetadataPatch {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: Location<'_>,
    ) -> Result<Self, Problems> {
        let kind = value.kind();
        match Json::from(value) {
            Json::Object(members) => Ok(Self(members)),
            _ => Err(wrong_kind(location, "an object", kind)),
        }
    }
}

impl Deserr<Problems> for Metadata {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: Location<'_>,
    ) -> Result<Self, Problems> {
        let MetadataPatch(members) = MetadataPatch::deserialize_from_value(value, location)?;
        Self::new(members).map_err(|error| Problems::at(location, error.sentence()))
    }
}

impl Deserr<Problems> for Enabled {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: Location<'_>,
    ) -> Result<Self, Problems> {
        bool::deserialize_from_value(value, location).map(Self)
    }
}

impl Deserr<Problems> for ScopeSet {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: Location<'_>,
    ) -> Result<Self, Problems> {
        let scopes = Vec::<TokenScope>::deserialize_from_value(value, location)?;
        Self::new(scopes).map_err(|error| Problems::at(location, error.sentence()))
    }
}

impl Deserr<Problems> for NetworkSet {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: Location<'_>,
    ) -> Result<Self, Problems> {
        let texts: Result<Vec<String>, Problems> = Deserr::deserialize_from_value(value, location);
        let networks = Self::parse(texts?.iter().map(String::as_str));
        networks.map_err(|error| {
            let text = format!("{}: {error}.", name(location));
            Problems::at(location, error.rule().says(text))
        })
    }
}
