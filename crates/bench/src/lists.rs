//! Measures the first page of every list with few and with many projects in the database: the cost of a page must not
//! depend on the length of the list.

use latchkey_testkit::cluster::Cluster;
use std::path::Path;

use crate::cores::Cores;
use crate::options::Options;
use crate::report::{Bar, Claim, Group};
use crate::rounds::{Contestant, Series, take_turns};
use crate::seeding;
use crate::server::Listener;
use crate::wrk::Wrk;

/// Projects in the larger database, with 1,000 tokens each.
const MANY_PROJECTS: u32 = 1_000;
/// Projects in the smaller database, with 1,000 tokens each.
const FEW_PROJECTS: u32 = 10;
/// The limit for the median time of a page with many projects, relative to few.
const MAX_RATIO: f64 = 3.0;

/// The name in the report and the path of every list.
const LISTS: [(&str, &str); 12] = [
    ("projects", "/api/admin/projects?limit=100"),
    ("tokens of a project", "/api/admin/projects/seed-7/api-tokens?limit=100"),
    ("tokens of the instance", "/api/admin/api-tokens?limit=100"),
    (
        "tokens of a kind and environment",
        "/api/admin/api-tokens?type=frontend&environment=production&limit=100",
    ),
    ("tokens of a name", "/api/admin/api-tokens/seed-77"),
    ("users", "/api/admin/user-admin?limit=100"),
    ("members of a project", "/api/admin/projects/seed-7/access"),
    ("environments", "/api/admin/environments"),
    ("environments of a project", "/api/admin/environments/project/seed-7"),
    ("events", "/api/admin/events?limit=100"),
    ("events of a type", "/api/admin/search/events?type=IS:api-token-created&limit=100"),
    ("events of a project", "/api/admin/projects/seed-7/events?limit=100"),
];

/// Measures all lists over a single connection, because the figure of interest is the time of one page.
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
    let mut servers = Vec::new();
    for projects in [FEW_PROJECTS, MANY_PROJECTS] {
        progress(&format!("lists: filling a database with {projects} projects of 1000 tokens"));
        let place = directory.join(format!("lists-{projects}"));
        std::fs::create_dir_all(&place)?;
        let url = cluster.create_database(&format!("lists_{projects}")).await?;
        let server = Listener::server(program, cores, &place, &url)?;
        seeding::fill_lists(&url, projects).await?;
        servers.push((projects, server));
    }
    let mut contestants = Vec::new();
    for (name, path) in LISTS {
        for (projects, server) in &servers {
            contestants
                .push(Contestant { name: format!("{name}, {projects} projects"), request: server.get(path) });
        }
    }
    let load = Wrk::new(cores, 1)?;
    // A page takes about a millisecond, so a second or two yields enough samples for a median.
    let options = Options { seconds: options.seconds.min(2), warm_up: 1, ..options.clone() };
    let series = take_turns(&contestants, &load, &options, progress).await?;
    let claim = |((name, _), pair): (&(&str, &str), &[Series])| {
        let [few, many] = pair else { anyhow::bail!("the number of series does not match the contestants") };
        Ok(Claim {
            what: format!("{name}, {MANY_PROJECTS} projects in relation to {FEW_PROJECTS}"),
            value: many.in_relation_to(few, |sample| sample.p50_ms),
            unit: "×",
            bar: Bar::Below(MAX_RATIO),
        })
    };
    let claims = LISTS.iter().zip(series.chunks(2)).map(claim).collect::<anyhow::Result<_>>()?;
    Ok((Group { title: "First pages of lists, PostgreSQL, one caller".to_owned(), series }, claims))
}
