//! The results of a run, formatted as Markdown and serialized as JSON.

use std::fmt::{self, Write as _};
use std::fs;

use serde::Serialize;

use crate::rounds::{Series, Spread};
use crate::start_up::StartUp;

/// The machine that the benchmark ran on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    /// The kernel's release.
    pub kernel: String,
    /// The division of the cores, in words.
    pub pinning: String,
    /// The version of PostgreSQL, if it was used.
    pub postgres: Option<String>,
}

/// The series of the contestants that took turns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// The heading in the report.
    pub title: String,
    pub series: Vec<Series>,
}

/// A figure and the bar that it has to meet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Claim {
    /// The name of the figure.
    pub what: String,
    pub value: f64,
    pub unit: &'static str,
    pub bar: Bar,
}

impl Claim {
    /// Claims that the requests per second of one series are at least `min` percent of those of another that took turns
    /// with it.
    #[must_use]
    pub fn share(what: &str, of: &Series, whole: &Series, min: f64) -> Self {
        let value = 100.0 * of.in_relation_to(whole, |sample| sample.requests_per_second);
        Self { what: what.to_owned(), value, unit: "%", bar: Bar::AtLeast(min) }
    }
}

/// The bound that a figure has to meet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bar {
    /// The figure is greater than or equal to this.
    AtLeast(f64),
    /// The figure is less than this.
    Below(f64),
}

/// The results of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Findings {
    pub machine: Machine,
    pub groups: Vec<Group>,
    /// Verifications by number of threads, if they were measured.
    pub scaling: Vec<Scaling>,
    /// Start-up times, if they were measured.
    pub start_up: Option<StartUp>,
    pub claims: Vec<Claim>,
}

impl Machine {
    /// Describes the machine that this process runs on.
    #[must_use]
    pub fn this(pinning: String, postgres: Option<String>) -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let processors = read("/proc/cpuinfo");
        let processor = processors
            .lines()
            .find(|line| line.starts_with("model name"))
            .and_then(|line| line.split_once(':'))
            .map_or("unknown", |(_, name)| name.trim());
        Self {
            processor: processor.to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            pinning,
            postgres,
        }
    }
}

impl Bar {
    /// Returns whether the figure meets the bar.
    #[must_use]
    pub fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtLeast(min) => value >= min,
            Self::Below(limit) => value < limit,
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(min) => write!(f, "at least {min}"),
            Self::Below(limit) => write!(f, "below {limit}"),
        }
    }
}

/// Formats the report as Markdown.
impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        write!(
            f,
            "{} × {}, Linux {}; {}",
            machine.cores, machine.processor, machine.kernel, machine.pinning
        )?;
        match &machine.postgres {
            Some(version) => writeln!(f, "; PostgreSQL {version}\n")?,
            None => writeln!(f, "\n")?,
        }
        for group in &self.groups {
            writeln!(f, "### {}\n", group.title)?;
            f.write_str(
                "| | requests/s: median (min–max) | p50 ms | p99 ms |\n| --- | ---: | ---: | ---: |\n",
            )?;
            for series in &group.series {
                write_series(f, series)?;
            }
            f.write_char('\n')?;
        }
        for scaling in &self.scaling {
            write!(f, "{scaling}")?;
        }
        if let Some(start_up) = &self.start_up {
            f.write_str("### From start to ready, SQLite\n\n| | ms: median (min–max) |\n| --- | ---: |\n")?;
            for (name, spread) in [("first start", start_up.first_ms), ("later start", start_up.again_ms)] {
                writeln!(f, "| {name} | {} |", Rounded(spread, 1))?;
            }
            f.write_char('\n')?;
        }
        f.write_str("### Against the bar\n\n| figure | value | bar | met |\n| --- | ---: | --- | --- |\n")?;
        for Claim { what, value, unit, bar } in &self.claims {
            let met = if bar.is_met_by(*value) { "yes" } else { "**no**" };
            writeln!(f, "| {what} | {value:.1} {unit} | {bar} {unit} | {met} |")?;
        }
        Ok(())
    }
}

fn write_series(f: &mut fmt::Formatter<'_>, series: &Series) -> fmt::Result {
    let median = |spread: Option<Spread>| spread.map_or(0.0, |spread| spread.median);
    let Some(throughput) = series.spread(|sample| sample.requests_per_second) else {
        return Ok(());
    };
    writeln!(
        f,
        "| {} | {} | {:.2} | {:.2} |",
        series.name,
        Rounded(throughput, 0),
        median(series.spread(|sample| sample.p50_ms)),
        median(series.spread(|sample| sample.p99_ms)),
    )
}

/// Formats a spread with this many decimals.
struct Rounded(Spread, usize);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Spread { median, min, max }, decimals) = self;
        write!(f, "{median:.decimals$} ({min:.decimals$}–{max:.decimals$})")
    }
}

/// Verifications per second by number of threads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scaling {
    /// The operation, for the heading.
    pub title: String,
    /// One entry per number of threads, in ascending order from one.
    pub threads: Vec<ThreadCount>,
}

/// The throughput of a number of threads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ThreadCount {
    pub threads: usize,
    /// Verifications per second of all threads together, one sample per round.
    pub per_second: Vec<f64>,
    /// The throughput relative to one thread: the median of the ratios of the rounds.
    pub times_one: f64,
}

/// Formats the table as Markdown.
impl fmt::Display for Scaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "### Verifications in one process, {}\n", self.title)?;
        f.write_str(
            "| threads | verifications/s: median (min–max) | times one thread |\n| ---: | ---: | ---: |\n",
        )?;
        for row in &self.threads {
            let Some(Spread { median, min, max }) = Spread::of(row.per_second.iter().copied()) else {
                continue;
            };
            writeln!(f, "| {} | {median:.0} ({min:.0}–{max:.0}) | {:.2} |", row.threads, row.times_one)?;
        }
        writeln!(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Sample;

    #[test]
    fn a_report_shows_medians_and_missed_bars() {
        let sample = |requests_per_second| Sample { requests_per_second, p50_ms: 1.0, p99_ms: 2.5 };
        let spread = Spread { median: 10.0, min: 9.0, max: 12.5 };
        let findings = Findings {
            machine: Machine {
                processor: "A Processor".to_owned(),
                cores: 2,
                kernel: "6.1".to_owned(),
                pinning: "one each".to_owned(),
                postgres: Some("15.1".to_owned()),
            },
            groups: vec![Group {
                title: "Lists".to_owned(),
                series: vec![Series {
                    name: "latchkey".to_owned(),
                    samples: vec![sample(900.0), sample(1_100.4), sample(1_000.0)],
                }],
            }],
            scaling: Vec::new(),
            start_up: Some(StartUp { first_ms: spread, again_ms: spread }),
            claims: vec![
                Claim { what: "a share".to_owned(), value: 74.96, unit: "%", bar: Bar::AtLeast(75.0) },
                Claim { what: "memory".to_owned(), value: 20.0, unit: "MB", bar: Bar::Below(40.0) },
            ],
        };
        let text = findings.to_string();
        for line in [
            "2 × A Processor, Linux 6.1; one each; PostgreSQL 15.1\n",
            "| latchkey | 1000 (900–1100) | 1.00 | 2.50 |\n",
            "| first start | 10.0 (9.0–12.5) |\n",
            "| a share | 75.0 % | at least 75 % | **no** |\n",
            "| memory | 20.0 MB | below 40 MB | yes |\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }

    #[test]
    fn bars_compare_with_their_bound() {
        assert!(Bar::AtLeast(75.0).is_met_by(75.0) && !Bar::AtLeast(75.0).is_met_by(74.9));
        assert!(Bar::Below(40.0).is_met_by(39.9) && !Bar::Below(40.0).is_met_by(40.0));
    }
}
