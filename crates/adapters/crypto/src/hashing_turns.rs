//! Who may hash now, and in which memory.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
    thread::available_parallelism,
};

use argon2::Block;
use latchkey_ports::HashingError;
use tokio::{sync::Semaphore, task::spawn_blocking};

/// The memory that one hash works in.
pub(crate) type Area = Vec<Block>;

/// As many turns as there are cores: more hashes at once would not be done sooner, and each takes its memory. A caller
/// waits for a turn without a thread and without memory, so that a flood of logins costs neither.
///
/// Areas are kept for the next turn: together they are no larger than what all turns at once need. Giving them back was
/// tried, and a process grew by 19 MiB with each password: glibc 2.36 (Debian 12) does not use freed memory of this
/// alignment and size again.
#[derive(Clone)]
pub(crate) struct Turns {
    semaphore: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Area>>>,
}

impl Turns {
    /// One for each core.
    pub(crate) fn for_each_core() -> Self {
        Self::of(available_parallelism().map_or(1, NonZeroUsize::get))
    }

    fn of(count: usize) -> Self {
        Self { semaphore: Arc::new(Semaphore::new(count)), idle: Arc::default() }
    }

    /// Does the work on a blocking thread when it is its turn, and to its end even when this future is dropped; dropped
    /// before its turn, the work is never begun.
    ///
    /// # Errors
    /// [`HashingError`] where the runtime ends, or the work panics.
    pub(crate) async fn take<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Area) -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let turn = Arc::clone(&self.semaphore).acquire_owned().await.map_err(failed)?;
        let idle = Arc::clone(&self.idle);
        let done = spawn_blocking(move || {
            // Ends with the work and not with the future: the memory is in use until then.
            let _turn = turn;
            let mut area = lock(&idle).pop().unwrap_or_default();
            let outcome = work(&mut area);
            lock(&idle).push(area);
            outcome
        });
        done.await.map_err(failed)
    }
}

fn lock(areas: &Mutex<Vec<Area>>) -> impl std::ops::DerefMut<Target = Vec<Area>> {
    areas.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A failure of the hasher.
pub(crate) fn failed(error: impl std::error::Error + Send + Sync + 'static) -> HashingError {
    HashingError(Box::new(error))
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::{
            atomic::{AtomicUsize, Ordering},
            mpsc,
        },
        task::{Context, Waker},
    };

    use super::*;

    /// Begins the work and gives up on it.
    fn abandon<T>(future: impl Future<Output = T>) {
        assert!(pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }

    #[tokio::test]
    async fn no_more_work_than_turns_at_once_and_no_more_areas() {
        let turns = Turns::of(2);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (turns, running, most) = (turns.clone(), running.clone(), most.clone());
                tokio::spawn(async move {
                    let work = move |area: &mut Area| {
                        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        area.resize(8, Block::default());
                        std::thread::yield_now();
                        running.fetch_sub(1, Ordering::SeqCst);
                    };
                    turns.take(work).await
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic").expect("done");
        }
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
        assert!((1..=2).contains(&lock(&turns.idle).len()));
    }

    #[tokio::test]
    async fn a_dropped_future_keeps_its_turn_until_its_work_is_done() {
        let turns = Turns::of(1);
        let (release, held) = mpsc::channel::<()>();
        let (say_done, done) = mpsc::channel::<()>();
        abandon(turns.take(move |_| {
            held.recv().expect("released");
            say_done.send(()).expect("heard");
        }));
        assert_eq!(turns.semaphore.available_permits(), 0);
        // Before its turn, and dropped: never begun.
        abandon(turns.take(|_| unreachable!("nobody waits for it")));
        release.send(()).expect("held");
        turns.take(move |_| done.recv().expect("the work before has ended")).await.expect("done");
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_gives_its_turn_back() {
        let turns = Turns::of(1);
        let outcome = turns.take(|_| panic!("on purpose")).await;
        assert!(outcome.map(|(): ()| ()).is_err());
        assert_eq!(turns.take(|area| area.len()).await.expect("done"), 0);
    }
}
