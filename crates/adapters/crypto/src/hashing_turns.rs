//! Turns to hash: how many passwords are hashed at once.

use std::{num::NonZeroUsize, sync::Arc, thread::available_parallelism};

use latchkey_metrics::names::PASSWORD_HASHES;
use latchkey_ports::HashingError;
use tokio::{sync::Semaphore, task::spawn_blocking};

/// As many turns as there are cores: more hashes at once would not be done sooner, and each takes its memory. A caller
/// waits for a turn without a thread and without memory, so that a flood of logins costs neither.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

impl Turns {
    /// Returns one turn per core.
    pub(crate) fn for_each_core() -> Self {
        Self::new(available_parallelism().map_or(1, NonZeroUsize::get))
    }

    fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)))
    }

    /// Does the work on a blocking thread when it is its turn, and to its end even if this future is dropped; if it is
    /// dropped before its turn, the work is never begun.
    ///
    /// # Errors
    /// [`HashingError`] if the runtime ends, or the work panics.
    pub(crate) async fn take<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let waiting = PASSWORD_HASHES.hold(["waiting"]);
        let turn = Arc::clone(&self.0).acquire_owned().await.map_err(failed)?;
        drop(waiting);
        let running = PASSWORD_HASHES.hold(["running"]);
        let done = spawn_blocking(move || {
            // They end with the work and not with the future: the memory is in use until then.
            let _held = (turn, running);
            work()
        });
        done.await.map_err(failed)
    }
}

/// Wraps a failure of the hasher.
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

    use latchkey_metrics::Exporter;

    use super::*;

    /// Polls the future once and drops it.
    fn abandon<T>(future: impl Future<Output = T>) {
        assert!(pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }

    #[tokio::test]
    async fn no_more_work_than_turns_at_once() {
        let turns = Turns::new(2);
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (turns, running, most) = (turns.clone(), running.clone(), most.clone());
                tokio::spawn(async move {
                    let work = move || {
                        most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
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
    }

    #[tokio::test]
    async fn a_dropped_future_keeps_its_turn_until_its_work_is_done() {
        let turns = Turns::new(1);
        let (release, held) = mpsc::channel::<()>();
        let (say_done, done) = mpsc::channel::<()>();
        abandon(turns.take(move || {
            held.recv().expect("released");
            say_done.send(()).expect("heard");
        }));
        assert_eq!(turns.0.available_permits(), 0);
        // Dropped before its turn, so never begun.
        abandon(turns.take(|| panic!("its future was dropped")));
        release.send(()).expect("held");
        turns.take(move || done.recv().expect("the work before has ended")).await.expect("done");
    }

    #[tokio::test]
    async fn the_queue_is_counted() {
        let exporter = Exporter::new("0").expect("an exporter");
        let counts = || {
            let text = exporter.scrape(|| ());
            ["waiting", "running"].map(|state| {
                let name = format!("latchkey_password_hashes{{state=\"{state}\"}} ");
                text.lines().find_map(|line| line.strip_prefix(&name)).map(str::to_owned)
            })
        };
        let turns = Turns::new(1);
        let (release, held) = mpsc::channel::<()>();
        exporter.record(|| abandon(turns.take(move || held.recv().expect("released"))));
        assert_eq!(counts(), ["0", "1"].map(|count| Some(count.to_owned())));
        exporter.record(|| {
            let mut second = Box::pin(turns.take(|| ()));
            assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert_eq!(counts(), ["1", "1"].map(|count| Some(count.to_owned())));
        });
        release.send(()).expect("held");
        turns.take(|| ()).await.expect("done");
        assert_eq!(counts(), ["0", "0"].map(|count| Some(count.to_owned())));
    }

    #[tokio::test]
    async fn a_panic_is_an_error_and_gives_its_turn_back() {
        let turns = Turns::new(1);
        let outcome = turns.take(|| panic!("on purpose")).await;
        assert!(outcome.map(|(): ()| ()).is_err());
        turns.take(|| ()).await.expect("done");
    }
}
