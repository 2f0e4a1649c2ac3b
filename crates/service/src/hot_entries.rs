//! The entries of the principal index that one thread uses all the time, in copies of its own.
//!
//! A lookup in the shared cache writes to memory that all cores share: the lock of a shard and the reference count of
//! the principal. For a token that every core verifies at once, that traffic costs more than the verification. A thread
//! that looks up one digest again and again is therefore given a copy of the entry that no other thread touches.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use latchkey_domain::Principal;
use latchkey_ports::SecretDigest;
use thread_local::ThreadLocal;

use crate::change_clock::CacheTick;

/// Slots per thread. A digest can only be in one of them, so the copies are bounded, and most rare tokens never get
/// one.
const SLOTS: usize = 256;

/// Uses of a copy until the shared cache is read again. That keeps the entry among those that it does not evict, and
/// ends the life of copies of entries that it no longer has.
const MAX_USES: u8 = 64;

/// A cached principal.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) principal: Arc<Principal>,
    pub(crate) looked_up_at: CacheTick,
}

impl Entry {
    /// Returns the same entry with a principal of its own, whose reference count no other entry touches.
    pub(crate) fn unshared(&self) -> Self {
        Self { principal: Arc::new(Principal::clone(&self.principal)), looked_up_at: self.looked_up_at }
    }
}

/// Per thread: digest → a copy of the entry.
#[derive(Default)]
pub(crate) struct HotEntries {
    threads: ThreadLocal<Thread>,
    /// How often all copies were discarded.
    generation: AtomicU64,
}

/// Two cache lines apart from the next one, because processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Thread(RefCell<Slots>);

/// Two arrays, so that a lookup that finds no copy touches the small one alone.
struct Slots {
    /// The last bytes of the digest that was last looked up through each slot.
    last: Box<[u64]>,
    copies: Box<[Option<HotEntry>]>,
}

struct HotEntry {
    digest: SecretDigest,
    entry: Entry,
    uses_left: u8,
    generation: u64,
}

impl Default for Slots {
    fn default() -> Self {
        let copies = std::iter::repeat_with(|| None).take(SLOTS).collect();
        Self { last: vec![0; SLOTS].into(), copies }
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
        let ([first, ..], Some(tag)) = (digest.0, digest.0.last_chunk()) else { return look_up() };
        let (slot, tag) = (usize::from(first), u64::from_ne_bytes(*tag));
        let Thread(slots) = self.threads.get_or_default();
        let mut slots = slots.borrow_mut();
        let Slots { last, copies } = &mut *slots;
        let (Some(last), Some(copy)) = (last.get_mut(slot), copies.get_mut(slot)) else { return look_up() };
        if *last != tag {
            *last = tag;
            return look_up();
        }
        let generation = self.generation.load(Ordering::SeqCst);
        if let Some(hot) = copy.as_mut().filter(|hot| hot.digest == *digest)
            && hot.uses_left > 0
            && hot.generation == generation
            && is_valid(&hot.entry)
        {
            hot.uses_left -= 1;
            return Some(hot.entry.clone());
        }
        let found = look_up();
        *copy = found.as_ref().map(|entry| HotEntry {
            digest: *digest,
            entry: entry.unshared(),
            uses_left: MAX_USES,
            generation,
        });
        found
    }

    /// Discards the copies of all threads.
    pub(crate) fn clear(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}
