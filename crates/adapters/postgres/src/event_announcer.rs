//! Announces to other processes that there are new events (`NOTIFY`); `event_listener` is the other side.
//!
//! In a transaction of its own, after the commit: a transaction that notifies holds a lock of the whole server until its
//! commit is on the disk, so changes would be committed one after the other. An announcement is a hint that can be lost, with the
//! process for example; followers poll as well.

use std::{sync::Arc, time::Duration};

use diesel_async::SimpleAsyncConnection;
use tokio::{runtime::Handle, sync::Notify, task::AbortHandle, time::sleep};

use crate::readers::Readers;

/// The time between two announcements, so that many changes are announced together. A change after a pause is announced at
/// once.
const PAUSE: Duration = Duration::from_millis(20);

/// One task that announces, until this is dropped.
pub(crate) struct EventAnnouncer {
    changed: Arc<Notify>,
    task: AbortHandle,
}

impl Drop for EventAnnouncer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl EventAnnouncer {
    pub(crate) fn new(runtime: &Handle, readers: Arc<Readers>) -> Self {
        let changed = Arc::new(Notify::new());
        let task = runtime.spawn(announce(Arc::clone(&changed), readers)).abort_handle();
        Self { changed, task }
    }

    /// Has new events announced soon.
    pub(crate) fn announce(&self) {
        self.changed.notify_one();
    }
}

async fn announce(changed: Arc<Notify>, readers: Arc<Readers>) {
    loop {
        changed.notified().await;
        match readers.get().await {
            Ok(reader) => {
                if let Err(error) = (&**reader).batch_execute("NOTIFY latchkey_events").await {
                    tracing::debug!(%error, "new events were not announced; they are polled");
                }
            }
            Err(error) => tracing::debug!(%error, "new events were not announced; they are polled"),
        }
        sleep(PAUSE).await;
    }
}
