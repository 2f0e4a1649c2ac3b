//! Opens the store that the database URL selects. A new store is a variant of `Database` and an arm here.

use std::sync::Arc;

use anyhow::Context as _;
use latchkey_memory::MemoryStore;
use latchkey_ports::{Clock as _, Store};
use latchkey_postgres::{PostgresSettings, PostgresStore, TlsSettings};
use latchkey_sqlite::{Location, SqliteSettings, SqliteStore};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::task::spawn_blocking;

use crate::{
    clock::SystemClock,
    config::{Config, Database, DatabaseSettings, masked},
};

/// A store with all migrations applied.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    /// The number of migrations that were applied now.
    pub(crate) migrations: usize,
}

/// Opens the configured store and applies missing migrations. Several processes can do so at once.
///
/// # Errors
/// Says what the operator can do; contains no password.
pub(crate) async fn open(config: &Config) -> anyhow::Result<Opened> {
    let settings = &config.database;
    match &settings.url {
        Database::Memory => {
            Ok(Opened { store: Arc::new(MemoryStore::new(SystemClock::new().now())), migrations: 0 })
        }
        Database::SqliteMemory => sqlite(Location::Memory, settings).await,
        Database::SqliteFile(path) => sqlite(Location::File(path.clone()), settings).await,
        Database::Postgres(url) => postgres(url, config).await,
    }
}

async fn sqlite(location: Location, settings: &DatabaseSettings) -> anyhow::Result<Opened> {
    let settings = SqliteSettings {
        location,
        readers: settings.pool_size,
        busy_timeout: settings.statement_timeout,
        acquire_timeout: settings.acquire_timeout,
    };
    let opened = spawn_blocking(move || {
        let store = SqliteStore::open(settings)?;
        let migrations = store.migrate()?;
        anyhow::Ok(Opened { store: Arc::new(store), migrations })
    });
    opened.await.context("opening the database was canceled")?
}

async fn postgres(url: &SecretString, config: &Config) -> anyhow::Result<Opened> {
    let (settings, tls) = (&config.database, &config.database_tls);
    let masked_url = || masked(url.expose_secret());
    let store = PostgresStore::connect(&PostgresSettings {
        url: url.expose_secret().to_owned(),
        tls: TlsSettings {
            mode: tls.mode,
            root_certificates: tls.root_certificates.clone(),
            certificate: tls.certificate.clone(),
            key: tls.key.clone(),
        },
        pool_size: usize::try_from(settings.pool_size)?,
        statement_timeout: settings.statement_timeout,
        acquire_timeout: settings.acquire_timeout,
        transaction_pooler: settings.transaction_pooler,
    })
    .with_context(masked_url)?;
    let migrations = store.migrate().await.with_context(masked_url)?;
    Ok(Opened { store: Arc::new(store), migrations })
}
