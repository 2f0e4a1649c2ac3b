//! Follows the folders of migrations: has them embedded anew when one changes, which the macro that embeds them cannot
//! ask for, and computes a fingerprint of PostgreSQL's, by which tests share migrated databases.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=../../../migrations");
    let folders = fs::read_dir("../../../migrations/postgres")?;
    let mut folders = folders.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    folders.sort();
    let mut hasher = DefaultHasher::new();
    for folder in folders {
        fs::read(folder.join("up.sql"))?.hash(&mut hasher);
    }
    println!("cargo::rustc-env=LATCHKEY_POSTGRES_MIGRATIONS={:016x}", hasher.finish());
    Ok(())
}
