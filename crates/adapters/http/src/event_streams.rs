//! The event streams that are open: how many there may be, and their end when the server stops.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// All of a process.
#[derive(Debug)]
pub(crate) struct EventStreams {
    max: usize,
    places: Arc<Semaphore>,
    has_ended: watch::Sender<bool>,
}

/// One that is open, until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenStream {
    _place: OwnedSemaphorePermit,
    has_ended: watch::Receiver<bool>,
}

impl EventStreams {
    /// Room for this many.
    pub(crate) fn new(max: usize) -> Self {
        let max = max.min(Semaphore::MAX_PERMITS);
        Self { max, places: Arc::new(Semaphore::new(max)), has_ended: watch::Sender::new(false) }
    }

    /// Opens one; `None` if there is no room.
    pub(crate) fn open(&self) -> Option<OpenStream> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(OpenStream { _place: place, has_ended: self.has_ended.subscribe() })
    }

    /// Returns how many are open.
    pub(crate) fn count(&self) -> usize {
        self.max.saturating_sub(self.places.available_permits())
    }

    /// Ends all of them, and those to come.
    pub(crate) fn end(&self) {
        self.has_ended.send_replace(true);
    }
}

impl OpenStream {
    /// Whether the stream has to end.
    pub(crate) fn has_ended(&self) -> bool {
        *self.has_ended.borrow()
    }

    /// Waits until the stream has to end.
    pub(crate) async fn end(&mut self) {
        // It fails if the process has dropped all of its state, which is an end too.
        let _ = self.has_ended.wait_for(|has_ended| *has_ended).await;
    }
}
