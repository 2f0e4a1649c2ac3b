//! Logins, sessions and the user's own password.
//!
//! A login: the failures so far decide whether an attempt is allowed now; the attempt is counted as a failure; the
//! password is checked, in the same time whether the user exists or not; a success starts a session, whose secret goes
//! into a cookie, and deletes the failures. The attempt is counted first, so that a client that disconnects during the
//! check is counted too.

use std::{net::IpAddr, sync::Arc, time::Duration};

use latchkey_domain::{
    AccountKind, Actor, EventKind, LoginFailures, Origin, PasswordHash, Session, SessionId, Timestamp,
    TokenSecret, User, UserCredential, UserId,
};
use latchkey_ports::{
    Account, Entropy, EntropyExt, ErrorChain, LoginFailureRepository, LoginKey, PasswordHasher, SecretSealer,
    SessionRepository, SessionStart, UserRepository,
};

use crate::{
    Initiator, Missing, ServiceError, SignedIn, Users, changes::Changes, client_network::client_network,
    login_turns::LoginTurns,
};

/// The policy for sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionPolicy {
    /// The lifetime of a session, which use does not prolong (`sessions.ttl`).
    pub ttl: Duration,
    /// The maximum per user; the oldest end (`sessions.max_per_user`).
    pub max_per_user: u32,
}

/// A successful login.
#[derive(Debug)]
pub struct LoggedIn {
    /// The user, with the time of the previous login.
    pub user: User,
    pub session: Session,
    /// The secret for the cookie.
    pub secret: TokenSecret,
    /// The number of older sessions that ended for this one.
    pub ended_sessions: u64,
    /// The maximum number of sessions per user.
    pub max_per_user: u32,
}

/// The ports of sessions.
pub(crate) struct SessionPorts {
    pub(crate) sessions: Arc<dyn SessionRepository>,
    pub(crate) failures: Arc<dyn LoginFailureRepository>,
    pub(crate) users: Arc<dyn UserRepository>,
    pub(crate) hasher: Arc<dyn PasswordHasher>,
    pub(crate) sealer: Arc<dyn SecretSealer>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// The use cases of this module.
pub struct Sessions {
    ports: SessionPorts,
    changes: Changes,
    policy: SessionPolicy,
    turns: LoginTurns,
}

impl Sessions {
    pub(crate) fn new(ports: SessionPorts, changes: Changes, policy: SessionPolicy) -> Self {
        Self { ports, changes, policy, turns: LoginTurns::default() }
    }

    /// Signs a user in by user name or e-mail address.
    ///
    /// # Errors
    /// [`ServiceError::WrongPassword`], after the same time whether the user exists or not;
    /// [`ServiceError::TooManyAttempts`].
    pub async fn log_in(
        &self,
        login: &str,
        password: &str,
        origin: Origin,
    ) -> Result<LoggedIn, ServiceError> {
        let keys = keys(login, origin.address);
        let _turn = self.turns.take(&keys).await;
        self.count_try(&keys).await?;
        let mut begun = self.check_and_start(login, password, &origin).await;
        if let Err(ServiceError::Overtaken) = begun {
            // The hash was replaced while it was checked: by a new password, or by an upgrade of this one.
            begun = self.check_and_start(login, password, &origin).await;
        }
        let begun = begun.map_err(|error| match error {
            ServiceError::Overtaken => ServiceError::WrongPassword,
            other => other,
        });
        match &begun {
            Ok(_) => self.forget_tries(&keys).await,
            Err(ServiceError::WrongPassword) => {
                tracing::warn!(address = ?origin.address, "signing in failed");
            }
            Err(_) => {}
        }
        begun
    }

    /// Checks the password and begins a session.
    ///
    /// # Errors
    /// As [`Sessions::log_in`]; [`ServiceError::Overtaken`] if the user's hash was replaced in the meantime.
    async fn check_and_start(
        &self,
        login: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<LoggedIn, ServiceError> {
        let account = self.ports.users.find_account_by_login(login).await?;
        let account = account.filter(|account| account.user.kind == AccountKind::Person);
        let hash = account.as_ref().and_then(|account| account.password.clone());
        let is_right = self.ports.hasher.verify(password, hash.clone()).await?;
        let (Some(account), Some(hash), true) = (account, hash, is_right) else {
            return Err(ServiceError::WrongPassword);
        };
        let user = account.user.id;
        let logged_in = self.start(account, origin.clone()).await?;
        self.upgrade_hash(user, password, &hash).await;
        Ok(logged_in)
    }

    /// Replaces a hash that was made at a lower cost than today's. A failure is logged: the login has succeeded, and
    /// the next one tries again.
    async fn upgrade_hash(&self, user: UserId, password: &str, hash: &PasswordHash) {
        let upgraded: Result<(), ServiceError> = async {
            if let Some(upgraded) = self.ports.hasher.upgrade(password, hash).await? {
                self.ports.users.upgrade_password_hash(user, hash, &upgraded).await?;
            }
            Ok(())
        }
        .await;
        match upgraded {
            // Another login was faster, or the password was changed.
            Ok(()) | Err(ServiceError::Overtaken) => {}
            Err(error) => {
                tracing::warn!(%user, error = %ErrorChain(&error), "a password hash could not be upgraded");
            }
        }
    }

    /// Counts an attempt as a failure until it has succeeded.
    async fn count_try(&self, keys: &[LoginKey]) -> Result<(), ServiceError> {
        let now = self.changes.now();
        self.check_failures(keys, now).await?;
        Ok(self.ports.failures.record_login_failure(keys, now).await?)
    }

    /// Deletes the failures. If that fails, the success keeps counting as a failure.
    async fn forget_tries(&self, keys: &[LoginKey]) {
        if let Err(error) = self.ports.failures.forget_login_failures(keys).await {
            tracing::warn!(error = %ErrorChain(&error), "failures to sign in could not be forgotten");
        }
    }

    /// Refuses an attempt after too many failures: of the address, and of the account if this address has failed with
    /// it before, so that an attacker elsewhere cannot lock out the owner of an account.
    async fn check_failures(&self, keys: &[LoginKey], now: Timestamp) -> Result<(), ServiceError> {
        let found = self.ports.failures.login_failures(keys).await?;
        let counted = |wanted: fn(&LoginKey) -> bool| {
            let here = keys.iter().zip(&found).find(|(key, _)| wanted(key));
            here.and_then(|(_, failures)| *failures).filter(|failures| !failures.is_forgotten(now))
        };
        let account = counted(|key| matches!(key, LoginKey::Account(_)));
        let address = counted(|key| matches!(key, LoginKey::Address(_)));
        let from_here = counted(|key| matches!(key, LoginKey::AccountFrom(..)));
        let has_address = keys.len() > 1;
        let account = account.filter(|_| !has_address || from_here.is_some());
        let waits =
            [account, address].into_iter().flatten().filter_map(|failures: LoginFailures| failures.wait(now));
        waits.max().map_or(Ok(()), |wait| Err(ServiceError::TooManyAttempts(wait)))
    }

    /// Starts a session for this account.
    async fn start(&self, account: Account, origin: Origin) -> Result<LoggedIn, ServiceError> {
        let Account { user, password } = account;
        let created_at = self.changes.now();
        let expires_at = created_at.plus(self.policy.ttl)?;
        let id = SessionId(self.ports.entropy.uuid());
        let session = Session { id, user: user.id, created_at, expires_at, origin: origin.clone() };
        let secret = TokenSecret::mint_session(self.ports.entropy.bytes());
        let actor = Actor::User { id: user.id, name: user.identity.label().to_owned() };
        let event = self.changes.event(EventKind::SessionStarted, &Initiator { actor, origin });
        let event = event.with_after(&session);
        let max_per_user = self.policy.max_per_user;
        let start =
            SessionStart { session, secret: self.ports.sealer.record(&secret), password, max_per_user };
        let ended_sessions = self.ports.sessions.start_session(&start, &event).await?;
        self.changes.after_commit(&event);
        Ok(LoggedIn { user, session: start.session, secret, ended_sessions, max_per_user })
    }

    /// Ends the session that the caller authenticated with, if any.
    pub async fn log_out(&self, user: &SignedIn) -> Result<(), ServiceError> {
        let UserCredential::Session(session) = user.credential() else { return Ok(()) };
        match self.end(user, session).await {
            Err(ServiceError::NotFound(Missing::Session)) => Ok(()),
            other => other,
        }
    }

    /// Returns the caller's own sessions that have not expired, oldest first.
    pub async fn list(&self, user: &SignedIn) -> Result<Vec<Session>, ServiceError> {
        let now = self.changes.now();
        let mut sessions = self.ports.sessions.sessions_of(user.user()).await?;
        sessions.retain(|session| session.expires_at > now);
        Ok(sessions)
    }

    /// Ends one of the caller's own sessions; it is refused from the response on.
    pub async fn end(&self, user: &SignedIn, session: SessionId) -> Result<(), ServiceError> {
        let own = self.ports.sessions.sessions_of(user.user()).await?;
        let ended = own.iter().find(|own| own.id == session).ok_or(Missing::Session)?;
        let event = self.changes.event(EventKind::SessionEnded, &user.initiator()).with_before(ended);
        self.ports.sessions.end_session(user.user(), session, &event).await?;
        self.changes.after_commit(&event);
        Ok(())
    }

    /// Changes the caller's own password and ends all their sessions.
    ///
    /// # Errors
    /// [`ServiceError::WrongPassword`] if the old one is wrong, which counts as a failed login;
    /// [`ServiceError::TooManyAttempts`]; [`ServiceError::WeakPassword`].
    pub async fn change_password(
        &self,
        users: &Users,
        user: &SignedIn,
        (old, new): (&str, &str),
    ) -> Result<(), ServiceError> {
        let Account { user: person, password } =
            self.ports.users.find_account(user.user()).await?.ok_or(Missing::User)?;
        let keys = keys(person.identity.label(), user.initiator().origin.address);
        let _turn = self.turns.take(&keys).await;
        self.count_try(&keys).await?;
        if !self.ports.hasher.verify(old, password.clone()).await? {
            return Err(ServiceError::WrongPassword);
        }
        self.forget_tries(&keys).await;
        users.store_password(user.caller(), &person, password, new).await
    }
}

fn keys(login: &str, address: Option<IpAddr>) -> Vec<LoginKey> {
    const MAX_CHARACTERS: usize = 255;
    let name: String = login.to_lowercase().chars().filter(|c| *c != '\0').take(MAX_CHARACTERS).collect();
    let by_address = address
        .map(client_network)
        .map(|address| [LoginKey::Address(address), LoginKey::AccountFrom(name.clone(), address)]);
    let mut keys = vec![LoginKey::Account(name)];
    keys.extend(by_address.into_iter().flatten());
    keys
}
