//! Settings: their sources, and the errors of bad ones.

use crate::home::Home;

#[test]
fn the_settings_in_effect_are_printed_with_their_sources() {
    let home = Home::new()
        .with_file("latchkey.toml", "[log]\nlevel = \"warn\"\n[server]\nport = 1\n")
        .with("LATCHKEY__SERVER__PORT", "2")
        .with("DATABASE_URL", "postgres://latchkey:hush@db/latchkey")
        .with("LATCHKEY_MASTER_KEY", "hush");
    let printed = home.done("config");
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
    // What is printed can be used as a file.
    let again = Home::new().with_file("other.toml", &printed);
    assert!(again.done("config --config other.toml").contains("port = 2  # other.toml"));
}

#[test]
fn the_example_file_is_printed_and_holds_the_defaults() {
    let example = Home::new().done("config --example");
    let home = Home::new().with_file("latchkey.toml", &example);
    let with_example = home.done("config").replace("# latchkey.toml", "# default");
    assert_eq!(with_example, Home::new().done("config"));
    assert!(Home::new().done("config --reference").contains("| `server.port` | `4242` |"));
    Home::new().refused("config --example --reference", 2);
}

#[test]
fn a_wrong_setting_stops_the_start_and_is_named() {
    for (home, expected) in [
        (
            Home::new().with_file("latchkey.toml", "[server]\nprot = 1"),
            "latchkey: unknown key \"server.prot\" in latchkey.toml: the keys of [server] are listen, port,",
        ),
        (
            Home::new().with("LATCHKEY__DATABASE__POOL", "1"),
            "latchkey: unknown key \"database.pool\" in the environment variable LATCHKEY__DATABASE__POOL: the keys of",
        ),
        (
            Home::new().with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", "often"),
            "latchkey: bad value for last_used.flush_interval in LATCHKEY__LAST_USED__FLUSH_INTERVAL: \"often\" is not a \
             duration",
        ),
        (
            Home::new().with("LATCHKEY__VERIFY__HEADER", "x: y"),
            "latchkey: bad value for verify.header in LATCHKEY__VERIFY__HEADER: \"x: y\" is not the name of an HTTP header",
        ),
        (
            Home::new().with("LATCHKEY__SESSIONS__TTL", "500d"),
            "latchkey: bad value for sessions.ttl in LATCHKEY__SESSIONS__TTL: \"500d\" is not a duration from 1ms to 400d",
        ),
        (
            Home::new().with("LATCHKEY__AUDIT__RETENTION", "400"),
            "latchkey: bad value for audit.retention in LATCHKEY__AUDIT__RETENTION: \"400\" is not forever, or a duration",
        ),
        (
            Home::new().with("PORT", "http"),
            "latchkey: bad value for server.port in PORT: \"http\" is not a whole number from 0 to 65535",
        ),
        (
            Home::new().with("DATABASE_URL", "mysql://u:hush@h/d"),
            "latchkey: bad value for database.url in DATABASE_URL: it must begin with sqlite://, postgres:// or memory:",
        ),
        (Home::new().with("RUST_LOG", "latchkey=loud"), "latchkey: bad value for RUST_LOG"),
    ] {
        let error = home.refused("serve", 1);
        assert!(error.starts_with(expected) && !error.contains("hush"), "{error}");
        assert!(!home.path("data").exists(), "nothing is made before the settings are known to be good");
    }
    let error = Home::new().refused("--config nowhere.toml config", 1);
    assert!(error.contains("the configuration file nowhere.toml cannot be read: No such file"), "{error}");
}
