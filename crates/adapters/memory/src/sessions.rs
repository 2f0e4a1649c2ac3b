//! Sessions, login failures, and the sweep.

use std::cmp::Reverse;

use async_trait::async_trait;
use latchkey_domain::{
    AccountKind, EventId, LoginFailures, NewEvent, Session, SessionId, Timestamp, User, UserId,
};
use latchkey_ports::{
    Entity, KeptAnswer, LoginFailureRepository, LoginKey, SecretDigest, SessionHolder, SessionRepository,
    SessionStart, StoreError,
};

use crate::{
    MemoryStore,
    state::{State, count, to_usize},
};

impl State {
    /// Returns the user if it can log in, that is, if it is no service account.
    pub(crate) fn person(&self, id: UserId) -> Result<&User, StoreError> {
        let user = self.user(id)?;
        match user.kind {
            AccountKind::Person => Ok(user),
            AccountKind::Service => Err(StoreError::NotFound(Entity::User(id))),
        }
    }

    /// Ends all sessions but these and returns the number of ended ones.
    pub(crate) fn retain_sessions(&mut self, keep: impl Fn(&Session) -> bool) -> u64 {
        let count_before = self.sessions.len();
        self.sessions.retain(|_, session| keep(session));
        self.sessions_by_digest.retain(|_, (id, _)| self.sessions.contains_key(id));
        count(self.sessions.len()..count_before)
    }

    fn sessions_by_age(&self, user: UserId) -> Vec<&Session> {
        let mut own: Vec<_> = self.sessions.values().filter(|session| session.user == user).collect();
        own.sort_by_key(|session| (session.created_at, session.id));
        own
    }

    /// Ends the oldest sessions of a user beyond `keep`.
    fn end_oldest(&mut self, user: UserId, keep: usize) -> u64 {
        let mut newest_first = self.sessions_by_age(user);
        newest_first.sort_by_key(|session| Reverse((session.created_at, session.id)));
        let ended: Vec<SessionId> = newest_first.into_iter().skip(keep).map(|session| session.id).collect();
        self.retain_sessions(|session| !ended.contains(&session.id))
    }
}

#[async_trait]
impl SessionRepository for MemoryStore {
    async fn start_session(&self, start: &SessionStart, event: &NewEvent) -> Result<u64, StoreError> {
        let SessionStart { session, secret, password, max_per_user } = start;
        let mut state = self.state();
        state.person(session.user)?;
        if state.passwords.get(&session.user) != password.as_ref() {
            return Err(StoreError::Stale(Entity::User(session.user)));
        }
        if state.sessions_by_digest.contains_key(&secret.digest) {
            return Err(StoreError::Conflict(Entity::Secret));
        }
        if state.sessions.contains_key(&session.id) {
            return Err(StoreError::Conflict(Entity::Session(session.id)));
        }
        let ended = state.end_oldest(session.user, to_usize(*max_per_user).saturating_sub(1));
        state.sessions_by_digest.insert(secret.digest, (session.id, secret.key));
        state.sessions.insert(session.id, session.clone());
        if let Some(user) = state.users.get_mut(&session.user) {
            user.last_seen_at = user.last_seen_at.max(Some(session.created_at));
        }
        state.record(event.clone());
        Ok(ended)
    }

    async fn find_session_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<SessionHolder>, StoreError> {
        let state = self.state();
        let found = digests.iter().find_map(|digest| {
            let (id, _) = state.sessions_by_digest.get(digest)?;
            Some((state.sessions.get(id)?, *digest))
        });
        let Some((session, found_by)) = found else { return Ok(None) };
        let user = state.user(session.user)?;
        let grants = state.grants(user)?;
        Ok(Some(SessionHolder { session: session.clone(), user: user.clone(), grants, found_by }))
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        Ok(self.state().sessions_by_age(user).into_iter().cloned().collect())
    }

    async fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        if state.sessions.get(&session).is_none_or(|kept| kept.user != user) {
            return Err(StoreError::NotFound(Entity::Session(session)));
        }
        state.retain_sessions(|kept| kept.id != session);
        Ok(state.record(event.clone()))
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.state();
        let sessions = state.retain_sessions(|session| session.expires_at >= now);
        let kept =
            |state: &State| state.retired_secrets.len() + state.login_failures.len() + state.answers.len();
        let (count_before, since) = (kept(&state), KeptAnswer::kept_since(now));
        state.answers.retain(|_, answer| answer.at > since);
        state.retired_secrets.retain(|_, retired| retired.until >= now);
        state.login_failures.retain(|_, failures| !failures.is_forgotten(now));
        Ok(sessions + count(kept(&state)..count_before))
    }
}

#[async_trait]
impl LoginFailureRepository for MemoryStore {
    async fn login_failures(&self, keys: &[LoginKey]) -> Result<Vec<Option<LoginFailures>>, StoreError> {
        let state = self.state();
        Ok(keys.iter().map(|key| state.login_failures.get(key).copied()).collect())
    }

    async fn record_login_failure(&self, keys: &[LoginKey], now: Timestamp) -> Result<(), StoreError> {
        let mut state = self.state();
        for key in keys {
            let before = state.login_failures.get(key).copied();
            state.login_failures.insert(key.clone(), LoginFailures::and_another(before, now));
        }
        Ok(())
    }

    async fn forget_login_failures(&self, keys: &[LoginKey]) -> Result<(), StoreError> {
        let mut state = self.state();
        for key in keys {
            state.login_failures.remove(key);
        }
        Ok(())
    }
}
