//! Attributes of API tokens: what is known about a token beside its scope and its expiry.

use std::{str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Metadata, NetworkSet, RateLimit, ScopeSet, Term, Timestamp, TokenDescription, TokenLimits, TokenOwner,
    Uses,
};

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
    /// How often it is accepted in a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// How often it is accepted at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses: Option<Uses>,
    /// That the secret before the present one ends when the present one is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotation: Option<PendingRotation>,
    /// From when on it counts as unused, beside its creation and its last use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disuse: Option<DisuseMark>,
    /// After how long its secret is to be rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_every: Option<Term>,
    /// When its secret was last rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotated: Option<RotationMark>,
    /// Attributes that a newer version wrote. They are kept, so that an older replica does not drop them.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A rotation whose new secret has not been used yet: the secret before it ends soon after its first use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRotation {
    /// In milliseconds since 1970.
    until: i64,
}

impl PendingRotation {
    /// How long after the first use of the new secret the old one still is accepted: requests may be under way, and not every
    /// process of the client has the new one at the same moment.
    pub const GRACE: Duration = Duration::from_secs(60);

    /// Returns a rotation whose overlap ends at that moment.
    pub fn new(until: Timestamp) -> Self {
        Self { until: until.millis() }
    }

    /// Returns when the old secret ends at the latest: with the overlap.
    pub fn until(self) -> Timestamp {
        Timestamp::saturating_from_millis(self.until)
    }

    /// Returns when the old secret ends, if the new one was first used at that moment.
    pub fn end_after(self, first_use: Timestamp) -> Timestamp {
        first_use.plus(Self::GRACE).map_or_else(|_| self.until(), |end| end.min(self.until()))
    }
}

/// When a token was disabled because it was not used, or, of a token that is enabled, when it last was enabled again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisuseMark {
    /// In milliseconds since 1970.
    at: i64,
}

impl DisuseMark {
    /// Returns the mark of that moment.
    pub fn new(at: Timestamp) -> Self {
        Self { at: at.millis() }
    }

    /// Returns its moment.
    pub fn at(self) -> Timestamp {
        Timestamp::saturating_from_millis(self.at)
    }
}

/// When the secret of a token was last rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationMark {
    /// In milliseconds since 1970.
    at: i64,
}

impl RotationMark {
    /// Returns the mark of that moment.
    pub fn new(at: Timestamp) -> Self {
        Self { at: at.millis() }
    }

    /// Returns its moment.
    pub fn at(self) -> Timestamp {
        Timestamp::saturating_from_millis(self.at)
    }
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

    /// Returns the attributes that are set, without those that only this program itself needs: how it is kept that a secret ends with
    /// the first use of another, from when on a token counts as unused, and when its secret was rotated.
    pub fn shown(&self) -> Map<String, Value> {
        let mut shown = self.to_json();
        for own in ["rotation", "disuse", "rotated"] {
            shown.remove(own);
        }
        shown
    }

    /// Whether anything is set that verification decides by or tells. Of most tokens nothing is, and they cost nothing more.
    pub fn matter_to_verification(&self) -> bool {
        let Self {
            description: _,
            owner,
            metadata,
            enabled,
            scopes,
            allowed_networks,
            rotation,
            disuse: _,
            rate_limit,
            uses,
            rotate_every: _,
            rotated: _,
            other: _,
        } = self;
        owner.is_some()
            || !metadata.is_empty()
            || !enabled.is_on()
            || !scopes.is_empty()
            || !allowed_networks.is_empty()
            || rate_limit.is_some()
            || uses.is_some()
            || rotation.is_some()
    }

    /// Whether a token with these attributes may do nothing that it could not with the others.
    pub fn is_within(&self, others: &Self) -> bool {
        let limits = |attributes: &Self| (attributes.rate_limit, attributes.uses);
        self.scopes.is_within(&others.scopes)
            && self.allowed_networks.is_within(&others.allowed_networks)
            && TokenLimits::are_within(limits(self), limits(others))
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
    use crate::{IsoDuration, TokenScope};

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
            rate_limit: RateLimit::new(10, IsoDuration::new(Duration::from_secs(60)), 0).ok(),
            uses: Uses::new(7, None).ok(),
            rotation: Some(PendingRotation::new(Timestamp::saturating_from_millis(5_000))),
            disuse: Some(DisuseMark::new(Timestamp::saturating_from_millis(6_000))),
            rotate_every: "P90D".parse().ok(),
            rotated: Some(RotationMark::new(Timestamp::saturating_from_millis(7_000))),
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
            "rateLimit": { "requests": 10, "per": "PT1M" },
            "uses": { "remaining": 7 },
            "rotation": { "until": 5_000 },
            "disuse": { "at": 6_000 },
            "rotateEvery": "P90D",
            "rotated": { "at": 7_000 },
            "later": [1],
        });
        assert_eq!(json, expected);
        let names = [
            "allowedNetworks",
            "description",
            "enabled",
            "later",
            "metadata",
            "owner",
            "rateLimit",
            "rotateEvery",
            "scopes",
            "uses",
        ];
        assert_eq!(all.shown().keys().collect::<Vec<_>>(), names);
        assert_eq!(json.to_string().parse::<TokenAttributes>().expect("attributes"), all);
    }

    #[test]
    fn a_description_alone_does_not_matter_to_verification() {
        let description = Some(TokenDescription::new("x").expect("text"));
        assert!(!TokenAttributes { description, ..TokenAttributes::default() }.matter_to_verification());
        let disabled = TokenAttributes { enabled: Enabled(false), ..TokenAttributes::default() };
        assert!(disabled.matter_to_verification());
    }

    #[test]
    fn an_old_secret_ends_a_minute_after_the_first_use_and_at_the_latest_with_the_overlap() {
        let at = Timestamp::saturating_from_millis;
        let rotation = PendingRotation::new(at(100_000));
        for (first_use, end) in [(0, 60_000), (40_000, 100_000), (40_001, 100_000), (100_000, 100_000)] {
            assert_eq!(rotation.end_after(at(first_use)), at(end));
        }
        assert_eq!(PendingRotation::new(at(i64::MAX)).end_after(at(i64::MAX)), at(i64::MAX));
    }
}
