//! Uses of credentials: recorded, and counted where the token has limits.

use std::{net::IpAddr, sync::Arc};

use latchkey_domain::{Principal, TokenId, TokenLimits, UseOutcome};

use super::{AuthenticationError, Authenticator};
use crate::{Allowance, SpendError};

impl Authenticator {
    /// Records the use of a secret that was found, good or not, by the client of this address.
    pub(crate) fn record(&self, found: &Result<Arc<Principal>, AuthenticationError>, client: Option<IpAddr>) {
        match found {
            Ok(principal) => self.record_use(principal, UseOutcome::Verified, client),
            Err(AuthenticationError::Refused { principal, reason }) => {
                self.record_use(principal, UseOutcome::Refused(*reason), client);
            }
            Err(_) => {}
        }
    }

    /// Records the use of a secret, as [`Authenticator::record`], and counts it if its token has limits.
    pub(crate) async fn spend_and_record(
        &self,
        found: Result<Arc<Principal>, AuthenticationError>,
        client: Option<IpAddr>,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        if let Ok(principal) = &found
            && let Some(token) = principal.verified_token()
            && let Some(limits) = token.limits()
        {
            // Boxed, so that the future of all others stays small.
            return match Box::pin(self.spend(principal, token.id, limits, 1, client)).await {
                Ok(_) => found,
                Err(SpendError::Refused(refusal)) => Err(AuthenticationError::Limited(refusal)),
                Err(SpendError::Store(error)) => Err(error.into()),
            };
        }
        self.record(&found, client);
        found
    }

    /// Counts and records the use of a token with limits.
    pub(crate) async fn spend(
        &self,
        principal: &Principal,
        token: TokenId,
        limits: TokenLimits,
        cost: u32,
        client: Option<IpAddr>,
    ) -> Result<Allowance, SpendError> {
        let spent = self.limits.spend(token, limits, cost).await;
        match &spent {
            Ok(_) => self.record_use(principal, UseOutcome::Verified, client),
            Err(SpendError::Refused(refusal)) => {
                self.record_use(principal, UseOutcome::Refused(refusal.reason), client);
            }
            Err(SpendError::Store(_)) => {}
        }
        spent
    }

    /// Records what became of a use of the principal's token.
    pub(crate) fn record_use(&self, principal: &Principal, outcome: UseOutcome, client: Option<IpAddr>) {
        self.usage.record_use(principal, self.clock.now(), outcome, client);
    }
}
