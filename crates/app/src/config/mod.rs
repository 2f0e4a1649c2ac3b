//! The configuration: defaults, then `latchkey.toml`, then the environment, then flags.
//!
//! [`settings`] declares every setting in one place, with the macro of [`declaration`]; [`forms`] reads and describes
//! values; [`sources`] merges the sources through the `config` crate into [`values`], each with an origin that errors
//! can name. To add a setting, declare it in [`settings`].
//!
//! The master key and the `INIT_*` secrets are not settings: they come from the environment alone, so that neither a
//! configuration file nor `latchkey config` holds a secret.

mod database_url;
mod declaration;
mod env_vars;
mod forms;
mod settings;
mod sources;
mod spelling;
#[cfg(test)]
mod tests;
mod values;

use std::{path::Path, time::Duration};

use latchkey_delivery::SmtpTls;
use latchkey_domain::{Policy, Unused};
use latchkey_postgres::UrlDefaults;

use self::values::Values;
pub(crate) use self::{
    database_url::{Database, masked},
    env_vars::{EDGE_CLIENT_SECRET, EnvVars, MASTER_KEY, SMTP_PASSWORD, TOKEN},
    forms::LogFormat,
    settings::{Config, DatabaseSettings, Log, MailSection, PolicySettings, Server, Traces, Verify},
    sources::Flag,
};
use crate::{background::FollowEvery, role::Role, server::TlsFiles};

/// The shortest `verify.max_staleness` of a verifier: three signs of life of an idle primary.
const MIN_STALENESS_OF_VERIFIERS: Duration = Duration::from_secs(3);

/// Returns `latchkey.example.toml`.
pub(crate) fn example() -> String {
    declaration::example(&settings::SECTIONS)
}

/// Returns `docs/reference/configuration.md`.
pub(crate) fn reference() -> String {
    declaration::reference(&settings::SECTIONS)
}

impl Config {
    /// Reads all sources; `file` is the argument of `--config`.
    ///
    /// # Errors
    /// Names the first key that is unknown or has a bad value, and the origin of the value.
    pub(crate) fn load(file: Option<&Path>, variables: &EnvVars, flags: &[Flag]) -> anyhow::Result<Self> {
        let config = Self::new(&sources::merge(sources::file(file)?, variables, flags)?)?;
        Ok(Self { url_defaults: UrlDefaults::read(|name| variables.get(name)), ..config })
    }

    fn new(values: &Values) -> anyhow::Result<Self> {
        let config = Self::read(values)?;
        if config.verify.poll_interval >= config.verify.max_staleness {
            values.refuse("verify.max_staleness", "it must be longer than verify.poll_interval")?;
        }
        if config.database.pool_size < 2 && matches!(config.database.url, Database::Postgres(_)) {
            values.refuse("database.pool_size", "PostgreSQL needs at least 2 connections")?;
        }
        if config.server.role == Role::Verifier {
            config.check_verifier(values)?;
        }
        if Unused::new(config.policy.unused_disable, config.policy.unused_delete).is_err() {
            let problem = "it must be longer than policy.unused_disable, which it needs: tokens are disabled before they are deleted";
            values.refuse("policy.unused_delete", problem)?;
        }
        if config.policy.policy().is_err() {
            let problem =
                "it must be shorter than policy.unused_disable: tokens are noticed before they are disabled";
            values.refuse("policy.unused_notice", problem)?;
        }
        config.mail.check(values)?;
        let tls = &config.server_tls;
        match (&tls.certificate, &tls.key) {
            (Some(_), None) => {
                values.refuse(
                    "server.tls.key",
                    "it must name the file with the key of server.tls.certificate",
                )?;
            }
            (None, Some(_)) => {
                values.refuse(
                    "server.tls.certificate",
                    "it must name the file with the certificate of server.tls.key",
                )?;
            }
            (None, None) if tls.client_authorities.is_some() => {
                let problem =
                    "client certificates need TLS: set server.tls.certificate and server.tls.key too";
                values.refuse("server.tls.client_authorities", problem)?;
            }
            _ => {}
        }
        Ok(config)
    }

    /// Refuses what a verifier cannot work with.
    fn check_verifier(&self, values: &Values) -> anyhow::Result<()> {
        if !matches!(self.database.url, Database::Postgres(_)) {
            let problem = "a verifier reads PostgreSQL: set DATABASE_URL to that of a standby";
            values.refuse("server.role", problem)?;
        }
        if self.database.transaction_pooler {
            let problem = "a verifier must know which server it reads: connect it without the pooler";
            values.refuse("database.transaction_pooler", problem)?;
        }
        if self.verify.max_staleness < MIN_STALENESS_OF_VERIFIERS {
            let problem = "for a verifier it must be at least 3s, because an idle primary shows each second that it is there";
            values.refuse("verify.max_staleness", problem)?;
        }
        Ok(())
    }

    /// Returns the files of the server's TLS, if it has TLS.
    pub(crate) fn tls_files(&self) -> Option<TlsFiles> {
        let tls = &self.server_tls;
        Some(TlsFiles {
            certificate: tls.certificate.clone()?,
            key: tls.key.clone()?,
            client_authorities: tls.client_authorities.clone(),
        })
    }
}

impl MailSection {
    /// Refuses what no mail can be sent with.
    fn check(&self, values: &Values) -> anyhow::Result<()> {
        if self.server.is_some() && self.from.is_none() {
            let problem = "it must be the address from which mail is sent, because mail.server is set";
            values.refuse("mail.from", problem)?;
        }
        if self.user.is_some() && self.tls == SmtpTls::None {
            let problem =
                "mail.user needs starttls or tls: its password would cross the network in the clear";
            values.refuse("mail.tls", problem)?;
        }
        if self.ca_file.is_some() && self.tls == SmtpTls::None {
            values.refuse("mail.ca_file", "there is no certificate to check without mail.tls")?;
        }
        Ok(())
    }
}

impl PolicySettings {
    /// Returns the policy of the instance.
    ///
    /// # Errors
    /// If the times for unused tokens are in the wrong order, which [`Config::load`] refuses.
    pub(crate) fn policy(&self) -> anyhow::Result<Policy> {
        Ok(Policy {
            max_lifetime: self.max_lifetime,
            default_lifetime: self.default_lifetime,
            require_expiry: self.require_expiry,
            require_description: self.require_description,
            allow_all_projects: self.allow_all_projects,
            unused: Unused::new(self.unused_disable, self.unused_delete)?.with_notice(self.unused_notice)?,
        })
    }
}

/// Bounds of the timeout of one poll of the change feed.
const MIN_POLL_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_POLL_TIMEOUT: Duration = Duration::from_secs(10);

impl Verify {
    /// Returns how the change feed is polled. While the store announces changes, polling only covers announcements that
    /// get lost, so it is less frequent, but never so rare that the cache would become stale between two polls.
    pub(crate) fn follow_every(&self) -> FollowEvery {
        let announced = self.poll_interval.saturating_mul(10).min(self.max_staleness / 4);
        // An outage is known before the cache becomes stale, so stale responses, where they are allowed, do not wait.
        let timeout = (self.max_staleness / 2).clamp(MIN_POLL_TIMEOUT, MAX_POLL_TIMEOUT);
        FollowEvery { announced: announced.max(self.poll_interval), unannounced: self.poll_interval, timeout }
    }
}
