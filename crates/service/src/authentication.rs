//! Who is calling: from a secret to a principal.

use std::sync::{Arc, OnceLock};

use latchkey_domain::{Grants, Principal, Timestamp, TokenSecret, User, UserCredential};
use latchkey_ports::{
    Clock, KeyId, MasterKeyRepository, PersonalTokenHolder, PersonalTokenRepository, Rekeying, SecretDigest,
    SecretOf, SecretSealer, SessionHolder, SessionRepository, StoreError, TokenMatch, TokenRepository,
};

use crate::{
    Metrics, PrincipalIndex, UsageRecorder, index::Known, lookup_budget::LookupBudget, metrics::Answers,
    rekeying_ledger::RekeyingLedger,
};

/// Why nobody was recognised.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// The credentials are unknown, revoked or expired; which, the caller is not told.
    #[error("the credentials are unknown, revoked or expired")]
    Unknown,
    /// So many unknown secrets were asked about in this second that the store is not asked about another.
    #[error("too many unknown credentials are being tried at the moment")]
    Busy,
    /// The store cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where credentials are found.
pub struct CredentialPorts {
    /// API tokens.
    pub tokens: Arc<dyn TokenRepository>,
    /// Personal access tokens.
    pub personal_tokens: Arc<dyn PersonalTokenRepository>,
    /// Sessions.
    pub sessions: Arc<dyn SessionRepository>,
}

/// Recognises callers.
pub struct Authenticator {
    ports: CredentialPorts,
    sealer: Arc<dyn SecretSealer>,
    clock: Arc<dyn Clock>,
    index: Arc<PrincipalIndex>,
    seen: Arc<UsageRecorder>,
    rekeyings: RekeyingLedger,
    /// The keys that secrets are moved away from, once they are known.
    older_keys: OnceLock<Vec<KeyId>>,
    budget: LookupBudget,
    answers: Answers,
}

/// For what somebody is to be recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To act: what is not certain is not good enough.
    Action,
    /// To say whether a token is good; for that stale memory may do ([`crate::WhenStale`]).
    Verification,
}

impl Authenticator {
    /// An authenticator over these ports.
    #[must_use]
    pub fn new(
        ports: CredentialPorts,
        sealer: Arc<dyn SecretSealer>,
        clock: Arc<dyn Clock>,
        index: Arc<PrincipalIndex>,
        seen: Arc<UsageRecorder>,
    ) -> Self {
        let budget = LookupBudget::of(index.settings().unknown_per_second);
        // No more than there are principals to remember.
        let rekeyings = RekeyingLedger::of(index.settings().capacity);
        Self {
            ports,
            sealer,
            clock,
            index,
            seen,
            rekeyings,
            older_keys: OnceLock::new(),
            budget,
            answers: Answers::default(),
        }
    }

    /// The principal of this secret from a header, which may be an API token's (also one retired by a rotation), its
    /// alias, or a personal access token's. Notes that it was seen.
    ///
    /// # Errors
    /// [`AuthenticationError::Unknown`] for what is unknown, revoked or expired at this moment.
    pub async fn authenticate(&self, secret: &str) -> Result<Arc<Principal>, AuthenticationError> {
        self.recognise(secret, Purpose::Action, |secret| !secret.is_session()).await
    }

    /// As [`Authenticator::authenticate`], to say whether the secret is good and not to let anybody do anything. So it may
    /// be answered from stale memory, where the settings allow that and the store cannot be asked.
    pub(crate) async fn verify(&self, secret: &str) -> Result<Arc<Principal>, AuthenticationError> {
        self.recognise(secret, Purpose::Verification, |secret| !secret.is_session()).await
    }

    /// The principal of this secret from a session's cookie.
    ///
    /// # Errors
    /// [`AuthenticationError::Unknown`] for what is unknown, ended or expired at this moment.
    pub async fn authenticate_session(&self, secret: &str) -> Result<Arc<Principal>, AuthenticationError> {
        self.recognise(secret, Purpose::Action, TokenSecret::is_session).await
    }

    /// Where answers came from, and how the index does.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let (principals, nobodies) = self.index.entries();
        Metrics {
            from_memory: self.answers.from_memory.total(),
            from_store: self.answers.from_store.total(),
            from_stale_memory: self.answers.from_stale_memory.total(),
            refused_unknown: self.answers.refused_unknown.total(),
            principals,
            nobodies,
            feed_age: self.index.feed_age(),
        }
    }

    /// Finds out once which of the configured keys are older ones: those that something was made with already. Another one is
    /// a key to come, and other processes may soon make secrets with it that must stay under it (decision 16). To be called
    /// at the start.
    ///
    /// # Errors
    /// As [`MasterKeyRepository::secrets_by_key`]; to be called again then.
    pub async fn learn_older_keys(&self, store: &dyn MasterKeyRepository) -> Result<&[KeyId], StoreError> {
        if let Some(known) = self.older_keys.get() {
            return Ok(known);
        }
        let mut older: Vec<KeyId> = self.sealer.keys().into_iter().skip(1).collect();
        if !older.is_empty() {
            let used = store.secrets_by_key(self.clock.now()).await?;
            older.retain(|older| used.keys().any(|(key, _)| key == older));
        }
        Ok(self.older_keys.get_or_init(|| older))
    }

    /// Puts what was recognised under an older master key, and has no sealed copy, under the current one. To be called at
    /// intervals and at shutdown.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; nothing is lost.
    pub async fn flush_rekeyings(&self, store: &dyn MasterKeyRepository) -> Result<(), StoreError> {
        let older = self.learn_older_keys(store).await?;
        // What was passed over is looked up again when it is next used, and noted again where that is of use.
        self.rekeyings.flush(store, older, |digest| self.index.forget(digest)).await
    }

    async fn recognise(
        &self,
        secret: &str,
        purpose: Purpose,
        belongs_here: impl Fn(&TokenSecret) -> bool,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        let secret =
            TokenSecret::parse(secret).ok().filter(belongs_here).ok_or(AuthenticationError::Unknown)?;
        let digest = self.sealer.digest(&secret);
        let known = match self.index.get(&digest) {
            Some(known) => {
                self.answers.from_memory.add_one();
                known
            }
            None if purpose == Purpose::Verification => self.look_up_or_remember(&secret, digest).await?,
            None => self.look_up(&secret, digest).await?,
        };
        let Known::Principal(principal) = known else { return Err(AuthenticationError::Unknown) };
        let now = self.clock.now();
        if principal.is_expired_at(now) {
            return Err(AuthenticationError::Unknown);
        }
        self.seen.note(&principal, now);
        Ok(principal)
    }

    /// Asks the store; where it cannot be asked, what stale memory says, if that may be served.
    async fn look_up_or_remember(
        &self,
        secret: &TokenSecret,
        digest: SecretDigest,
    ) -> Result<Known, AuthenticationError> {
        let remember = || {
            let principal = self.index.get_stale(&digest)?;
            self.answers.from_stale_memory.add_one();
            Some(Known::Principal(principal))
        };
        if self.index.is_cut_off()
            && let Some(remembered) = remember()
        {
            return Ok(remembered);
        }
        match self.look_up(secret, digest).await {
            Err(error @ AuthenticationError::Store(StoreError::Unavailable(_))) => remember().ok_or(error),
            answered => answered,
        }
    }

    async fn look_up(
        &self,
        secret: &TokenSecret,
        digest: SecretDigest,
    ) -> Result<Known, AuthenticationError> {
        // Taken before the store is asked: a change made meanwhile makes the answer too old to keep.
        let asked_at = self.index.now();
        let now = self.clock.monotonic();
        if !self.budget.has_room(secret, now) {
            self.answers.refused_unknown.add_one();
            return Err(AuthenticationError::Busy);
        }
        let digests = self.sealer.digests(secret);
        let found = if secret.is_personal() {
            self.ports.personal_tokens.find_personal_token_by_digest(&digests).await?.map(of_personal_token)
        } else if secret.is_session() {
            self.ports.sessions.find_session_by_digest(&digests).await?.map(of_session)
        } else {
            self.ports.tokens.find_token_by_digest(&digests).await?.map(of_token)
        };
        self.answers.from_store.add_one();
        let Some(Found { principal, of, by, has_copy }) = found else {
            self.budget.spend(secret, now);
            self.index.keep(digest, &Known::Nobody, asked_at);
            return Ok(Known::Nobody);
        };
        let known = Known::Principal(Arc::new(principal));
        self.index.keep(digest, &known, asked_at);
        // What has a sealed copy is not ours to move: the copy would stay behind.
        if by != digest && !has_copy && !self.is_noted(secret, &digests, of, by) {
            self.index.forget(&digest);
        }
        Ok(known)
    }

    /// Notes that a secret is under another than the current key; where there is no room for that, says so.
    fn is_noted(
        &self,
        secret: &TokenSecret,
        digests: &[SecretDigest],
        of: SecretOf,
        by: SecretDigest,
    ) -> bool {
        let mut keys = self.sealer.keys().into_iter().zip(digests);
        let Some((key, _)) = keys.find(|(_, digest)| **digest == by) else { return true };
        if self.older_keys.get().is_some_and(|older| !older.contains(&key)) {
            return true;
        }
        self.rekeyings.note(key, Rekeying { of, from: by, to: self.sealer.record(secret) })
    }
}

/// What the store knows of a secret.
struct Found {
    principal: Principal,
    of: SecretOf,
    by: SecretDigest,
    /// Whether the secret can be shown again.
    has_copy: bool,
}

fn of_token(found: TokenMatch) -> Found {
    let TokenMatch { stored, secret_until, found_by: by } = found;
    let principal = Principal::of_token(&stored.token, secret_until);
    let id = stored.token.id;
    let (of, has_copy) = match &stored.alias {
        _ if secret_until.is_some() => (SecretOf::Retired(id), false),
        Some(alias) if alias.digest == by => (SecretOf::Alias(id), alias.sealed.is_some()),
        _ => (SecretOf::Token(id), stored.secret.sealed.is_some()),
    };
    Found { principal, of, by, has_copy }
}

fn of_personal_token(holder: PersonalTokenHolder) -> Found {
    let PersonalTokenHolder { token, user, grants, found_by: by } = holder;
    let principal = of_user(&user, grants, UserCredential::PersonalToken(token.id), token.expires_at);
    Found { principal, of: SecretOf::PersonalToken(token.id), by, has_copy: false }
}

fn of_session(holder: SessionHolder) -> Found {
    let SessionHolder { session, user, grants, found_by: by } = holder;
    let principal = of_user(&user, grants, UserCredential::Session(session.id), session.expires_at);
    Found { principal, of: SecretOf::Session(session.id), by, has_copy: false }
}

fn of_user(user: &User, grants: Grants, credential: UserCredential, expires_at: Timestamp) -> Principal {
    Principal::User { id: user.id, label: user.identity.label().to_owned(), grants, credential, expires_at }
}
