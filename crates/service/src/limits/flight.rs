//! A call to the store whose outcome several requests wait for.
//!
//! Whichever of them is polled drives it, so it needs no task of its own; it ends when all of them were dropped.

use std::sync::Arc;

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared, WeakShared},
};
use latchkey_ports::StoreError;

type Call = BoxFuture<'static, Result<(), Arc<StoreError>>>;

/// What requests wait for.
pub(super) type Flight = Shared<Call>;

/// The call that is under way, if there is one.
#[derive(Default)]
pub(super) struct Slot(Option<WeakShared<Call>>);

impl Slot {
    /// Returns the call that is under way.
    pub(super) fn current(&self) -> Option<Flight> {
        self.0.as_ref()?.upgrade()
    }

    /// Begins a call. It has to [`Slot::clear`] before it ends, under the lock that guards the slot.
    pub(super) fn begin(&mut self, call: Call) -> Flight {
        let flight = call.shared();
        self.0 = flight.downgrade();
        flight
    }

    /// Ends the call.
    pub(super) fn clear(&mut self) {
        self.0 = None;
    }
}

/// The error of a call that several requests waited for.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct OfSeveral(Arc<StoreError>);

/// Returns the error for one of those that waited.
pub(super) fn for_one(error: Arc<StoreError>) -> StoreError {
    match &*error {
        StoreError::NotFound(entity) => StoreError::NotFound(entity.clone()),
        StoreError::Unavailable(_) => StoreError::Unavailable(Box::new(OfSeveral(error))),
        _ => StoreError::Fault(Box::new(OfSeveral(error))),
    }
}
