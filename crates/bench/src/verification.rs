//! Measures token verification against a floor that returns the same bytes without any check.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use latchkey_testkit::cluster::{Cluster, connect};

use crate::cores::Cores;
use crate::h2load::H2load;
use crate::load::Request;
use crate::options::Options;
use crate::report::{Bar, Claim, Group};
use crate::rounds::{Contestant, Series, Spread, take_turns};
use crate::server::Listener;
use crate::stopwatch::Stopwatch;
use crate::wrk::Wrk;
use crate::{seeding, start_up};

/// The number of tokens in one batch request.
const BATCH: usize = 100;
/// The share of the maximum throughput at which latencies are compared. At full load, latency measures the length of
/// the queue.
const STEADY_SHARE: f64 = 0.75;
/// Connections per thread of `wrk` for a load below the capacity of both sides.
const FEW_PER_THREAD: usize = 2;

/// Measures `/auth/verify` and `/edge/validate` for cached tokens against the fixed floor, then the first verification
/// of a token and the start of the server. The store holds many tokens.
///
/// # Errors
/// When a server or its database fails.
pub async fn measure(
    program: &Path,
    cores: &Cores,
    directory: &Path,
    options: &Options,
    progress: &impl Fn(&str),
) -> anyhow::Result<(Group, Vec<Claim>)> {
    let cluster_place = tempfile::tempdir()?;
    let cluster = Cluster::start(cluster_place.path(), |program| cores.measured(program)).await?;
    progress(&format!("verification: filling a database with {} tokens", options.many));
    let place = directory.join("verification");
    fs::create_dir_all(&place)?;
    let url = cluster.create_database("verification").await?;
    let server = Listener::server(program, cores, &place, &url)?;
    let secrets = server.create_tokens_for_all_projects(BATCH).await?;
    seeding::fill_postgres(&url, options.many).await?;

    let Some(first) = secrets.first() else { anyhow::bail!("no token was created") };
    let verify = Request { authorization: first.clone(), ..server.get("/auth/verify") };
    let one = server.post("/edge/validate", &serde_json::json!({ "tokens": [first] }));
    let batch = server.post("/edge/validate", &serde_json::json!({ "tokens": secrets }));
    let limited = Request { authorization: limited_token(&server).await?, ..server.get("/auth/verify") };
    let mut contestants = Vec::new();
    let mut floors = Vec::new();
    for (name, request) in
        [("verify", verify), ("validate 1", one), ("validate 100", batch), ("verify limited", limited)]
    {
        let body = place.join(format!("{}.json", name.replace(' ', "-")));
        fs::write(&body, request.answer().await?)?;
        let floor = Listener::floor("floor-fixed", cores, &body, None)?;
        let floor_request = Request { url: floor.get("/floor").url, ..request.clone() };
        contestants.push(Contestant { name: format!("latchkey, {name}"), request });
        contestants.push(Contestant { name: format!("fixed floor, {name}"), request: floor_request });
        floors.push(floor);
    }
    let load = Wrk::new(cores, options.connections)?;
    let mut series = take_turns(&contestants, &load, options, progress).await?;
    series.extend(latency_series(&contestants, &series, cores, options, progress).await?);
    let mut claims = claims(&series, cores)?;
    progress("verification: uncached tokens and server starts");
    drop(server);
    claims.push(first_verification(program, cores, &place, &url, &secrets).await?);
    let start = start_up::again_on(program, &place, &url, options.starts)?;
    claims.push(Claim {
        what: format!("start to ready with {} tokens in PostgreSQL, median", options.many),
        value: start.median,
        unit: "ms",
        bar: Bar::Below(300.0),
    });
    Ok((Group { title: "Verification, tokens in memory, many in PostgreSQL".to_owned(), series }, claims))
}

/// Creates a token whose rate limit is not reached, and returns its secret.
async fn limited_token(server: &Listener) -> anyhow::Result<String> {
    let body = serde_json::json!({
        "tokenName": "bench-limited",
        "type": "client",
        "rateLimit": { "requests": 1_000_000_000, "per": "PT1M" },
    });
    let token: serde_json::Value =
        serde_json::from_str(&server.post("/api/admin/api-tokens", &body).answer().await?)?;
    let secret = token.get("secret").and_then(serde_json::Value::as_str);
    Ok(secret.context("the new token has no secret")?.to_owned())
}

/// Measures the latencies of `/auth/verify` and its floor: with `h2load`, both at the same rate, and with `wrk` over
/// few connections, where a stall also counts the requests that it would have delayed.
///
/// `docs/design/decisions/0015-latency-at-a-sustainable-rate.md` gives the reasons.
async fn latency_series(
    contestants: &[Contestant],
    at_full_load: &[Series],
    cores: &Cores,
    options: &Options,
    progress: &impl Fn(&str),
) -> anyhow::Result<Vec<Series>> {
    let variant = |how: &str| -> Vec<_> { contestants.iter().take(2).map(|one| one.asked(how)).collect() };
    let max = at_full_load.first().map_or(0.0, Series::throughput);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is positive, and small"
    )]
    let steady = H2load::new(cores, options.connections, (max * STEADY_SHARE) as usize)?;
    let at_a_rate = variant(&format!("{} requests/s", steady.rate()));
    let mut series = take_turns(&at_a_rate, &steady, options, progress).await?;
    let connections = FEW_PER_THREAD * cores.load_threads();
    let over_few = variant(&format!("{connections} connections"));
    series.extend(take_turns(&over_few, &Wrk::new(cores, connections)?, options, progress).await?);
    Ok(series)
}

/// Measures how much longer the first verification of a token takes than its database query alone: the difference of
/// the medians.
async fn first_verification(
    program: &Path,
    cores: &Cores,
    place: &Path,
    url: &str,
    secrets: &[String],
) -> anyhow::Result<Claim> {
    let server = Listener::server(program, cores, place, url)?;
    let request = server.get("/auth/verify");
    let client = reqwest::Client::new();
    let mut verifications = Vec::new();
    for secret in secrets {
        let started = Stopwatch::start();
        let response = client.get(&request.url).header("authorization", secret).send().await?;
        response.error_for_status()?.bytes().await?;
        verifications.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    let database = connect(url).await?;
    let query = database.prepare("SELECT * FROM token_rows WHERE secret_digest = $1").await?;
    let digests = database
        .query("SELECT secret_digest FROM api_tokens WHERE name LIKE 'bench-%'", &[])
        .await
        .context("cannot read the tokens: update crates/bench to match migrations/postgres")?;
    let mut queries = Vec::new();
    for row in &digests {
        let digest: Vec<u8> = row.get(0);
        let started = Stopwatch::start();
        database.query_one(&query, &[&digest]).await?;
        queries.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    let median = |times| Spread::of(times).map(|spread| spread.median).context("no token was created");
    Ok(Claim {
        what: "first verification of a token, over the query's own time, medians".to_owned(),
        value: median(verifications)? - median(queries)?,
        unit: "ms",
        bar: Bar::Below(1.0),
    })
}

fn claims(series: &[Series], cores: &Cores) -> anyhow::Result<Vec<Claim>> {
    let [
        verify,
        verify_floor,
        one,
        one_floor,
        batch,
        _,
        limited,
        limited_floor,
        steady,
        steady_floor,
        few,
        few_floor,
    ] = series
    else {
        anyhow::bail!("the number of series does not match the contestants")
    };
    let p99_ratio = |when: &str, of: &Series, floor: &Series| Claim {
        what: format!("/auth/verify, p99 in relation to the floor's, {when}"),
        value: of.in_relation_to(floor, |sample| sample.p99_ms),
        unit: "×",
        bar: Bar::Below(2.0),
    };
    let tokens =
        batch.throughput() * f64::from(u32::try_from(BATCH)?) / f64::from(u32::try_from(cores.workers())?);
    Ok(vec![
        Claim::share("/auth/verify, of the fixed floor", verify, verify_floor, 85.0),
        Claim::share(
            "/auth/verify of a token with a rate limit, of the fixed floor",
            limited,
            limited_floor,
            60.0,
        ),
        p99_ratio("at the same rate", steady, steady_floor),
        p99_ratio("over few connections", few, few_floor),
        Claim::share("/edge/validate of one token, of the fixed floor", one, one_floor, 75.0),
        Claim {
            what: "/edge/validate of 100 tokens, million tokens per second and core".to_owned(),
            value: tokens / 1e6,
            unit: "M/s",
            bar: Bar::AtLeast(1.0),
        },
    ])
}
