//! Loads the master keys.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use latchkey_crypto::{KeyFileError, KeyRing, MasterKey, SystemEntropy};
use latchkey_ports::KeyId;
use latchkey_service::UseCases;

use crate::{
    config::{Config, Database, EnvVars, MASTER_KEY},
    store,
};

const NONE_FOR_POSTGRES: &str = "\
there is no master key, which PostgreSQL needs to store and recognize secrets.
  Create one, store it safely, and configure it in every process on this database:
      latchkey keys generate
  then set LATCHKEY_MASTER_KEY, or put it into a file of mode 0600 and name that in secrets.master_key_file";

/// Returns the warning about a master key that the oldest token in the database needs and that is not configured.
pub(crate) fn missing(key: KeyId) -> String {
    format!(
        "the oldest token in the database is under the master key {key}, which is not configured here: this process and \
         processes with that key do not recognize each other's tokens. `latchkey keys list` shows what is under which key"
    )
}

/// Compares the configured keys with those of the database. Returns a warning if the oldest token is under another one.
///
/// # Errors
/// If the newest token is as well, and `secrets.accept_unknown_key` is off.
pub(crate) async fn check(use_cases: &UseCases, config: &Config) -> anyhow::Result<Option<String>> {
    match use_cases.unknown_key().await? {
        Some(key) if !config.secrets.accept_unknown_key => bail!(
            "the tokens of the database are under the master key {key}, and configured is {}: set {MASTER_KEY} to the key of \
             the other processes. If it is lost, set secrets.accept_unknown_key = true to go on without those tokens",
            ids_of(use_cases)
        ),
        _ => Ok(use_cases.master_keys.missing().await?.map(missing)),
    }
}

fn ids_of(use_cases: &UseCases) -> String {
    let ids: Vec<_> = use_cases.master_keys.configured().iter().map(ToString::to_string).collect();
    ids.join(" and ")
}

/// Says where the master keys come from, and their ids.
pub(crate) fn origin(config: &Config, variables: &EnvVars) -> String {
    let source = match (variables.origin(MASTER_KEY), &config.secrets.master_key_file, &config.database.url) {
        (Some(variable), _, _) => variable.to_owned(),
        (None, Some(path), _) => format!("the file {}", path.display()),
        (None, None, Database::SqliteFile(database)) => {
            format!("the file {}, beside the database", beside(database).display())
        }
        (None, None, Database::Postgres(_)) => {
            return format!("The master key is missing: set {MASTER_KEY} or secrets.master_key_file.");
        }
        (None, None, Database::Memory | Database::SqliteMemory) => {
            return "The master key is made for each process, as its database is.".to_owned();
        }
    };
    match configured(config, variables) {
        Ok(Some(ring)) => {
            let ids: Vec<_> = ids(&ring).iter().map(ToString::to_string).collect();
            format!("The master key comes from {source}: {}.", ids.join(", "))
        }
        Ok(None) => format!("The master key comes from {source}, which the first start creates."),
        Err(error) => format!("The master key comes from {source}, and cannot be used: {error:#}."),
    }
}

/// Loads the keys from the environment, from the configured file, or from the file beside the SQLite database, in this
/// order. For a new SQLite database, the file is created.
///
/// # Errors
/// Says where a key is missing or malformed and how to create one; never contains a part of a key.
pub(crate) fn ring(config: &Config, variables: &EnvVars) -> anyhow::Result<KeyRing> {
    if let Some(ring) = configured(config, variables)? {
        return Ok(ring);
    }
    match &config.database.url {
        // A new key for an existing database would make every token in it unknown.
        Database::SqliteFile(database) if store::is_there(database) => bail!(
            "the database {} is there, but its master key {} is not: put the file back, or set {MASTER_KEY} to the key \
             that the database was made with",
            database.display(),
            beside(database).display()
        ),
        Database::SqliteFile(database) => create_beside(database),
        Database::Postgres(_) => bail!(NONE_FOR_POSTGRES),
        // Sealed data is lost with the process, so its key can be too.
        Database::Memory | Database::SqliteMemory => {
            Ok(KeyRing::new(MasterKey::generate(&SystemEntropy), []))
        }
    }
}

/// Loads the keys, and creates none.
///
/// # Errors
/// If a key is malformed, or a file with keys cannot be used.
pub(crate) fn configured(config: &Config, variables: &EnvVars) -> anyhow::Result<Option<KeyRing>> {
    if let Some(text) = variables.get(MASTER_KEY) {
        let origin = variables.origin(MASTER_KEY).unwrap_or(MASTER_KEY);
        return KeyRing::parse(text).with_context(|| format!("bad value for {origin}")).map(Some);
    }
    if let Some(path) = &config.secrets.master_key_file {
        return KeyRing::load(path)
            .context("secrets.master_key_file cannot be used (`latchkey keys generate` prints a new key)")
            .map(Some);
    }
    let Database::SqliteFile(database) = &config.database.url else { return Ok(None) };
    match KeyRing::load(&beside(database)) {
        Err(KeyFileError::Missing(_)) => Ok(None),
        loaded => Ok(Some(loaded?)),
    }
}

/// Loads the key file beside a SQLite database, after it was created if it is missing.
pub(crate) fn create_beside(database: &Path) -> anyhow::Result<KeyRing> {
    Ok(KeyRing::load_or_create(&beside(database), &SystemEntropy)?)
}

/// Returns the ids of the keys, the current one first.
pub(crate) fn ids(ring: &KeyRing) -> Vec<KeyId> {
    std::iter::once(ring.current()).chain(ring.older()).map(MasterKey::id).collect()
}

/// Returns the key file beside a SQLite database.
pub(crate) fn beside(database: &Path) -> PathBuf {
    database.with_extension("key")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::Flag;

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn ring_of<const N: usize>(url: &str, variables: [(&str, &str); N]) -> anyhow::Result<KeyRing> {
        let variables = EnvVars::from(variables);
        let flags = [Flag { name: "--database-url", key: "database.url", value: url.to_owned() }];
        ring(&Config::load(None, &variables, &flags).expect("good"), &variables)
    }

    #[test]
    fn the_environment_comes_first() {
        let key = MasterKey::parse(KEY).expect("a key");
        for url in ["memory:", "sqlite://nowhere/x.db", "postgres://h/d"] {
            assert_eq!(ring_of(url, [(MASTER_KEY, KEY)]).expect("a ring").current(), &key);
        }
        let error = ring_of("memory:", [(MASTER_KEY, "hush")]).expect_err("no key");
        assert!(
            !format!("{error:#}").contains("hush") && format!("{error:#}").contains(MASTER_KEY),
            "{error:#}"
        );
    }

    #[test]
    fn postgres_without_a_key_says_how_to_make_one() {
        let error = ring_of("postgres://u:hush@h/d", []).expect_err("no key").to_string();
        assert!(error.contains("latchkey keys generate") && !error.contains("hush"), "{error}");
    }

    #[test]
    fn a_new_sqlite_database_gets_a_key_and_an_old_one_does_not() {
        let directory = tempfile::tempdir().expect("a directory");
        let database = directory.path().join("data/x.db");
        let url = format!("sqlite://{}", database.display());
        let made = ring_of(&url, []).expect("made");
        fs::write(&database, "not empty").expect("a database");
        assert_eq!(ring_of(&url, []).expect("read"), made);
        fs::remove_file(database.with_extension("key")).expect("gone");
        let error = ring_of(&url, []).expect_err("lost").to_string();
        assert!(error.contains("put the file back"), "{error}");
    }
}
