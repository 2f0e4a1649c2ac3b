//! Measures the first page of the console's list of tokens, compared with the JSON list of the same tokens from the same server.

use std::path::Path;

use latchkey_testkit::cluster::Cluster;

use crate::cores::Cores;
use crate::load::Sample;
use crate::options::Options;
use crate::report::{Bar, Claim, Group};
use crate::rounds::{Contestant, take_turns};
use crate::seeding;
use crate::server::Listener;
use crate::wrk::Wrk;

/// The tokens that the page shows: the newest 50.
const LIST: &str = "/api/admin/api-tokens?sortBy=createdAt&sortOrder=desc&limit=50";
const PAGE: &str = "/console/tokens";

/// The bounds of the page: its median and its 99th percentile in milliseconds, and its median in relation to the JSON list.
const MEDIAN_MS: f64 = 20.0;
const P99_MS: f64 = 60.0;
const MAX_RATIO: f64 = 1.5;

/// Measures over a single connection, because the figure of interest is the time of one page. The page is sent without
/// compression, as the list is.
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
    progress(&format!("console: filling a database with {} tokens", options.many));
    let url = cluster.create_database("console").await?;
    let place = directory.join("console");
    std::fs::create_dir_all(&place)?;
    let server = Listener::server(program, cores, &place, &url)?.as_user().await?;
    seeding::fill_postgres(&url, options.many).await?;
    let contestants = [
        Contestant { name: "JSON list of 50 tokens".to_owned(), request: server.get(LIST) },
        Contestant { name: "page of 50 tokens".to_owned(), request: server.get(PAGE) },
    ];
    let load = Wrk::new(cores, 1)?;
    let series = take_turns(&contestants, &load, options, progress).await?;
    let [list, page] = series.as_slice() else {
        anyhow::bail!("the number of series does not match the contestants")
    };
    let median = |figure: fn(&Sample) -> f64| page.spread(figure).map_or(f64::NAN, |spread| spread.median);
    let claims = vec![
        Claim {
            what: "page of tokens in relation to the JSON list".to_owned(),
            value: page.in_relation_to(list, |sample| sample.p50_ms),
            unit: "×",
            bar: Bar::Below(MAX_RATIO),
        },
        Claim {
            what: "page of tokens, median".to_owned(),
            value: median(|sample| sample.p50_ms),
            unit: "ms",
            bar: Bar::Below(MEDIAN_MS),
        },
        Claim {
            what: "page of tokens, 99th percentile".to_owned(),
            value: median(|sample| sample.p99_ms),
            unit: "ms",
            bar: Bar::Below(P99_MS),
        },
    ];
    Ok((Group { title: "The console's list of tokens, PostgreSQL, one caller".to_owned(), series }, claims))
}
