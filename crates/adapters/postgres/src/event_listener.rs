//! Notifications of new events, as soon as they are committed (`LISTEN`, `NOTIFY`).
//!
//! They are hints: notifications sent while no connection listens are lost. Therefore followers of the events also poll, at
//! longer intervals while a connection listens. Behind a pooler in transaction mode, and on a standby, a session cannot listen,
//! and there are no notifications.

use std::{
    future::{pending, poll_fn},
    pin::pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::{Either, select};
use tokio::{
    sync::Notify,
    task::{AbortHandle, spawn},
    time::{sleep, timeout},
};
use tokio_postgres::AsyncMessage;

use crate::connection::{Access, ConnectError, Opening};

/// How long after a lost connection or a failed attempt the next attempt is made.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// One connection that listens, from the first wait until this is dropped.
pub(crate) struct EventListener {
    opening: Opening,
    listener: Arc<Listener>,
    listening: OnceLock<Listening>,
}

#[derive(Default)]
struct Listener {
    notified: Notify,
    is_listening: AtomicBool,
}

impl Listener {
    /// A change wakes the follower at once: its polling interval depends on it.
    fn set_listening(&self, is_listening: bool) {
        if self.is_listening.swap(is_listening, Ordering::SeqCst) != is_listening {
            self.notified.notify_one();
        }
    }
}

/// The task; it ends when this is dropped.
struct Listening(AbortHandle);

impl Drop for Listening {
    fn drop(&mut self) {
        let Self(task) = self;
        task.abort();
    }
}

impl EventListener {
    pub(crate) fn new(opening: Opening) -> Self {
        Self { opening, listener: Arc::default(), listening: OnceLock::new() }
    }

    /// Waits for a notification of new events, or until some may have been missed.
    pub(crate) async fn next(&self) {
        if self.opening.transaction_pooler || self.opening.access == Access::ReadOnly {
            return pending().await;
        }
        self.listening.get_or_init(|| {
            let (opening, listener) = (self.opening.clone(), Arc::clone(&self.listener));
            Listening(spawn(listen(opening, listener)).abort_handle())
        });
        self.listener.notified.notified().await;
    }

    /// Whether a connection listens now.
    pub(crate) fn is_listening(&self) -> bool {
        self.listener.is_listening.load(Ordering::SeqCst)
    }
}

async fn listen(opening: Opening, listener: Arc<Listener>) {
    loop {
        if let Err(error) = listen_once(&opening, &listener).await {
            tracing::debug!(%error, "no notifications of events; they are polled");
        }
        listener.set_listening(false);
        sleep(RETRY_AFTER).await;
    }
}

/// Listens until the connection ends.
async fn listen_once(opening: &Opening, listener: &Listener) -> Result<(), ConnectError> {
    let replaced = pin!(opening.servers.replaced());
    // The network drops packets; the next attempt follows.
    let Ok(connected) = timeout(opening.acquire_timeout, opening.connect_raw()).await else {
        return Ok(());
    };
    let (client, mut connection) = connected?;
    let mut messages = pin!(async {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(_) = message? {
                listener.notified.notify_one();
            }
        }
        Ok::<(), tokio_postgres::Error>(())
    });
    let listening = pin!(client.batch_execute("LISTEN latchkey_events"));
    match select(messages.as_mut(), listening).await {
        Either::Left((ended, _)) => return Ok(ended?),
        Either::Right((listening, _)) => listening?,
    }
    listener.set_listening(true);
    // Nothing tells that a host was switched off. But another primary shows that this one tells of no changes.
    match select(messages, replaced).await {
        Either::Left((ended, _)) => Ok(ended?),
        Either::Right(((), _)) => Ok(()),
    }
}
