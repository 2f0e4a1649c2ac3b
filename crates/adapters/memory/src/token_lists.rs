//! Which API tokens a query asks for, and in which order.

use std::cmp::{Ordering, Reverse};

use latchkey_domain::ApiToken;
use latchkey_ports::{Direction, StoredToken, TokenOrder, TokenQuery};

use crate::{page::page_of, state::State};

fn is_asked_for(query: &TokenQuery, token: &ApiToken) -> bool {
    query.kinds.contains(&token.access.kind())
        && query.project.as_ref().is_none_or(|project| token.access.projects().names(project))
        && query.environment.as_ref().is_none_or(|name| token.access.environment() == Some(name))
        && query.name.as_ref().is_none_or(|name| token.name == *name)
        && query.name_contains.as_ref().is_none_or(|text| token.name.as_str().contains(text))
        && query.expired.is_none_or(|(expired, at)| token.is_expired_at(at) == expired)
        && query.unused_since.is_none_or(|since| token.created_at < since && token.last_used_at < Some(since))
        && comes_after(query, token)
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
        // `None` is the least there is, and a token without an end is to come last.
        TokenOrder::ExpiresAt => one.expires_at.map(Reverse).cmp(&other.expires_at.map(Reverse)).reverse(),
        TokenOrder::SeenAt => one.last_used_at.cmp(&other.last_used_at),
    };
    by_order.then(one.id.cmp(&other.id))
}

impl State {
    pub(crate) fn tokens_asked_for(&self, query: &TokenQuery) -> Vec<StoredToken> {
        let mut found: Vec<_> =
            self.tokens.values().filter(|stored| is_asked_for(query, &stored.token)).collect();
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
