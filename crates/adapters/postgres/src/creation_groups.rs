//! Creations of tokens that wait at the same time share a transaction.
//!
//! A creation costs a dozen statements and a wait for the disk, and a transaction that creates sixteen tokens costs little
//! more. So at most [`MAX_TRANSACTIONS`] transactions create tokens at once. A creation that comes while fewer run begins
//! at once; those that come meanwhile wait, and the next transaction takes all of them.
//!
//! A creation cannot tell whether it was in a group. If a group is refused, because of one of its creations, each is tried
//! again alone and gets its own answer.

use std::{
    collections::VecDeque,
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use latchkey_domain::EventId;
use latchkey_ports::{NewToken, StoreError};
use latchkey_sql::errors::unavailable;
use tokio::{runtime::Handle, sync::oneshot, time::timeout};

/// The largest number of tokens in the transaction of a group. A creation of more tokens has one of its own.
pub(crate) const MAX_TOKENS: usize = 16;
/// While one waits for the disk, the other works.
const MAX_TRANSACTIONS: usize = 2;

/// The creations that wait.
pub(crate) struct CreationGroups {
    /// Where the transactions run: it must outlive the runtimes of callers.
    runtime: Handle,
    /// How long a creation waits for its transaction.
    acquire_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Creation>,
    /// The number of transactions that run.
    running: usize,
    last_ticket: u64,
}

/// The outcome of a creation: the numbers of the events of its tokens.
pub(crate) type Created = Result<Vec<EventId>, StoreError>;

/// Creates all of these tokens or none, in a transaction.
pub(crate) trait Transaction:
    Fn(Arc<[NewToken]>) -> BoxFuture<'static, Created> + Send + Sync + 'static
{
}

impl<F: Fn(Arc<[NewToken]>) -> BoxFuture<'static, Created> + Send + Sync + 'static> Transaction for F {}

struct Creation {
    ticket: u64,
    tokens: Vec<NewToken>,
    created: oneshot::Sender<Created>,
}

impl CreationGroups {
    pub(crate) fn new(runtime: Handle, acquire_timeout: Duration) -> Self {
        Self { runtime, acquire_timeout, state: Mutex::default() }
    }

    /// Creates tokens in the next transaction. The creation goes on when the future is dropped.
    pub(crate) async fn create(
        self: &Arc<Self>,
        tokens: Vec<NewToken>,
        transaction: impl Transaction,
    ) -> Created {
        let (sender, mut created) = oneshot::channel();
        let ticket = self.enqueue(tokens, sender, transaction);
        match timeout(self.acquire_timeout, &mut created).await {
            Ok(created) => created.map_err(unavailable)?,
            Err(elapsed) if self.withdraw(ticket) => Err(unavailable(elapsed)),
            // Its transaction runs, and ends in the time of its statements.
            Err(_) => created.await.map_err(unavailable)?,
        }
    }

    fn enqueue(
        self: &Arc<Self>,
        tokens: Vec<NewToken>,
        created: oneshot::Sender<Created>,
        transaction: impl Transaction,
    ) -> u64 {
        let mut state = self.state();
        state.last_ticket += 1;
        let ticket = state.last_ticket;
        state.waiting.push_back(Creation { ticket, tokens, created });
        if state.running < MAX_TRANSACTIONS {
            state.running += 1;
            self.runtime.spawn(create_groups(Arc::clone(self), transaction));
        }
        ticket
    }

    /// Removes a creation that still waits; returns whether it did.
    fn withdraw(&self, ticket: u64) -> bool {
        let mut state = self.state();
        let before = state.waiting.len();
        state.waiting.retain(|creation| creation.ticket != ticket);
        state.waiting.len() < before
    }

    /// Takes the creations of the next transaction: at least one, and as many as fit. If none waits, one transaction fewer
    /// runs from now on.
    fn next_group(&self) -> Option<Vec<Creation>> {
        let mut state = self.state();
        let (mut group, mut tokens) = (Vec::new(), 0);
        while let Some(next) = state.waiting.front() {
            tokens += next.tokens.len();
            if !group.is_empty() && tokens > MAX_TOKENS {
                break;
            }
            group.extend(state.waiting.pop_front());
        }
        if group.is_empty() {
            state.running -= 1;
            return None;
        }
        Some(group)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Creates groups of tokens until no creation waits.
async fn create_groups(groups: Arc<CreationGroups>, transaction: impl Transaction) {
    while let Some(group) = groups.next_group() {
        create_group(group, &transaction).await;
    }
}

async fn create_group(group: Vec<Creation>, transaction: &impl Transaction) {
    let (mut tokens, mut members) = (Vec::new(), Vec::new());
    for Creation { tokens: own, created, .. } in group {
        members.push((own.len(), created));
        tokens.extend(own);
    }
    let tokens: Arc<[NewToken]> = tokens.into();
    match transaction(Arc::clone(&tokens)).await {
        Ok(numbers) => {
            let mut numbers = numbers.into_iter();
            for (count, created) in members {
                answer(created, Ok(numbers.by_ref().take(count).collect()));
            }
        }
        // Of creation after creation, each would wait as long for the same answer.
        Err(StoreError::Unavailable(error)) => {
            let error: Arc<dyn Error + Send + Sync> = error.into();
            for (_, created) in members {
                answer(created, Err(StoreError::Unavailable(Box::new(Arc::clone(&error)))));
            }
        }
        Err(error) if members.len() == 1 => {
            if let Some((_, created)) = members.pop() {
                answer(created, Err(error));
            }
        }
        Err(_) => {
            let mut rest = &*tokens;
            for (count, created) in members {
                let (own, others) = rest.split_at(count);
                answer(created, transaction(own.into()).await);
                rest = others;
            }
        }
    }
}

fn answer(created: oneshot::Sender<Created>, outcome: Created) {
    // Nothing waits for the answer if the request was dropped.
    let _ = created.send(outcome);
}
