//! `latchkey doctor`: looks at everything that a server depends on, changes nothing, and says what to do about each problem.

#[cfg(test)]
mod tests;

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::Args;
use latchkey_crypto::KeyRing;
use latchkey_domain::Timestamp;
use latchkey_ports::{Clock as _, ErrorChain};
use latchkey_postgres::ServerInfo;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde::Serialize;

use crate::{
    admin_token_file,
    clock::SystemClock,
    commands::key_usage::KeyUsage,
    config::{Config, Database, EnvVars, Flag, MASTER_KEY},
    keys, output,
    role::Role,
    server::Certificates,
    store::{self, Connected},
};

/// The oldest PostgreSQL that is supported.
const MIN_POSTGRES: i64 = 14;
/// How long before its end a certificate is a problem.
const EXPIRES_SOON: Duration = Duration::from_secs(21 * 86_400);
/// The difference of clocks that is a problem: lifetimes end at different times in different processes.
const MAX_SKEW: Duration = Duration::from_secs(2);
/// Free space below which to warn, and below which writes may fail at any time.
const LITTLE_SPACE: u64 = 1024 * MIB;
const NO_SPACE: u64 = 64 * MIB;
const MIB: u64 = 1024 * 1024;

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Print the findings as a JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warning,
    Error,
}

#[derive(Debug, Serialize)]
struct Finding {
    level: Level,
    /// The part that was looked at.
    check: &'static str,
    /// What was found and, if it is a problem, what to do.
    text: String,
}

/// The findings so far.
#[derive(Debug, Default)]
struct Report(Vec<Finding>);

impl Report {
    fn add(&mut self, level: Level, check: &'static str, text: impl Into<String>) {
        self.0.push(Finding { level, check, text: text.into() });
    }

    fn ok(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(Level::Ok, check, text);
    }

    fn warning(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(Level::Warning, check, text);
    }

    fn error(&mut self, check: &'static str, text: impl Into<String>) {
        self.add(Level::Error, check, text);
    }
}

/// Looks at everything, and prints what it found.
///
/// # Errors
/// If there is a finding that keeps a server from working.
pub(super) async fn run(
    file: Option<&Path>,
    variables: &EnvVars,
    flags: &[Flag],
    arguments: &DoctorArgs,
) -> anyhow::Result<()> {
    let mut report = Report::default();
    match Config::load(file, variables, flags) {
        Err(error) => report.error("configuration", format!("{error:#}")),
        Ok(config) => {
            let file = file.map_or_else(|| PathBuf::from("latchkey.toml"), Path::to_owned);
            configuration(&mut report, &file, &config);
            server(&mut report, &config);
            let ring = master_keys(&mut report, &config, variables);
            database(&mut report, &config, ring.as_ref()).await;
            files(&mut report, &config);
        }
    }
    if arguments.json {
        output::result(serde_json::to_string_pretty(&report.0)?)?;
    } else {
        for Finding { level, check, text } in &report.0 {
            let level = match level {
                Level::Ok => "ok",
                Level::Warning => "warning",
                Level::Error => "error",
            };
            output::result(format_args!("{level:8} {check:14} {text}"))?;
        }
    }
    match report.0.iter().filter(|finding| finding.level == Level::Error).count() {
        0 => Ok(()),
        1 => bail!("there is an error"),
        count => bail!("there are {count} errors"),
    }
}

fn configuration(report: &mut Report, file: &Path, config: &Config) {
    if !file.exists() {
        return report.ok("configuration", "no file; variables and defaults");
    }
    let effective = config.effective.to_string();
    let has_password = effective.contains(":***@") || effective.contains("password=***");
    if has_password && is_exposed(file) {
        return report.warning(
            "configuration",
            format!(
                "{0} may hold the password of the database, and others can read it: run `chmod 600 {0}`",
                file.display()
            ),
        );
    }
    report.ok("configuration", file.display().to_string());
}

fn server(report: &mut Report, config: &Config) {
    let address = config.server.listen.with_port(config.server.port);
    let Some(tls) = config.tls_files() else {
        if address.is_local() || !config.server.trusted_proxies.is_empty() {
            return report.ok("server", format!("plain HTTP on {address}"));
        }
        return report.warning(
            "server",
            format!(
                "plain HTTP on {address}, so secrets cross the network in clear: set server.tls.certificate and \
                 server.tls.key, or server.trusted_proxies to the proxy that terminates TLS"
            ),
        );
    };
    if let Err(error) = Certificates::load(tls.clone()) {
        return report.error("server", ErrorChain(&error).to_string());
    }
    if is_exposed(&tls.key) {
        report.warning("server", format!("others can read {0}: run `chmod 600 {0}`", tls.key.display()));
    }
    let shown = tls.certificate.display();
    match end_of(&tls.certificate) {
        Err(error) => report.error("server", format!("{shown} cannot be read: {error:#}")),
        Ok(end) => {
            let left = end.millis() - SystemClock::new().now().millis();
            let text = format!("the certificate {shown} is valid until {end}");
            if left < 0 {
                report.error("server", format!("the certificate {shown} expired at {end}: renew it"));
            } else if left < i64::try_from(EXPIRES_SOON.as_millis()).unwrap_or(i64::MAX) {
                report.warning("server", format!("{text}: renew it"));
            } else {
                report.ok("server", text);
            }
        }
    }
}

/// Returns when the first certificate of a file ends.
fn end_of(path: &Path) -> anyhow::Result<Timestamp> {
    let mut certificates = CertificateDer::pem_file_iter(path)?;
    let first = certificates.next().context("it has no certificate")??;
    let (_, certificate) = x509_parser::parse_x509_certificate(&first)?;
    let end = certificate.validity().not_after.timestamp();
    Ok(Timestamp::saturating_from_millis(end.saturating_mul(1_000)))
}

fn master_keys(report: &mut Report, config: &Config, variables: &EnvVars) -> Option<KeyRing> {
    let origin = keys::origin(config, variables);
    let ring = match keys::configured(config, variables) {
        Ok(ring) => ring,
        Err(error) => {
            report.error("master key", format!("{error:#}"));
            return None;
        }
    };
    if let (None, Some(path)) = (&config.secrets.master_key_file, variables.file(MASTER_KEY))
        && is_exposed(Path::new(path))
    {
        report.warning("master key", format!("others can read {path}: mount it with mode 0400"));
    }
    match (&ring, &config.database.url) {
        (None, Database::Postgres(_)) => report.error("master key", origin),
        (None, Database::SqliteFile(path)) if store::is_there(path) => report.error(
            "master key",
            format!(
                "the database has one, and {} is missing: put the file back, or set {MASTER_KEY}",
                keys::beside(path).display()
            ),
        ),
        _ => report.ok("master key", origin),
    }
    ring
}

async fn database(report: &mut Report, config: &Config, ring: Option<&KeyRing>) {
    let database = &config.database.url;
    let shown = database.shown();
    match database {
        Database::Memory | Database::SqliteMemory => {
            return report.warning("database", "in memory: everything is lost when the server stops");
        }
        Database::SqliteFile(path) if !store::is_there(path) => {
            return report.warning(
                "database",
                format!("there is no {} yet: the first start creates it", path.display()),
            );
        }
        _ => {}
    }
    let connected = match Connected::to(database, config).await {
        Ok(connected) => connected,
        Err(error) => return report.error("database", format!("{error:#}")),
    };
    if let Connected::Postgres { store, .. } = &connected {
        let before = SystemClock::new().now();
        match store.server_info().await {
            Ok(info) => {
                let after = SystemClock::new().now();
                postgres(report, &shown, &info, config.server.role);
                clock(report, before, info.now, after);
            }
            Err(error) => return report.error("database", format!("{shown}: {}", ErrorChain(&error))),
        }
    } else {
        report.ok("database", shown.clone());
    }
    match connected.schema_state().await {
        Err(error) => return report.error("migrations", format!("{error:#}")),
        Ok(state) if state.is_newer => {
            let text = "the database was migrated by a newer Latchkey: use that version";
            return report.error("migrations", text);
        }
        Ok(state) if state.pending > 0 && config.server.role.administers() => {
            return report.warning(
                "migrations",
                format!("{} are pending: a start applies them, or `latchkey migrate`", state.pending),
            );
        }
        Ok(state) if state.pending > 0 => {
            return report.error(
                "migrations",
                format!(
                    "{} are pending: run `latchkey migrate` with the settings of a full server",
                    state.pending
                ),
            );
        }
        Ok(_) => report.ok("migrations", "up to date"),
    }
    let Some(ring) = ring else { return };
    let ids = keys::ids(ring);
    match connected.into_store().secrets_by_key(SystemClock::new().now()).await {
        Err(error) => report.error("secrets", ErrorChain(&error).to_string()),
        Ok(counted) => {
            let is_missing = counted.iter().any(|((key, _), count)| count.good > 0 && !ids.contains(key));
            let level = if is_missing { Level::Error } else { Level::Warning };
            let advice = KeyUsage::new(&ids, &counted).advice();
            if advice.is_empty() {
                report.ok("secrets", "all are under the current master key");
            }
            for advice in advice {
                report.add(level, "secrets", advice);
            }
        }
    }
}

fn postgres(report: &mut Report, shown: &str, info: &ServerInfo, role: Role) {
    let ServerInfo { version, number, now: _, is_standby, is_encrypted, is_local } = info;
    if number / 10_000 < MIN_POSTGRES {
        report.error(
            "database",
            format!("{shown} is PostgreSQL {version}: upgrade it to {MIN_POSTGRES} or later"),
        );
    } else if !role.administers() {
        let what = if *is_standby { "a standby" } else { "the primary" };
        report.ok("database", format!("{shown}, {what}, PostgreSQL {version}, to be read only"));
    } else if *is_standby {
        let text = format!("{shown} is a standby, which cannot be written: name the primary");
        report.warning("database", text);
    } else {
        report.ok("database", format!("{shown}, PostgreSQL {version}"));
    }
    if *is_encrypted {
        report.ok("database TLS", "the connection is encrypted");
    } else if *is_local {
        report.ok("database TLS", "none; the server is on this machine");
    } else {
        report.warning(
            "database TLS",
            "the connection crosses the network in clear: set database.tls.mode = \"verify-full\"",
        );
    }
}

/// Compares the clock of the database with ours, as read before and after the database was asked: if the clocks agree,
/// its time lies between those two.
fn clock(report: &mut Report, before: Timestamp, database: i64, after: Timestamp) {
    let skew = (before.millis() - database).max(database - after.millis()).max(0).unsigned_abs();
    let skew = Duration::from_millis(skew);
    if skew > MAX_SKEW {
        report.warning(
            "clock",
            format!("it differs from that of the database by {skew:?}: synchronize both (chrony or systemd-timesyncd)"),
        );
    } else {
        report.ok("clock", "agrees with that of the database");
    }
}

fn files(report: &mut Report, config: &Config) {
    let Database::SqliteFile(database) = &config.database.url else { return };
    for path in [database.clone(), beside(database, "-wal"), beside(database, "-shm")] {
        if is_exposed(&path) {
            report.warning("files", format!("others can read {0}: run `chmod 600 {0}`", path.display()));
        }
    }
    let token = database.with_file_name(admin_token_file::NAME);
    if token.exists() {
        report.warning(
            "files",
            format!(
                "the first admin token is still in {}: store it safely, then delete that file",
                token.display()
            ),
        );
    }
    if !report.0.iter().any(|finding| finding.check == "files") {
        report.ok("files", "those of the database are for their owner alone");
    }
    disk(report, free_space(database));
}

fn disk(report: &mut Report, free: io::Result<u64>) {
    match free {
        Err(error) => report.warning("disk", format!("its free space is unknown: {error}")),
        Ok(free) => {
            let text = format!("{} MiB are free for the database", free / MIB);
            if free < NO_SPACE {
                report.error("disk", format!("{text}: make room, or writes fail"));
            } else if free < LITTLE_SPACE {
                report.warning("disk", format!("{text}: make room"));
            } else {
                report.ok("disk", text);
            }
        }
    }
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Returns the free bytes of the file system on which a file is, or will be.
fn free_space(file: &Path) -> io::Result<u64> {
    let absolute = std::path::absolute(file)?;
    let there = absolute.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let space = rustix::fs::statvfs(there)?;
    Ok(space.f_bavail.saturating_mul(space.f_frsize))
}

/// Whether users other than the owner have any access to a file.
fn is_exposed(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}
