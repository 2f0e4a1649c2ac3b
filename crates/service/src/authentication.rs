//! Who is calling: from a secret to a principal.

use std::sync::Arc;

use latchkey_domain::{Grants, Principal, Timestamp, TokenSecret, User, UserCredential};
use latchkey_ports::{
    Clock, PersonalTokenHolder, PersonalTokenRepository, SecretDigest, SecretSealer, SessionHolder,
    SessionRepository, StoreError, TokenRepository,
};

use crate::{
    Figures, PrincipalIndex, SeenLedger, figures::Answers, index::Known, lookup_budget::LookupBudget,
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
    seen: Arc<SeenLedger>,
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
        seen: Arc<SeenLedger>,
    ) -> Self {
        let budget = LookupBudget::of(index.settings().unknown_per_second);
        Self { ports, sealer, clock, index, seen, budget, answers: Answers::default() }
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
    pub fn figures(&self) -> Figures {
        let (principals, nobodies) = self.index.entries();
        Figures {
            from_memory: self.answers.from_memory.total(),
            from_store: self.answers.from_store.total(),
            from_stale_memory: self.answers.from_stale_memory.total(),
            refused_unknown: self.answers.refused_unknown.total(),
            principals,
            nobodies,
            feed_age: self.index.feed_age(),
        }
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
        let principal = if secret.is_personal() {
            self.ports.personal_tokens.find_personal_token_by_digest(&digests).await?.map(of_personal_token)
        } else if secret.is_session() {
            self.ports.sessions.find_session_by_digest(&digests).await?.map(of_session)
        } else {
            let found = self.ports.tokens.find_token_by_digest(&digests).await?;
            found.map(|found| Principal::of_token(&found.stored.token, found.secret_until))
        };
        self.answers.from_store.add_one();
        if principal.is_none() {
            self.budget.spend(secret, now);
        }
        let known = principal.map_or(Known::Nobody, |principal| Known::Principal(Arc::new(principal)));
        self.index.keep(digest, &known, asked_at);
        Ok(known)
    }
}

fn of_personal_token(holder: PersonalTokenHolder) -> Principal {
    let PersonalTokenHolder { token, user, grants, .. } = holder;
    of_user(&user, grants, UserCredential::PersonalToken(token.id), token.expires_at)
}

fn of_session(holder: SessionHolder) -> Principal {
    let SessionHolder { session, user, grants, .. } = holder;
    of_user(&user, grants, UserCredential::Session(session.id), session.expires_at)
}

fn of_user(user: &User, grants: Grants, credential: UserCredential, expires_at: Timestamp) -> Principal {
    Principal::User { id: user.id, label: user.identity.label().to_owned(), grants, credential, expires_at }
}
