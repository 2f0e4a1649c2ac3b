//! What is kept of tokens, behind several locks.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

use latchkey_domain::TokenId;

/// What is kept of tokens, by their ids, behind several locks, so that requests for different tokens seldom wait for each other.
pub(super) struct Shards<T> {
    first: Shard<T>,
    others: Box<[Shard<T>]>,
    hasher: RandomState,
}

type Shard<T> = Mutex<HashMap<TokenId, T>>;

impl<T> Shards<T> {
    const OTHERS: u8 = 63;

    pub(super) fn new() -> Self {
        let others = (0..Self::OTHERS).map(|_| Mutex::default()).collect();
        Self { first: Mutex::default(), others, hasher: RandomState::new() }
    }

    /// Locks what is kept of the token, and of others.
    pub(super) fn lock(&self, token: TokenId) -> MutexGuard<'_, HashMap<TokenId, T>> {
        let number = self.hasher.hash_one(token) % (u64::from(Self::OTHERS) + 1);
        let other = usize::try_from(number).ok().and_then(|number| self.others.get(number));
        other.unwrap_or(&self.first).lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = MutexGuard<'_, HashMap<TokenId, T>>> {
        let all = std::iter::once(&self.first).chain(&self.others);
        all.map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
