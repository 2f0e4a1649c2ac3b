//! Which processor cores do what.

use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

/// The cores of the side that is measured (server or floor, and its database) and those of the side that measures.
///
/// They are kept apart so that the load generator does not take what it measures: on two cores one each, on more the
/// upper quarter (at least one) for the load. On a single core nothing is pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cores {
    split: Option<(usize, usize)>,
}

impl Cores {
    /// The split for this machine.
    ///
    /// # Errors
    /// Where the number of cores cannot be found.
    pub fn of_this_machine() -> anyhow::Result<Self> {
        Ok(Self::of(available_parallelism()?.get()))
    }

    /// The split for that many cores.
    #[must_use]
    pub fn of(cores: usize) -> Self {
        let load = (cores / 4).max(1);
        let split = (cores > 1).then(|| (cores - load, cores));
        Self { split }
    }

    /// How many workers the measured side has: one for each of its cores, which is also what the server takes by
    /// itself, because it looks at the cores that it may use.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.split.map_or(1, |(measured, _)| measured)
    }

    /// How many threads the load generator has.
    #[must_use]
    pub fn load_threads(&self) -> usize {
        self.split.map_or(1, |(measured, all)| all - measured)
    }

    /// A command that is pinned to the measured side's cores.
    #[must_use]
    pub fn measured(&self, program: &Path) -> Command {
        pinned(self.split.map(|(measured, _)| 0..measured), program)
    }

    /// A command that is pinned to the load generator's cores.
    #[must_use]
    pub fn load(&self, program: &Path) -> Command {
        pinned(self.split.map(|(measured, all)| measured..all), program)
    }

    /// The split in words, for the report.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.split {
            None => "one core, nothing pinned".to_owned(),
            Some((measured, all)) => format!(
                "server and database on cores 0–{}, load on cores {measured}–{}",
                measured - 1,
                all - 1
            ),
        }
    }
}

fn pinned(cores: Option<std::ops::Range<usize>>, program: &Path) -> Command {
    let Some(cores) = cores else {
        return Command::new(program);
    };
    // `taskset` becomes the program, so the child's id is the program's.
    let mut command = Command::new("taskset");
    command.arg("-c").arg(format!("{}-{}", cores.start, cores.end - 1)).arg(program);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_has_a_core_where_there_are_two() {
        for (cores, measured, load) in [(1, 1, 1), (2, 1, 1), (4, 3, 1), (8, 6, 2), (64, 48, 16)] {
            let split = Cores::of(cores);
            assert_eq!((split.workers(), split.load_threads()), (measured, load));
        }
        let command = Cores::of(8).load(Path::new("wrk"));
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(arguments, ["-c", "6-7", "wrk"]);
    }
}
