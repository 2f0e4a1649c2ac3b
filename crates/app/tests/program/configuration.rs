//! Settings: their sources, and the errors of bad ones.

use latchkey_testkit::env::TestEnv;

#[test]
fn the_settings_in_effect_are_printed_with_their_sources() {
    let env = TestEnv::new()
        .with_file("latchkey.toml", "[log]\nlevel = \"warn\"\n[server]\nport = 1\n")
        .with("LATCHKEY__SERVER__PORT", "2")
        .with("DATABASE_URL", "postgres://latchkey:hush@db/latchkey")
        .with("LATCHKEY_MASTER_KEY", "hush");
    let printed = env.succeed("config");
    for line in [
        "port = 2  # LATCHKEY__SERVER__PORT",
        "level = \"warn\"  # latchkey.toml",
        "url = \"postgres://latchkey:***@db/latchkey\"  # DATABASE_URL",
        "reveal = \"always\"  # default",
        "allow_admin = false  # default",
        "retention = \"forever\"  # default",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line} not in\n{printed}");
    }
    assert!(!printed.contains("hush"), "{printed}");
    let last = printed.lines().last().expect("a line");
    assert!(
        last.starts_with("# The master key comes from LATCHKEY_MASTER_KEY, and cannot be used: "),
        "{last}"
    );
    // What is printed can be used as a file.
    let again = TestEnv::new().with_file("other.toml", &printed);
    assert!(again.succeed("config --config other.toml").contains("port = 2  # other.toml"));
}

#[test]
fn secrets_can_come_from_files() {
    let key = "ab".repeat(32);
    let mut env =
        TestEnv::new().with_file("url", "sqlite://other.db\n").with_file("key", &format!("{key}\n"));
    env.set("DATABASE_URL_FILE", &env.path("url").display().to_string());
    env.set("LATCHKEY_MASTER_KEY_FILE", &env.path("key").display().to_string());
    assert!(env.succeed("config").contains("url = \"sqlite://other.db\"  # DATABASE_URL_FILE"));
    env.succeed("migrate");
    assert!(env.path("other.db").exists() && !env.path("other.key").exists(), "the key is that of the file");
    env.set("LATCHKEY_MASTER_KEY", &key);
    let error = env.fail("config", 1);
    assert_eq!(
        error,
        "latchkey: LATCHKEY_MASTER_KEY and LATCHKEY_MASTER_KEY_FILE are both set: leave one of them out\n"
    );
}

#[test]
fn the_origin_of_the_master_key_is_printed() {
    let last = |env: &TestEnv| env.succeed("config").lines().last().expect("a line").to_owned();
    let env = TestEnv::new();
    let beside = "# The master key comes from the file data/latchkey.key, beside the database";
    assert_eq!(last(&env), format!("{beside}, which the first start creates."));
    let env = env.migrated();
    assert!(last(&env).starts_with(&format!("{beside}: ")), "{}", last(&env));
    let env = env.with("DATABASE_URL", "postgres://h/d");
    assert_eq!(
        last(&env),
        "# The master key is missing: set LATCHKEY_MASTER_KEY or secrets.master_key_file."
    );
    let env = env.with("LATCHKEY_MASTER_KEY", &"ab".repeat(32));
    assert!(last(&env).starts_with("# The master key comes from LATCHKEY_MASTER_KEY: "), "{}", last(&env));
}

#[test]
fn the_example_file_is_printed_and_holds_the_defaults() {
    let example = TestEnv::new().succeed("config --example");
    let env = TestEnv::new().with_file("latchkey.toml", &example);
    let with_example = env.succeed("config").replace("# latchkey.toml", "# default");
    assert_eq!(with_example, TestEnv::new().succeed("config"));
    assert!(TestEnv::new().succeed("config --reference").contains("| `server.port` | `4242` |"));
    TestEnv::new().fail("config --example --reference", 2);
}

#[test]
fn a_wrong_setting_stops_the_start_and_is_named() {
    for (env, expected) in [
        (
            TestEnv::new().with_file("latchkey.toml", "[server]\nprot = 1"),
            "latchkey: unknown key \"server.prot\" in latchkey.toml: the keys of [server] are role, listen, port,",
        ),
        (
            TestEnv::new().with("LATCHKEY__DATABASE__POOL", "1"),
            "latchkey: unknown key \"database.pool\" in the environment variable LATCHKEY__DATABASE__POOL: the keys of",
        ),
        (
            TestEnv::new().with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", "often"),
            "latchkey: bad value for last_used.flush_interval in LATCHKEY__LAST_USED__FLUSH_INTERVAL: \"often\" is not a \
             duration",
        ),
        (
            TestEnv::new().with("LATCHKEY__VERIFY__HEADER", "x: y"),
            "latchkey: bad value for verify.header in LATCHKEY__VERIFY__HEADER: \"x: y\" is not the name of an HTTP header",
        ),
        (
            TestEnv::new().with("LATCHKEY__SESSIONS__TTL", "500d"),
            "latchkey: bad value for sessions.ttl in LATCHKEY__SESSIONS__TTL: \"500d\" is not a duration from 1ms to 400d",
        ),
        (
            TestEnv::new().with("LATCHKEY__AUDIT__RETENTION", "400"),
            "latchkey: bad value for audit.retention in LATCHKEY__AUDIT__RETENTION: \"400\" is not forever, or a duration",
        ),
        (
            TestEnv::new().with("LATCHKEY_MASTER_KYE", "hush"),
            "latchkey: unknown environment variable LATCHKEY_MASTER_KYE: did you mean LATCHKEY_MASTER_KEY?",
        ),
        (
            TestEnv::new().with("PORT", "http"),
            "latchkey: bad value for server.port in PORT: \"http\" is not a whole number from 0 to 65535",
        ),
        (
            TestEnv::new().with("DATABASE_URL", "mysql://u:hush@h/d"),
            "latchkey: bad value for database.url in DATABASE_URL: it must begin with sqlite://, postgres:// or memory:",
        ),
        (TestEnv::new().with("RUST_LOG", "latchkey=loud"), "latchkey: bad value for RUST_LOG"),
    ] {
        let error = env.fail("serve", 1);
        assert!(error.starts_with(expected) && !error.contains("hush"), "{error}");
        assert!(!env.path("data").exists(), "nothing is made before the settings are known to be good");
    }
    let error = TestEnv::new().fail("--config nowhere.toml config", 1);
    assert!(error.contains("the configuration file nowhere.toml cannot be read: No such file"), "{error}");
}
