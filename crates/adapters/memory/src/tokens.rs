//! API tokens.

use async_trait::async_trait;
use latchkey_domain::{EventId, NewEvent, ProjectId, ProjectScope, Timestamp, TokenId};
use latchkey_ports::{
    Entity, FirstToken, Quota, SecretDigest, SecretRecord, StoreError, StoredToken, TokenRepository,
};

use crate::{MemoryStore, state::State};

fn digests(token: &StoredToken) -> impl Iterator<Item = SecretDigest> {
    [Some(&token.secret), token.alias.as_ref()]
        .into_iter()
        .flatten()
        .map(|record: &SecretRecord| record.digest)
}

impl State {
    fn check_places(&self, token: &StoredToken) -> Result<(), StoreError> {
        let access = &token.token.access;
        if let Some(environment) = access.environment()
            && !self.environments.contains_key(environment)
        {
            return Err(StoreError::NotFound(Entity::Environment(environment.clone())));
        }
        match access.projects().named().iter().find(|project| !self.projects.contains_key(project)) {
            Some(project) => Err(StoreError::NotFound(Entity::Project(project.clone()))),
            None => Ok(()),
        }
    }

    fn check_quota(&self, projects: &ProjectScope, Quota(limit): Quota) -> Result<(), StoreError> {
        let full = match projects {
            ProjectScope::All => self.tokens_of_all_projects >= limit,
            ProjectScope::Only(set) => set.as_slice().iter().any(|project| {
                let count = self.ids_of_project(project).count();
                u64::try_from(count).is_ok_and(|count| count >= limit)
            }),
        };
        if full { Err(StoreError::LimitReached { limit }) } else { Ok(()) }
    }

    fn check_unique(&self, token: &StoredToken) -> Result<(), StoreError> {
        if digests(token).any(|digest| self.tokens_by_digest.contains_key(&digest)) {
            return Err(StoreError::Conflict(Entity::Secret));
        }
        if self.tokens.contains_key(&token.token.id) {
            return Err(StoreError::Conflict(Entity::Token(token.token.id)));
        }
        Ok(())
    }

    fn ids_of_project(&self, project: &ProjectId) -> impl Iterator<Item = TokenId> {
        let first = (project.clone(), TokenId::from_uuid(uuid::Uuid::nil()));
        let own = self.tokens_by_project.range(first..).take_while(move |(owner, _)| owner == project);
        own.map(|(_, id)| *id)
    }

    fn insert(&mut self, token: &StoredToken) {
        let id = token.token.id;
        for digest in digests(token) {
            self.tokens_by_digest.insert(digest, id);
        }
        match token.token.access.projects() {
            ProjectScope::All => self.tokens_of_all_projects += 1,
            ProjectScope::Only(set) => {
                self.tokens_by_project.extend(set.as_slice().iter().map(|project| (project.clone(), id)));
            }
        }
        self.tokens.insert(id, token.clone());
    }

    fn remove(&mut self, id: TokenId) -> Option<StoredToken> {
        let token = self.tokens.remove(&id)?;
        for digest in digests(&token) {
            self.tokens_by_digest.remove(&digest);
        }
        match token.token.access.projects() {
            ProjectScope::All => self.tokens_of_all_projects -= 1,
            ProjectScope::Only(set) => {
                for project in set.as_slice() {
                    self.tokens_by_project.remove(&(project.clone(), id));
                }
            }
        }
        Some(token)
    }
}

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
        if !state.projects.contains_key(project) {
            return Err(StoreError::NotFound(Entity::Project(project.clone())));
        }
        let tokens = state.ids_of_project(project).filter_map(|id| state.tokens.get(&id).cloned());
        Ok(tokens.collect())
    }

    async fn find_token(&self, id: TokenId) -> Result<Option<StoredToken>, StoreError> {
        Ok(self.state().tokens.get(&id).cloned())
    }

    async fn find_token_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<StoredToken>, StoreError> {
        let state = self.state();
        let id = digests.iter().find_map(|digest| state.tokens_by_digest.get(digest));
        Ok(id.and_then(|id| state.tokens.get(id)).cloned())
    }

    async fn delete_token(&self, id: TokenId, event: &NewEvent) -> Result<EventId, StoreError> {
        let mut state = self.state();
        match state.remove(id) {
            None => Err(StoreError::NotFound(Entity::Token(id))),
            Some(_) => Ok(state.record(event.clone())),
        }
    }

    async fn record_tokens_seen(&self, seen: &[(TokenId, Timestamp)]) -> Result<(), StoreError> {
        let mut state = self.state();
        for (id, at) in seen {
            if let Some(stored) = state.tokens.get_mut(id) {
                stored.token.seen_at = stored.token.seen_at.max(Some(*at));
            }
        }
        Ok(())
    }
}
