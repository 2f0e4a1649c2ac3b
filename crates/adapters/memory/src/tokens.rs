//! API tokens.

use async_trait::async_trait;
use latchkey_domain::{EventId, NewEvent, ProjectId, Timestamp, TokenId};
use latchkey_ports::{
    Entity, FirstToken, Quota, Rotation, SecretDigest, SecretRecord, StoreError, StoredToken, TokenMatch,
    TokenQuery, TokenRepository,
};

use crate::{
    MemoryStore,
    page::count,
    state::{RetiredSecret, State},
};

#[async_trait]
impl TokenRepository for MemoryStore {
    async fn create_token(
        &self,
        token: &StoredToken,
        quota: Quota,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.check_places(token)?;
        state.check_quota(token.token.access.projects(), quota)?;
        state.check_unique(token)?;
        state.insert(token);
        Ok(state.record(event.clone()))
    }

    async fn create_first_tokens(&self, tokens: &[FirstToken]) -> Result<bool, StoreError> {
        let mut state = self.state();
        if !state.tokens.is_empty() {
            return Ok(false);
        }
        // There is no token yet, so they can clash with each other alone: tried on a state that is thrown away.
        let mut trial = State::default();
        for first in tokens {
            state.check_places(&first.token)?;
            trial.check_unique(&first.token)?;
            trial.insert(&first.token);
        }
        for first in tokens {
            state.insert(&first.token);
            state.record(first.event.clone());
        }
        Ok(true)
    }

    async fn tokens_of_project(&self, project: &ProjectId) -> Result<Vec<StoredToken>, StoreError> {
        let state = self.state();
        state.project(project)?;
        let tokens = state.ids_of_project(project).filter_map(|id| state.tokens.get(&id).cloned());
        Ok(tokens.collect())
    }

    async fn find_token(&self, id: TokenId) -> Result<Option<StoredToken>, StoreError> {
        Ok(self.state().tokens.get(&id).cloned())
    }

    async fn tokens(&self, query: &TokenQuery) -> Result<Vec<StoredToken>, StoreError> {
        Ok(self.state().tokens_asked_for(query))
    }

    async fn find_token_by_digest(&self, digests: &[SecretDigest]) -> Result<Option<TokenMatch>, StoreError> {
        let state = self.state();
        Ok(digests.iter().find_map(|digest| {
            let (id, secret_until) = state.id_of_digest(digest)?;
            let stored = state.tokens.get(&id)?.clone();
            Some(TokenMatch { stored, secret_until, found_by: *digest })
        }))
    }

    async fn change_token_expiry(
        &self,
        id: TokenId,
        before: Option<Timestamp>,
        after: Option<Timestamp>,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        if state.stored_token(id)?.token.expires_at != before {
            return Err(StoreError::Stale(Entity::Token(id)));
        }
        state.change_token(id, |stored| stored.token.expires_at = after);
        Ok(state.record(event.clone()))
    }

    async fn rotate_token(&self, rotation: &Rotation, event: &NewEvent) -> Result<EventId, StoreError> {
        let Rotation { token: id, from, to, overlap_until } = rotation;
        let mut state = self.state();
        let SecretRecord { digest, key, .. } = state.stored_token(*id)?.secret;
        if digest != *from {
            return Err(StoreError::Stale(Entity::Token(*id)));
        }
        if overlap_until.is_some() {
            let good = state.retired_secrets.values().filter(|one| one.token == *id && one.until > event.at);
            StoreError::unless_full(count(good), Rotation::MAX_RETIRED)?;
        }
        state.check_new_secret(to.digest)?;
        state.change_token(*id, |stored| stored.secret = to.clone());
        if let Some(until) = overlap_until {
            let retired = RetiredSecret { token: *id, until: *until, key };
            state.retired_secrets.insert(*from, retired);
        }
        Ok(state.record(event.clone()))
    }

    async fn delete_token(&self, id: TokenId, event: &NewEvent) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.stored_token(id)?;
        state.remove(id);
        Ok(state.record(event.clone()))
    }

    async fn record_token_use(&self, seen: &[(TokenId, Timestamp)]) -> Result<(), StoreError> {
        let mut state = self.state();
        for (id, at) in seen {
            if let Some(stored) = state.tokens.get_mut(id) {
                stored.token.last_used_at = stored.token.last_used_at.max(Some(*at));
            }
        }
        Ok(())
    }
}
