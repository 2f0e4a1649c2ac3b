//! Moving secrets to the current master key: progress, and sealing anew what can be opened.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use latchkey_domain::{TokenId, WebhookId};
use latchkey_ports::{
    Clock, KeyId, MasterKeyRepository, Rekeying, SealingError, SecretDigest, SecretForm, SecretOf,
    SecretRecord, SecretSealer, SecretsByKey, StoreError, TokenSecrets, WebhookRepository,
};

use crate::webhook_secrets::{open_secret, seal_secret};

/// The number of tokens that are read and written at once, so that memory is bounded and other writers do not wait for
/// long.
const PORTION: u32 = 500;

/// Reports and moves secrets by master key. Nothing here changes the rights of a caller, so it requires no permit and
/// leaves no event; it is for the operator, who has the master keys and the database.
pub struct MasterKeys {
    store: Arc<dyn MasterKeyRepository>,
    webhooks: Arc<dyn WebhookRepository>,
    sealer: Arc<dyn SecretSealer>,
    clock: Arc<dyn Clock>,
}

/// Progress of sealing secrets anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResealingStep {
    /// An estimate of the progress; tokens can be created and removed in the meantime.
    Done {
        done: u64,
        of: u64,
    },
    Skipped(SkippedSecret),
}

/// A sealed secret that stays under an older key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedSecret {
    pub of: SealedSecret,
    pub key: KeyId,
    pub reason: SkipReason,
}

/// The owner of a sealed secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedSecret {
    OfToken(SecretOf),
    OfWebhook(WebhookId),
}

/// Why a sealed secret stays under an older key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// Another token has the same secret, already under the current key.
    #[error("another token has the same secret; delete one of the two")]
    Twice,
}

/// The result of sealing secrets anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resealed {
    pub moved: u64,
    /// The number skipped ([`ResealingStep::Skipped`]).
    pub skipped: u64,
}

impl MasterKeys {
    /// Returns the use case over these ports.
    pub fn new(
        store: Arc<dyn MasterKeyRepository>,
        webhooks: Arc<dyn WebhookRepository>,
        sealer: Arc<dyn SecretSealer>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { store, webhooks, sealer, clock }
    }

    /// Returns the ids of the configured keys, the current one first.
    pub fn configured(&self) -> Vec<KeyId> {
        self.sealer.keys()
    }

    /// Returns the key of the oldest API token if it is not configured. Then this process most likely has other keys
    /// than the other users of the store, and neither recognizes the secrets of the other.
    pub async fn missing(&self) -> Result<Option<KeyId>, StoreError> {
        let oldest = self.store.token_secrets(None, 1).await?;
        let key = oldest.first().map(|secrets| secrets.secret.key);
        Ok(key.filter(|key| !self.configured().contains(key)))
    }

    /// Returns the number of secrets by key and form.
    pub async fn usage(&self) -> Result<SecretsByKey, StoreError> {
        self.store.secrets_by_key(self.clock.now()).await
    }

    /// Moves every secret and alias with a sealed copy, and every secret of a webhook, to the current key. One that is changed in the meantime is left
    /// alone. The call can be dropped at any moment and repeated.
    ///
    /// # Errors
    /// As [`MasterKeyRepository`]; what was moved until then stays moved.
    pub async fn reseal(&self, mut report: impl FnMut(ResealingStep)) -> Result<Resealed, StoreError> {
        let current = self.current();
        let usage = self.usage().await?;
        let is_sealed = |form| [SecretForm::Sealed, SecretForm::Webhook].contains(&form);
        let elsewhere = usage.iter().filter(|((key, form), _)| is_sealed(*form) && Some(*key) != current);
        let to_do: u64 = elsewhere.map(|(_, count)| count.good).sum();
        let (mut resealed, mut after) = (Resealed::default(), None);
        if to_do == 0 {
            return Ok(resealed);
        }
        let mut tell = |moved, skipped: Vec<SkippedSecret>| {
            resealed.moved += moved;
            resealed.skipped += u64::try_from(skipped.len()).unwrap_or(u64::MAX);
            for secret in skipped {
                report(ResealingStep::Skipped(secret));
            }
            report(ResealingStep::Done { done: resealed.moved + resealed.skipped, of: to_do });
        };
        let mut skipped = Vec::new();
        let moved = self.reseal_webhooks(&mut skipped).await?;
        tell(moved, skipped);
        loop {
            let portion = self.store.token_secrets(after, PORTION).await?;
            let Some(last) = portion.last().map(|secrets| secrets.token) else { return Ok(resealed) };
            let mut skipped = Vec::new();
            let rekeyings = self.rekeyings(portion, &mut skipped);
            let moved = self.write(after, rekeyings, &mut skipped).await?;
            tell(moved, skipped);
            after = Some(last);
        }
    }

    /// Moves the secrets of webhooks, which are few, and returns their number.
    async fn reseal_webhooks(&self, skipped: &mut Vec<SkippedSecret>) -> Result<u64, StoreError> {
        let current = self.current();
        let mut moved = 0;
        for stored in self.webhooks.webhooks().await? {
            let (id, from) = (stored.webhook.id, &stored.secret);
            if Some(from.key) == current {
                continue;
            }
            let anew = open_secret(&*self.sealer, &stored)
                .and_then(|secret| seal_secret(&*self.sealer, &secret, id));
            match anew {
                Ok(to) => moved += u64::from(self.webhooks.rekey_webhook(id, from, &to).await?),
                Err(error) => {
                    let of = SealedSecret::OfWebhook(id);
                    skipped.push(SkippedSecret { of, key: from.key, reason: error.into() });
                }
            }
        }
        Ok(moved)
    }

    fn current(&self) -> Option<KeyId> {
        self.sealer.keys().first().copied()
    }

    /// Returns the rekeyings for a portion.
    fn rekeyings(&self, portion: Vec<TokenSecrets>, skipped: &mut Vec<SkippedSecret>) -> Vec<Rekeying> {
        let current = self.current();
        let mut rekeyings = Vec::new();
        for TokenSecrets { token, secret, alias } in portion {
            let records = [(SecretOf::Token(token), Some(secret)), (SecretOf::Alias(token), alias)];
            for (of, record) in records {
                let Some(record) = record.filter(|kept| Some(kept.key) != current) else { continue };
                match self.sealed_anew(&record, token) {
                    Ok(Some(to)) => rekeyings.push(Rekeying { of, from: record.digest, to }),
                    Ok(None) => {}
                    Err(error) => {
                        let of = SealedSecret::OfToken(of);
                        skipped.push(SkippedSecret { of, key: record.key, reason: error.into() });
                    }
                }
            }
        }
        rekeyings
    }

    /// Returns the record under the current key; `None` for one without a sealed copy.
    fn sealed_anew(
        &self,
        record: &SecretRecord,
        token: TokenId,
    ) -> Result<Option<SecretRecord>, SealingError> {
        let Some(secret) = self.sealer.open(record, token)? else { return Ok(None) };
        // An altered digest must be reported, and not be replaced silently.
        if !self.sealer.digests(&secret).contains(&record.digest) {
            return Err(SealingError::Broken);
        }
        self.sealer.seal(&secret, token).map(Some)
    }

    /// Writes the rekeyings of the portion after that token, and returns the number that were moved.
    async fn write(
        &self,
        after: Option<TokenId>,
        rekeyings: Vec<Rekeying>,
        skipped: &mut Vec<SkippedSecret>,
    ) -> Result<u64, StoreError> {
        if rekeyings.is_empty() {
            return Ok(0);
        }
        let done: HashSet<SecretDigest> = self.store.rekey_secrets(&rekeyings).await?.into_iter().collect();
        let undone: Vec<_> = rekeyings.iter().filter(|rekeying| !done.contains(&rekeying.from)).collect();
        if !undone.is_empty() {
            // A record that is unchanged and was skipped nevertheless has a digest that another token has.
            let portion = self.store.token_secrets(after, PORTION).await?;
            let kept: HashMap<_, _> = portion.iter().flat_map(records).collect();
            skipped.extend(undone.into_iter().filter_map(|Rekeying { of, from, .. }| {
                let key = kept.get(of).filter(|record| record.digest == *from)?.key;
                Some(SkippedSecret { of: SealedSecret::OfToken(*of), key, reason: SkipReason::Twice })
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
