//! How the limits of tokens are read and shown.

use deserr::{Deserr, IntoValue, Value, ValuePointerRef as Location};
use latchkey_domain::{IsoDuration, RateLimit, Refill, Uses};
use latchkey_service::{Message, Patched, RateLimitPatch, RefillPatch, Rule, ServiceError, UsesPatch};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::extract::{
    Problems,
    text::{FromText, text_members},
};

text_members!(IsoDuration);

impl FromText for IsoDuration {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        text.parse().map_err(|_| {
            let text = format!("{name} must be a duration as in ISO 8601, such as PT1M, PT24H or P7D.");
            Rule::named("duration").says(text)
        })
    }
}

/// A rate limit.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = rateLimitSchema)]
pub(crate) struct RateLimitBody {
    /// How many requests each window has: 1 to 1,000,000,000.
    #[schema(example = 100, minimum = 1, maximum = 1_000_000_000)]
    requests: u32,
    /// The length of a window: a duration of ISO 8601, `PT1S` to `P31D`. Windows are counted from 1970.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, example = "PT1M")]
    per: IsoDuration,
    /// How many requests that earlier windows left over are added to a window at most.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(required = false, default = 0, minimum = 0, maximum = 1_000_000_000, example = 20)]
    burst: u32,
}

/// Uses.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = usesSchema)]
pub(crate) struct UsesBody {
    /// How many are left: at most 1,000,000,000,000.
    #[schema(example = 1_000, minimum = 0, maximum = 1_000_000_000_000_u64)]
    remaining: u64,
    /// How they come back; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<RefillBody>)]
    refill: Option<RefillBody>,
}

/// How uses come back: each time that this span has passed, there are as many as the amount, unless there are more.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = refillSchema)]
struct RefillBody {
    /// Up to how many: 1 to 1,000,000,000,000.
    #[schema(example = 1_000, minimum = 1, maximum = 1_000_000_000_000_u64)]
    amount: u64,
    /// The time from one refill to the next, counted from when the uses were set: a duration of ISO 8601, `PT1S` to `P366D`.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, example = "P1D")]
    every: IsoDuration,
}

impl From<RateLimit> for RateLimitBody {
    fn from(limit: RateLimit) -> Self {
        Self { requests: limit.requests(), per: limit.per(), burst: limit.burst() }
    }
}

impl UsesBody {
    /// Shows uses of which so many are left.
    pub(crate) fn of(uses: Uses, left: Option<u64>) -> Self {
        let refill = |refill: Refill| RefillBody { amount: refill.amount(), every: refill.every() };
        Self { remaining: left.unwrap_or(uses.granted()), refill: uses.refill().map(refill) }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn as_text<S: Serializer>(span: &IsoDuration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(span)
}

/// The members of a rate limit, or of a merge patch of one. A new limit needs the first two.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[serde(deny_unknown_fields)]
#[schema(as = patchRateLimitSchema)]
pub(crate) struct RateLimitMembers {
    /// How many requests each window has: 1 to 1,000,000,000.
    #[deserr(default)]
    #[schema(value_type = Option<u32>, example = 100, minimum = 1, maximum = 1_000_000_000)]
    requests: Option<u32>,
    /// The length of a window: a duration of ISO 8601, `PT1S` to `P31D`.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "PT1M")]
    per: Option<IsoDuration>,
    /// How many requests that earlier windows left over are added to a window at most; null: none.
    #[deserr(default)]
    #[schema(value_type = Option<u32>, example = 20, minimum = 0, maximum = 1_000_000_000)]
    burst: Patched<u32>,
}

/// The members of uses; `refill` may be a merge patch.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[serde(deny_unknown_fields)]
#[schema(as = patchUsesSchema)]
pub(crate) struct UsesMembers {
    /// How many are left from now on: at most 1,000,000,000,000.
    #[schema(example = 1_000, minimum = 0, maximum = 1_000_000_000_000_u64)]
    remaining: u64,
    /// How they come back; null: never.
    #[deserr(default)]
    #[schema(value_type = Option<RefillMembers>)]
    refill: Patched<RefillMembers>,
}

/// The members of a refill, or of a merge patch of one. A new one needs both.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[serde(deny_unknown_fields)]
#[schema(as = patchRefillSchema)]
struct RefillMembers {
    /// Up to how many: 1 to 1,000,000,000,000.
    #[deserr(default)]
    #[schema(value_type = Option<u64>, example = 1_000, minimum = 1, maximum = 1_000_000_000_000_u64)]
    amount: Option<u64>,
    /// The time from one refill to the next: a duration of ISO 8601, `PT1S` to `P366D`.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "P1D")]
    every: Option<IsoDuration>,
}

impl From<RateLimitMembers> for RateLimitPatch {
    fn from(RateLimitMembers { requests, per, burst }: RateLimitMembers) -> Self {
        Self { requests, per, burst }
    }
}

impl From<UsesMembers> for UsesPatch {
    fn from(UsesMembers { remaining, refill }: UsesMembers) -> Self {
        let refill = refill.map(|RefillMembers { amount, every }| RefillPatch { amount, every });
        Self { remaining, refill }
    }
}

impl Deserr<Problems> for RateLimit {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        let members = RateLimitMembers::deserialize_from_value(value, place)?;
        RateLimitPatch::from(members).merged(None).map_err(|error| at(place, error))
    }
}

impl Deserr<Problems> for Uses {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        let members = UsesMembers::deserialize_from_value(value, place)?;
        UsesPatch::from(members).merged(None).map_err(|error| at(place, error))
    }
}

fn at(place: Location<'_>, error: ServiceError) -> Problems {
    match error {
        ServiceError::Invalid { message, .. } => Problems::at(place, message),
        other => Problems::at(place, other.to_string()),
    }
}
