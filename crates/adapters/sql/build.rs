//! Follows the folders of migrations: has them embedded anew when one changes, which the macro that embeds them cannot
//! ask for; computes a fingerprint of PostgreSQL's, by which tests share migrated databases; and finds the number of the last
//! migration of either database, which is the version of the schema.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::PathBuf,
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=../../../migrations");
    let (postgres, sqlite) = (folders("postgres")?, folders("sqlite")?);
    let last = postgres.iter().chain(&sqlite).filter_map(|folder| {
        let (number, _) = folder.file_name()?.to_str()?.split_once('_')?;
        number.parse::<u32>().ok()
    });
    println!("cargo::rustc-env=LATCHKEY_SCHEMA={}", last.max().unwrap_or_default());
    let mut hasher = DefaultHasher::new();
    for folder in postgres {
        fs::read(folder.join("up.sql"))?.hash(&mut hasher);
    }
    println!("cargo::rustc-env=LATCHKEY_POSTGRES_MIGRATIONS={:016x}", hasher.finish());
    Ok(())
}

/// Returns the folders of a database's migrations, sorted.
fn folders(database: &str) -> io::Result<Vec<PathBuf>> {
    let folders = fs::read_dir(format!("../../../migrations/{database}"))?;
    let mut folders = folders.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    folders.sort();
    Ok(folders)
}
