use std::time::Duration;

use super::*;

mod refused;

const NO_FLAGS: Overrides =
    Overrides { listen: None, port: None, database_url: None, log_level: None, log_format: None };

fn of_file(text: &str) -> anyhow::Result<Config> {
    Config::of(layers::of_toml(text, "test.toml")?, &Environment::default(), &NO_FLAGS)
}

fn of_environment<const N: usize>(variables: [(&str, &str); N]) -> anyhow::Result<Config> {
    Config::of(layers::Layer::default(), &Environment::from(variables), &NO_FLAGS)
}

#[track_caller]
fn refused(result: anyhow::Result<Config>) -> String {
    match result {
        Ok(_) => panic!("must be refused"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn changes_are_looked_for_so_often_that_memory_is_trusted_throughout() {
    for (poll_interval, max_staleness, announced) in
        [("100ms", "5s", 1_000), ("10ms", "5s", 100), ("100ms", "2s", 500), ("100ms", "200ms", 100)]
    {
        let file =
            format!("[verify]\npoll_interval = \"{poll_interval}\"\nmax_staleness = \"{max_staleness}\"");
        let verify = of_file(&file).expect("settings").verify;
        assert_eq!(verify.follow_every().announced, Duration::from_millis(announced), "{file}");
        assert_eq!(verify.follow_every().unannounced, verify.poll_interval, "{file}");
    }
}

#[test]
fn the_defaults_are_those_of_the_example_file() {
    let config = of_file("").expect("the defaults");
    assert_eq!(config.server.listen.to_string(), "127.0.0.1");
    assert_eq!((config.server.port, config.server.workers), (4242, None));
    assert!(config.server.shutdown_timeout > config.server.request_timeout);
    assert!(
        matches!(&config.database.url, Database::SqliteFile(path) if path == Path::new("data/latchkey.db"))
    );
    assert_eq!((config.tokens.reveal, config.tokens.allow_admin), (Reveal::Always, false));
    assert_eq!((config.limits.api_tokens.get(), config.limits.personal_tokens.get()), (2000, 10));
    assert_eq!(config.sessions, SessionPolicy { ttl: Duration::from_secs(48 * 60 * 60), max_per_user: 5 });
    assert_eq!(config.audit_retention, None);
    let every = config.verify.follow_every();
    assert_eq!((every.announced, every.unannounced), (Duration::from_secs(1), Duration::from_millis(100)));
    assert_eq!(config.verify.unknown_per_second.get(), 500);
    assert_eq!((config.verify.when_stale, config.verify.header), (WhenStale::Refuse, None));
    assert_eq!(config.seen_flush_interval, Duration::from_secs(60));
    assert_eq!((config.log.level, config.log.format), (LevelFilter::INFO, LogFormat::Auto));
    assert_eq!(config.master_key_file, None);
}

#[test]
fn each_source_overrides_those_before_it() {
    let port = |file: &str, variables: &[(&str, &str)], flag: Option<u16>| {
        let file = layers::of_toml(file, "test.toml").expect("a file");
        let [first, second] = match variables {
            [] => [("", ""), ("", "")],
            [one] => [*one, ("", "")],
            [one, two, ..] => [*one, *two],
        };
        let flags = Overrides { port: flag, ..NO_FLAGS };
        Config::of(file, &Environment::from([first, second]), &flags).expect("good").server.port
    };
    let (file, platform, own) = ("[server]\nport = 1", ("PORT", "2"), ("LATCHKEY__SERVER__PORT", "3"));
    assert_eq!(port("", &[], None), 4242);
    assert_eq!(port(file, &[], None), 1);
    assert_eq!(port(file, &[platform], None), 2);
    assert_eq!(port(file, &[platform, own], None), 3);
    assert_eq!(port(file, &[platform, own], Some(0)), 0);
    assert_eq!(port(file, &[("PORT", ""), ("LATCHKEY__SERVER__PORT", "")], None), 1);
}

#[test]
fn what_kubernetes_sets_for_a_service_of_this_name_is_no_setting() {
    let config =
        of_environment([("LATCHKEY_PORT", "tcp://10.0.0.1:80"), ("LATCHKEY_SERVICE_HOST", "10.0.0.1")]);
    assert_eq!(config.expect("ignored").server.port, 4242);
}

#[test]
fn events_are_kept_for_ever_or_for_a_span() {
    let retention =
        |text| of_environment([("LATCHKEY__AUDIT__RETENTION", text)]).map(|config| config.audit_retention);
    assert_eq!(retention("Forever").expect("good"), None);
    assert_eq!(retention("400d").expect("good"), Some(Duration::from_secs(400 * 86_400)));
    let message = retention("400").expect_err("no unit").to_string();
    assert!(message.starts_with("bad value for audit.retention in LATCHKEY__AUDIT__RETENTION"), "{message}");
}

#[test]
fn a_header_is_named_in_any_case_or_not_at_all() {
    let header = |text| of_environment([("LATCHKEY__VERIFY__HEADER", text)]).expect("good").verify.header;
    assert_eq!(header("X-API-Key"), Some(HeaderName::from_static("x-api-key")));
    assert_eq!(header("Authorization"), Some(HeaderName::from_static("authorization")));
    assert_eq!(header(""), None);
}

#[test]
fn what_toml_would_write_otherwise_is_shown_as_toml_writes_it() {
    let config = of_environment([
        ("LATCHKEY__TOKENS__ALLOW_ADMIN", "TRUE"),
        ("LATCHKEY__DATABASE__TRANSACTION_POOLER", "False"),
        ("LATCHKEY__DATABASE__POOL_SIZE", "0100"),
        ("LATCHKEY__SERVER__TRUSTED_PROXIES", "10.0.0.1, ::1"),
        ("LATCHKEY__LOG__LEVEL", "WARN"),
        ("LATCHKEY__SECRETS__MASTER_KEY_FILE", "a \"b\"\\\u{7f}"),
        ("PORT", "+08080"),
    ]);
    let shown = config.expect("good").shown;
    for line in [
        "allow_admin = true  # LATCHKEY__TOKENS__ALLOW_ADMIN",
        "transaction_pooler = false  # LATCHKEY__DATABASE__TRANSACTION_POOLER",
        "pool_size = 100  # LATCHKEY__DATABASE__POOL_SIZE",
        "port = 8080  # PORT",
        "trusted_proxies = [\"10.0.0.1\", \"::1\"]  # LATCHKEY__SERVER__TRUSTED_PROXIES",
    ] {
        assert!(shown.lines().any(|one| one == line), "{line} not in\n{shown}");
    }
    let again = of_file(&shown).expect("it reads back");
    assert_eq!(
        (again.server.port, again.tokens.allow_admin, again.log.level),
        (8080, true, LevelFilter::WARN)
    );
    assert_eq!(again.master_key_file.as_deref(), Some(Path::new("a \"b\"\\\u{7f}")));
}

#[test]
fn a_truth_is_the_same_in_every_source() {
    let config = of_file("[tokens]\nallow_admin = true").expect("good");
    assert!(config.tokens.allow_admin && config.shown.contains("\nallow_admin = true  # test.toml\n"));
    let config = of_environment([("LATCHKEY__TOKENS__ALLOW_ADMIN", "true")]).expect("good");
    assert!(config.tokens.allow_admin);
    assert!(
        config.shown.contains("\nallow_admin = true  # LATCHKEY__TOKENS__ALLOW_ADMIN\n"),
        "{}",
        config.shown
    );
}

#[test]
fn a_file_that_is_no_toml_is_not_quoted() {
    let message = refused(of_file("[database]\nurl = \"postgres://u:hush@h/d\nport = 1"));
    assert!(message.starts_with("test.toml is not valid TOML: at line 2"), "{message}");
    assert!(!message.contains("hush"), "{message}");
}

#[test]
fn a_list_is_an_array_or_a_text_with_commas() {
    let expected: Vec<IpAddr> = ["10.0.0.1", "::1"].map(|text| text.parse().expect("an address")).into();
    let config = of_file("[server]\ntrusted_proxies = [\"10.0.0.1\", \"::1\"]").expect("an array");
    assert_eq!(config.server.trusted_proxies, expected);
    let config = of_environment([("LATCHKEY__SERVER__TRUSTED_PROXIES", "10.0.0.1, ::1,")]).expect("a text");
    assert_eq!(config.server.trusted_proxies, expected);
}

#[test]
fn a_named_file_must_be_there() {
    let error = Config::load(Some(Path::new("nowhere/x.toml")), &Environment::default(), &NO_FLAGS);
    assert_eq!(refused(error), "the configuration file nowhere/x.toml cannot be read");
}

#[test]
fn what_is_shown_says_where_it_comes_from_hides_passwords_and_can_be_read_again() {
    let environment = Environment::from([
        ("DATABASE_URL", "postgres://u:hush@h/d?password=hush"),
        ("LATCHKEY__SERVER__PORT", "8080"),
        ("LATCHKEY__SERVER__TRUSTED_PROXIES", "10.0.0.1"),
    ]);
    let file = layers::of_toml("[log]\nlevel = \"warn\"", "test.toml").expect("a file");
    let config = Config::of(file, &environment, &NO_FLAGS).expect("good");
    for line in [
        "[server]",
        "port = 8080  # LATCHKEY__SERVER__PORT",
        "trusted_proxies = [\"10.0.0.1\"]  # LATCHKEY__SERVER__TRUSTED_PROXIES",
        "url = \"postgres://u:***@h/d?password=***\"  # DATABASE_URL",
        "level = \"warn\"  # test.toml",
        "reveal = \"always\"  # default",
    ] {
        assert!(config.shown.lines().any(|shown| shown == line), "{line} not in\n{}", config.shown);
    }
    assert!(!config.shown.contains("hush"), "{}", config.shown);
    let again = of_file(&config.shown).expect("it reads back");
    assert_eq!((again.server.port, again.log.level), (8080, LevelFilter::WARN));
}
