//! Authentication: from a secret to a principal.

mod batch;
mod spending;

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use latchkey_domain::{Grants, Principal, Reason, Timestamp, TokenSecret, User, UserCredential};
use latchkey_ports::{
    Clock, KeyId, MasterKeyRepository, PersonalTokenHolder, PersonalTokenRepository, Rekeying, SecretDigest,
    SecretOf, SecretSealer, SessionHolder, SessionRepository, StoreError, TokenMatch, TokenRepository,
};

use crate::{
    LimitKeeper, Metrics, PrincipalIndex, Refusal, UsageRecorder,
    change_clock::CacheTick,
    index::Lookup,
    lookup_budget::LookupBudget,
    metrics::{Counters, Source},
    rekey_queue::RekeyQueue,
};

/// Why a secret was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// The credentials are unknown or revoked.
    #[error("the credentials are unknown or revoked")]
    Unknown,
    /// The credentials are known and not accepted.
    #[error("the credentials are not accepted: {reason}")]
    Refused { principal: Arc<Principal>, reason: Reason },
    /// The credentials are accepted, but were used too often.
    #[error(transparent)]
    Limited(Refusal),
    /// The client has tried so many unknown secrets in this second that no further one is looked up.
    #[error("too many unknown credentials from this client")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuthenticationError {
    /// Returns why the credentials were not accepted; `None` if that was not found out.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Unknown => Some(Reason::Unknown),
            Self::Refused { reason, .. } => Some(*reason),
            Self::Limited(refusal) => Some(refusal.reason),
            Self::Busy | Self::Store(_) => None,
        }
    }
}

/// The repositories in which credentials are looked up.
pub struct CredentialPorts {
    pub tokens: Arc<dyn TokenRepository>,
    pub personal_tokens: Arc<dyn PersonalTokenRepository>,
    pub sessions: Arc<dyn SessionRepository>,
}

/// Finds the principal of a secret.
pub struct Authenticator {
    ports: CredentialPorts,
    sealer: Arc<dyn SecretSealer>,
    clock: Arc<dyn Clock>,
    index: Arc<PrincipalIndex>,
    usage: Arc<UsageRecorder>,
    limits: Arc<LimitKeeper>,
    rekeyings: RekeyQueue,
    /// The keys that secrets are moved away from, once they are known.
    older_keys: OnceLock<Vec<KeyId>>,
    budget: LookupBudget,
    counters: Counters,
}

/// What an authentication is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To act: the answer must be certain.
    Action,
    /// To tell whether a token is valid: a stale cache entry may be enough ([`crate::WhenStale`]).
    Verification,
    /// As `Verification`, for another program, which alone knows from where the token is used.
    Inquiry,
}

impl Purpose {
    /// Whether the principal is accepted from the address of the client that asks.
    fn admits(self, principal: &Principal, client: Option<IpAddr>) -> bool {
        self == Self::Inquiry || principal.is_accepted_from(client)
    }
}

impl Authenticator {
    /// Returns an authenticator over these ports.
    pub fn new(
        ports: CredentialPorts,
        sealer: Arc<dyn SecretSealer>,
        clock: Arc<dyn Clock>,
        index: Arc<PrincipalIndex>,
        usage: Arc<UsageRecorder>,
        limits: Arc<LimitKeeper>,
    ) -> Self {
        let budget = LookupBudget::new(index.settings().unknown_per_second);
        let rekeyings = RekeyQueue::new(index.settings().capacity);
        Self {
            ports,
            sealer,
            clock,
            index,
            usage,
            limits,
            rekeyings,
            older_keys: OnceLock::new(),
            budget,
            counters: Counters::default(),
        }
    }

    /// Returns the principal of this secret from a header and records its use. The secret may be an API token's (also
    /// one retired by a rotation), its alias, or a personal access token's. Lookups in the store count against the
    /// budget of the client's address.
    pub async fn authenticate(
        &self,
        secret: &str,
        client: Option<IpAddr>,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        let found = self.authenticate_again(secret, client).await;
        self.spend_and_record(found, client).await
    }

    /// As [`Authenticator::authenticate`], for a request that was authenticated before and goes on: that is no further use.
    pub async fn authenticate_again(
        &self,
        secret: &str,
        client: Option<IpAddr>,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        self.resolve(secret, client, Purpose::Action, |secret| !secret.is_session()).await
    }

    /// As [`Authenticator::authenticate`], but only to tell whether the secret is valid. A stale cache entry may be
    /// used, if the settings allow that and the store is unavailable. The use is not recorded, because more may be required of
    /// the token.
    pub(crate) async fn verify(
        &self,
        secret: &str,
        client: Option<IpAddr>,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        self.resolve(secret, client, Purpose::Verification, |secret| !secret.is_session()).await
    }

    /// As [`Authenticator::verify`], for a program that asks about the token of another client: it is accepted from everywhere, and
    /// the program compares [`latchkey_domain::TokenAttributes::allowed_networks`].
    pub(crate) async fn inquire(
        &self,
        secret: &str,
        client: Option<IpAddr>,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        self.resolve(secret, client, Purpose::Inquiry, |secret| !secret.is_session()).await
    }

    /// Returns the principal of this secret from a session's cookie.
    pub async fn authenticate_session(
        &self,
        secret: &str,
        client: Option<IpAddr>,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        self.resolve(secret, client, Purpose::Action, TokenSecret::is_session).await
    }

    /// Returns the counts of authentications and the state of the index.
    pub fn metrics(&self) -> Metrics {
        let (principals, unknown_secrets) = self.index.caches();
        Metrics {
            from_memory: self.counters.from_memory.total(),
            from_store: self.counters.from_store.total(),
            from_stale_memory: self.counters.from_stale_memory.total(),
            malformed: self.counters.malformed.total(),
            refused_unknown: self.counters.refused_unknown.total(),
            principals,
            unknown_secrets,
            cache_capacity: self.index.settings().capacity,
            feed_age: self.index.feed_age(),
            replication_lag: self.index.replication_lag(),
        }
    }

    /// Finds out, once, which of the configured keys are older ones: those under which secrets are stored. Another one
    /// is a key to come, and other processes may soon store secrets under it that must stay there. To be called at the
    /// start.
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

    /// Leaves every secret under the key that it is under, for a process that cannot write. To be called at the start.
    pub(crate) fn leave_keys(&self) {
        self.older_keys.get_or_init(Vec::new);
    }

    /// Moves the secrets that were used, are under an older master key and have no sealed copy to the current key. To
    /// be called at intervals and at shutdown. If that fails, they stay queued.
    pub async fn flush_rekeyings(&self, store: &dyn MasterKeyRepository) -> Result<(), StoreError> {
        let older = self.learn_older_keys(store).await?;
        // A secret that the store skipped is looked up, and queued again if that is of use, when it is next used.
        self.rekeyings.flush(store, older, |digest| self.index.remove(digest)).await
    }

    async fn resolve(
        &self,
        secret: &str,
        client: Option<IpAddr>,
        purpose: Purpose,
        is_accepted: impl Fn(&TokenSecret) -> bool,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        let Some(secret) = TokenSecret::parse(secret).ok().filter(is_accepted) else {
            self.counters.malformed.increment();
            return Err(AuthenticationError::Unknown);
        };
        let digest = self.sealer.digest(&secret);
        let (source, lookup) = match self.index.get(&digest) {
            Some(cached) => (Source::Memory, cached),
            // Boxed, because a lookup is large and most secrets are in memory: a small future is faster to move.
            None if purpose == Purpose::Action => {
                (Source::Store, Box::pin(self.look_up(&secret, digest, client)).await?)
            }
            None => Box::pin(self.look_up_or_serve_stale(&secret, digest, client)).await?,
        };
        let is_admitted = |principal: &Principal| purpose.admits(principal, client);
        self.accept(source, lookup, self.clock.now(), is_admitted)
    }

    /// Returns the principal of a lookup if it is valid at this time and admitted, and counts the answer.
    ///
    /// # Errors
    /// [`AuthenticationError::Unknown`] and [`AuthenticationError::Refused`].
    fn accept(
        &self,
        source: Source,
        lookup: Lookup,
        now: Timestamp,
        is_admitted: impl Fn(&Principal) -> bool,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        let network = |principal: &Principal| (!is_admitted(principal)).then_some(Reason::Network);
        let accepted = match lookup {
            Lookup::Unknown => Err(AuthenticationError::Unknown),
            Lookup::Found(principal) => match principal.refused_at(now).or_else(|| network(&principal)) {
                Some(reason) => Err(AuthenticationError::Refused { principal, reason }),
                None => Ok(principal),
            },
        };
        self.counters.of(source).count(accepted.is_ok());
        accepted
    }

    /// Looks the secret up in the store; falls back to a stale cache entry if `verify.when_stale = "serve"`.
    async fn look_up_or_serve_stale(
        &self,
        secret: &TokenSecret,
        digest: SecretDigest,
        client: Option<IpAddr>,
    ) -> Result<(Source, Lookup), AuthenticationError> {
        let serve_stale = || Some((Source::StaleMemory, Lookup::Found(self.index.get_stale(&digest)?)));
        if self.index.is_cut_off()
            && let Some(stale) = serve_stale()
        {
            return Ok(stale);
        }
        match self.look_up(secret, digest, client).await {
            Err(error @ AuthenticationError::Store(StoreError::Unavailable(_))) => serve_stale().ok_or(error),
            answer => answer.map(|lookup| (Source::Store, lookup)),
        }
    }

    async fn look_up(
        &self,
        secret: &TokenSecret,
        digest: SecretDigest,
        client: Option<IpAddr>,
    ) -> Result<Lookup, AuthenticationError> {
        let (looked_up_at, now) = self.begin_lookup(client)?;
        let digests = self.sealer.digests(secret);
        let found = if secret.is_personal() {
            self.ports.personal_tokens.find_personal_token_by_digest(&digests).await?.map(of_personal_token)
        } else if secret.is_session() {
            self.ports.sessions.find_session_by_digest(&digests).await?.map(of_session)
        } else {
            self.ports.tokens.find_token_by_digest(&digests).await?.map(of_token)
        };
        let lookup = self.cache((secret, digest), found, looked_up_at);
        if matches!(lookup, Lookup::Unknown) {
            self.budget.spend(client, now);
        }
        // If it is too old, it may be served as a stale cache entry.
        self.index.check_lookups().map_err(StoreError::from)?;
        Ok(lookup)
    }

    /// Returns the tick and the time at which a lookup in the store begins: a change made after that tick invalidates its result.
    ///
    /// # Errors
    /// If it would be of no use, or the client has used up its budget.
    fn begin_lookup(&self, client: Option<IpAddr>) -> Result<(CacheTick, Duration), AuthenticationError> {
        self.index.check_use_of_lookup().map_err(StoreError::from)?;
        let (looked_up_at, now) = (self.index.now(), self.clock.monotonic());
        if self.budget.has_room(client, now) {
            return Ok((looked_up_at, now));
        }
        self.counters.refused_unknown.increment();
        Err(AuthenticationError::Busy)
    }

    /// Caches the result of a lookup.
    fn cache(
        &self,
        (secret, digest): (&TokenSecret, SecretDigest),
        found: Option<Match>,
        looked_up_at: CacheTick,
    ) -> Lookup {
        let Some(Match { principal, of, by, has_copy }) = found else {
            self.index.insert(digest, &Lookup::Unknown, looked_up_at);
            return Lookup::Unknown;
        };
        let lookup = Lookup::Found(Arc::new(principal));
        self.index.insert(digest, &lookup, looked_up_at);
        // A secret with a sealed copy cannot be moved here: the copy would stay under the older key.
        if by != digest && !has_copy && !self.queue_rekeying(secret, of, by) {
            self.index.remove(&digest);
        }
        lookup
    }

    /// Queues a secret that is under an older key to be moved to the current one. Returns `false` if the queue is full.
    fn queue_rekeying(&self, secret: &TokenSecret, of: SecretOf, by: SecretDigest) -> bool {
        let Some((key, to)) = self.sealer.moved(secret, &by) else { return true };
        if self.older_keys.get().is_some_and(|older| !older.contains(&key)) {
            return true;
        }
        self.rekeyings.push(key, Rekeying { of, from: by, to })
    }
}

/// A secret that the store knows.
struct Match {
    principal: Principal,
    of: SecretOf,
    by: SecretDigest,
    /// Whether a sealed copy is stored.
    has_copy: bool,
}

fn of_token(found: TokenMatch) -> Match {
    let TokenMatch { stored, secret_until, found_by: by } = found;
    let principal = Principal::of_token(&stored.token, secret_until);
    let is_present = secret_until.is_none() && by == stored.secret.digest;
    let principal = if is_present { principal } else { principal.by_other_secret() };
    let id = stored.token.id;
    let (of, has_copy) = match &stored.alias {
        _ if secret_until.is_some() => (SecretOf::Retired(id), false),
        Some(alias) if alias.digest == by => (SecretOf::Alias(id), alias.sealed.is_some()),
        _ => (SecretOf::Token(id), stored.secret.sealed.is_some()),
    };
    Match { principal, of, by, has_copy }
}

fn of_personal_token(holder: PersonalTokenHolder) -> Match {
    let PersonalTokenHolder { token, user, grants, found_by: by } = holder;
    let principal = of_user(&user, grants, UserCredential::PersonalToken(token.id), token.expires_at);
    Match { principal, of: SecretOf::PersonalToken(token.id), by, has_copy: false }
}

fn of_session(holder: SessionHolder) -> Match {
    let SessionHolder { session, user, grants, found_by: by } = holder;
    let principal = of_user(&user, grants, UserCredential::Session(session.id), session.expires_at);
    Match { principal, of: SecretOf::Session(session.id), by, has_copy: false }
}

fn of_user(user: &User, grants: Grants, credential: UserCredential, expires_at: Timestamp) -> Principal {
    Principal::User { id: user.id, label: user.identity.label().to_owned(), grants, credential, expires_at }
}
