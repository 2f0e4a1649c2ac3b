//! Secrets under the current master key: how much is not, and moving what can be opened (decision 16).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use latchkey_domain::TokenId;
use latchkey_ports::{
    Clock, KeyId, MasterKeyRepository, Rekeying, SealingError, SecretDigest, SecretForm, SecretOf,
    SecretRecord, SecretSealer, SecretsByKey, StoreError, TokenSecrets,
};

/// So many tokens are read and written at once: memory is bounded, and others who write do not wait long.
const PORTION: u32 = 500;

/// What becomes of secrets when the master key changes. Nothing here changes what anybody may do, so it asks for no permit
/// and leaves no event; whoever holds the master keys and the database may see more than that.
pub struct MasterKeys {
    store: Arc<dyn MasterKeyRepository>,
    sealer: Arc<dyn SecretSealer>,
    clock: Arc<dyn Clock>,
}

/// Told while secrets are sealed anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResealingStep {
    /// So many of so many are done. Tokens that come or go meanwhile make it no more exact than that.
    Done {
        /// How many are done.
        done: u64,
        /// How many there were to do.
        of: u64,
    },
    /// One had to be left where it is.
    Skipped(SkippedSecret),
}

/// A sealed secret that stays under an older key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedSecret {
    /// The token's secret or its alias.
    pub of: SecretOf,
    /// Under which key it stays.
    pub key: KeyId,
    /// Why.
    pub reason: SkipReason,
}

/// Why a sealed secret stays under an older key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    /// It cannot be opened, or not sealed anew.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// Another token has the same secret, under the current key already.
    #[error("another token has the same secret; delete one of the two")]
    Twice,
}

/// What came of sealing secrets anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resealed {
    /// So many are under the current key now.
    pub moved: u64,
    /// So many were told of as left ([`ResealingStep::Skipped`]).
    pub skipped: u64,
}

impl MasterKeys {
    /// The keys of this store.
    #[must_use]
    pub fn new(
        store: Arc<dyn MasterKeyRepository>,
        sealer: Arc<dyn SecretSealer>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, sealer, clock }
    }

    /// The ids of the configured keys, the current one first.
    #[must_use]
    pub fn configured(&self) -> Vec<KeyId> {
        self.sealer.keys()
    }

    /// The key of the oldest API token, where it is not configured: then this process most likely has other keys than those
    /// that use the store besides. What it makes they do not recognise, nor it what they make.
    ///
    /// # Errors
    /// As [`MasterKeyRepository::token_secrets`].
    pub async fn missing(&self) -> Result<Option<KeyId>, StoreError> {
        let oldest = self.store.token_secrets(None, 1).await?;
        let key = oldest.first().map(|secrets| secrets.secret.key);
        Ok(key.filter(|key| !self.configured().contains(key)))
    }

    /// How much is kept in which form under which key.
    ///
    /// # Errors
    /// As [`MasterKeyRepository::secrets_by_key`].
    pub async fn usage(&self) -> Result<SecretsByKey, StoreError> {
        self.store.secrets_by_key(self.clock.now()).await
    }

    /// Puts every secret and alias that can be shown, and is not under the current key, under it. What somebody changes
    /// meanwhile is left as they make it. Can be given up at any moment and begun again.
    ///
    /// # Errors
    /// As [`MasterKeyRepository`] says; what was done until then stays done.
    pub async fn reseal(&self, mut tell: impl FnMut(ResealingStep)) -> Result<Resealed, StoreError> {
        let current = self.current();
        let usage = self.usage().await?;
        let elsewhere =
            usage.iter().filter(|((key, form), _)| *form == SecretForm::Sealed && Some(*key) != current);
        let to_do: u64 = elsewhere.map(|(_, count)| count.good).sum();
        let (mut resealed, mut after) = (Resealed::default(), None);
        if to_do == 0 {
            return Ok(resealed);
        }
        loop {
            let portion = self.store.token_secrets(after, PORTION).await?;
            let Some(last) = portion.last().map(|secrets| secrets.token) else { return Ok(resealed) };
            let mut left = Vec::new();
            let rekeyings = self.rekeyings(portion, &mut left);
            resealed.moved += self.write(after, rekeyings, &mut left).await?;
            resealed.skipped += u64::try_from(left.len()).unwrap_or(u64::MAX);
            for left in left {
                tell(ResealingStep::Skipped(left));
            }
            tell(ResealingStep::Done { done: resealed.moved + resealed.skipped, of: to_do });
            after = Some(last);
        }
    }

    fn current(&self) -> Option<KeyId> {
        self.sealer.keys().first().copied()
    }

    /// What there is to do about a portion.
    fn rekeyings(&self, portion: Vec<TokenSecrets>, left: &mut Vec<SkippedSecret>) -> Vec<Rekeying> {
        let current = self.current();
        let mut rekeyings = Vec::new();
        for TokenSecrets { token, secret, alias } in portion {
            let records = [(SecretOf::Token(token), Some(secret)), (SecretOf::Alias(token), alias)];
            for (of, record) in records {
                let Some(record) = record.filter(|kept| Some(kept.key) != current) else { continue };
                match self.sealed_anew(&record, token) {
                    Ok(Some(to)) => rekeyings.push(Rekeying { of, from: record.digest, to }),
                    Ok(None) => {}
                    Err(error) => left.push(SkippedSecret { of, key: record.key, reason: error.into() }),
                }
            }
        }
        rekeyings
    }

    /// The record under the current key; `None` for one without a copy.
    fn sealed_anew(
        &self,
        record: &SecretRecord,
        token: TokenId,
    ) -> Result<Option<SecretRecord>, SealingError> {
        let Some(secret) = self.sealer.open(record, token)? else { return Ok(None) };
        // Whoever altered the digest alone must not have it put right, or wrong, in silence.
        if !self.sealer.digests(&secret).contains(&record.digest) {
            return Err(SealingError::Broken);
        }
        self.sealer.seal(&secret, token).map(Some)
    }

    /// Writes what was made of the portion after that token, and says how many were changed.
    async fn write(
        &self,
        after: Option<TokenId>,
        rekeyings: Vec<Rekeying>,
        left: &mut Vec<SkippedSecret>,
    ) -> Result<u64, StoreError> {
        if rekeyings.is_empty() {
            return Ok(0);
        }
        let done: HashSet<SecretDigest> = self.store.rekey_secrets(&rekeyings).await?.into_iter().collect();
        let undone: Vec<_> = rekeyings.iter().filter(|rekeying| !done.contains(&rekeying.from)).collect();
        if !undone.is_empty() {
            // What is what it was, and was passed over nevertheless, has a digest that somebody else has.
            let portion = self.store.token_secrets(after, PORTION).await?;
            let kept: HashMap<_, _> = portion.iter().flat_map(records).collect();
            left.extend(undone.into_iter().filter_map(|Rekeying { of, from, .. }| {
                let key = kept.get(of).filter(|record| record.digest == *from)?.key;
                Some(SkippedSecret { of: *of, key, reason: SkipReason::Twice })
            }));
        }
        Ok(u64::try_from(done.len()).unwrap_or(u64::MAX))
    }
}

fn records(secrets: &TokenSecrets) -> impl Iterator<Item = (SecretOf, &SecretRecord)> {
    let TokenSecrets { token, secret, alias } = secrets;
    let alias = alias.as_ref().map(|alias| (SecretOf::Alias(*token), alias));
    std::iter::once((SecretOf::Token(*token), secret)).chain(alias)
}
