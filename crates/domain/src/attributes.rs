//! Attributes of API tokens: what is known about a token beside its scope and its expiry.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Metadata, NetworkSet, ScopeSet, TokenDescription, TokenOwner};

/// What is known about a token beside its projects, its environment and its expiry.
///
/// Stores keep the attributes as one JSON object and name none of them, so a new attribute is a new field here,
/// optional and left out of the JSON while it is not set. Text must not contain NUL, which PostgreSQL cannot store.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TokenAttributes {
    /// What it is for, in the words of the people who use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<TokenDescription>,
    /// Who is responsible for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<TokenOwner>,
    /// What its owners note about it.
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// Whether it is accepted.
    #[serde(skip_serializing_if = "Enabled::is_on")]
    pub enabled: Enabled,
    /// What it may do in the product that it guards.
    #[serde(skip_serializing_if = "ScopeSet::is_empty")]
    pub scopes: ScopeSet,
    /// From where it is accepted.
    #[serde(skip_serializing_if = "NetworkSet::is_empty")]
    pub allowed_networks: NetworkSet,
    /// Attributes that a newer version wrote. They are kept, so that an older replica does not drop them.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Whether a token is accepted: yes, unless it was disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Enabled(pub bool);

impl Default for Enabled {
    fn default() -> Self {
        Self(true)
    }
}

impl Enabled {
    /// Whether the token is accepted. By reference, as serde calls it.
    pub fn is_on(&self) -> bool {
        self.0
    }
}

impl TokenAttributes {
    /// Returns the attributes that are set, as stores and event snapshots keep them.
    pub fn to_json(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(attributes)) => attributes,
            // A struct of text, numbers and JSON always becomes an object.
            _ => Map::new(),
        }
    }

    /// Whether anything is set that verification decides by or tells. Of most tokens nothing is, and they cost nothing more.
    pub fn matter_to_verification(&self) -> bool {
        let Self { description: _, owner, metadata, enabled, scopes, allowed_networks, other: _ } = self;
        owner.is_some()
            || !metadata.is_empty()
            || !enabled.is_on()
            || !scopes.is_empty()
            || !allowed_networks.is_empty()
    }

    /// Whether a token with these attributes may do nothing that it could not with the others.
    pub fn is_within(&self, others: &Self) -> bool {
        self.scopes.is_within(&others.scopes) && self.allowed_networks.is_within(&others.allowed_networks)
    }
}

/// Reads what [`TokenAttributes::to_json`] returned.
impl FromStr for TokenAttributes {
    type Err = serde_json::Error;

    fn from_str(json: &str) -> Result<Self, serde_json::Error> {
        // Most tokens have none, and a list has thousands of tokens.
        if json == "{}" { Ok(Self::default()) } else { serde_json::from_str(json) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::TokenScope;

    #[test]
    fn attributes_that_are_not_set_are_no_members() {
        assert_eq!(TokenAttributes::default().to_json(), Map::new());
        assert_eq!("{}".parse::<TokenAttributes>().expect("attributes"), TokenAttributes::default());
        assert!(TokenAttributes::default().enabled.is_on());
    }

    #[test]
    fn attributes_survive_a_round_trip() {
        let scopes = ["orders:read", "stock:*"].map(|text| TokenScope::new(text).expect("a scope"));
        let all = TokenAttributes {
            description: Some(TokenDescription::new("Reads orders").expect("text")),
            owner: Some(TokenOwner::new("team-a@example.com").expect("text")),
            metadata: Metadata::new(Map::from_iter([("team".to_owned(), json!("a"))])).expect("metadata"),
            enabled: Enabled(false),
            scopes: ScopeSet::new(scopes).expect("few"),
            allowed_networks: NetworkSet::parse(["10.0.0.0/8", "::1"]).expect("networks"),
            other: Map::from_iter([("later".to_owned(), json!([1]))]),
        };
        let json = Value::Object(all.to_json());
        let expected = json!({
            "description": "Reads orders",
            "owner": "team-a@example.com",
            "metadata": { "team": "a" },
            "enabled": false,
            "scopes": ["orders:read", "stock:*"],
            "allowedNetworks": ["10.0.0.0/8", "::1/128"],
            "later": [1],
        });
        assert_eq!(json, expected);
        assert_eq!(json.to_string().parse::<TokenAttributes>().expect("attributes"), all);
    }

    #[test]
    fn a_description_alone_does_not_matter_to_verification() {
        let description = Some(TokenDescription::new("x").expect("text"));
        assert!(!TokenAttributes { description, ..TokenAttributes::default() }.matter_to_verification());
        let disabled = TokenAttributes { enabled: Enabled(false), ..TokenAttributes::default() };
        assert!(disabled.matter_to_verification());
    }
}
