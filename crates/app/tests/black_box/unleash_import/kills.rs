//! `kill -9` of an import: the instance is as before, or has all that was new.

use latchkey_testkit::{
    env::Store,
    process::{Process, Signal},
    wait::until,
};

use super::{LAYOUT, Unleash, env};
use crate::database::Records;

/// Ends the import at a moment, and expects all that is new there or nothing of it; then the same command brings it.
fn a_kill_leaves_all_or_nothing(store: Store) {
    const NEW: usize = 200;
    const KILLS: usize = 20;
    let unleash = Unleash::of(&[
        LAYOUT,
        "INSERT INTO environments (name, type) VALUES ('development', 'development'); \
         INSERT INTO projects (id, name) VALUES ('default', 'Default')",
    ]);
    let env = env(store);
    let mut records = Records::of(&env);
    let mut complete = 0;
    for kill in 0..KILLS {
        unleash.execute(&format!(
            "INSERT INTO api_tokens (secret, username, type, environment) \
             SELECT '*:development.' || md5(n::text) || md5('-' || n), 't' || n, 'client', 'development' \
             FROM generate_series({}, {}) AS n",
            kill * NEW + 1,
            (kill + 1) * NEW
        ));
        let before = records.count("api_tokens");
        let mut process = Process::start(&mut env.command(&unleash.import("")), "latchkey").expect("started");
        // A line of output later each time, up to the end; there are some ten lines.
        until("some output", || {
            let is_done = process.exit_status().expect("a status").is_some();
            (is_done || process.stderr().lines().count() >= kill / 2).then_some(())
        });
        // It may have ended.
        let _ = process.signal(Signal::KILL);
        until("its end", || process.exit_status().expect("a status"));
        let kept = records.count("api_tokens") - before;
        assert!(kept == 0 || kept == NEW, "kill {kill}: {kept} tokens");
        complete += usize::from(kept == NEW);
        let said = env.run(&unleash.import(""));
        assert_eq!(said.code, Some(0), "kill {kill}: {said:?}");
        assert_eq!(records.count("api_tokens"), before + NEW, "kill {kill}");
        assert_eq!(records.events("api-tokens-imported"), kill + 1, "kill {kill}");
    }
    println!("{KILLS} kills: {complete} after the commit, {} before", KILLS - complete);
}

#[test]
fn a_kill_leaves_all_or_nothing_on_sqlite() {
    a_kill_leaves_all_or_nothing(Store::Sqlite);
}

#[test]
fn a_kill_leaves_all_or_nothing_on_postgres() {
    a_kill_leaves_all_or_nothing(Store::Postgres);
}
