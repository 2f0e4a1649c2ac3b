//! Issuing tokens: minting the secret, sealing it, recording token and event. And revealing tokens.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use latchkey_domain::{
    ApiToken, EventKind, NewEvent, Subject, Timestamp, TokenAccess, TokenAttributes, TokenId, TokenName,
    TokenSecret,
};
use latchkey_ports::{
    Entropy, EntropyExt, FirstToken, KeyId, Quota, SealingError, SecretRecord, SecretSealer, StoredToken,
    TokenRepository,
};

use crate::{Initiator, ServiceError, changes::Changes};

/// Whether a token's secret can be shown again after it was issued (`tokens.reveal`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reveal {
    /// In every list; a sealed copy is stored.
    Always,
    /// Only in the response that issues it; no sealed copy is stored. Copies that were stored earlier stay.
    Once,
}

/// The policy for issuing tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenPolicy {
    /// The maximum number of tokens per project (`limits.api_tokens`).
    pub quota: Quota,
    pub reveal: Reveal,
    /// Whether admin tokens can be created over HTTP (`tokens.allow_admin`).
    pub allow_admin: bool,
}

/// A token to be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenDraft {
    pub name: TokenName,
    pub access: TokenAccess,
    /// Its expiry; `None` = never. A moment in the past makes an expired token.
    pub expires_at: Option<Timestamp>,
    pub attributes: TokenAttributes,
}

impl TokenDraft {
    /// Returns the draft of a token that never ends.
    pub fn new(name: TokenName, access: TokenAccess) -> Self {
        Self { name, access, expires_at: None, attributes: TokenAttributes::default() }
    }
}

/// A token with its secret, if that can be shown.
#[derive(Debug)]
pub struct RevealedToken {
    pub token: ApiToken,
    /// Its secret; `None` if it cannot be shown again.
    pub secret: Option<TokenSecret>,
    /// The alias by which it authenticates too.
    pub alias: Option<TokenSecret>,
    /// Whether the secret cannot be shown again.
    pub secure: bool,
}

/// Issues tokens under one policy.
pub struct TokenIssuer {
    tokens: Arc<dyn TokenRepository>,
    sealer: Arc<dyn SecretSealer>,
    entropy: Arc<dyn Entropy>,
    changes: Changes,
    policy: TokenPolicy,
    unopened: Unopened,
}

impl TokenIssuer {
    /// Returns an issuer over these ports.
    pub(crate) fn new(
        tokens: Arc<dyn TokenRepository>,
        sealer: Arc<dyn SecretSealer>,
        entropy: Arc<dyn Entropy>,
        changes: Changes,
        policy: TokenPolicy,
    ) -> Self {
        Self { tokens, sealer, entropy, changes, policy, unopened: Unopened::default() }
    }

    /// Issues a token with a new secret.
    ///
    /// # Errors
    /// [`ServiceError`] for an unknown project or environment, or if the quota is used up.
    pub async fn issue(&self, draft: TokenDraft, by: &Initiator) -> Result<RevealedToken, ServiceError> {
        let secret = self.mint(&draft.access);
        let is_admin = draft.access == TokenAccess::Admin;
        let FirstToken { token, event } = self.prepare(draft, &secret, by)?;
        // An admin token is the way back in for a locked-out operator, so no quota applies to it.
        let quota = if is_admin { Quota(u64::MAX) } else { self.policy.quota };
        self.tokens.create_token(&token, quota, &event).await?;
        self.changes.after_commit(&event);
        let secure = token.secret.sealed.is_none();
        Ok(RevealedToken { token: token.token, secret: Some(secret), alias: None, secure })
    }

    /// Returns a new secret for a token of that access.
    pub(crate) fn mint(&self, access: &TokenAccess) -> TokenSecret {
        TokenSecret::mint(access, self.entropy.bytes())
    }

    /// Returns the token and the event of its creation, ready for a store.
    pub(crate) fn prepare(
        &self,
        draft: TokenDraft,
        secret: &TokenSecret,
        by: &Initiator,
    ) -> Result<FirstToken, ServiceError> {
        let created_at = self.changes.now();
        let id = TokenId::new(created_at, self.entropy.bytes());
        let TokenDraft { name, access, expires_at, attributes } = draft;
        let token = ApiToken { id, name, access, expires_at, created_at, last_used_at: None, attributes };
        let secret = self.record(secret, id)?;
        let event = NewEvent { at: created_at, ..self.event(EventKind::ApiTokenCreated, &token, by) };
        let event = event.with_after(&token);
        Ok(FirstToken { token: StoredToken { token, secret, alias: None }, event })
    }

    /// Returns the record of a token's secret under the policy.
    pub(crate) fn record(&self, secret: &TokenSecret, token: TokenId) -> Result<SecretRecord, SealingError> {
        match self.policy.reveal {
            Reveal::Always => self.sealer.seal(secret, token),
            Reveal::Once => Ok(self.sealer.record(secret)),
        }
    }

    /// Returns an event about a token, listed under each of its projects; the caller adds the states before and after.
    pub(crate) fn event(&self, kind: EventKind, token: &ApiToken, by: &Initiator) -> NewEvent {
        NewEvent {
            projects: Some(token.access.projects().clone()),
            environment: token.access.environment().cloned(),
            subject: Some(Subject::Token(token.id)),
            ..self.changes.event(kind, by)
        }
    }

    /// As [`Changes::after_commit`].
    pub(crate) fn after_commit(&self, event: &NewEvent) {
        self.changes.after_commit(event);
    }

    /// The policy for issuing tokens.
    pub(crate) fn policy(&self) -> TokenPolicy {
        self.policy
    }

    /// Returns the token with its secret, if that may be shown again and can be opened.
    pub(crate) fn reveal(&self, stored: StoredToken) -> RevealedToken {
        let StoredToken { token, secret, alias } = stored;
        let secret = self.open(&secret, token.id);
        let alias = alias.and_then(|alias| self.open(&alias, token.id));
        RevealedToken { secure: secret.is_none(), token, secret, alias }
    }

    /// Opens a sealed secret; `None` also if that fails. One token under an unknown key must not make a list fail, and
    /// the token must be shown so that it can be revoked.
    pub(crate) fn open(&self, record: &SecretRecord, token: TokenId) -> Option<TokenSecret> {
        if self.policy.reveal == Reveal::Once {
            return None;
        }
        self.sealer.open(record, token).unwrap_or_else(|error| {
            self.unopened.log(&error, token);
            None
        })
    }
}

/// The missing keys that were logged, so that each is logged once and not for every list.
#[derive(Debug, Default)]
struct Unopened(Mutex<HashSet<KeyId>>);

impl Unopened {
    fn log(&self, error: &SealingError, token: TokenId) {
        let is_news = match error {
            // The set is consistent even if a thread panicked while it held the lock.
            SealingError::UnknownKey(key) => {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(*key)
            }
            SealingError::Broken | SealingError::Refused => true,
        };
        if is_news {
            tracing::error!(%token, %error, "a secret cannot be opened; its token is shown without it");
        }
    }
}
