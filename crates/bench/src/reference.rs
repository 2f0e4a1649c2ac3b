//! Compares Latchkey with Unleash: both receive the same requests in turns, on the same PostgreSQL server.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use latchkey_testkit::cluster::Cluster;
use serde_json::{Value, json};

use crate::cores::Cores;
use crate::options::Options;
use crate::report::{Bar, Claim, Group};
use crate::rounds::{Contestant, Series, take_turns};
use crate::seeding;
use crate::server::Listener;
use crate::wrk::Wrk;

/// The number of tokens in the smaller and in the larger database.
const TOKENS: [u32; 2] = [1_000, 100_000];
/// The minimum seconds of a round with the larger database, where Unleash serves about one list per second.
const MIN_SECONDS_MANY: u32 = 20;

/// The programs to compare and the environment that they run in.
pub struct Contest<'a> {
    /// The `latchkey` binary.
    pub program: &'a Path,
    /// The directory where Unleash is installed.
    pub folder: &'a Path,
    pub cores: &'a Cores,
    pub directory: &'a Path,
}

impl Contest<'_> {
    /// Measures `/edge/validate` of one token and the list of a project's 10 tokens with few tokens in the database,
    /// then the list with many.
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
        let [few, many] = TOKENS;
        progress("reference: filling databases");
        let few = self.pair(&cluster, few).await?;
        let mut contestants = Vec::new();
        for (name, server) in few.named() {
            let body: Value = serde_json::from_str(&server.body().await?)?;
            let secret = body.pointer("/tokens/0/secret").context("the list has no secret")?;
            let request = server.post("/edge/validate", &json!({ "tokens": [secret] }));
            contestants
                .push(Contestant { name: format!("{name}, validate 1, {} tokens", few.tokens), request });
        }
        contestants.extend(few.lists());
        let load = Wrk::new(self.cores, options.connections)?;
        let mut series = take_turns(&contestants, &load, options, progress).await?;
        let many = self.pair(&cluster, many).await?;
        let options = Options { seconds: options.seconds.max(MIN_SECONDS_MANY), ..options.clone() };
        series.extend(take_turns(&many.lists(), &load, &options, progress).await?);
        let claims = claims(&series)?;
        Ok((Group { title: "Beside unleash-server 6.10.1, PostgreSQL".to_owned(), series }, claims))
    }

    async fn pair(&self, cluster: &Cluster, tokens: u32) -> anyhow::Result<Pair> {
        let place = self.directory.join(format!("reference-{tokens}"));
        fs::create_dir_all(&place)?;
        let url = cluster.create_database(&format!("latchkey_{tokens}")).await?;
        let latchkey = Listener::server(self.program, self.cores, &place, &url)?;
        latchkey.create_tokens().await?;
        seeding::fill_postgres(&url, tokens).await?;
        let url = cluster.create_database(&format!("reference_{tokens}")).await?;
        let reference = Listener::reference(self.folder, self.cores, &url).await?;
        reference.create_tokens().await?;
        seeding::fill_reference(&url, tokens).await?;
        Ok(Pair { latchkey, reference, tokens })
    }
}

struct Pair {
    latchkey: Listener,
    reference: Listener,
    tokens: u32,
}

impl Pair {
    fn named(&self) -> [(&'static str, &Listener); 2] {
        [("latchkey", &self.latchkey), ("reference", &self.reference)]
    }

    fn lists(&self) -> Vec<Contestant> {
        let list = |(name, server): (&str, &Listener)| Contestant {
            name: format!("{name}, list, {} tokens", self.tokens),
            request: server.list(),
        };
        self.named().map(list).into()
    }
}

fn claims(series: &[Series]) -> anyhow::Result<Vec<Claim>> {
    let [validate, validate_reference, few, few_reference, many, many_reference] = series else {
        anyhow::bail!("the number of series does not match the contestants")
    };
    let times = |what: &str, ours: &Series, theirs: &Series, min| Claim {
        what: format!("{what}, times Unleash's requests per second"),
        value: ours.in_relation_to(theirs, |sample| sample.requests_per_second),
        unit: "×",
        bar: Bar::AtLeast(min),
    };
    Ok(vec![
        times("/edge/validate of one token, 1,000 tokens", validate, validate_reference, 40.0),
        times("a project's 10 tokens, 1,000 tokens", few, few_reference, 100.0),
        times("a project's 10 tokens, 100,000 tokens", many, many_reference, 10_000.0),
    ])
}
