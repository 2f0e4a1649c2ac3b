//! Merge patches of the limits of tokens.

use latchkey_domain::{IsoDuration, LimitError, RateLimit, Refill, Uses};

use crate::{Fault as _, Patched, Rule, ServiceError};

/// A change of a rate limit, or a new one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RateLimitPatch {
    pub requests: Option<u32>,
    pub per: Option<IsoDuration>,
    pub burst: Patched<u32>,
}

/// The uses of a token, set anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsesPatch {
    pub remaining: u64,
    pub refill: Patched<RefillPatch>,
}

/// A change of how uses come back, or a new one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RefillPatch {
    pub amount: Option<u64>,
    pub every: Option<IsoDuration>,
}

impl RateLimitPatch {
    /// Returns the limit in place of the one before.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] if a member is missing, or out of its bounds.
    pub fn merged(self, before: Option<RateLimit>) -> Result<RateLimit, ServiceError> {
        const MEMBER: &str = "rateLimit";
        let requests = self.requests.or(before.map(|before| before.requests()));
        let per = self.per.or(before.map(|before| before.per()));
        let burst = match self.burst {
            Patched::Kept => before.map_or(0, |before| before.burst()),
            Patched::Removed => 0,
            Patched::Set(burst) => burst,
        };
        let requests = requests.ok_or_else(|| missing(MEMBER, "requests"))?;
        let per = per.ok_or_else(|| missing(MEMBER, "per"))?;
        RateLimit::new(requests, per, burst).map_err(|error| out_of_bounds(MEMBER, error))
    }
}

impl UsesPatch {
    /// Returns the uses in place of those before, as of no moment yet ([`Uses::set_at`]).
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] if a member is missing, or out of its bounds.
    pub fn merged(self, before: Option<Uses>) -> Result<Uses, ServiceError> {
        const MEMBER: &str = "uses";
        let refill = match self.refill {
            Patched::Kept => before.and_then(|before| before.refill()),
            Patched::Removed => None,
            Patched::Set(patch) => {
                let before = before.and_then(|before| before.refill());
                let amount = patch.amount.or(before.map(|before| before.amount()));
                let every = patch.every.or(before.map(|before| before.every()));
                let amount = amount.ok_or_else(|| missing(MEMBER, "refill.amount"))?;
                let every = every.ok_or_else(|| missing(MEMBER, "refill.every"))?;
                Some(Refill::new(amount, every).map_err(|error| out_of_bounds(MEMBER, error))?)
            }
        };
        Uses::new(self.remaining, refill).map_err(|error| out_of_bounds(MEMBER, error))
    }
}

fn missing(member: &'static str, name: &str) -> ServiceError {
    let text = format!("{member}.{name} is required, because the token has none yet.");
    ServiceError::field(member, Rule::named("required-with").with("name", name).says(text))
}

fn out_of_bounds(member: &'static str, error: LimitError) -> ServiceError {
    ServiceError::field(member, error.sentence())
}
