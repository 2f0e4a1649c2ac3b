//! Opens the store that the database URL selects. A new store is a variant of [`Connected`] and an arm for each function.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context as _, bail};
use latchkey_memory::MemoryStore;
use latchkey_ports::{Archive, Clock as _, SchemaState, Store};
use latchkey_postgres::{Access, Client, OpenError, PostgresSettings, PostgresStore, TlsSettings};
use latchkey_sqlite::{Location, SqliteSettings, SqliteStore};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::task::spawn_blocking;

use crate::{
    clock::SystemClock,
    config::{Config, Database, DatabaseSettings, masked},
    output::Usage,
    role::Role,
};

/// The connections of a verifier to the primary: one that writes, and one for signs of life.
const CONNECTIONS_TO_PRIMARY: usize = 2;

/// Whether a missing database is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfMissing {
    /// As servers do, and `latchkey migrate`.
    Create,
    /// Commands are for a database that is there: a new one would only hide that they look in the wrong place.
    Fail,
}

/// A store that is connected, before its migrations.
pub(crate) enum Connected {
    Memory(Arc<MemoryStore>),
    Sqlite(SqliteStore),
    Postgres { store: PostgresStore, shown: String },
}

impl Connected {
    /// Connects to a database with the configured settings. The file of SQLite is created if it is missing.
    ///
    /// # Errors
    /// Says what the operator can do; contains no password.
    pub(crate) async fn to(database: &Database, config: &Config) -> anyhow::Result<Self> {
        let settings = &config.database;
        match database {
            Database::Memory => Ok(Self::Memory(Arc::new(MemoryStore::new(SystemClock::new().now())))),
            Database::SqliteMemory => sqlite(Location::Memory, settings).await,
            Database::SqliteFile(path) => sqlite(Location::File(path.clone()), settings).await,
            Database::Postgres(url) => {
                Self::postgres(url, config, tls_of(config), config.server.role.access())
            }
        }
    }

    /// Connects to another database than the configured one, with the configured limits. How to speak TLS to it is in its URL
    /// alone.
    pub(crate) async fn to_other(database: &Database, config: &Config) -> anyhow::Result<Self> {
        match database {
            Database::Postgres(url) => Self::postgres(url, config, TlsSettings::default(), Access::Full),
            other => Self::to(other, config).await,
        }
    }

    /// Connects to a database that has tables.
    ///
    /// # Errors
    /// As [`Connected::to`]; and if the database is missing, or has no tables. Then nothing is created.
    pub(crate) async fn to_existing(database: &Database, config: &Config) -> anyhow::Result<Self> {
        check_file(database)?;
        let connected = Self::to(database, config).await?;
        if connected.schema_state().await?.last == 0 {
            bail!(missing(database, &format!("the database {} has no tables", database.shown())));
        }
        Ok(connected)
    }

    fn postgres(
        url: &SecretString,
        config: &Config,
        tls: TlsSettings,
        access: Access,
    ) -> anyhow::Result<Self> {
        let shown = masked(url.expose_secret());
        let pool_size = usize::try_from(config.database.pool_size)?;
        let store = postgres(url, config, tls, access, pool_size).with_context(|| shown.clone())?;
        Ok(Self::Postgres { store, shown })
    }

    /// Applies missing migrations and returns their number.
    pub(crate) async fn migrate(&self) -> anyhow::Result<usize> {
        match self {
            Self::Memory(_) => Ok(0),
            Self::Sqlite(store) => {
                let store = store.clone();
                let migrated = spawn_blocking(move || store.migrate());
                Ok(migrated.await.context("opening the database was canceled")??)
            }
            Self::Postgres { store, shown } => store.migrate().await.with_context(|| shown.clone()),
        }
    }

    /// Applies missing migrations, or checks that there are none where the role administers nothing.
    ///
    /// # Errors
    /// As [`Connected::migrate`]; otherwise says what to do.
    pub(crate) async fn prepare(&self, role: Role) -> anyhow::Result<()> {
        if role.administers() {
            self.migrate().await?;
            return Ok(());
        }
        match self.schema_state().await? {
            SchemaState { is_newer: true, .. } => {
                bail!("the database was migrated by a newer Latchkey: upgrade this verifier to that version")
            }
            SchemaState { pending: 0, .. } => Ok(()),
            SchemaState { pending, .. } => bail!(
                "the database lacks {pending} migrations of this version, and a verifier applies none: upgrade the servers \
                 of the primary first, or run `latchkey migrate` there, and start this verifier when the standby has them"
            ),
        }
    }

    /// Returns which migrations the database has, and changes nothing.
    pub(crate) async fn schema_state(&self) -> anyhow::Result<SchemaState> {
        match self {
            Self::Memory(_) => Ok(SchemaState { last: 1, pending: 0, is_newer: false }),
            Self::Sqlite(store) => {
                let store = store.clone();
                let state = spawn_blocking(move || store.schema_state());
                Ok(state.await.context("opening the database was canceled")??)
            }
            Self::Postgres { store, shown } => store.schema_state().await.with_context(|| shown.clone()),
        }
    }

    /// Returns the store as one that can be archived.
    ///
    /// # Errors
    /// [`Usage`] for a store in memory, whose content no other process reaches.
    pub(crate) fn archive(self) -> anyhow::Result<Arc<dyn Archive>> {
        match self {
            Self::Memory(_) => bail!(Usage("a database in memory cannot be copied".to_owned())),
            Self::Sqlite(store) => Ok(Arc::new(store)),
            Self::Postgres { store, .. } => Ok(Arc::new(store)),
        }
    }

    /// Returns the store itself.
    pub(crate) fn into_store(self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => store,
            Self::Sqlite(store) => Arc::new(store),
            Self::Postgres { store, .. } => Arc::new(store),
        }
    }
}

/// Fails for a SQLite database that is missing.
///
/// # Errors
/// Says what the operator can do.
pub(crate) fn check_file(database: &Database) -> anyhow::Result<()> {
    match database {
        Database::SqliteFile(path) if !is_there(path) => {
            bail!(missing(database, &format!("there is no database {}", shown(path))))
        }
        _ => Ok(()),
    }
}

/// Whether there is a database in the file. An empty file is none: SQLite leaves one behind if a start is interrupted.
pub(crate) fn is_there(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() > 0)
}

fn missing(database: &Database, what: &str) -> String {
    let other = match database {
        Database::Postgres(_) => "set DATABASE_URL or --database-url to the one of the server",
        _ => "run this in the directory of the server, or set DATABASE_URL or --database-url to its database",
    };
    format!("{what}: {other}. A new database is made by `latchkey serve` and `latchkey migrate`")
}

/// Returns the absolute path, because the operator may be in another directory than the server.
fn shown(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

async fn sqlite(location: Location, settings: &DatabaseSettings) -> anyhow::Result<Connected> {
    let settings = SqliteSettings {
        location,
        readers: settings.pool_size,
        busy_timeout: settings.statement_timeout,
        acquire_timeout: settings.acquire_timeout,
    };
    let opened = spawn_blocking(move || SqliteStore::open(settings));
    Ok(Connected::Sqlite(opened.await.context("opening the database was canceled")??))
}

fn tls_of(config: &Config) -> TlsSettings {
    let tls = &config.database_tls;
    TlsSettings {
        mode: tls.mode,
        root_certificates: tls.root_certificates.clone(),
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
    }
}

/// Returns the store of the primary that a verifier writes last uses to, if its URL is known.
///
/// # Errors
/// If the URL cannot work. It is not connected to yet.
pub(crate) fn primary(config: &Config) -> anyhow::Result<Option<Arc<dyn Store>>> {
    let Some(url) = &config.database.primary_url else { return Ok(None) };
    let store = postgres(url, config, tls_of(config), Access::Full, CONNECTIONS_TO_PRIMARY)
        .with_context(|| format!("database.primary_url, {}", masked(url.expose_secret())))?;
    Ok(Some(Arc::new(store)))
}

/// Connects to the database of another program. How to speak TLS to it is in its URL alone.
///
/// # Errors
/// Says what the operator can do; contains no password.
pub(crate) async fn connect_foreign(
    url: &SecretString,
    config: &Config,
    access: Access,
) -> Result<Client, OpenError> {
    latchkey_postgres::connect_client(&postgres_settings(url, config, TlsSettings::default(), access, 1))
        .await
}

fn postgres(
    url: &SecretString,
    config: &Config,
    tls: TlsSettings,
    access: Access,
    pool_size: usize,
) -> Result<PostgresStore, OpenError> {
    PostgresStore::connect(&postgres_settings(url, config, tls, access, pool_size))
}

fn postgres_settings(
    url: &SecretString,
    config: &Config,
    tls: TlsSettings,
    access: Access,
    pool_size: usize,
) -> PostgresSettings {
    let settings = &config.database;
    PostgresSettings {
        url: url.expose_secret().to_owned(),
        access,
        tls,
        url_defaults: config.url_defaults.clone(),
        pool_size,
        statement_timeout: settings.statement_timeout,
        acquire_timeout: settings.acquire_timeout,
        transaction_pooler: settings.transaction_pooler,
    }
}
