//! Issuing tokens: minting the secret, sealing it, recording both token and event. And showing tokens again.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use latchkey_domain::{
    ApiToken, EventKind, NewEvent, Snapshot, Subject, Timestamp, TokenAccess, TokenAttributes, TokenId,
    TokenName, TokenSecret,
};
use latchkey_ports::{
    Entropy, EntropyExt, FirstToken, KeyId, Quota, SealingError, SecretRecord, SecretSealer, StoredToken,
    TokenRepository,
};

use crate::{Initiator, ServiceError, changes::Changes};

/// Whether a token's secret can be shown again after it was issued (`tokens.reveal`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reveal {
    /// In every list, as the seed's contract has it; a sealed copy is kept.
    Always,
    /// In the answer that issues it and never again; nothing is kept that could be turned back into it, but for what was
    /// kept before.
    Once,
}

/// What holds for every token that is issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenPolicy {
    /// How many tokens a project may have (`limits.api_tokens`).
    pub quota: Quota,
    /// Whether secrets can be shown again.
    pub reveal: Reveal,
    /// Whether admin tokens can be created over HTTP (`tokens.allow_admin`).
    pub allow_admin: bool,
}

/// A token to be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenDraft {
    /// Its name.
    pub name: TokenName,
    /// What it may reach.
    pub access: TokenAccess,
    /// When it ends; `None` = never. A moment in the past makes a token that is expired at once.
    pub expires_at: Option<Timestamp>,
    /// What else is known about it.
    pub attributes: TokenAttributes,
}

impl TokenDraft {
    /// Returns the draft of a token that never ends.
    #[must_use]
    pub fn new(name: TokenName, access: TokenAccess) -> Self {
        Self { name, access, expires_at: None, attributes: TokenAttributes::default() }
    }
}

/// A token as its owner may see it.
#[derive(Debug)]
pub struct RevealedToken {
    /// The token.
    pub token: ApiToken,
    /// Its secret; `None` where it was shown once and cannot be again.
    pub secret: Option<TokenSecret>,
    /// The alias by which it authenticates too.
    pub alias: Option<TokenSecret>,
    /// Whether it cannot be shown again.
    pub secure: bool,
}

/// Issues tokens, under one policy.
pub struct TokenIssuer {
    tokens: Arc<dyn TokenRepository>,
    sealer: Arc<dyn SecretSealer>,
    entropy: Arc<dyn Entropy>,
    changes: Changes,
    policy: TokenPolicy,
    unopened: Unopened,
}

impl TokenIssuer {
    /// An issuer over these ports.
    #[must_use]
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
    /// [`ServiceError`] for an unknown project or environment, a full project, a store out of reach.
    pub async fn issue(&self, draft: TokenDraft, by: &Initiator) -> Result<RevealedToken, ServiceError> {
        let secret = self.mint(&draft.access);
        let is_admin = draft.access == TokenAccess::Admin;
        let FirstToken { token, event } = self.prepare(draft, &secret, by)?;
        // An admin's is how somebody gets in who is locked out: nobody can fill the room for it.
        let quota = if is_admin { Quota(u64::MAX) } else { self.policy.quota };
        self.tokens.create_token(&token, quota, &event).await?;
        self.changes.made(&event);
        let secure = token.secret.sealed.is_none();
        Ok(RevealedToken { token: token.token, secret: Some(secret), alias: None, secure })
    }

    /// A new secret for a token of that access.
    pub(crate) fn mint(&self, access: &TokenAccess) -> TokenSecret {
        TokenSecret::mint(access, self.entropy.bytes())
    }

    /// The token and the event of its creation, ready for a store.
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
        let event = NewEvent { after: Some(Snapshot::from(&token)), ..event };
        Ok(FirstToken { token: StoredToken { token, secret, alias: None }, event })
    }

    /// What is kept of a token's secret under the policy.
    pub(crate) fn record(&self, secret: &TokenSecret, token: TokenId) -> Result<SecretRecord, SealingError> {
        match self.policy.reveal {
            Reveal::Always => self.sealer.seal(secret, token),
            Reveal::Once => Ok(self.sealer.record(secret)),
        }
    }

    /// An event about a token, found under each of the token's projects; before and after are the caller's to add.
    pub(crate) fn event(&self, kind: EventKind, token: &ApiToken, by: &Initiator) -> NewEvent {
        NewEvent {
            projects: Some(token.access.projects().clone()),
            environment: token.access.environment().cloned(),
            subject: Some(Subject::Token(token.id)),
            ..self.changes.event(kind, by)
        }
    }

    /// As [`Changes::made`].
    pub(crate) fn made(&self, event: &NewEvent) {
        self.changes.made(event);
    }

    /// What holds for every token that is issued.
    pub(crate) fn policy(&self) -> TokenPolicy {
        self.policy
    }

    /// The token as its owner may see it: with its secret, where that may be shown again and can be opened.
    pub(crate) fn reveal(&self, stored: StoredToken) -> RevealedToken {
        let StoredToken { token, secret, alias } = stored;
        let secret = self.open(&secret, token.id);
        let alias = alias.and_then(|alias| self.open(&alias, token.id));
        RevealedToken { secure: secret.is_none(), token, secret, alias }
    }

    /// What was sealed; `None`, too, where it cannot be opened. One token that some other program with another key wrote must
    /// not take all others out of a list, and the token itself has to be seen to be revoked.
    fn open(&self, record: &SecretRecord, token: TokenId) -> Option<TokenSecret> {
        if self.policy.reveal == Reveal::Once {
            return None;
        }
        self.sealer.open(record, token).unwrap_or_else(|error| {
            self.unopened.tell(&error, token);
            None
        })
    }
}

/// The keys of which it was told that they are missing: once for each is enough, because a list is read again and again.
#[derive(Debug, Default)]
struct Unopened(Mutex<HashSet<KeyId>>);

impl Unopened {
    fn tell(&self, error: &SealingError, token: TokenId) {
        let is_news = match error {
            // A set of ids is whole, whoever panicked over it.
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
