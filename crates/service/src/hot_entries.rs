//! The entries of the principal index that one thread uses all the time, in copies of its own.
//!
//! A lookup in the shared cache writes to memory that all cores share: the lock of a shard and the reference count of the
//! principal. For a token that every core verifies at once, that traffic costs more than the verification. A thread that
//! looks up one digest again and again is therefore given a copy of the entry that no other thread touches.

use std::{
    cell::RefCell,
    sync::atomic::{AtomicU64, Ordering},
};

use latchkey_ports::SecretDigest;
use thread_local::ThreadLocal;

use crate::index::Entry;

/// Slots per thread. A digest can only be in one of them, so the copies are bounded, and most rare tokens never get one.
const SLOTS: usize = 256;

/// Uses of a copy until the shared cache is asked again. That keeps the entry among those that it does not evict, and ends
/// the life of copies of entries that it no longer has.
const MAX_USES: u8 = 64;

/// Per thread: digest → a copy of the entry.
#[derive(Default)]
pub(crate) struct HotEntries {
    slots: ThreadLocal<RefCell<Slots>>,
    /// How often all copies were discarded.
    generation: AtomicU64,
}

struct Slots(Box<[Slot]>);

#[derive(Clone, Default)]
struct Slot {
    /// The digest that was last looked up in the shared cache through this slot.
    last: Option<SecretDigest>,
    /// A copy of its entry, from the second lookup in a row on.
    copy: Option<Entry>,
    uses_left: u8,
    generation: u64,
}

impl Default for Slots {
    fn default() -> Self {
        Self(vec![Slot::default(); SLOTS].into())
    }
}

impl HotEntries {
    /// Returns this thread's copy of the entry if it is valid, or else what `look_up` finds in the shared cache.
    pub(crate) fn get_or(
        &self,
        digest: &SecretDigest,
        is_valid: impl Fn(&Entry) -> bool,
        look_up: impl FnOnce() -> Option<Entry>,
    ) -> Option<Entry> {
        let generation = self.generation.load(Ordering::SeqCst);
        let mut slots = self.slots.get_or_default().borrow_mut();
        let [first, ..] = digest.0;
        let Some(slot) = slots.0.get_mut(usize::from(first)) else { return look_up() };
        let is_repeated = slot.last.as_ref() == Some(digest);
        if is_repeated
            && slot.uses_left > 0
            && slot.generation == generation
            && let Some(copy) = slot.copy.as_ref().filter(|copy| is_valid(copy))
        {
            slot.uses_left -= 1;
            return Some(copy.clone());
        }
        let found = look_up();
        *slot = Slot {
            last: Some(*digest),
            copy: found.as_ref().filter(|_| is_repeated).map(Entry::unshared),
            uses_left: MAX_USES,
            generation,
        };
        found
    }

    /// Discards the copies of all threads.
    pub(crate) fn clear(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}
