//! What the database URL leaves open, as libpq fills it from the environment variables that all clients of PostgreSQL read.

use std::{fmt, path::PathBuf};

use tokio_postgres::Config;

use crate::{
    errors::OpenError,
    tls::{TlsError, TlsSettings},
};

/// The values of `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`, `PGDATABASE` and `PGSSL…`.
#[derive(Clone, Default)]
pub struct UrlDefaults {
    host: Option<String>,
    port: Option<String>,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    tls_mode: Option<String>,
    root_certificates: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

/// Without the values, one of which is a password.
impl fmt::Debug for UrlDefaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrlDefaults").finish_non_exhaustive()
    }
}

impl UrlDefaults {
    /// Reads the variables by this function.
    pub fn read<'v>(variable: impl Fn(&str) -> Option<&'v str>) -> Self {
        let text = |name: &str| variable(name).map(str::to_owned);
        let path = |name: &str| variable(name).map(PathBuf::from);
        Self {
            host: text("PGHOST"),
            port: text("PGPORT"),
            user: text("PGUSER"),
            password: text("PGPASSWORD"),
            database: text("PGDATABASE"),
            tls_mode: text("PGSSLMODE"),
            root_certificates: path("PGSSLROOTCERT"),
            certificate: path("PGSSLCERT"),
            key: path("PGSSLKEY"),
        }
    }

    /// Returns the URL, in which each host without a port has the default one: the driver would take 5432 at once.
    pub(crate) fn with_port(&self, url: &str) -> String {
        let Some(port) = &self.port else { return url.to_owned() };
        let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
        let (login, place) = match rest.split_once('@') {
            Some((login, place)) => (format!("{login}@"), place),
            None => (String::new(), rest),
        };
        let end = place.find(['/', '?']).unwrap_or(place.len());
        let (hosts, path) = place.split_at(end);
        let hosts = hosts.split(',').map(|host| {
            let name = host.rsplit_once(']').map_or(host, |(_, after)| after);
            if host.is_empty() || name.contains(':') { host.to_owned() } else { format!("{host}:{port}") }
        });
        format!("{scheme}://{login}{}{path}", hosts.collect::<Vec<_>>().join(","))
    }

    /// Fills what the URL leaves open.
    ///
    /// # Errors
    /// [`OpenError::Variable`] for a port that is no number.
    pub(crate) fn fill(&self, config: &mut Config) -> Result<(), OpenError> {
        if config.get_hosts().is_empty()
            && let Some(host) = &self.host
        {
            config.host(host);
            if let Some(port) = &self.port {
                config.port(port.parse().map_err(|_| OpenError::Variable("PGPORT"))?);
            }
        }
        if let (None, Some(user)) = (config.get_user(), &self.user) {
            config.user(user);
        }
        if let (None, Some(password)) = (config.get_password(), &self.password) {
            config.password(password);
        }
        if let (None, Some(database)) = (config.get_dbname(), &self.database) {
            config.dbname(database);
        }
        Ok(())
    }

    /// Fills what the URL and the settings leave open about TLS.
    ///
    /// # Errors
    /// [`TlsError::Mode`] for an unknown mode.
    pub(crate) fn fill_tls(&self, settings: &mut TlsSettings) -> Result<(), TlsError> {
        if let (None, Some(mode)) = (settings.mode, &self.tls_mode) {
            settings.mode = Some(mode.parse()?);
        }
        for (setting, default) in [
            (&mut settings.root_certificates, &self.root_certificates),
            (&mut settings.certificate, &self.certificate),
            (&mut settings.key, &self.key),
        ] {
            if setting.is_none() {
                setting.clone_from(default);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use tokio_postgres::config::Host;

    use super::*;
    use crate::TlsMode;

    fn defaults() -> UrlDefaults {
        UrlDefaults::read(|name| match name {
            "PGHOST" => Some("db"),
            "PGPORT" => Some("6000"),
            "PGUSER" => Some("ed"),
            "PGPASSWORD" => Some("hush"),
            "PGDATABASE" => Some("keys"),
            "PGSSLMODE" => Some("verify-full"),
            _ => None,
        })
    }

    fn filled(url: &str) -> String {
        let mut config = Config::from_str(&defaults().with_port(url)).expect("a URL");
        defaults().fill(&mut config).expect("filled");
        let hosts = config.get_hosts().iter().zip(config.get_ports()).map(|(host, port)| match host {
            Host::Tcp(host) => format!("{host}:{port}"),
            Host::Unix(path) => format!("{}:{port}", path.display()),
        });
        let password = config.get_password().map(String::from_utf8_lossy).unwrap_or_default();
        format!(
            "{}:{password}@{}/{}",
            config.get_user().unwrap_or_default(),
            hosts.collect::<Vec<_>>().join(","),
            config.get_dbname().unwrap_or_default()
        )
    }

    #[test]
    fn the_variables_fill_what_the_url_leaves_open() {
        for (url, expected) in [
            ("postgres://", "ed:hush@db:6000/keys"),
            ("postgres:///d", "ed:hush@db:6000/d"),
            ("postgres://h/d", "ed:hush@h:6000/d"),
            ("postgres://u:p@h:1/d", "u:p@h:1/d"),
            ("postgres://u@h,i:2/d?connect_timeout=3", "u:hush@h:6000,i:2/d"),
            ("postgres://u:p:q@[::1]/d", "u:p:q@::1:6000/d"),
        ] {
            assert_eq!(filled(url), expected, "{url}");
        }
        let mut open = TlsSettings::default();
        defaults().fill_tls(&mut open).expect("a mode");
        assert_eq!(open.mode, Some(TlsMode::VerifyFull));
        let mut settings = TlsSettings { mode: Some(TlsMode::Disable), ..TlsSettings::default() };
        defaults().fill_tls(&mut settings).expect("a mode");
        assert_eq!(settings.mode, Some(TlsMode::Disable));
    }

    #[test]
    fn bad_variables_are_named() {
        let bad = UrlDefaults::read(|name| match name {
            "PGHOST" => Some("db"),
            "PGPORT" => Some("hush"),
            _ => None,
        });
        let error = bad.fill(&mut Config::new()).expect_err("no port").to_string();
        assert!(error.contains("PGPORT") && !error.contains("hush"), "{error}");
        assert_eq!(format!("{bad:?}"), "UrlDefaults { .. }");
    }
}
