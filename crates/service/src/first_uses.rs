//! First uses of new secrets, noted on the request's path.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use latchkey_domain::{PendingRotation, Timestamp, TokenId};
use tokio::sync::Notify;

/// The first uses of new secrets that nothing was done about yet: one for each token with a pending rotation at most.
#[derive(Default)]
pub(crate) struct FirstUses {
    noted: Mutex<BTreeMap<TokenId, FirstUse>>,
    notify: Notify,
}

/// The first use of the new secret of a rotation.
#[derive(Clone, Copy)]
pub(crate) struct FirstUse {
    /// By which the rotation is told from later ones.
    pub(crate) rotation: PendingRotation,
    pub(crate) at: Timestamp,
}

impl FirstUses {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<TokenId, FirstUse>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a use, unless an earlier one of the same rotation is noted.
    pub(crate) fn note(&self, token: TokenId, rotation: PendingRotation, at: Timestamp) {
        let mut noted = self.lock();
        let kept = noted.entry(token).or_insert(FirstUse { rotation, at });
        if kept.rotation != rotation {
            *kept = FirstUse { rotation, at };
        }
        drop(noted);
        self.notify.notify_one();
    }

    /// Waits until a use is noted.
    pub(crate) async fn noted(&self) {
        self.notify.notified().await;
    }

    /// Takes what is noted.
    pub(crate) fn take(&self) -> BTreeMap<TokenId, FirstUse> {
        std::mem::take(&mut *self.lock())
    }
}
