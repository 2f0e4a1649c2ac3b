//! Sessions, and what is forgotten in time.

use std::cmp::Reverse;

use async_trait::async_trait;
use latchkey_domain::{AccountKind, EventId, NewEvent, Session, SessionId, Timestamp, User, UserId};
use latchkey_ports::{Entity, SecretDigest, SessionHolder, SessionRepository, SessionStart, StoreError};

use crate::{
    MemoryStore,
    page::{count, in_memory},
    state::State,
};

impl State {
    /// Somebody who can sign in.
    pub(crate) fn person(&self, id: UserId) -> Result<&User, StoreError> {
        let user = self.user(id)?;
        match user.kind {
            AccountKind::Person => Ok(user),
            AccountKind::Service => Err(StoreError::NotFound(Entity::User(id))),
        }
    }

    /// Ends all others, and says how many.
    pub(crate) fn retain_sessions(&mut self, stays: impl Fn(&Session) -> bool) -> u64 {
        let there = self.sessions.len();
        self.sessions.retain(|_, session| stays(session));
        self.sessions_by_digest.retain(|_, (id, _)| self.sessions.contains_key(id));
        count(self.sessions.len()..there)
    }

    fn sessions_by_age(&self, user: UserId) -> Vec<&Session> {
        let mut own: Vec<_> = self.sessions.values().filter(|session| session.user == user).collect();
        own.sort_by_key(|session| (session.created_at, session.id));
        own
    }

    /// Ends the oldest sessions of a user, so that so many stay.
    fn end_oldest(&mut self, user: UserId, stay: usize) -> u64 {
        let mut newest_first = self.sessions_by_age(user);
        newest_first.sort_by_key(|session| Reverse((session.created_at, session.id)));
        let gone: Vec<SessionId> = newest_first.into_iter().skip(stay).map(|session| session.id).collect();
        self.retain_sessions(|session| !gone.contains(&session.id))
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
        let gone = state.end_oldest(session.user, in_memory(*max_per_user).saturating_sub(1));
        state.sessions_by_digest.insert(secret.digest, (session.id, secret.key));
        state.sessions.insert(session.id, session.clone());
        if let Some(user) = state.users.get_mut(&session.user) {
            user.last_seen_at = user.last_seen_at.max(Some(session.created_at));
        }
        state.record(event.clone());
        Ok(gone)
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
        let there = state.retired_secrets.len() + state.login_failures.len();
        state.retired_secrets.retain(|_, retired| retired.until >= now);
        state.login_failures.retain(|_, failures| !failures.is_forgotten(now));
        let left = state.retired_secrets.len() + state.login_failures.len();
        Ok(sessions + count(left..there))
    }
}
