//! Runs the selected parts of the benchmark.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use latchkey_testkit::cluster::Cluster;
use latchkey_testkit::process::{built, installed};
use tempfile::TempDir;

use crate::cores::Cores;
use crate::earlier::Comparison;
use crate::options::{Options, Part};
use crate::report::{Bar, Claim, Findings, Group, Machine};
use crate::rounds::{Contestant, take_turns};
use crate::server::Listener;
use crate::start_up::{self, StartUp};
use crate::writes::Writes;
use crate::wrk::Wrk;
use crate::{console, lists, reference, scaling, seeding, verification, verifier};

/// The result of one part of the run.
type PartResult = (Group, Vec<Claim>);

/// The settings of a run and the directory for its temporary data.
struct Bench<'a, P> {
    options: &'a Options,
    program: PathBuf,
    cores: Cores,
    progress: P,
    // The last field, so that the directory is removed after all other fields are dropped.
    directory: TempDir,
}

/// Runs the selected parts and reports progress, line by line, to the function.
///
/// # Errors
/// When a required program is missing or a contestant fails. There is no partial report.
pub async fn run(options: &Options, progress: impl Fn(&str)) -> anyhow::Result<Findings> {
    let (mut scaling, mut scaling_claims) = (Vec::new(), Vec::new());
    if options.wants(Part::Scaling) {
        (scaling, scaling_claims) = scaling::measure(options, &progress).await?;
    }
    if options.only == [Part::Scaling] {
        // This part needs neither the server nor the external programs of the other parts.
        let machine = Machine::this("nothing pinned".to_owned(), None);
        return Ok(Findings { machine, groups: Vec::new(), scaling, start_up: None, claims: scaling_claims });
    }
    let existing =
        |path: &PathBuf| fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()));
    let program = options.server.as_ref().map_or_else(|| built("latchkey"), existing)?;
    let bench = Bench {
        options,
        program,
        cores: Cores::of_this_machine()?,
        progress,
        directory: tempfile::tempdir()?,
    };
    installed("taskset", "util-linux")?;

    let (mut found, mut postgres, mut start) = (Vec::new(), None, None);
    if options.wants(Part::Postgres) {
        let (part, version) = bench.postgres().await?;
        found.push(part);
        postgres = Some(version);
    }
    if options.wants(Part::Lists) {
        let place = bench.directory.path();
        found.push(lists::measure(&bench.program, &bench.cores, place, options, &bench.progress).await?);
    }
    if options.wants(Part::Console) {
        let place = bench.directory.path();
        found.push(console::measure(&bench.program, &bench.cores, place, options, &bench.progress).await?);
    }
    if options.wants(Part::Verification) {
        let place = bench.directory.path();
        found.push(
            verification::measure(&bench.program, &bench.cores, place, options, &bench.progress).await?,
        );
    }
    if options.wants(Part::Verifier) {
        let place = bench.directory.path();
        found.push(verifier::measure(&bench.program, &bench.cores, place, options, &bench.progress).await?);
    }
    if options.wants(Part::Writes) {
        let earlier = options.earlier.as_ref().map(existing).transpose()?;
        let (program, directory) = (&bench.program, bench.directory.path());
        let writes = Writes { program, earlier: earlier.as_deref(), directory };
        found.push(writes.measure(options, &bench.progress).await?);
    }
    if let (true, Some(earlier)) = (options.wants(Part::Earlier), &options.earlier) {
        let (cores, directory) = (&bench.cores, bench.directory.path());
        let earlier = existing(earlier)?;
        let comparison = Comparison { program: &bench.program, earlier: &earlier, cores, directory };
        found.push(comparison.measure(options, &bench.progress).await?);
    }
    if let (true, Some(folder)) = (options.wants(Part::Reference), &options.reference) {
        let place = bench.directory.path();
        let contest =
            reference::Contest { program: &bench.program, folder, cores: &bench.cores, directory: place };
        found.push(contest.measure(options, &bench.progress).await?);
    }
    if options.wants(Part::Sqlite) {
        found.push(bench.sqlite().await?);
    }
    let (groups, found): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    let mut claims: Vec<_> = scaling_claims.into_iter().chain(found.into_iter().flatten()).collect();
    if options.wants(Part::Start) {
        let (start_up, start_claims) = bench.start()?;
        start = Some(start_up);
        claims.extend(start_claims);
    }
    let machine = Machine::this(bench.cores.describe(), postgres);
    Ok(Findings { machine, groups, scaling, start_up: start, claims })
}

impl<P: Fn(&str)> Bench<'_, P> {
    fn place(&self, name: &str) -> anyhow::Result<PathBuf> {
        let place = self.directory.path().join(name);
        fs::create_dir_all(&place)?;
        Ok(place)
    }

    /// Starts a server, creates the measured project's tokens over HTTP and writes the body of their list to a file.
    async fn server(&self, place: &Path, url: &str) -> anyhow::Result<(Listener, PathBuf)> {
        let server = Listener::server(&self.program, &self.cores, place, url)?;
        server.create_tokens().await?;
        let body = place.join("body.json");
        fs::write(&body, server.body().await?)?;
        Ok((server, body))
    }

    async fn postgres(&self) -> anyhow::Result<(PartResult, String)> {
        let options = self.options;
        // The cluster needs its own directory, which belongs to the user that PostgreSQL runs as.
        let cluster_place = tempfile::tempdir()?;
        let cluster = Cluster::start(cluster_place.path(), |program| self.cores.measured(program)).await?;
        let mut listeners = Vec::new();
        let mut contestants = Vec::new();
        for tokens in [options.few, options.many] {
            (self.progress)(&format!("postgres: filling a database with {tokens} tokens"));
            let url = cluster.create_database(&format!("tokens_{tokens}")).await?;
            let (server, body) = self.server(&self.place(&format!("postgres-{tokens}"))?, &url).await?;
            seeding::fill_postgres(&url, tokens).await?;
            let floor = Listener::floor("floor-postgres", &self.cores, &body, Some(&url))?;
            contestants.push(contestant(&format!("latchkey, {tokens} tokens"), &server));
            contestants.push(contestant(&format!("query floor, {tokens} tokens"), &floor));
            if tokens == options.many {
                let fixed = Listener::floor("floor-fixed", &self.cores, &body, None)?;
                contestants.push(contestant("fixed floor", &fixed));
                listeners.push(fixed);
            }
            listeners.extend([floor, server]);
        }
        let group = self.rounds("A project's 10 tokens, PostgreSQL", &contestants).await?;
        let [few, few_floor, many, many_floor, ..] = &group.series[..] else {
            anyhow::bail!("the number of series does not match the contestants");
        };
        let mut claims = vec![
            Claim::share("PostgreSQL, few tokens, of the query floor", few, few_floor, 75.0),
            Claim::share("PostgreSQL, many tokens, of the query floor", many, many_floor, 75.0),
            Claim::share("PostgreSQL, many tokens, of few tokens", many, few, 90.0),
        ];
        claims.push(memory("PostgreSQL, many tokens", listeners.last())?);
        Ok(((group, claims), cluster.version().await?))
    }

    async fn sqlite(&self) -> anyhow::Result<PartResult> {
        let tokens = self.options.many;
        (self.progress)(&format!("sqlite: filling a database with {tokens} tokens"));
        let place = self.place("sqlite")?;
        let database = place.join("latchkey.db");
        let url = format!("sqlite://{}", database.display());
        let (server, body) = self.server(&place, &url).await?;
        seeding::fill_sqlite(&database, tokens)?;
        let path = database.display().to_string();
        let floor = Listener::floor("floor-sqlite", &self.cores, &body, Some(&path))?;
        let contestants = [
            contestant(&format!("latchkey, {tokens} tokens"), &server),
            contestant(&format!("diesel floor, {tokens} tokens"), &floor),
        ];
        let group = self.rounds("A project's 10 tokens, SQLite", &contestants).await?;
        let [measured, bare] = &group.series[..] else {
            anyhow::bail!("the number of series does not match the contestants");
        };
        let claims = vec![
            Claim::share("SQLite, of the diesel floor", measured, bare, 50.0),
            memory("SQLite", Some(&server))?,
        ];
        Ok((group, claims))
    }

    fn start(&self) -> anyhow::Result<(StartUp, Vec<Claim>)> {
        (self.progress)("start: measuring the time from start to ready");
        let start_up = start_up::measure(&self.program, &self.place("start")?, self.options.starts)?;
        let claim =
            |what: &str, value| Claim { what: what.to_owned(), value, unit: "ms", bar: Bar::Below(150.0) };
        let claims = vec![
            claim("first start to ready, SQLite, median", start_up.first_ms.median),
            claim("later start to ready, SQLite, median", start_up.again_ms.median),
        ];
        Ok((start_up, claims))
    }

    async fn rounds(&self, title: &str, contestants: &[Contestant]) -> anyhow::Result<Group> {
        let load = Wrk::new(&self.cores, self.options.connections)?;
        let series = take_turns(contestants, &load, self.options, &self.progress).await?;
        Ok(Group { title: title.to_owned(), series })
    }
}

fn contestant(name: &str, listener: &Listener) -> Contestant {
    Contestant { name: name.to_owned(), request: listener.list() }
}

/// Returns the claim on the server's resident memory after the rounds.
fn memory(what: &str, server: Option<&Listener>) -> anyhow::Result<Claim> {
    let kib = server.context("no server")?.process().resident_kib()?;
    Ok(Claim {
        what: format!("resident after the rounds, {what}"),
        // A process uses far less than 4 TiB, so the number fits.
        value: f64::from(u32::try_from(kib)?) * 1_024.0 / 1e6,
        unit: "MB",
        bar: Bar::Below(40.0),
    })
}
