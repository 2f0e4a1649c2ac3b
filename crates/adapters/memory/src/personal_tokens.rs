//! Personal access tokens.

use async_trait::async_trait;
use latchkey_domain::{
    EventId, NewEvent, NewPersonalToken, PersonalToken, PersonalTokenId, Timestamp, UserId,
};
use latchkey_ports::{
    Entity, PersonalTokenHolder, PersonalTokenRepository, SecretDigest, SecretRecord, StoreError,
};

use crate::{
    MemoryStore,
    state::{State, count},
};

impl State {
    /// Deletes all tokens but these, with their secrets.
    pub(crate) fn retain_personal_tokens(&mut self, keep: impl Fn(&PersonalToken) -> bool) {
        self.personal_tokens.retain(|_, token| keep(token));
        self.personal_tokens_by_digest.retain(|_, (id, _)| self.personal_tokens.contains_key(id));
    }
}

#[async_trait]
impl PersonalTokenRepository for MemoryStore {
    async fn create_personal_token(
        &self,
        token: &NewPersonalToken,
        secret: &SecretRecord,
        limit: u32,
        event: &NewEvent,
    ) -> Result<(PersonalTokenId, EventId), StoreError> {
        let mut state = self.state();
        state.user(token.user)?;
        let own = || state.personal_tokens.values().filter(|kept| kept.user == token.user);
        StoreError::check_limit(count(own()), limit.into())?;
        if own().any(|kept| kept.description == token.description) {
            return Err(StoreError::Conflict(Entity::PersonalTokenDescription));
        }
        if state.personal_tokens_by_digest.contains_key(&secret.digest) {
            return Err(StoreError::Conflict(Entity::Secret));
        }
        let id = state.next_personal_token();
        state.personal_tokens_by_digest.insert(secret.digest, (id, secret.key));
        state.personal_tokens.insert(id, token.clone().with_id(id));
        let event = state.record(event.clone().with_assigned_id(id.0));
        Ok((id, event))
    }

    async fn find_personal_token_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<PersonalTokenHolder>, StoreError> {
        let state = self.state();
        let found = digests.iter().find_map(|digest| {
            let (id, _) = state.personal_tokens_by_digest.get(digest)?;
            Some((state.personal_tokens.get(id)?, *digest))
        });
        let Some((kept, found_by)) = found else { return Ok(None) };
        let user = state.user(kept.user)?;
        let grants = state.grants(user)?;
        Ok(Some(PersonalTokenHolder { token: kept.clone(), user: user.clone(), grants, found_by }))
    }

    async fn personal_tokens_of(&self, users: &[UserId]) -> Result<Vec<PersonalToken>, StoreError> {
        let state = self.state();
        let own = state.personal_tokens.values().filter(|token| users.contains(&token.user));
        Ok(own.cloned().collect())
    }

    async fn delete_personal_token(
        &self,
        user: UserId,
        id: PersonalTokenId,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        if state.personal_tokens.get(&id).is_none_or(|token| token.user != user) {
            return Err(StoreError::NotFound(Entity::PersonalToken(id)));
        }
        state.retain_personal_tokens(|token| token.id != id);
        Ok(state.record(event.clone()))
    }

    async fn record_personal_token_use(
        &self,
        seen: &[(PersonalTokenId, Timestamp)],
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        for (id, at) in seen {
            if let Some(kept) = state.personal_tokens.get_mut(id) {
                kept.last_used_at = kept.last_used_at.max(Some(*at));
            }
        }
        Ok(())
    }
}
