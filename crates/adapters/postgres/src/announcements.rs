//! Being told that there are new events, as soon as they are committed (`LISTEN`, `NOTIFY`).
//!
//! A hint and no more. What is told while nobody listens is lost, so whoever follows the events also looks at intervals;
//! and behind a pooler in transaction mode a session cannot listen, so there nothing is ever told.

use std::{
    future::{pending, poll_fn},
    pin::pin,
    sync::{Arc, OnceLock},
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
pub(crate) struct Announcements {
    opening: Opening,
    heard: Arc<Notify>,
    listening: OnceLock<Listening>,
}

/// The task; it ends when this is dropped.
struct Listening(AbortHandle);

impl Drop for Listening {
    fn drop(&mut self) {
        let Self(task) = self;
        task.abort();
    }
}

impl Announcements {
    pub(crate) fn new(opening: Opening) -> Self {
        Self { opening, heard: Arc::default(), listening: OnceLock::new() }
    }

    /// Returns when events were announced, once for all of them, and when some may have been missed.
    pub(crate) async fn next(&self) {
        if self.opening.transaction_pooler {
            return pending().await;
        }
        self.listening.get_or_init(|| {
            let (opening, heard) = (self.opening.clone(), Arc::clone(&self.heard));
            Listening(spawn(listen(opening, heard)).abort_handle())
        });
        self.heard.notified().await;
    }
}

async fn listen(opening: Opening, heard: Arc<Notify>) {
    loop {
        if let Err(error) = hear(&opening, &heard).await {
            tracing::debug!(%error, "events are not announced; they are looked for at intervals");
        }
        sleep(AGAIN_AFTER).await;
    }
}

/// Listens until the connection ends.
async fn hear(opening: &Opening, heard: &Notify) -> Result<(), tokio_postgres::Error> {
    // A network that swallows packets: it is tried again.
    let Ok(connected) = timeout(opening.patience, opening.config.connect(NoTls)).await else { return Ok(()) };
    let (client, mut connection) = connected?;
    let mut messages = pin!(async {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(_) = message? {
                heard.notify_one();
            }
        }
        Ok::<(), tokio_postgres::Error>(())
    });
    let listening = pin!(client.batch_execute("LISTEN latchkey_events"));
    match select(messages.as_mut(), listening).await {
        Either::Left((ended, _)) => return ended,
        Either::Right((listening, _)) => listening?,
    }
    // Until now nobody listened.
    heard.notify_one();
    messages.await
}
