//! When what was last changed, by a clock that advances with each change; see [`crate::PrincipalIndex`].

use std::sync::atomic::{AtomicU64, Ordering};

use latchkey_domain::{Principal, TokenId};

use crate::invalidation::Invalidation;

/// Tokens are hashed into slots; tokens in one slot are invalidated together. With a million tokens, a change to one
/// has some fifteen others looked up once more.
const SLOTS: usize = 1 << 16;

/// A reading of the clock of changes: the tick at which a lookup in the store began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CacheTick(u64);

/// The ticks of the last changes. Only changes write here, so verifications on all cores read it from their own caches.
pub(crate) struct ChangeClock {
    now: AtomicU64,
    everything: AtomicU64,
    users: AtomicU64,
    new_secrets: AtomicU64,
    tokens: Box<[AtomicU64]>,
}

impl ChangeClock {
    pub(crate) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            now: zero(),
            everything: zero(),
            users: zero(),
            new_secrets: zero(),
            tokens: std::iter::repeat_with(zero).take(SLOTS).collect(),
        }
    }

    pub(crate) fn now(&self) -> CacheTick {
        CacheTick(self.now.load(Ordering::SeqCst))
    }

    /// Advances the clock and marks what is invalid with the new tick.
    pub(crate) fn mark(&self, invalidation: Invalidation) {
        if invalidation == Invalidation::Nothing {
            return;
        }
        // A lookup that begins from here on may have seen the change; one that began before may not.
        let tick = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        let mark = |cell: &AtomicU64| {
            cell.fetch_max(tick, Ordering::SeqCst);
        };
        match invalidation {
            Invalidation::Nothing => {}
            Invalidation::NewSecret => mark(&self.new_secrets),
            Invalidation::Token(id) => self.slot(id).into_iter().for_each(mark),
            Invalidation::TokenAndNewSecret(id) => {
                mark(&self.new_secrets);
                self.slot(id).into_iter().for_each(mark);
            }
            Invalidation::Users => mark(&self.users),
            Invalidation::Session => {
                mark(&self.new_secrets);
                mark(&self.users);
            }
            Invalidation::Everything => mark(&self.everything),
        }
    }

    /// The last bytes of an id are random, so they spread tokens evenly.
    fn slot(&self, id: TokenId) -> Option<&AtomicU64> {
        let [.., high, low] = *id.as_uuid().as_bytes();
        self.tokens.get(usize::from(u16::from_be_bytes([high, low])))
    }

    /// Whether what the store said of the principal at that tick is still valid.
    pub(crate) fn is_valid(&self, principal: &Principal, looked_up_at: CacheTick) -> bool {
        let last = |cell: &AtomicU64| cell.load(Ordering::SeqCst);
        let concerned = match principal {
            Principal::ApiToken { id, .. } => self.slot(*id).map_or(u64::MAX, last),
            Principal::User { .. } => last(&self.users),
        };
        looked_up_at.0 >= concerned.max(last(&self.everything))
    }

    /// Whether a secret that was unknown at that tick still is.
    pub(crate) fn is_still_unknown(&self, looked_up_at: CacheTick) -> bool {
        let last = |cell: &AtomicU64| cell.load(Ordering::SeqCst);
        looked_up_at.0 >= last(&self.new_secrets).max(last(&self.everything))
    }
}
