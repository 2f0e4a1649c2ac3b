//! A disk that is full: changes get 503, everything else goes on, and nothing is lost when there is room again.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use latchkey_testkit::{
    cluster::Cluster,
    env::{Store, TestEnv},
    server::{Server, TOKENS},
    sqlite::integrity,
    wait::until_true,
};
use tokio::runtime::Runtime;

use super::{creation, verify};
use crate::remote_server::assert_unavailable;

/// A file system in memory, of a limited size.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: PathBuf, mebibytes: u32) -> Self {
        fs::create_dir_all(&at).expect("a directory");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"]).arg(&at);
        assert!(mount.status().expect("mount runs").success(), "mounting needs root");
        Self(at)
    }

    /// Fills what is left, but for this many bytes.
    fn fill(&self, but: u64) {
        let path = self.filler();
        let mut file = File::create(&path).expect("a file");
        while file.write_all(&[0; 4096]).is_ok() {}
        let length = file.metadata().expect("its length").len();
        file.set_len(length.saturating_sub(but)).expect("a shorter file");
    }

    fn free(&self) {
        fs::remove_file(self.filler()).expect("removed");
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).status());
    }
}

/// Fills the disk while tokens are created, and makes room again. Returns the secrets of the tokens that were created.
fn fill_and_free(server: &Server, disk: &SmallDisk, but: u64) -> Vec<String> {
    let mut created = vec![server.create_token("before")];
    assert_eq!(verify(server, &created[0]), 200);
    disk.fill(but);
    let refusal = (0..100_000).find_map(|number| {
        let response = server.as_admin(creation(&format!("while there is room {number}")));
        if response.status == 201 {
            created.push(response.json()["secret"].as_str().expect("a secret").to_owned());
            return None;
        }
        Some(response)
    });
    assert_unavailable(&refusal.expect("the disk is full at some time"), "the first refusal");
    for number in 0..20 {
        assert_unavailable(&server.as_admin(creation(&format!("without room {number}"))), "no room");
        assert_eq!(verify(server, &created[0]), 200, "a known token");
    }
    println!("full after {} tokens; verification goes on, 21 creations got 503", created.len());
    disk.free();
    until_true("room again", || server.as_admin(creation("with room again")).status == 201);
    for secret in &created {
        assert_eq!(verify(server, secret), 200, "an acknowledged token is there");
    }
    created
}

#[test]
#[ignore = "mounts a file system: just hostile"]
fn a_full_disk_under_sqlite() {
    let env = TestEnv::on(Store::Sqlite);
    let disk = SmallDisk::mount(env.path("disk"), 4);
    let file = disk.0.join("latchkey.db");
    let env = env.with("DATABASE_URL", &format!("sqlite://{}", file.display()));
    let server = env.serve();
    let created = fill_and_free(&server, &disk, 0);
    assert_eq!(server.status(TOKENS, latchkey_testkit::env::ADMIN), 200, "lists are read");
    server.stop();
    assert_eq!(integrity(&file), "ok");
    let server = env.serve();
    for secret in &created {
        assert_eq!(verify(&server, secret), 200, "it is there after a restart");
    }
}

#[test]
#[ignore = "mounts a file system: just hostile"]
fn a_full_disk_under_postgres() {
    let env = TestEnv::on(Store::Postgres);
    let disk = SmallDisk::mount(env.path("disk"), 160);
    let runtime = Runtime::new().expect("a runtime");
    let cluster = runtime.block_on(Cluster::start(&disk.0, small_log)).expect("PostgreSQL");
    let url = runtime.block_on(cluster.create_database("latchkey")).expect("a database");
    let env = env.with("DATABASE_URL", &url);
    let server = env.serve();
    // Enough for the log of changes, which PostgreSQL cannot run without, and not for more pages of tables.
    fill_and_free(&server, &disk, 0);
}

/// A server whose log of changes stays in the files that it has.
fn small_log(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["-c", "max_wal_size=32MB", "-c", "min_wal_size=32MB", "-c", "checkpoint_timeout=30s"]);
    command
}
