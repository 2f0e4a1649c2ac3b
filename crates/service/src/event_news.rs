//! The news of changes, for what reads events.

use std::future;

use tokio::sync::watch;

/// Notified of every change, made here or elsewhere, as soon as it is known.
pub struct EventNews(watch::Receiver<()>);

impl EventNews {
    pub(crate) fn new(changes: watch::Receiver<()>) -> Self {
        Self(changes)
    }

    /// Forgets what became known until now.
    pub(crate) fn clear(&mut self) {
        self.0.mark_unchanged();
    }

    /// Whether a change has become known since the last one that was waited for.
    pub(crate) fn is_there(&self) -> bool {
        self.0.has_changed().unwrap_or(false)
    }

    /// Waits until a change becomes known; for ever if none can.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            future::pending::<()>().await;
        }
    }
}
