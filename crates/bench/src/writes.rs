//! Creation of tokens on PostgreSQL, on a cluster that waits for the disk: the server, an earlier build of it, and a floor
//! that inserts the same rows over bare tokio-postgres take turns. And the time of a batch of 1,000.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::future::try_join_all;
use latchkey_testkit::cluster::{Cluster, connect};
use serde_json::json;
use tokio_postgres::{Client, Statement, types::ToSql};

use crate::cores::Cores;
use crate::load::{Load as _, Request, Sample, settled};
use crate::options::Options;
use crate::report::{Bar, Claim, Group};
use crate::rounds::{Series, Spread};
use crate::server::Listener;
use crate::stopwatch::Stopwatch;
use crate::wrk::Wrk;

/// The number of clients, and of connections of the floor.
const CLIENTS: usize = 16;
/// The number of tokens in a batch.
const BATCH: usize = 1_000;
/// The default settings, with room for all tokens.
const SETTINGS: &str = "[limits]\napi_tokens = 4000000000\n";

/// One transaction of the floor: a token, its project, its event and the event's project.
const INSERT_TOKEN: &str = "INSERT INTO api_tokens (id, name, kind, all_projects, environment, created_at, \
    secret_digest, secret_key, secret_sealed, attributes) \
    VALUES ($1::text::uuid, 'bench', 'client', false, 'development', now(), sha256($1::text::bytea), '\\x00000000', \
        decode(repeat('ab', 99), 'hex'), '{}')";
const INSERT_PROJECT: &str = "INSERT INTO api_token_projects (token_id, project_id, position) \
    VALUES ($1::text::uuid, 'default', 0)";
const INSERT_EVENT: &str = "INSERT INTO events (kind, actor_name, actor_user_id, address, at, concerns, environment, \
        subject, after) \
    VALUES ('api-token-created', 'bench', -42, '127.0.0.1', now(), 'some', 'development', 'token:' || $1::text, \
        jsonb_build_object('tokenName', 'bench', 'type', 'client', 'environment', 'development', 'project', 'default', \
            'projects', jsonb_build_array('default'), 'createdAt', now(), 'id', $1::text))";
const INSERT_EVENT_PROJECT: &str = "INSERT INTO event_projects (event_id, project_id, position) \
    VALUES (currval('events_id_seq'), 'default', 0)";

/// The builds to measure and the environment that they run in.
pub struct Writes<'a> {
    pub program: &'a Path,
    /// The binary of an earlier build, if there is one.
    pub earlier: Option<&'a Path>,
    pub directory: &'a Path,
}

impl Writes<'_> {
    /// Measures creations per second, and the time of a batch.
    ///
    /// # Errors
    /// When a server or the database fails.
    pub async fn measure(
        &self,
        options: &Options,
        progress: &impl Fn(&str),
    ) -> anyhow::Result<(Group, Vec<Claim>)> {
        let cluster_place = tempfile::tempdir()?;
        let cluster = Cluster::start(cluster_place.path(), |program| one_host().measured(program)).await?;
        let server = self.server("latchkey", self.program, &cluster).await?;
        let earlier = match self.earlier {
            Some(program) => Some(self.server("earlier", program, &cluster).await?),
            None => None,
        };
        // The floor's tables are those of a server that has stopped.
        let floor_url = cluster.create_database("floor").await?;
        drop(self.server_on("floor", self.program, &floor_url)?);
        let floor = Floor::open(&floor_url).await?;
        ensure!(floor.waits_for_the_disk().await?, "fsync and synchronous_commit must be on");

        let load = Wrk::new(&one_host(), CLIENTS)?;
        let servers = [("latchkey", Some(&server)), ("earlier", earlier.as_ref())];
        let servers: Vec<(&str, Request)> =
            servers.into_iter().filter_map(|(name, server)| Some((name, creation(server?)))).collect();
        let named = |name: &str| Series { name: name.to_owned(), samples: Vec::new() };
        let mut series: Vec<Series> = servers.iter().map(|(name, _)| named(name)).collect();
        series.push(named("floor"));
        for round in 0..=options.rounds {
            // Round 0 warms up.
            let seconds = if round == 0 { options.warm_up.max(1) } else { options.seconds };
            let mut samples = Vec::new();
            for (_, request) in &servers {
                samples.push(load.run(request, seconds).await?);
                settled(request).await?;
            }
            samples.push(floor.run(seconds).await?);
            for (series, sample) in series.iter_mut().zip(samples) {
                progress(&format!(
                    "writes: round {round}/{}: {}: {:.0} tokens/s, p50 {:.2} ms, p99 {:.2} ms",
                    options.rounds, series.name, sample.requests_per_second, sample.p50_ms, sample.p99_ms
                ));
                if round > 0 {
                    series.samples.push(sample);
                }
            }
        }
        let mut claims = Vec::new();
        if let [own, .., bare] = &series[..] {
            claims.push(Claim::share("creation on PostgreSQL, of the floor", own, bare, 60.0));
        }
        if let [own, earlier, _] = &series[..] {
            claims.push(Claim::share("creation on PostgreSQL, of the earlier build", own, earlier, 500.0));
        }
        claims.push(batches(&server, options, progress).await?);
        Ok((Group { title: "Creation of a token, PostgreSQL, 16 clients".to_owned(), series }, claims))
    }

    async fn server(&self, name: &str, program: &Path, cluster: &Cluster) -> anyhow::Result<Listener> {
        let url = cluster.create_database(&format!("writes_{name}")).await?;
        self.server_on(name, program, &url)
    }

    fn server_on(&self, name: &str, program: &Path, url: &str) -> anyhow::Result<Listener> {
        let place = self.directory.join(format!("writes-{name}"));
        fs::create_dir_all(&place)?;
        fs::write(place.join("latchkey.toml"), SETTINGS)?;
        Listener::server(program, &one_host(), &place, url)
    }
}

/// Nothing is pinned. The floor is its own client, so a division of the cores would give it more of them than the server.
fn one_host() -> Cores {
    Cores::of(1)
}

fn creation(server: &Listener) -> Request {
    let body = json!({"tokenName": "bench", "type": "client"});
    server.post("/api/admin/projects/default/api-tokens", &body)
}

/// Measures the time of batches, one after the other.
async fn batches(server: &Listener, options: &Options, progress: &impl Fn(&str)) -> anyhow::Result<Claim> {
    let tokens = vec![json!({"tokenName": "bench", "type": "client"}); BATCH];
    let request = server.post("/api/admin/projects/default/api-tokens/batch", &json!({ "tokens": tokens }));
    let mut times = Vec::new();
    for _ in 0..=options.rounds.max(4) {
        let started = Stopwatch::start();
        request.answer().await?;
        times.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    let spread = Spread::of(times.iter().copied().skip(1)).context("no batch was measured")?;
    progress(&format!(
        "writes: a batch of {BATCH}: {:.0} ms ({:.0} to {:.0})",
        spread.median, spread.min, spread.max
    ));
    let what = format!("a batch of {BATCH} tokens, median");
    Ok(Claim { what, value: spread.median, unit: "ms", bar: Bar::Below(500.0) })
}

/// The floor: connections over which each client inserts one token after the other.
struct Floor {
    connections: Vec<Connection>,
    tokens: AtomicU64,
}

struct Connection {
    client: Client,
    statements: [Statement; 4],
}

impl Floor {
    async fn open(url: &str) -> anyhow::Result<Self> {
        let mut connections = Vec::new();
        for _ in 0..CLIENTS {
            let client = connect(url).await?;
            let statements = [
                client.prepare(INSERT_TOKEN).await?,
                client.prepare(INSERT_PROJECT).await?,
                client.prepare(INSERT_EVENT).await?,
                client.prepare(INSERT_EVENT_PROJECT).await?,
            ];
            connections.push(Connection { client, statements });
        }
        Ok(Self { connections, tokens: AtomicU64::new(0) })
    }

    async fn waits_for_the_disk(&self) -> anyhow::Result<bool> {
        let first = self.connections.first().context("no connection")?;
        let settings = "SELECT current_setting('fsync') || current_setting('synchronous_commit')";
        let settings: String = first.client.query_one(settings, &[]).await?.get(0);
        Ok(settings == "onon")
    }

    async fn run(&self, seconds: u32) -> anyhow::Result<Sample> {
        let (span, started) = (Duration::from_secs(seconds.into()), Stopwatch::start());
        let clients = self.connections.iter().map(|connection| async {
            let mut times = Vec::new();
            while started.elapsed() < span {
                let begun = Stopwatch::start();
                // As in the server, later ids are higher.
                let number = self.tokens.fetch_add(1, Ordering::Relaxed);
                connection.insert(&format!("{number:08x}-0000-7000-8000-000000000000")).await?;
                times.push(begun.elapsed().as_secs_f64() * 1_000.0);
            }
            anyhow::Ok(times)
        });
        let mut times: Vec<f64> = try_join_all(clients).await?.into_iter().flatten().collect();
        times.sort_by(f64::total_cmp);
        let total = started.elapsed().as_secs_f64();
        let at = |share: usize| times.get(times.len() * share / 100).copied().context("nothing was inserted");
        let inserted = f64::from(u32::try_from(times.len())?);
        Ok(Sample { requests_per_second: inserted / total, p50_ms: at(50)?, p99_ms: at(99)? })
    }
}

impl Connection {
    /// Inserts a token's rows in one transaction; the statements between its two ends are sent at once.
    async fn insert(&self, id: &str) -> anyhow::Result<()> {
        let [token, project, event, event_project] = &self.statements;
        let named: [&(dyn ToSql + Sync); 1] = [&id];
        self.client.batch_execute("BEGIN").await?;
        tokio::try_join!(
            self.client.execute(token, &named),
            self.client.execute(project, &named),
            self.client.execute(event, &named),
            self.client.execute(event_project, &[]),
        )?;
        self.client.batch_execute("COMMIT").await?;
        Ok(())
    }
}
