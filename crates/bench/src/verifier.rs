//! Measures a verifier on a standby beside the full server of its primary.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use latchkey_testkit::cluster::Cluster;
use reqwest::{Client, StatusCode};
use tokio::time::sleep;

use crate::cores::Cores;
use crate::load::Request;
use crate::options::Options;
use crate::report::{Bar, Claim, Group};
use crate::rounds::{Contestant, Spread, take_turns};
use crate::server::Listener;
use crate::stopwatch::Stopwatch;
use crate::wrk::Wrk;
use crate::{seeding, start_up};

/// The settings of a verifier, besides the URL of its standby.
const SETTINGS: &str = "[server]\nrole = \"verifier\"\n";
/// The number of tokens that are revoked, one after the other.
const REVOCATIONS: usize = 30;
/// How long a change may take to reach the verifier before the run fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// Measures the start of a verifier, `/auth/verify` there and at a full server in turns, and how long revocations take to
/// reach it. The database holds many tokens.
///
/// # Errors
/// When a server or its database fails, or a change does not arrive.
pub async fn measure(
    program: &Path,
    cores: &Cores,
    directory: &Path,
    options: &Options,
    progress: &impl Fn(&str),
) -> anyhow::Result<(Group, Vec<Claim>)> {
    let (primary_place, standby_place) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let primary = Cluster::start(primary_place.path(), |program| cores.measured(program)).await?;
    progress(&format!("verifier: filling a database with {} tokens", options.many));
    let [place, place_of_verifier] = ["full", "verifier"].map(|name| directory.join("verifier").join(name));
    fs::create_dir_all(&place)?;
    fs::create_dir_all(&place_of_verifier)?;
    fs::write(place_of_verifier.join("latchkey.toml"), SETTINGS)?;
    let url = primary.create_database("verifier").await?;
    let full = Listener::server(program, cores, &place, &url)?;
    let mut secrets = full.create_tokens_for_all_projects(REVOCATIONS + 1).await?;
    seeding::fill_postgres(&url, options.many).await?;
    let standby = primary.standby(standby_place.path(), |program| cores.measured(program)).await?;
    let url = standby.url("verifier");

    progress("verifier: starts");
    let start = start_up::again_on(program, &place_of_verifier, &url, options.starts)?;
    let verifier = Listener::server(program, cores, &place_of_verifier, &url)?;
    let kept = secrets.pop().context("no token was created")?;
    let verify = |server: &Listener, secret: &str| Request {
        authorization: secret.to_owned(),
        ..server.get("/auth/verify")
    };
    let contestants = [("verifier on a standby", &verifier), ("full server", &full)]
        .map(|(name, server)| Contestant { name: name.to_owned(), request: verify(server, &kept) });
    for contestant in &contestants {
        until(&contestant.request, StatusCode::OK).await?;
    }
    let series = take_turns(&contestants, &Wrk::new(cores, options.connections)?, options, progress).await?;
    let [of_verifier, of_full] = &series[..] else {
        anyhow::bail!("the number of series does not match the contestants")
    };
    let share = Claim::share("/auth/verify on a standby, of the full server", of_verifier, of_full, 95.0);

    progress("verifier: revocations");
    let mut delays = Vec::new();
    for secret in &secrets {
        delays.push(revocation(&full, &verify(&verifier, secret), secret).await?);
    }
    let delays = Spread::of(delays).context("no token was revoked")?;
    let claim = |what: String, value, bar| Claim { what, value, unit: "ms", bar: Bar::Below(bar) };
    let claims = vec![
        claim(
            format!("start of a verifier to ready with {} tokens, median", options.many),
            start.median,
            150.0,
        ),
        share,
        claim("revocation until the verifier refuses, median".to_owned(), delays.median, 250.0),
        claim(format!("revocation until the verifier refuses, longest of {REVOCATIONS}"), delays.max, 250.0),
    ];
    Ok((Group { title: "Verification from a standby".to_owned(), series }, claims))
}

/// Revokes a token and returns the milliseconds from the response until the verifier, which has it in memory, refuses it.
async fn revocation(full: &Listener, verify: &Request, secret: &str) -> anyhow::Result<f64> {
    until(verify, StatusCode::OK).await?;
    let Request { url, authorization, .. } = full.get(&format!("/api/admin/api-tokens/{secret}"));
    let deleted = Client::new().delete(url).header("authorization", authorization).send().await?;
    ensure!(deleted.status().is_success(), "the token was not revoked: {}", deleted.status());
    let revoked = Stopwatch::start();
    until(verify, StatusCode::UNAUTHORIZED).await?;
    Ok(revoked.elapsed().as_secs_f64() * 1_000.0)
}

/// Verifies a token until the response has this status.
async fn until(verify: &Request, wanted: StatusCode) -> anyhow::Result<()> {
    let (client, started) = (Client::new(), Stopwatch::start());
    loop {
        let sent = client.get(&verify.url).header("authorization", &verify.authorization).send();
        let status = sent.await?.status();
        if status == wanted {
            return Ok(());
        }
        ensure!(started.elapsed() < PATIENCE, "the status is {status}, not {wanted}, after {PATIENCE:?}");
        sleep(Duration::from_millis(1)).await;
    }
}
