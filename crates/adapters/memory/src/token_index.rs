//! The indexes of API tokens: by project and by digest.

use latchkey_domain::{EventId, NewEvent, ProjectId, ProjectScope, RemovalOutcome, Timestamp, TokenId};
use latchkey_ports::{Demand, Entity, NewToken, SecretDigest, StoreError, StoredToken};

use crate::state::{State, count};

impl State {
    pub(crate) fn check_scope(&self, token: &StoredToken) -> Result<(), StoreError> {
        let access = &token.token.access;
        if let Some(environment) = access.environment() {
            self.environment(environment)?;
        }
        access.projects().named().iter().try_for_each(|project| self.project(project).map(|_| ()))
    }

    pub(crate) fn check_quotas(&self, tokens: &[NewToken]) -> Result<(), StoreError> {
        Demand::of(tokens).into_iter().try_for_each(|(project, demand)| {
            demand.check(match project {
                None => self.tokens_of_all_projects,
                Some(project) => count(self.ids_of_project(project)),
            })
        })
    }

    /// Fails if one of these tokens has a secret, an alias or an id of another one, or of one that there is.
    pub(crate) fn check_all_unique<'t>(
        &self,
        tokens: impl IntoIterator<Item = &'t StoredToken>,
    ) -> Result<(), StoreError> {
        let mut trial = Self::default();
        for token in tokens {
            self.check_unique(token)?;
            trial.check_unique(token)?;
            trial.insert(token);
        }
        Ok(())
    }

    fn check_unique(&self, token: &StoredToken) -> Result<(), StoreError> {
        token.current_digests().try_for_each(|digest| self.check_new_secret(digest))?;
        if self.tokens.contains_key(&token.token.id) {
            return Err(StoreError::Conflict(Entity::Token(token.token.id)));
        }
        let selector = token.token.selector.as_ref();
        if selector.is_some_and(|selector| self.tokens_by_selector.contains_key(selector)) {
            return Err(StoreError::Conflict(Entity::Secret));
        }
        Ok(())
    }

    pub(crate) fn check_new_secret(&self, digest: SecretDigest) -> Result<(), StoreError> {
        if self.tokens_by_digest.contains_key(&digest) || self.retired_secrets.contains_key(&digest) {
            return Err(StoreError::Conflict(Entity::Secret));
        }
        Ok(())
    }

    pub(crate) fn stored_token(&self, id: TokenId) -> Result<&StoredToken, StoreError> {
        self.tokens.get(&id).ok_or(StoreError::NotFound(Entity::Token(id)))
    }

    pub(crate) fn ids_of_project(&self, project: &ProjectId) -> impl Iterator<Item = TokenId> {
        let first = (project.clone(), TokenId::from_uuid(uuid::Uuid::nil()));
        let own = self.tokens_by_project.range(first..).take_while(move |(owner, _)| owner == project);
        own.map(|(_, id)| *id)
    }

    /// Returns the token with this digest and, for a retired secret, the end of its overlap.
    pub(crate) fn id_of_digest(&self, digest: &SecretDigest) -> Option<(TokenId, Option<Timestamp>)> {
        let retired = || self.retired_secrets.get(digest).map(|retired| (retired.token, Some(retired.until)));
        self.tokens_by_digest.get(digest).map(|id| (*id, None)).or_else(retired)
    }

    /// Inserts tokens that were checked, and records their events.
    pub(crate) fn create(&mut self, tokens: &[NewToken]) -> Vec<EventId> {
        let mut numbers = Vec::with_capacity(tokens.len());
        for NewToken { token, event, .. } in tokens {
            self.insert(token);
            numbers.push(self.record(event.clone()));
        }
        numbers
    }

    pub(crate) fn insert(&mut self, token: &StoredToken) {
        let id = token.token.id;
        for digest in token.current_digests() {
            self.tokens_by_digest.insert(digest, id);
        }
        if let Some(selector) = &token.token.selector {
            self.tokens_by_selector.insert(selector.clone(), id);
        }
        match token.token.access.projects() {
            ProjectScope::All => self.tokens_of_all_projects += 1,
            ProjectScope::Only(set) => {
                self.tokens_by_project.extend(set.as_slice().iter().map(|project| (project.clone(), id)));
            }
        }
        self.tokens.insert(id, token.clone());
    }

    /// Removes a token and its index entries, but not its retired secrets.
    fn remove_entry(&mut self, id: TokenId) -> Option<StoredToken> {
        let token = self.tokens.remove(&id)?;
        for digest in token.current_digests() {
            self.tokens_by_digest.remove(&digest);
        }
        if let Some(selector) = &token.token.selector {
            self.tokens_by_selector.remove(selector);
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

    /// Changes a token and updates its index entries.
    pub(crate) fn change_token(&mut self, id: TokenId, change: impl FnOnce(&mut StoredToken)) {
        if let Some(mut token) = self.remove_entry(id) {
            change(&mut token);
            self.insert(&token);
        }
    }

    /// Removes a token with all its secrets, including retired ones.
    pub(crate) fn remove(&mut self, id: TokenId) {
        self.remove_entry(id);
        self.retired_secrets.retain(|_, retired| retired.token != id);
        self.token_usage.retain(|(token, _, _), _| *token != id);
        self.token_addresses.remove(&id);
        self.token_rates.remove(&id);
        self.token_uses.remove(&id);
        self.notices.retain(|(token, _), _| *token != id);
    }

    /// Revokes or narrows a token and records the event.
    pub(crate) fn apply_outcome(&mut self, id: TokenId, outcome: RemovalOutcome) {
        let event: NewEvent = match outcome {
            RemovalOutcome::Revoked { event } => {
                self.remove(id);
                *event
            }
            RemovalOutcome::Narrowed { access, event } => {
                self.change_token(id, |stored| stored.token.access = access);
                *event
            }
        };
        self.record(event);
    }
}
