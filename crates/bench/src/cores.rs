//! Assigns processor cores to the measured side and to the load generator.

use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

/// The division of the machine's cores between the measured side (server or floor, and its database) and the load
/// generator.
///
/// The two sides use different cores, so that the load generator takes no CPU time from the server. The load generator
/// gets the upper quarter of the cores, at least one. On a machine with a single core nothing is pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cores {
    /// The number of measured cores and the number of all cores.
    split: Option<(usize, usize)>,
}

impl Cores {
    /// Returns the division for this machine.
    ///
    /// # Errors
    /// When the number of cores cannot be determined.
    pub fn of_this_machine() -> anyhow::Result<Self> {
        Ok(Self::of(available_parallelism()?.get()))
    }

    /// Returns the division for a machine with this many cores.
    #[must_use]
    pub fn of(cores: usize) -> Self {
        let load = (cores / 4).max(1);
        let split = (cores > 1).then(|| (cores - load, cores));
        Self { split }
    }

    /// Returns the number of workers of the measured side: one per core, as the server chooses by default.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.split.map_or(1, |(measured, _)| measured)
    }

    /// Returns the number of threads of the load generator.
    #[must_use]
    pub fn load_threads(&self) -> usize {
        self.split.map_or(1, |(measured, all)| all - measured)
    }

    /// Returns a command for the program, pinned to the cores of the measured side.
    #[must_use]
    pub fn measured(&self, program: &Path) -> Command {
        pinned(self.split.map(|(measured, _)| 0..measured), program)
    }

    /// Returns a command for the program, pinned to the cores of the load generator.
    #[must_use]
    pub fn load(&self, program: &Path) -> Command {
        pinned(self.split.map(|(measured, all)| measured..all), program)
    }

    /// Describes the division for the report.
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
    // `taskset` executes the program in its own process, so the child's process id is that of the program.
    let mut command = Command::new("taskset");
    command.arg("-c").arg(format!("{}-{}", cores.start, cores.end - 1)).arg(program);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_has_a_core_if_there_are_two() {
        for (cores, measured, load) in [(1, 1, 1), (2, 1, 1), (4, 3, 1), (8, 6, 2), (64, 48, 16)] {
            let split = Cores::of(cores);
            assert_eq!((split.workers(), split.load_threads()), (measured, load));
        }
        let command = Cores::of(8).load(Path::new("wrk"));
        let arguments: Vec<_> = command.get_args().collect();
        assert_eq!(arguments, ["-c", "6-7", "wrk"]);
    }
}
