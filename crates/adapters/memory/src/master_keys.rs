//! Stored secrets by master key, and their move to another key.

use std::collections::{HashMap, hash_map::Entry};
use std::hash::Hash;

use async_trait::async_trait;
use latchkey_domain::{Timestamp, TokenId};
use latchkey_ports::{
    KeptAnswer, KeyId, MasterKeyRepository, Rekeying, SecretDigest, SecretForm, SecretOf, SecretRecord,
    SecretsByKey, StoreError, TokenSecrets,
};

use crate::{
    MemoryStore,
    state::{RetiredSecret, State, to_usize},
};

#[async_trait]
impl MasterKeyRepository for MemoryStore {
    async fn token_secrets(
        &self,
        after: Option<TokenId>,
        limit: u32,
    ) -> Result<Vec<TokenSecrets>, StoreError> {
        let state = self.state();
        let rest = state.tokens.iter().filter(|(id, _)| after.is_none_or(|after| **id > after));
        let secrets = rest.take(to_usize(limit)).map(|(id, stored)| TokenSecrets {
            token: *id,
            secret: stored.secret.clone(),
            alias: stored.alias.clone(),
        });
        Ok(secrets.collect())
    }

    async fn rekey_secrets(&self, rekeyings: &[Rekeying]) -> Result<Vec<SecretDigest>, StoreError> {
        let mut state = self.state();
        let done = rekeyings.iter().filter(|rekeying| state.rekey(rekeying));
        Ok(done.map(|rekeying| rekeying.from).collect())
    }

    async fn secrets_by_key(&self, now: Timestamp) -> Result<SecretsByKey, StoreError> {
        Ok(self.state().secrets_by_key(now))
    }
}

impl State {
    /// Moves one secret to another key and returns whether it fit.
    fn rekey(&mut self, rekeying: &Rekeying) -> bool {
        let Rekeying { of, from, to } = rekeying;
        match of {
            SecretOf::Token(id) => self.rekey_token(*id, rekeying, false),
            SecretOf::Alias(id) => self.rekey_token(*id, rekeying, true),
            SecretOf::Retired(id) => {
                let is_owner = self.retired_secrets.get(from).is_some_and(|retired| retired.token == *id);
                if !is_owner || to.sealed.is_some() || self.check_new_secret(to.digest).is_err() {
                    return false;
                }
                if let Some(retired) = self.retired_secrets.remove(from) {
                    self.retired_secrets.insert(to.digest, RetiredSecret { key: to.key, ..retired });
                }
                true
            }
            SecretOf::PersonalToken(id) => rekey_by_digest(&mut self.personal_tokens_by_digest, id, rekeying),
            SecretOf::Session(id) => rekey_by_digest(&mut self.sessions_by_digest, id, rekeying),
        }
    }

    fn rekey_token(&mut self, id: TokenId, rekeying: &Rekeying, by_alias: bool) -> bool {
        let Rekeying { from, to, .. } = rekeying;
        let Some(stored) = self.tokens.get(&id) else { return false };
        let kept = if by_alias { stored.alias.as_ref() } else { Some(&stored.secret) };
        let fits = |kept: &SecretRecord| kept.digest == *from && kept.sealed.is_some() == to.sealed.is_some();
        if !kept.is_some_and(fits) || self.check_new_secret(to.digest).is_err() {
            return false;
        }
        self.change_token(id, |stored| {
            if by_alias {
                stored.alias = Some(to.clone());
            } else {
                stored.secret = to.clone();
            }
        });
        true
    }

    fn secrets_by_key(&self, now: Timestamp) -> SecretsByKey {
        let mut counts = SecretsByKey::new();
        let mut add = |key: KeyId, form: SecretForm, is_expired: bool| {
            let count = counts.entry((key, form)).or_default();
            if is_expired {
                count.ended += 1;
            } else {
                count.good += 1;
            }
        };
        for stored in self.tokens.values() {
            for record in std::iter::once(&stored.secret).chain(&stored.alias) {
                if record.sealed.is_some() {
                    add(record.key, SecretForm::Sealed, false);
                } else {
                    add(record.key, SecretForm::ShownOnce, stored.token.is_expired_at(now));
                }
            }
        }
        for retired in self.retired_secrets.values() {
            add(retired.key, SecretForm::Retired, retired.until <= now);
        }
        for (id, key) in self.personal_tokens_by_digest.values() {
            let is_expired = self.personal_tokens.get(id).is_none_or(|token| token.expires_at <= now);
            add(*key, SecretForm::PersonalToken, is_expired);
        }
        for (id, key) in self.sessions_by_digest.values() {
            let is_expired = self.sessions.get(id).is_none_or(|session| session.expires_at <= now);
            add(*key, SecretForm::Session, is_expired);
        }
        for answer in self.answers.values() {
            add(answer.body.key, SecretForm::Answer, answer.at <= KeptAnswer::kept_since(now));
        }
        for stored in self.webhooks.values() {
            add(stored.secret.key, SecretForm::Webhook, false);
        }
        counts
    }
}

fn rekey_by_digest<I: Eq + Hash + Copy>(
    kept: &mut HashMap<SecretDigest, (I, KeyId)>,
    id: &I,
    Rekeying { from, to, .. }: &Rekeying,
) -> bool {
    let is_owner = kept.get(from).is_some_and(|(owner, _)| owner == id);
    let Entry::Vacant(entry) = kept.entry(to.digest) else { return false };
    if !is_owner || to.sealed.is_some() {
        return false;
    }
    entry.insert((*id, to.key));
    kept.remove(from);
    true
}
