//! Counters that many threads increment at once. Each thread has a cell on a cache line of its own: one cell for all
//! would travel between the cores, and cost more than the verification that it counts.

use std::sync::atomic::{AtomicU64, Ordering};

use thread_local::ThreadLocal;

/// The count of one thread. Two cache lines, because processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Cell(AtomicU64);

/// A count that only grows.
#[derive(Debug, Default)]
pub(crate) struct ShardedCounter(ThreadLocal<Cell>);

impl ShardedCounter {
    pub(crate) fn increment(&self) {
        let Cell(count) = self.0.get_or_default();
        // Only this thread writes to its cell.
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|Cell(count)| count.load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_increment_is_lost() {
        let counter = ShardedCounter::default();
        // A thread that begins after another has ended takes over its cell.
        for _ in 0..2 {
            std::thread::scope(|scope| {
                for _ in 0..32 {
                    scope.spawn(|| (0..1_000).for_each(|_| counter.increment()));
                }
            });
        }
        assert_eq!(counter.total(), 64_000);
    }
}
