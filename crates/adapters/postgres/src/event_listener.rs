//! Being told that there are new events, as soon as they are committed (`LISTEN`, `NOTIFY`).
//!
//! A hint and no more. What is told while nobody listens is lost, so whoever follows the events also looks at intervals,
//! longer ones while somebody listens; and behind a pooler in transaction mode a session cannot listen, so there nothing
//! is ever told.

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
use tokio_postgres::{AsyncMessage, NoTls};

use crate::connection::Opening;

/// How long after a connection was lost, or could not be made, it is tried again. Until then, intervals have to do.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// One connection that listens, from the first time that somebody waits until this is dropped.
pub(crate) struct EventListener {
    opening: Opening,
    ear: Arc<Ear>,
    listening: OnceLock<Listening>,
}

/// What is heard, and whether anything can be.
#[derive(Default)]
struct Ear {
    heard: Notify,
    is_open: AtomicBool,
}

impl Ear {
    /// Those who wait are told at once: what they took for granted has changed.
    fn set_open(&self, is_open: bool) {
        if self.is_open.swap(is_open, Ordering::SeqCst) != is_open {
            self.heard.notify_one();
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
        Self { opening, ear: Arc::default(), listening: OnceLock::new() }
    }

    /// Returns when events were announced, once for all of them, and when some may have been missed.
    pub(crate) async fn next(&self) {
        if self.opening.transaction_pooler {
            return pending().await;
        }
        self.listening.get_or_init(|| {
            let (opening, ear) = (self.opening.clone(), Arc::clone(&self.ear));
            Listening(spawn(listen(opening, ear)).abort_handle())
        });
        self.ear.heard.notified().await;
    }

    /// Whether somebody listens at this moment.
    pub(crate) fn is_listening(&self) -> bool {
        self.ear.is_open.load(Ordering::SeqCst)
    }
}

async fn listen(opening: Opening, ear: Arc<Ear>) {
    loop {
        if let Err(error) = hear(&opening, &ear).await {
            tracing::debug!(%error, "events are not announced; they are looked for at intervals");
        }
        ear.set_open(false);
        sleep(AGAIN_AFTER).await;
    }
}

/// Listens until the connection ends.
async fn hear(opening: &Opening, ear: &Ear) -> Result<(), tokio_postgres::Error> {
    // A network that swallows packets: it is tried again.
    let Ok(connected) = timeout(opening.acquire_timeout, opening.config.connect(NoTls)).await else {
        return Ok(());
    };
    let (client, mut connection) = connected?;
    let mut messages = pin!(async {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(_) = message? {
                ear.heard.notify_one();
            }
        }
        Ok::<(), tokio_postgres::Error>(())
    });
    let listening = pin!(client.batch_execute("LISTEN latchkey_events"));
    match select(messages.as_mut(), listening).await {
        Either::Left((ended, _)) => return ended,
        Either::Right((listening, _)) => listening?,
    }
    ear.set_open(true);
    messages.await
}
