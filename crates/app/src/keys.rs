//! Loads the master keys.

use std::{fs, io::ErrorKind, path::Path};

use anyhow::{Context as _, bail};
use latchkey_crypto::{KeyFileError, KeyRing, MasterKey, SystemEntropy};
use latchkey_ports::KeyId;

use crate::config::{Config, Database, EnvVars, MASTER_KEY};

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

/// Loads the keys from the environment, from the configured file, or from the file beside the SQLite database, in this
/// order.
///
/// # Errors
/// Says where a key is missing or malformed and how to create one; never contains a part of a key.
pub(crate) fn ring(config: &Config, variables: &EnvVars) -> anyhow::Result<KeyRing> {
    if let Some(text) = variables.get(MASTER_KEY) {
        let origin = variables.origin(MASTER_KEY).unwrap_or(MASTER_KEY);
        return KeyRing::parse(text).with_context(|| format!("bad value for {origin}"));
    }
    if let Some(path) = &config.secrets.master_key_file {
        return KeyRing::load(path)
            .context("secrets.master_key_file cannot be used (`latchkey keys generate` prints a new key)");
    }
    match &config.database.url {
        Database::SqliteFile(database) => beside(database),
        Database::Postgres(_) => bail!(NONE_FOR_POSTGRES),
        // Sealed data is lost with the process, so its key can be too.
        Database::Memory | Database::SqliteMemory => {
            Ok(KeyRing::new(MasterKey::generate(&SystemEntropy), []))
        }
    }
}

/// Loads the key file beside a SQLite database. It is created only with a new database: a new key for an existing one
/// would make every token in it unknown.
fn beside(database: &Path) -> anyhow::Result<KeyRing> {
    let path = database.with_extension("key");
    let is_new = match fs::metadata(database) {
        Ok(file) => file.len() == 0,
        Err(error) => error.kind() == ErrorKind::NotFound,
    };
    if is_new {
        return Ok(KeyRing::load_or_create(&path, &SystemEntropy)?);
    }
    match KeyRing::load(&path) {
        Err(KeyFileError::Missing(_)) => bail!(
            "the database {} is there, but its master key {} is not: put the file back, or set {MASTER_KEY} to the key \
             that the database was made with",
            database.display(),
            path.display()
        ),
        loaded => Ok(loaded?),
    }
}

#[cfg(test)]
mod tests {
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
