//! Verification of many API tokens at once, with one query for all that are not cached.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use latchkey_domain::{Principal, TokenSecret};
use latchkey_ports::{SecretDigest, StoreError, TokenMatch};

use super::{AuthenticationError, Authenticator, of_token};
use crate::{index::Lookup, metrics::Source};

/// A secret that is not cached.
struct Missing {
    /// Its position in the batch.
    position: usize,
    secret: TokenSecret,
    digest: SecretDigest,
}

impl Authenticator {
    /// Returns the principal of each of these secrets that is a valid API token's and admitted, and why each other one is refused,
    /// in the same order. Personal access tokens and sessions are not looked up, and are unknown.
    ///
    /// The client's budget is checked once, before the query: secrets that turn out to be unknown count against it, but
    /// do not fail the others of the same batch.
    ///
    /// # Errors
    /// As [`Authenticator::verify`], for all of them. Those of the single secrets are [`AuthenticationError::Unknown`] and
    /// [`AuthenticationError::Refused`].
    pub(crate) async fn verify_tokens(
        &self,
        secrets: &[&str],
        client: Option<IpAddr>,
        is_admitted: impl Fn(usize, &Principal) -> bool,
    ) -> Result<Vec<Result<Arc<Principal>, AuthenticationError>>, AuthenticationError> {
        let mut missing = Vec::new();
        let mut lookups = Vec::with_capacity(secrets.len());
        for (position, secret) in secrets.iter().enumerate() {
            let token = TokenSecret::parse(secret).ok();
            let Some(secret) = token.filter(|secret| !secret.is_personal() && !secret.is_session()) else {
                lookups.push(None);
                continue;
            };
            let digest = self.sealer.digest(&secret);
            let cached = self.index.get(&digest).map(|cached| (Source::Memory, cached));
            if cached.is_none() {
                missing.push(Missing { position, secret, digest });
            }
            lookups.push(cached);
        }
        if !missing.is_empty() {
            // Boxed, as the lookup of one.
            let (source, found) = Box::pin(self.look_up_all_or_serve_stale(&missing, client)).await?;
            for (Missing { position, .. }, found) in missing.iter().zip(found) {
                if let Some(lookup) = lookups.get_mut(*position) {
                    *lookup = Some((source, found));
                }
            }
        }
        let now = self.clock.now();
        let valid = lookups.into_iter().enumerate().map(|(position, lookup)| {
            let Some((source, lookup)) = lookup else {
                self.counters.malformed.increment();
                return Err(AuthenticationError::Unknown);
            };
            self.accept(source, lookup, now, |principal| is_admitted(position, principal))
        });
        Ok(valid.collect())
    }

    async fn look_up_all_or_serve_stale(
        &self,
        missing: &[Missing],
        client: Option<IpAddr>,
    ) -> Result<(Source, Vec<Lookup>), AuthenticationError> {
        // All or none: a token that is neither cached nor looked up must not be taken for an invalid one.
        let serve_stale = || {
            let stale =
                missing.iter().map(|missing| self.index.get_stale(&missing.digest).map(Lookup::Found));
            Some((Source::StaleMemory, stale.collect::<Option<_>>()?))
        };
        if self.index.is_cut_off()
            && let Some(stale) = serve_stale()
        {
            return Ok(stale);
        }
        match self.look_up_all(missing, client).await {
            Err(error @ AuthenticationError::Store(StoreError::Unavailable(_))) => serve_stale().ok_or(error),
            answer => answer.map(|lookups| (Source::Store, lookups)),
        }
    }

    async fn look_up_all(
        &self,
        missing: &[Missing],
        client: Option<IpAddr>,
    ) -> Result<Vec<Lookup>, AuthenticationError> {
        let (looked_up_at, now) = self.begin_lookup(client)?;
        let digests: Vec<Vec<SecretDigest>> =
            missing.iter().map(|missing| self.sealer.digests(&missing.secret)).collect();
        let found = self.ports.tokens.find_tokens_by_digests(&digests.concat()).await?;
        let found: HashMap<SecretDigest, TokenMatch> =
            found.into_iter().map(|found| (found.found_by, found)).collect();
        let lookups = missing.iter().zip(&digests).map(|(Missing { secret, digest, .. }, digests)| {
            let found = digests.iter().find_map(|digest| found.get(digest)).cloned();
            let lookup = self.cache((secret, *digest), found.map(of_token), looked_up_at);
            if matches!(lookup, Lookup::Unknown) {
                self.budget.spend(client, now);
            }
            lookup
        });
        let lookups = lookups.collect();
        // If they are too old, they may be served as stale cache entries.
        self.index.check_lookups().map_err(StoreError::from)?;
        Ok(lookups)
    }
}
