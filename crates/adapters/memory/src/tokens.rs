//! API tokens.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use async_trait::async_trait;
use latchkey_domain::{
    ApiToken, EventId, NewEvent, ProjectId, ProjectScope, Timestamp, TokenId, TokenKind, TokenSelector,
};
use latchkey_ports::{
    AttributeFilter, CountingMoments, Direction, Entity, NewToken, ReadableTokens, Rotation, SecretDigest,
    SecretRecord, StoreError, StoredToken, TokenCounts, TokenMatch, TokenOrder, TokenQuery, TokenRepository,
    TokenUpdate,
};
use serde_json::Value;

use crate::{
    MemoryStore,
    state::{RetiredSecret, State, count, page_of},
};

#[async_trait]
impl TokenRepository for MemoryStore {
    async fn create_tokens(&self, tokens: &[NewToken]) -> Result<Vec<EventId>, StoreError> {
        self.state().check_and_create(tokens)
    }

    async fn create_first_tokens(&self, tokens: &[NewToken]) -> Result<bool, StoreError> {
        let mut state = self.state();
        if !state.tokens.is_empty() {
            return Ok(false);
        }
        tokens.iter().try_for_each(|new| state.check_scope(&new.token))?;
        state.check_all_unique(tokens.iter().map(|new| &new.token))?;
        state.create(tokens);
        Ok(true)
    }

    async fn find_token(&self, id: TokenId) -> Result<Option<StoredToken>, StoreError> {
        Ok(self.state().tokens.get(&id).cloned())
    }

    async fn retired_secret_ends(&self, token: TokenId) -> Result<Vec<Timestamp>, StoreError> {
        let state = self.state();
        let own = state.retired_secrets.values().filter(|retired| retired.token == token);
        let mut ends: Vec<_> = own.map(|retired| retired.until).collect();
        ends.sort_unstable();
        Ok(ends)
    }

    async fn find_token_by_selector(
        &self,
        selector: &TokenSelector,
    ) -> Result<Option<StoredToken>, StoreError> {
        let state = self.state();
        Ok(state.tokens_by_selector.get(selector).and_then(|id| state.tokens.get(id)).cloned())
    }

    async fn tokens(&self, query: &TokenQuery) -> Result<Vec<StoredToken>, StoreError> {
        Ok(self.state().query_tokens(query))
    }

    async fn find_token_by_digest(&self, digests: &[SecretDigest]) -> Result<Option<TokenMatch>, StoreError> {
        let state = self.state();
        let current = digests.iter().find(|digest| state.tokens_by_digest.contains_key(*digest));
        let first = current.or_else(|| digests.iter().find(|digest| state.id_of_digest(digest).is_some()));
        Ok(first.and_then(|digest| state.token_of_digest(digest)))
    }

    async fn find_tokens_by_digests(&self, digests: &[SecretDigest]) -> Result<Vec<TokenMatch>, StoreError> {
        let state = self.state();
        let digests: BTreeSet<_> = digests.iter().collect();
        Ok(digests.into_iter().filter_map(|digest| state.token_of_digest(digest)).collect())
    }

    async fn update_token(
        &self,
        before: &ApiToken,
        after: &ApiToken,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.check_unchanged(before)?;
        state.update(after);
        Ok(state.record(event.clone()))
    }

    async fn rotate_token(&self, rotation: &Rotation, event: &NewEvent) -> Result<EventId, StoreError> {
        self.state().rotate(rotation, event)
    }

    async fn end_rotation(
        &self,
        update: &TokenUpdate,
        (from, to): (Timestamp, Timestamp),
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let TokenUpdate { before, after } = update;
        let mut state = self.state();
        state.check_unchanged(before)?;
        for retired in state.retired_secrets.values_mut() {
            if retired.token == before.id && retired.until == from {
                retired.until = to;
            }
        }
        state.update(after);
        Ok(state.record(event.clone()))
    }

    async fn delete_token(&self, id: TokenId, event: &NewEvent) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.stored_token(id)?;
        state.remove(id);
        Ok(state.record(event.clone()))
    }

    async fn count_tokens(
        &self,
        moments: &CountingMoments,
    ) -> Result<Option<BTreeMap<TokenKind, TokenCounts>>, StoreError> {
        Ok(Some(self.state().count_tokens(moments)))
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

fn matches_query(query: &TokenQuery, token: &ApiToken) -> bool {
    is_readable(&query.readable, token)
        && query.kinds.contains(&token.access.kind())
        && query.project.as_ref().is_none_or(|project| token.access.projects().names(project))
        && (!query.of_all_projects || matches!(token.access.projects(), ProjectScope::All))
        && query.environment.as_ref().is_none_or(|name| token.access.environment() == Some(name))
        && query.name.as_ref().is_none_or(|name| token.name == *name)
        && query.name_contains.as_ref().is_none_or(|text| token.name.as_str().contains(text))
        && meets_all(&query.attributes, token)
        && query.enabled.is_none_or(|enabled| token.attributes.enabled.is_on() == enabled)
        && query.ends.after.is_none_or(|at| !token.is_expired_at(at))
        && query.ends.by.is_none_or(|at| token.is_expired_at(at))
        && query.unused_since.is_none_or(|since| token.created_at < since && token.last_used_at < Some(since))
        && comes_after(query, token)
}

fn is_readable(readable: &ReadableTokens, token: &ApiToken) -> bool {
    let named = token.access.projects().named();
    match readable {
        ReadableTokens::All => true,
        ReadableTokens::OfAnyProject => !named.is_empty(),
        ReadableTokens::OfProjects(projects) => named.iter().any(|project| projects.contains(project)),
    }
}

fn meets_all(filters: &[AttributeFilter], token: &ApiToken) -> bool {
    if filters.is_empty() {
        return true;
    }
    let attributes = Value::Object(token.attributes.to_json());
    filters.iter().all(|filter| match filter {
        AttributeFilter::Contains { name, text } => {
            attributes.get(name).and_then(Value::as_str).is_some_and(|whole| whole.contains(text))
        }
        AttributeFilter::IsSet { name } => attributes.get(*name).is_some_and(Value::is_string),
        AttributeFilter::Is { path, values } => {
            let found = path.iter().try_fold(&attributes, |value, name| value.get(name));
            found.is_some_and(|found| values.contains(found))
        }
    })
}

fn comes_after(query: &TokenQuery, token: &ApiToken) -> bool {
    match (query.after, query.order, query.direction) {
        (Some(after), TokenOrder::CreatedAt, Direction::Ascending) => token.id > after,
        (Some(after), TokenOrder::CreatedAt, Direction::Descending) => token.id < after,
        _ => true,
    }
}

fn ascending(order: TokenOrder, one: &ApiToken, other: &ApiToken) -> Ordering {
    let by_order = match order {
        TokenOrder::CreatedAt => Ordering::Equal,
        TokenOrder::Name => one.name.cmp(&other.name),
        TokenOrder::Kind => one.access.kind().as_str().cmp(other.access.kind().as_str()),
        TokenOrder::Environment => one.access.environment().cmp(&other.access.environment()),
        TokenOrder::Project => smallest_project(one).cmp(&smallest_project(other)),
        TokenOrder::Owner => one.attributes.owner.cmp(&other.attributes.owner),
        TokenOrder::Status => {
            let is_on = |token: &ApiToken| token.attributes.enabled.is_on();
            is_on(one).cmp(&is_on(other)).then_with(|| by_expiry(one, other))
        }
        TokenOrder::ExpiresAt => by_expiry(one, other),
        TokenOrder::SeenAt => one.last_used_at.cmp(&other.last_used_at),
    };
    by_order.then(one.id.cmp(&other.id))
}

fn smallest_project(token: &ApiToken) -> Option<&ProjectId> {
    token.access.projects().named().iter().min()
}

/// A token without an expiry comes last, but `None` is the smallest value.
fn by_expiry(one: &ApiToken, other: &ApiToken) -> Ordering {
    one.expires_at.map(Reverse).cmp(&other.expires_at.map(Reverse)).reverse()
}

impl State {
    /// Creates all of these tokens or none.
    pub(crate) fn check_and_create(&mut self, tokens: &[NewToken]) -> Result<Vec<EventId>, StoreError> {
        tokens.iter().try_for_each(|new| self.check_scope(&new.token))?;
        self.check_quotas(tokens)?;
        self.check_all_unique(tokens.iter().map(|new| &new.token))?;
        Ok(self.create(tokens))
    }

    /// Checks that expiry and attributes of a token are these.
    fn check_unchanged(&self, before: &ApiToken) -> Result<(), StoreError> {
        let kept = &self.stored_token(before.id)?.token;
        if (kept.expires_at, &kept.attributes) == (before.expires_at, &before.attributes) {
            Ok(())
        } else {
            Err(StoreError::Stale(Entity::Token(before.id)))
        }
    }

    /// Replaces expiry and attributes of a token.
    fn update(&mut self, after: &ApiToken) {
        self.change_token(after.id, |stored| {
            stored.token.expires_at = after.expires_at;
            stored.token.attributes = after.attributes.clone();
        });
    }

    /// Gives a token a new secret.
    pub(crate) fn rotate(&mut self, rotation: &Rotation, event: &NewEvent) -> Result<EventId, StoreError> {
        let Rotation { token: id, from, to, overlap_until, update } = rotation;
        let SecretRecord { digest, key, .. } = self.stored_token(*id)?.secret;
        if digest != *from {
            return Err(StoreError::Stale(Entity::Token(*id)));
        }
        if let Some(update) = update {
            self.check_unchanged(&update.before)?;
        }
        if overlap_until.is_some() {
            let valid = self.retired_secrets.values().filter(|one| one.token == *id && one.until > event.at);
            StoreError::check_limit(count(valid), Rotation::MAX_RETIRED)?;
        }
        self.check_new_secret(to.digest)?;
        self.change_token(*id, |stored| stored.secret = to.clone());
        if let Some(update) = update {
            self.update(&update.after);
        }
        if let Some(until) = overlap_until {
            let retired = RetiredSecret { token: *id, until: *until, key };
            self.retired_secrets.insert(*from, retired);
        }
        Ok(self.record(event.clone()))
    }

    fn count_tokens(&self, moments: &CountingMoments) -> BTreeMap<TokenKind, TokenCounts> {
        let CountingMoments { now, in_7_days, in_30_days, before_90_days } = *moments;
        let mut counts = BTreeMap::<_, TokenCounts>::new();
        for StoredToken { token, .. } in self.tokens.values() {
            let counts = counts.entry(token.access.kind()).or_default();
            let is_good = !token.is_expired_at(now);
            let is_unused = token.created_at < before_90_days && token.last_used_at < Some(before_90_days);
            counts.all += 1;
            counts.expiring_in_7_days += u64::from(is_good && token.is_expired_at(in_7_days));
            counts.expiring_in_30_days += u64::from(is_good && token.is_expired_at(in_30_days));
            counts.unused_for_90_days += u64::from(is_good && is_unused);
        }
        counts
    }

    fn token_of_digest(&self, digest: &SecretDigest) -> Option<TokenMatch> {
        let (id, secret_until) = self.id_of_digest(digest)?;
        let stored = self.tokens.get(&id)?.clone();
        Some(TokenMatch { stored, secret_until, found_by: *digest })
    }

    pub(crate) fn query_tokens(&self, query: &TokenQuery) -> Vec<StoredToken> {
        if (query.order, query.direction) == (TokenOrder::CreatedAt, Direction::Ascending) {
            // The map is in this order.
            let after = query.after.map_or(Bound::Unbounded, Bound::Excluded);
            let rest = self.tokens.range((after, Bound::Unbounded)).map(|(_, stored)| stored);
            let found = rest.filter(|stored| matches_query(query, &stored.token));
            return page_of(found.cloned(), query.page);
        }
        let mut found: Vec<_> =
            self.tokens.values().filter(|stored| matches_query(query, &stored.token)).collect();
        found.sort_by(|one, other| {
            let ascending = ascending(query.order, &one.token, &other.token);
            match query.direction {
                Direction::Ascending => ascending,
                Direction::Descending => ascending.reverse(),
            }
        });
        page_of(found.into_iter().cloned(), query.page)
    }
}
