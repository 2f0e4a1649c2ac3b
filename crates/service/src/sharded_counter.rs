//! Counters that many threads add to at once. Each adds to a cell of its own where it can, on a cache line of its own: one
//! cell for all would go to and fro between the cores, and cost more than the recognition that it counts.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// More cells than most machines have cores; threads beyond that share.
const CELLS: usize = 16;

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static CELL: usize = THREADS.fetch_add(1, Ordering::Relaxed) % CELLS;
}

/// Two cache lines, because processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Cell(AtomicU64);

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct ShardedCounter([Cell; CELLS]);

impl ShardedCounter {
    pub(crate) fn add_one(&self) {
        let Self(cells) = self;
        if let Some(Cell(cell)) = CELL.with(|own| cells.get(*own)) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn total(&self) -> u64 {
        let Self(cells) = self;
        cells.iter().map(|Cell(cell)| cell.load(Ordering::Relaxed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_any_thread_adds_is_lost() {
        let tally = ShardedCounter::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * CELLS {
                scope.spawn(|| (0..1_000).for_each(|_| tally.add_one()));
            }
        });
        assert_eq!(tally.total(), 2_000 * u64::try_from(CELLS).expect("few"));
    }
}
