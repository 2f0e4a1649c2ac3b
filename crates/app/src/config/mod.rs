//! The configuration: built-in defaults, then `latchkey.toml`, then the environment, then flags.
//!
//! `latchkey.example.toml` is the list of all settings and their defaults, for users and for this module ([`known`]).
//! [`layers`] turns each source into values that carry their origin; the `config` crate lays them over one another;
//! [`reader`] and [`values`] make typed values of what is left, with errors that name key and source; [`shown`]
//! prints it back. A new setting is a line in the example file and a field here.
//!
//! The master key and the `INIT_*` secrets are no settings: they come from the environment alone, so that neither a
//! configuration file nor `latchkey config` holds a secret.

mod database_url;
mod environment;
mod known;
mod layers;
mod reader;
mod shown;
#[cfg(test)]
mod tests;
mod values;

use std::{
    net::IpAddr,
    num::{NonZeroU32, NonZeroUsize},
    path::{Path, PathBuf},
    time::Duration,
};

use actix_web::http::header::HeaderName;
use anyhow::ensure;
use latchkey_service::{Reveal, SessionPolicy, WhenStale};
use tracing::level_filters::LevelFilter;

use self::reader::Reader;
pub(crate) use self::{
    database_url::{Database, masked},
    environment::Environment,
    values::LogFormat,
};
use crate::background::FollowEvery;

/// What the command line says about settings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Overrides {
    pub(crate) listen: Option<IpAddr>,
    pub(crate) port: Option<u16>,
    pub(crate) database_url: Option<String>,
    pub(crate) log_level: Option<String>,
    pub(crate) log_format: Option<String>,
}

/// The settings in effect; each is explained in `latchkey.example.toml`.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) server: Server,
    pub(crate) database: DatabaseSettings,
    pub(crate) tokens: Tokens,
    pub(crate) limits: Limits,
    pub(crate) sessions: SessionPolicy,
    /// How long events are kept; `None`: for ever.
    pub(crate) audit_retention: Option<Duration>,
    pub(crate) verify: Verify,
    pub(crate) seen_flush_interval: Duration,
    pub(crate) log: Log,
    pub(crate) master_key_file: Option<PathBuf>,
    /// The same as TOML, passwords masked, each with its origin.
    pub(crate) shown: String,
}

/// `[server]`.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) listen: IpAddr,
    pub(crate) port: u16,
    /// `None`: one for each core.
    pub(crate) workers: Option<NonZeroUsize>,
    pub(crate) request_timeout: Duration,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) trusted_proxies: Vec<IpAddr>,
}

/// `[database]`.
#[derive(Debug)]
pub(crate) struct DatabaseSettings {
    pub(crate) url: Database,
    pub(crate) pool_size: NonZeroU32,
    pub(crate) statement_timeout: Duration,
    pub(crate) acquire_timeout: Duration,
    pub(crate) transaction_pooler: bool,
}

/// `[tokens]`.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) reveal: Reveal,
    pub(crate) allow_admin: bool,
}

/// `[limits]`.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) api_tokens: NonZeroU32,
    pub(crate) personal_tokens: NonZeroU32,
}

/// `[verify]`.
#[derive(Debug)]
pub(crate) struct Verify {
    pub(crate) entries: NonZeroU32,
    pub(crate) poll_interval: Duration,
    pub(crate) max_staleness: Duration,
    pub(crate) when_stale: WhenStale,
    pub(crate) unknown_per_second: NonZeroU32,
    /// `None`: `Authorization` alone.
    pub(crate) header: Option<HeaderName>,
}

/// Bounds of how long one look for changes may take.
const MIN_PATIENCE: Duration = Duration::from_secs(1);
const MAX_PATIENCE: Duration = Duration::from_secs(10);

impl Verify {
    /// While changes are announced, looking besides is for those that get lost on the way: seldom, but so often that
    /// memory is trusted throughout.
    pub(crate) fn follow_every(&self) -> FollowEvery {
        let seldom = self.poll_interval.saturating_mul(10).min(self.max_staleness / 4);
        // Known to be away before memory is too old: then stale answers, where they may be given, keep nobody waiting.
        let patience = (self.max_staleness / 2).clamp(MIN_PATIENCE, MAX_PATIENCE);
        FollowEvery { announced: seldom.max(self.poll_interval), unannounced: self.poll_interval, patience }
    }
}

/// `[log]`.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) level: LevelFilter,
    pub(crate) format: LogFormat,
}

impl Config {
    /// Reads all sources; `file` is what `--config` names.
    ///
    /// # Errors
    /// Names the first key that is unknown or has a bad value, and where it was found.
    pub(crate) fn load(
        file: Option<&Path>,
        environment: &Environment,
        flags: &Overrides,
    ) -> anyhow::Result<Self> {
        Self::of(layers::file(file)?, environment, flags)
    }

    fn of(file: layers::Layer, environment: &Environment, flags: &Overrides) -> anyhow::Result<Self> {
        let values = config::Config::builder()
            .add_source(layers::defaults()?)
            .add_source(file)
            .add_source(layers::platform(environment))
            .add_source(layers::environment(environment)?)
            .add_source(layers::flags(flags))
            .build()?;
        let config = Self::read(&Reader(values))?;
        ensure!(
            config.verify.poll_interval < config.verify.max_staleness,
            "bad value for verify.max_staleness: it must be longer than verify.poll_interval"
        );
        Ok(config)
    }

    fn read(reader: &Reader) -> anyhow::Result<Self> {
        let url = reader.read("database.url", str::parse::<Database>)?;
        Ok(Self {
            server: Server {
                listen: reader.read("server.listen", values::address)?,
                port: reader.read("server.port", values::port)?,
                workers: NonZeroUsize::new(reader.read("server.workers", values::workers)?),
                request_timeout: reader.read("server.request_timeout", values::span)?,
                shutdown_timeout: reader.read("server.shutdown_timeout", values::span)?,
                trusted_proxies: reader.read_list("server.trusted_proxies", values::address)?,
            },
            database: DatabaseSettings {
                pool_size: reader.read("database.pool_size", |text| values::pool_size(text, &url))?,
                url,
                statement_timeout: reader.read("database.statement_timeout", values::span)?,
                acquire_timeout: reader.read("database.acquire_timeout", values::span)?,
                transaction_pooler: reader.read("database.transaction_pooler", values::truth)?,
            },
            tokens: Tokens {
                reveal: reader.read("tokens.reveal", values::reveal)?,
                allow_admin: reader.read("tokens.allow_admin", values::truth)?,
            },
            limits: Limits {
                api_tokens: reader.read("limits.api_tokens", values::count)?,
                personal_tokens: reader.read("limits.personal_tokens", values::count)?,
            },
            sessions: SessionPolicy {
                ttl: reader.read("sessions.ttl", values::session_ttl)?,
                max_per_user: reader.read("sessions.max_per_user", values::count)?.get(),
            },
            audit_retention: reader.read("audit.retention", values::retention)?,
            verify: Verify {
                entries: reader.read("verify.entries", values::entries)?,
                poll_interval: reader.read("verify.poll_interval", values::span)?,
                max_staleness: reader.read("verify.max_staleness", values::span)?,
                when_stale: reader.read("verify.when_stale", values::when_stale)?,
                unknown_per_second: reader.read("verify.unknown_per_second", values::count)?,
                header: reader.read("verify.header", values::optional_header)?,
            },
            seen_flush_interval: reader.read("seen.flush_interval", values::span)?,
            log: Log {
                level: reader.read("log.level", values::log_level)?,
                format: reader.read("log.format", values::log_format)?,
            },
            master_key_file: reader.read("secrets.master_key_file", values::optional_path)?,
            shown: shown::toml(reader)?,
        })
    }
}
