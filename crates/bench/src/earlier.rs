//! Compares the server with an earlier build: both receive the same requests in turns, each on its own database.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use latchkey_testkit::cluster::Cluster;
use serde_json::json;

use crate::cores::Cores;
use crate::load::Request;
use crate::options::Options;
use crate::report::{Bar, Claim, Group};
use crate::rounds::{Contestant, Spread, take_turns};
use crate::server::Listener;
use crate::wrk::Wrk;
use crate::{seeding, start_up};

/// The number of tokens in one batch request.
const BATCH: usize = 100;

/// The builds to compare and the environment that they run in.
pub struct Comparison<'a> {
    /// The binary to measure.
    pub program: &'a Path,
    /// The binary of the earlier build.
    pub earlier: &'a Path,
    pub cores: &'a Cores,
    pub directory: &'a Path,
}

/// A build with a running server on PostgreSQL and one on SQLite.
struct Build {
    name: &'static str,
    postgres: Listener,
    sqlite: Listener,
    secrets: Vec<String>,
}

impl Comparison<'_> {
    /// Measures verification, lists on both databases, start-up on SQLite and resident memory. Each figure may be at
    /// most 3 % worse than that of the earlier build.
    ///
    /// # Errors
    /// When a server or its database fails.
    pub async fn measure(
        &self,
        options: &Options,
        progress: &impl Fn(&str),
    ) -> anyhow::Result<(Group, Vec<Claim>)> {
        let cluster_place = tempfile::tempdir()?;
        let cluster = Cluster::start(cluster_place.path(), |program| self.cores.measured(program)).await?;
        progress("earlier build: filling databases");
        let builds = [
            self.build("latchkey", self.program, &cluster, options).await?,
            self.build("earlier", self.earlier, &cluster, options).await?,
        ];
        let of_builds: Vec<_> = builds.iter().map(Build::contestants).collect::<Result<_, _>>()?;
        let contestants: Vec<_> = interleaved(of_builds);
        let load = Wrk::new(self.cores, options.connections)?;
        let series = take_turns(&contestants, &load, options, progress).await?;
        let mut claims: Vec<_> = series
            .chunks_exact(2)
            .filter_map(|pair| {
                let [new, earlier] = pair else { return None };
                Some(Claim::share(&format!("{}, of the earlier build", new.name), new, earlier, 97.0))
            })
            .collect();
        for (what, of) in
            [("PostgreSQL", Build::postgres as fn(&Build) -> &Listener), ("SQLite", Build::sqlite)]
        {
            let [new, earlier] = builds.each_ref().map(|build| of(build).process().resident_kib());
            let percent = percent(u32::try_from(new?)?.into(), u32::try_from(earlier?)?.into());
            claims.push(smaller_is_better(&format!("resident after the rounds, {what}"), percent));
        }
        drop(builds);
        claims.extend(self.starts(options, progress)?);
        Ok((Group { title: "Beside the earlier build".to_owned(), series }, claims))
    }

    async fn build(
        &self,
        name: &'static str,
        program: &Path,
        cluster: &Cluster,
        options: &Options,
    ) -> anyhow::Result<Build> {
        let place = self.directory.join(format!("earlier-{name}"));
        fs::create_dir_all(&place)?;
        let url = cluster.create_database(&format!("build_{name}")).await?;
        let postgres = Listener::server(program, self.cores, &place, &url)?;
        postgres.create_tokens().await?;
        let secrets = postgres.create_tokens_for_all_projects(BATCH).await?;
        seeding::fill_postgres(&url, options.many).await?;
        let file = place.join("latchkey.db");
        let sqlite = Listener::server(program, self.cores, &place, &format!("sqlite://{}", file.display()))?;
        sqlite.create_tokens().await?;
        seeding::fill_sqlite(&file, options.many)?;
        Ok(Build { name, postgres, sqlite, secrets })
    }

    /// Measures the start-up times of the two builds in turns.
    fn starts(&self, options: &Options, progress: &impl Fn(&str)) -> anyhow::Result<[Claim; 2]> {
        progress("earlier build: measuring starts");
        let mut first = Vec::new();
        let mut later = Vec::new();
        for number in 0..options.starts.max(1) {
            let start = |name: &str, program: &Path| {
                start_up::measure(program, &self.directory.join(format!("start-{name}-{number}")), 1)
            };
            let (new, earlier) = (start("new", self.program)?, start("earlier", self.earlier)?);
            first.push(percent(new.first_ms.median, earlier.first_ms.median));
            later.push(percent(new.again_ms.median, earlier.again_ms.median));
        }
        let median = |all| Spread::of(all).map(|spread| spread.median).context("no starts were measured");
        Ok([
            smaller_is_better("first start to ready, SQLite", median(first)?),
            smaller_is_better("later start to ready, SQLite", median(later)?),
        ])
    }
}

impl Build {
    fn postgres(&self) -> &Listener {
        &self.postgres
    }

    fn sqlite(&self) -> &Listener {
        &self.sqlite
    }

    fn contestants(&self) -> anyhow::Result<Vec<Contestant>> {
        let first = self.secrets.first().context("no token was created")?;
        let validate =
            |secrets: &[String]| self.postgres.post("/edge/validate", &json!({ "tokens": secrets }));
        let verify = Request { authorization: first.clone(), ..self.postgres.get("/auth/verify") };
        let requests = [
            ("verify", verify),
            ("validate 1", validate(std::slice::from_ref(first))),
            ("validate 100", validate(&self.secrets)),
            ("list, PostgreSQL", self.postgres.list()),
            ("list, SQLite", self.sqlite.list()),
        ];
        let named = |(what, request)| Contestant { name: format!("{}, {what}", self.name), request };
        Ok(requests.map(named).into())
    }
}

/// Orders the contestants of all builds so that those with the same request are adjacent.
fn interleaved(of_builds: Vec<Vec<Contestant>>) -> Vec<Contestant> {
    let mut of_builds: Vec<_> = of_builds.into_iter().map(Vec::into_iter).collect();
    let mut all = Vec::new();
    loop {
        let round: Vec<_> = of_builds.iter_mut().filter_map(Iterator::next).collect();
        if round.is_empty() {
            return all;
        }
        all.extend(round);
    }
}

fn percent(value: f64, whole: f64) -> f64 {
    100.0 * value / whole
}

/// Returns a claim for a figure that is better when it is smaller.
fn smaller_is_better(what: &str, percent: f64) -> Claim {
    let what = format!("{what}, of the earlier build's");
    Claim { what, value: percent, unit: "%", bar: Bar::Below(103.0) }
}
