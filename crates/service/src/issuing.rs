//! Issuing tokens: minting the secret, sealing it, recording token and event. And revealing tokens.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use latchkey_domain::{
    ApiToken, EventKind, NewEvent, Subject, Timestamp, TokenAccess, TokenAttributes, TokenId, TokenName,
    TokenSecret, TokenSelector,
};
use latchkey_ports::{
    Entity, Entropy, EntropyExt, IncomingSecret, KeyId, NewToken, Quota, SealingError, SecretRecord,
    SecretSealer, StoreError, StoredToken, TokenRepository,
};

use crate::{
    AnswerKeeper, Initiator, RevealedToken, ServiceError, TokenEnd,
    changes::Changes,
    policy_rules::{PolicyRules, check_new},
};

/// Whether a token's secret can be shown again after it was issued (`tokens.reveal`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reveal {
    /// In every list; a sealed copy is stored.
    Always,
    /// Only in the response that issues it; no sealed copy is stored. Copies that were stored earlier stay.
    Once,
}

/// The form of new secrets of API tokens (`tokens.format`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenFormat {
    /// That of Latchkey, with a checksum.
    #[default]
    Latchkey,
    /// The second form of Unleash, with a selector. No sealed copy of such a secret is stored, whatever [`Reveal`] says.
    UnleashV2,
}

/// How tokens are issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuingSettings {
    /// The maximum number of tokens per project (`limits.api_tokens`).
    pub quota: Quota,
    pub reveal: Reveal,
    /// The form of new secrets. A rotation keeps the form of its token.
    pub format: TokenFormat,
    /// Whether admin tokens can be created over HTTP (`tokens.allow_admin`).
    pub allow_admin: bool,
}

/// A token to be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenDraft {
    pub name: TokenName,
    pub access: TokenAccess,
    /// Its expiry.
    pub expires_at: TokenEnd,
    pub attributes: TokenAttributes,
}

impl TokenDraft {
    /// Returns the draft of a token that says nothing of its end.
    pub fn new(name: TokenName, access: TokenAccess) -> Self {
        Self { name, access, expires_at: TokenEnd::ByPolicy, attributes: TokenAttributes::default() }
    }
}

/// The record of a secret, with its selector if it has one.
pub(crate) type NewSecret = (SecretRecord, Option<TokenSelector>);

/// Issues tokens.
pub struct TokenIssuer {
    tokens: Arc<dyn TokenRepository>,
    sealer: Arc<dyn SecretSealer>,
    entropy: Arc<dyn Entropy>,
    changes: Changes,
    settings: IssuingSettings,
    rules: PolicyRules,
    unopened: Unopened,
}

impl TokenIssuer {
    /// Returns an issuer over these ports.
    pub(crate) fn new(
        tokens: Arc<dyn TokenRepository>,
        sealer: Arc<dyn SecretSealer>,
        entropy: Arc<dyn Entropy>,
        changes: Changes,
        settings: IssuingSettings,
        rules: PolicyRules,
    ) -> Self {
        Self { tokens, sealer, entropy, changes, settings, rules, unopened: Unopened::default() }
    }

    /// Issues a token with a new secret.
    ///
    /// # Errors
    /// [`ServiceError`] for what breaks the policy, for an unknown project or environment, or if the quota is used up.
    pub async fn issue(&self, draft: TokenDraft, by: &Initiator) -> Result<RevealedToken, ServiceError> {
        self.issue_one(draft, by, None).await
    }

    /// As [`TokenIssuer::issue`], and has its answer kept.
    pub(crate) async fn issue_one(
        &self,
        draft: TokenDraft,
        by: &Initiator,
        keeper: Option<&AnswerKeeper>,
    ) -> Result<RevealedToken, ServiceError> {
        let issued = self.issue_all(vec![draft], by, keeper).await.map_err(ServiceError::of_the_entry)?;
        issued.into_iter().next().ok_or_else(|| ServiceError::Internal("no token was issued".into()))
    }

    /// Issues tokens with new secrets, all or none, and has their answer kept. Their order is that of lists, too.
    ///
    /// # Errors
    /// As [`TokenIssuer::issue`]; [`ServiceError::Entry`] for what the draft in that place names.
    pub(crate) async fn issue_all(
        &self,
        drafts: Vec<TokenDraft>,
        by: &Initiator,
        keeper: Option<&AnswerKeeper>,
    ) -> Result<Vec<RevealedToken>, ServiceError> {
        let created_at = self.changes.now();
        let ids = self.new_ids(drafts.len(), created_at);
        self.issue_as(drafts, ids, created_at, by, keeper).await
    }

    /// As [`TokenIssuer::issue_all`], under these ids, which are of that moment of creation.
    ///
    /// # Errors
    /// Also [`ServiceError::Exists`] with the token of an id that exists already.
    pub(crate) async fn issue_as(
        &self,
        drafts: Vec<TokenDraft>,
        ids: Vec<TokenId>,
        created_at: Timestamp,
        by: &Initiator,
        keeper: Option<&AnswerKeeper>,
    ) -> Result<Vec<RevealedToken>, ServiceError> {
        let scopes: Vec<_> = drafts.iter().map(|draft| draft.access.projects()).collect();
        let policies = self.rules.of_scopes(&scopes).await?;
        let (mut new, mut shown) = (Vec::with_capacity(ids.len()), Vec::with_capacity(ids.len()));
        for (index, (draft, id)) in drafts.into_iter().zip(ids).enumerate() {
            let policy = policies.policy(draft.access.projects());
            let draft = TokenDraft { expires_at: draft.expires_at.under(policy, created_at), ..draft };
            let secret = self.mint(&draft.access);
            let stored = self.new_secret(&secret, id)?;
            let prepared = self.prepare_as(draft, stored, (id, created_at), by);
            check_new(policy, &prepared.token.token)
                .map_err(|error| ServiceError::Entry { index, error: Box::new(error) })?;
            shown.push(RevealedToken {
                token: prepared.token.token.clone(),
                secure: prepared.token.secret.sealed.is_none(),
                secret: Some(secret),
                alias: None,
                previous_secret_until: None,
                uses_left: None,
            });
            new.push(prepared);
        }
        let created = match keeper {
            None => self.tokens.create_tokens(&new).await,
            Some(keeper) => keeper.create(&new, &shown, created_at).await?,
        };
        created.map_err(|error| in_entry(&new, error))?;
        for NewToken { event, .. } in &new {
            self.changes.after_commit(event);
        }
        Ok(shown)
    }

    /// Returns new ids for tokens of one moment, in ascending order, which is that of lists.
    pub(crate) fn new_ids(&self, count: usize, created_at: Timestamp) -> Vec<TokenId> {
        let new_id = || TokenId::new(created_at, self.entropy.bytes());
        let mut ids: Vec<_> = std::iter::repeat_with(new_id).take(count).collect();
        ids.sort_unstable();
        ids
    }

    /// Returns a new secret for a token of that access, in the form of the settings.
    pub(crate) fn mint(&self, access: &TokenAccess) -> TokenSecret {
        match self.settings.format {
            TokenFormat::Latchkey => TokenSecret::mint(access, self.entropy.bytes()),
            TokenFormat::UnleashV2 => {
                TokenSecret::mint_v2(access, &TokenSelector::mint(self.entropy.bytes()), self.entropy.bytes())
            }
        }
    }

    /// Returns a secret that replaces that of a token, with the same selector if it has one.
    pub(crate) fn mint_again(&self, token: &ApiToken) -> TokenSecret {
        match &token.selector {
            Some(selector) => TokenSecret::mint_v2(&token.access, selector, self.entropy.bytes()),
            None => TokenSecret::mint(&token.access, self.entropy.bytes()),
        }
    }

    /// Returns the token and the event of its creation, ready for a store. No policy is applied.
    pub(crate) fn prepare(
        &self,
        draft: TokenDraft,
        secret: &TokenSecret,
        by: &Initiator,
    ) -> Result<NewToken, ServiceError> {
        let created_at = self.changes.now();
        let id = TokenId::new(created_at, self.entropy.bytes());
        Ok(self.prepare_as(draft, self.new_secret(secret, id)?, (id, created_at), by))
    }

    /// Returns the token of this id and moment and the event of its creation, ready for a store. No policy is applied.
    pub(crate) fn prepare_as(
        &self,
        draft: TokenDraft,
        (secret, selector): NewSecret,
        (id, created_at): (TokenId, Timestamp),
        by: &Initiator,
    ) -> NewToken {
        let TokenDraft { name, access, expires_at, attributes } = draft;
        // An admin token is the way back in for a locked-out operator, so no quota applies to it.
        let quota = if access == TokenAccess::Admin { Quota::UNLIMITED } else { self.settings.quota };
        let (expires_at, last_used_at) = (expires_at.moment(), None);
        let token = ApiToken { id, name, selector, access, expires_at, created_at, last_used_at, attributes };
        let event = NewEvent { at: created_at, ..self.event(EventKind::ApiTokenCreated, &token, by) };
        let event = event.with_after(&token);
        NewToken { token: StoredToken { token, secret, alias: None }, quota, event }
    }

    /// Returns the record of a token's secret, as the settings say, and its selector.
    pub(crate) fn new_secret(&self, secret: &TokenSecret, token: TokenId) -> Result<NewSecret, SealingError> {
        let selector = secret.selector();
        let record = match self.settings.reveal {
            Reveal::Always if selector.is_none() => self.sealer.seal(secret, token)?,
            Reveal::Always | Reveal::Once => self.sealer.record(secret),
        };
        Ok((record, selector))
    }

    /// Returns the record of a secret of another system, and its selector: as the settings say, if the secret itself is known.
    pub(crate) fn incoming_secret(
        &self,
        secret: &IncomingSecret,
        token: TokenId,
    ) -> Result<NewSecret, SealingError> {
        match secret {
            IncomingSecret::Plain(secret) => self.new_secret(secret, token),
            IncomingSecret::Sha256 { .. } => Ok((secret.record(&*self.sealer), secret.selector())),
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

    /// The present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.changes.now()
    }

    /// As [`Changes::after_commit`].
    pub(crate) fn after_commit(&self, event: &NewEvent) {
        self.changes.after_commit(event);
    }

    /// Returns until when the secrets that rotations of a token replaced are still good, soonest first. The caller was permitted to
    /// read the token.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`].
    pub async fn previous_secret_ends(&self, token: &ApiToken) -> Result<Vec<Timestamp>, ServiceError> {
        let now = self.changes.now();
        let mut ends = self.tokens.retired_secret_ends(token.id).await?;
        ends.retain(|end| *end > now);
        Ok(ends)
    }

    /// How tokens are issued.
    pub fn settings(&self) -> IssuingSettings {
        self.settings
    }

    /// The policies for tokens.
    pub(crate) fn rules(&self) -> &PolicyRules {
        &self.rules
    }

    /// Returns the token with its secret, if that may be shown again and can be opened.
    pub(crate) fn reveal(&self, stored: StoredToken) -> RevealedToken {
        let StoredToken { token, secret, alias } = stored;
        let secret = self.open(&secret, token.id);
        let alias = alias.and_then(|alias| self.open(&alias, token.id));
        RevealedToken {
            secure: secret.is_none(),
            token,
            secret,
            alias,
            previous_secret_until: None,
            uses_left: None,
        }
    }

    /// Opens a sealed secret; `None` also if that fails. One token under an unknown key must not make a list fail, and
    /// the token must be shown so that it can be revoked.
    pub(crate) fn open(&self, record: &SecretRecord, token: TokenId) -> Option<TokenSecret> {
        if self.settings.reveal == Reveal::Once {
            return None;
        }
        self.sealer.open(record, token).unwrap_or_else(|error| {
            self.unopened.log(&error, token);
            None
        })
    }
}

/// Returns the error for the caller, with the place of the first token that names what was not found.
fn in_entry(tokens: &[NewToken], error: StoreError) -> ServiceError {
    let names = |new: &NewToken| {
        let access = &new.token.token.access;
        match &error {
            StoreError::NotFound(Entity::Environment(name)) => access.environment() == Some(name),
            StoreError::NotFound(Entity::Project(id)) => access.projects().names(id),
            _ => false,
        }
    };
    match tokens.iter().position(names) {
        Some(index) => ServiceError::Entry { index, error: Box::new(error.into()) },
        None => error.into(),
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
