//! When what was last changed, by a clock that moves on with each change; see [`crate::PrincipalIndex`].

use std::sync::atomic::{AtomicU64, Ordering};

use latchkey_domain::{Principal, TokenId};

use crate::effect::Effect;

/// So many tokens share a slot as there are tokens for each of these. A change to one has those in its slot looked up
/// again, once; with a million tokens that are some fifteen.
const SLOTS: usize = 1 << 16;
/// A moment on the clock of changes: when a look-up in the store began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

/// When what was last changed.
pub(crate) struct ChangeClock {
    now: AtomicU64,
    everything: AtomicU64,
    people: AtomicU64,
    births: AtomicU64,
    tokens: Box<[AtomicU64]>,
}

impl ChangeClock {
    pub(crate) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            now: zero(),
            everything: zero(),
            people: zero(),
            births: zero(),
            tokens: std::iter::repeat_with(zero).take(SLOTS).collect(),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        Moment(self.now.load(Ordering::SeqCst))
    }

    /// Notes that something changed just now.
    pub(crate) fn note(&self, effect: Effect) {
        if effect == Effect::Nothing {
            return;
        }
        // A look-up that begins from here on may have seen the change; one that began before may not.
        let moment = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        let note = |cell: &AtomicU64| cell.fetch_max(moment, Ordering::SeqCst);
        match effect {
            Effect::Nothing => {}
            Effect::Birth => drop(note(&self.births)),
            Effect::Token(id) => drop(self.slot(id).map(note)),
            Effect::Rebirth(id) => {
                note(&self.births);
                self.slot(id).map(note);
            }
            Effect::People => drop(note(&self.people)),
            Effect::SignIn => {
                note(&self.births);
                note(&self.people);
            }
            Effect::Everything => drop(note(&self.everything)),
        }
    }

    /// The last bytes of an id are random, so they spread tokens evenly.
    fn slot(&self, id: TokenId) -> Option<&AtomicU64> {
        let [.., high, low] = *id.as_uuid().as_bytes();
        self.tokens.get(usize::from(u16::from_be_bytes([high, low])))
    }

    /// Whether what the store said of the principal at that moment is still so.
    pub(crate) fn is_valid(&self, principal: &Principal, asked_at: Moment) -> bool {
        let newest = |cell: &AtomicU64| cell.load(Ordering::SeqCst);
        let concerned = match principal {
            Principal::ApiToken { id, .. } => self.slot(*id).map_or(u64::MAX, newest),
            Principal::User { .. } => newest(&self.people),
        };
        asked_at.0 >= concerned.max(newest(&self.everything))
    }

    /// Whether a secret that was nobody's at that moment still is.
    pub(crate) fn is_still_nobody(&self, asked_at: Moment) -> bool {
        let newest = |cell: &AtomicU64| cell.load(Ordering::SeqCst);
        asked_at.0 >= newest(&self.births).max(newest(&self.everything))
    }
}
