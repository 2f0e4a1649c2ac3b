//! Whether tokens are good: how near to a server that asks nobody and answers the same bytes.

use std::fs;
use std::path::Path;

use crate::cluster::Cluster;
use crate::cores::Cores;
use crate::load::{Load, Request};
use crate::options::Options;
use crate::report::{Bar, Claim, Group};
use crate::rounds::{Contestant, Series, take_turns};
use crate::seeding;
use crate::server::Listener;

/// How many tokens one request asks about in a batch.
const BATCH: usize = 100;

/// Measures `/auth/verify` and `/edge/validate` on tokens that are in memory, with many in the store, against fixed bodies.
///
/// # Errors
/// Where a server or its database fails.
pub async fn measure(
    program: &Path,
    cores: &Cores,
    directory: &Path,
    options: &Options,
    progress: &impl Fn(&str),
) -> anyhow::Result<(Group, Vec<Claim>)> {
    let cluster_place = tempfile::tempdir()?;
    let cluster = Cluster::start(cluster_place.path(), cores).await?;
    progress(&format!("verification: filling a database with {} tokens", options.many));
    let place = directory.join("verification");
    fs::create_dir_all(&place)?;
    let url = cluster.create_database("verification").await?;
    let server = Listener::server(program, cores, &place, &url).await?;
    let secrets = server.create_tokens_for_all_projects(BATCH).await?;
    seeding::fill_postgres(&url, options.many).await?;

    let Some(first) = secrets.first() else { anyhow::bail!("no token was made") };
    let verify = Request { authorization: first.clone(), ..server.get("/auth/verify") };
    let one = server.post("/edge/validate", &serde_json::json!({ "tokens": [first] }));
    let batch = server.post("/edge/validate", &serde_json::json!({ "tokens": secrets }));
    let mut contestants = Vec::new();
    let mut floors = Vec::new();
    for (name, request) in [("verify", verify), ("validate 1", one), ("validate 100", batch)] {
        let body = place.join(format!("{}.json", name.replace(' ', "-")));
        fs::write(&body, server.answer_to(&request).await?)?;
        let floor = Listener::floor("floor-fixed", cores, &body, None).await?;
        let floor_request = Request { url: floor.get("/floor").url, ..request.clone() };
        contestants.push(Contestant { name: format!("latchkey, {name}"), request });
        contestants.push(Contestant { name: format!("fixed floor, {name}"), request: floor_request });
        floors.push(floor);
    }
    let load = Load::new(cores, options.connections)?;
    let series = take_turns(&contestants, &load, options, progress).await?;
    let claims = claims(&series, cores)?;
    Ok((Group { title: "Verification, tokens in memory, many in PostgreSQL".to_owned(), series }, claims))
}

fn claims(series: &[Series], cores: &Cores) -> anyhow::Result<Vec<Claim>> {
    let [verify, verify_floor, one, one_floor, batch, _] = series else {
        anyhow::bail!("a contestant is missing")
    };
    let share = |what: &str, of: &Series, whole: &Series, least| Claim {
        what: what.to_owned(),
        value: 100.0 * of.throughput() / whole.throughput(),
        unit: "%",
        bar: Bar::AtLeast(least),
    };
    let p99 =
        |series: &Series| series.spread(|sample| sample.p99_ms).map_or(f64::INFINITY, |spread| spread.median);
    let tokens =
        batch.throughput() * f64::from(u32::try_from(BATCH)?) / f64::from(u32::try_from(cores.workers())?);
    Ok(vec![
        share("/auth/verify, of the fixed floor", verify, verify_floor, 85.0),
        Claim {
            what: "/auth/verify, p99 in relation to the floor's".to_owned(),
            value: p99(verify) / p99(verify_floor),
            unit: "×",
            bar: Bar::Below(2.0),
        },
        share("/edge/validate of one token, of the fixed floor", one, one_floor, 75.0),
        Claim {
            what: "/edge/validate of 100 tokens, million tokens per second and core".to_owned(),
            value: tokens / 1e6,
            unit: "M/s",
            bar: Bar::AtLeast(1.0),
        },
    ])
}
