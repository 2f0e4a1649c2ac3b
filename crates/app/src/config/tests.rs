use std::{fs, time::Duration};

use actix_web::http::header::HeaderName;
use latchkey_postgres::TlsMode;
use latchkey_service::{Reveal, WhenStale};
use tracing::level_filters::LevelFilter;

use super::{sources::Layer, *};

mod any_text;
mod refused;

fn load(file: &str, variables: &EnvVars, flags: &[Flag]) -> anyhow::Result<Config> {
    Config::new(&sources::merge(sources::toml(file, "test.toml")?, variables, flags)?)
}

fn of_file(text: &str) -> anyhow::Result<Config> {
    load(text, &EnvVars::default(), &[])
}

fn of_environment<const N: usize>(variables: [(&str, &str); N]) -> anyhow::Result<Config> {
    Config::new(&sources::merge(Layer::default(), &EnvVars::from(variables), &[])?)
}

/// A generated file is the same in the repository, and says how to renew it if not.
fn is_renewed(path: &str, generated: &str, flag: &str) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let kept = fs::read_to_string(format!("{root}/{path}")).unwrap_or_default();
    assert!(kept == generated, "{path} is out of date: run `cargo run -- config {flag} > {path}`");
}

#[test]
fn the_example_file_and_the_reference_page_follow_the_declaration() {
    is_renewed("latchkey.example.toml", &example(), "--example");
    is_renewed("docs/reference/configuration.md", &reference(), "--reference");
}

#[track_caller]
fn refused(result: anyhow::Result<Config>) -> String {
    match result {
        Ok(_) => panic!("must be refused"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_change_feed_is_polled_often_enough_to_keep_the_cache_fresh() {
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
fn a_section_within_a_section_is_read_from_files_and_variables() {
    let nested =
        of_file("[database]\npool_size = 4\n[database.tls]\nmode = \"verify-full\"").expect("settings");
    assert_eq!((nested.database.pool_size, nested.database_tls.mode), (4, Some(TlsMode::VerifyFull)));
    let variables = of_environment([
        ("LATCHKEY__DATABASE__TLS__MODE", "Verify-CA"),
        ("LATCHKEY__DATABASE__TLS__ROOT_CERTIFICATES", "/etc/ca.pem"),
    ])
    .expect("settings")
    .database_tls;
    assert_eq!(variables.mode, Some(TlsMode::VerifyCa));
    assert_eq!(variables.root_certificates, Some("/etc/ca.pem".into()));
    let unknown = refused(of_environment([("LATCHKEY__DATABASE__TLS__CA", "x")]));
    assert!(unknown.contains("the keys of [database.tls] are mode, root_certificates"), "{unknown}");
    let bad = refused(of_file("[database.tls]\nmode = \"on\""));
    assert!(bad.contains("database.tls.mode") && bad.contains("verify-full"), "{bad}");
}

#[test]
fn the_defaults_have_their_documented_values() {
    let config = of_file("").expect("the defaults");
    assert_eq!(config.server.listen.with_port(config.server.port).to_string(), "127.0.0.1:4242");
    assert!(config.tls_files().is_none() && config.console.enabled);
    assert_eq!((config.server.port, config.server.workers), (4242, 0));
    assert!(config.server.shutdown_timeout > config.server.request_timeout);
    assert!(
        matches!(&config.database.url, Database::SqliteFile(path) if path == Path::new("data/latchkey.db"))
    );
    assert_eq!((config.tokens.reveal, config.tokens.allow_admin), (Reveal::Always, false));
    assert_eq!((config.limits.api_tokens, config.limits.personal_tokens), (2000, 10));
    assert_eq!((config.sessions.ttl, config.sessions.max_per_user), (Duration::from_secs(48 * 60 * 60), 5));
    assert_eq!(config.audit.retention, None);
    let every = config.verify.follow_every();
    assert_eq!((every.announced, every.unannounced), (Duration::from_secs(1), Duration::from_millis(100)));
    assert_eq!(config.verify.unknown_per_second, 500);
    assert_eq!((config.verify.when_stale, config.verify.header), (WhenStale::Refuse, None));
    assert_eq!(config.last_used.flush_interval, Duration::from_secs(60));
    assert_eq!((config.log.level, config.log.format), (LevelFilter::INFO, LogFormat::Auto));
    assert_eq!(config.secrets.master_key_file, None);
}

#[test]
fn each_source_overrides_those_before_it() {
    let port = |file: &str, variables: &[(&str, &str)], flag: Option<u16>| {
        let [first, second] = match variables {
            [] => [("", ""), ("", "")],
            [one] => [*one, ("", "")],
            [one, two, ..] => [*one, *two],
        };
        let flag = flag.map(|port| Flag { name: "--port", key: "server.port", value: port.to_string() });
        load(file, &EnvVars::from([first, second]), flag.as_slice()).expect("good").server.port
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
fn variables_that_kubernetes_sets_for_a_service_of_this_name_are_ignored() {
    let config =
        of_environment([("LATCHKEY_PORT", "tcp://10.0.0.1:80"), ("LATCHKEY_SERVICE_HOST", "10.0.0.1")]);
    assert_eq!(config.expect("ignored").server.port, 4242);
}

#[test]
fn retention_is_forever_or_a_duration() {
    let retention =
        |text| of_environment([("LATCHKEY__AUDIT__RETENTION", text)]).map(|config| config.audit.retention);
    assert_eq!(retention("Forever").expect("good"), None);
    assert_eq!(retention("400d").expect("good"), Some(Duration::from_secs(400 * 86_400)));
    let message = retention("400").expect_err("no unit").to_string();
    assert!(message.starts_with("bad value for audit.retention in LATCHKEY__AUDIT__RETENTION"), "{message}");
}

#[test]
fn the_header_is_a_name_in_any_case_or_empty() {
    let header = |text| of_environment([("LATCHKEY__VERIFY__HEADER", text)]).expect("good").verify.header;
    assert_eq!(header("X-API-Key"), Some(HeaderName::from_static("x-api-key")));
    assert_eq!(header("Authorization"), Some(HeaderName::from_static("authorization")));
    assert_eq!(header(""), None);
}

#[test]
fn effective_values_are_printed_as_toml_writes_them() {
    let config = of_environment([
        ("LATCHKEY__TOKENS__ALLOW_ADMIN", "TRUE"),
        ("LATCHKEY__DATABASE__TRANSACTION_POOLER", "False"),
        ("LATCHKEY__DATABASE__POOL_SIZE", "0100"),
        ("LATCHKEY__SERVER__TRUSTED_PROXIES", "10.0.0.1, ::1"),
        ("LATCHKEY__LOG__LEVEL", "WARN"),
        ("LATCHKEY__SECRETS__MASTER_KEY_FILE", "a \"b\"\\\u{7f}"),
        ("PORT", "+08080"),
    ]);
    let effective = config.expect("good").effective.to_string();
    for line in [
        "allow_admin = true  # LATCHKEY__TOKENS__ALLOW_ADMIN",
        "transaction_pooler = false  # LATCHKEY__DATABASE__TRANSACTION_POOLER",
        "pool_size = 100  # LATCHKEY__DATABASE__POOL_SIZE",
        "port = 8080  # PORT",
        "trusted_proxies = [\"10.0.0.1\", \"::1\"]  # LATCHKEY__SERVER__TRUSTED_PROXIES",
    ] {
        assert!(effective.lines().any(|one| one == line), "{line} not in\n{effective}");
    }
    let again = of_file(&effective).expect("it reads back");
    assert_eq!(
        (again.server.port, again.tokens.allow_admin, again.log.level),
        (8080, true, LevelFilter::WARN)
    );
    assert_eq!(again.secrets.master_key_file.as_deref(), Some(Path::new("a \"b\"\\\u{7f}")));
}

#[test]
fn a_boolean_is_the_same_in_every_source() {
    let config = of_file("[tokens]\nallow_admin = true").expect("good");
    let effective = config.effective.to_string();
    assert!(config.tokens.allow_admin && effective.contains("\nallow_admin = true  # test.toml\n"));
    let config = of_environment([("LATCHKEY__TOKENS__ALLOW_ADMIN", "true")]).expect("good");
    assert!(config.tokens.allow_admin);
    let effective = config.effective.to_string();
    assert!(effective.contains("\nallow_admin = true  # LATCHKEY__TOKENS__ALLOW_ADMIN\n"), "{effective}");
}

#[test]
fn a_file_that_is_not_toml_is_not_quoted() {
    let message = refused(of_file("[database]\nurl = \"postgres://u:hush@h/d\nport = 1"));
    assert!(message.starts_with("test.toml is not valid TOML: at line 2"), "{message}");
    assert!(!message.contains("hush"), "{message}");
}

#[test]
fn trusted_proxies_are_addresses_and_networks_in_an_array_or_a_string() {
    let read = |config: anyhow::Result<Config>| {
        let proxies = &config.expect("a list").server.trusted_proxies;
        proxies.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let expected = ["10.0.0.1/32", "fd00::/8"];
    assert_eq!(read(of_file("[server]\ntrusted_proxies = [\"10.0.0.1\", \"fd00::/8\"]")), expected);
    assert_eq!(
        read(of_environment([("LATCHKEY__SERVER__TRUSTED_PROXIES", "10.0.0.1, fd00::/8,")])),
        expected
    );
}

#[test]
fn variables_of_opentelemetry_come_between_those_of_latchkey_and_the_file() {
    let file = "[traces]\nendpoint = \"http://file:4318\"\nsample_ratio = 0.5";
    let standard =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://standard:4318"), ("OTEL_TRACES_SAMPLER_ARG", "1")];
    let traces = |variables: EnvVars| {
        let traces = load(file, &variables, &[]).expect("good").traces;
        (traces.endpoint.expect("an endpoint"), traces.sample_ratio)
    };
    assert_eq!(traces(EnvVars::default()), ("http://file:4318".to_owned(), 0.5));
    assert_eq!(traces(EnvVars::from(standard)), ("http://standard:4318".to_owned(), 1.0));
    let own = ("LATCHKEY__TRACES__ENDPOINT", "http://own:4318");
    let both = EnvVars::from([standard[0], standard[1], own]);
    assert_eq!(traces(both), ("http://own:4318".to_owned(), 1.0));
    assert_eq!(of_file("").expect("good").traces.endpoint, None);
}

#[test]
fn a_named_file_must_exist() {
    let error = Config::load(Some(Path::new("nowhere/x.toml")), &EnvVars::default(), &[]);
    assert_eq!(refused(error), "the configuration file nowhere/x.toml cannot be read");
}

#[test]
fn effective_values_have_their_origin_mask_passwords_and_can_be_read_again() {
    let variables = EnvVars::from([
        ("DATABASE_URL", "postgres://u:hush@h/d?password=hush"),
        ("LATCHKEY__SERVER__PORT", "8080"),
        ("LATCHKEY__SERVER__TRUSTED_PROXIES", "10.0.0.1"),
    ]);
    let effective = load("[log]\nlevel = \"warn\"", &variables, &[]).expect("good").effective.to_string();
    for line in [
        "[server]",
        "port = 8080  # LATCHKEY__SERVER__PORT",
        "trusted_proxies = [\"10.0.0.1\"]  # LATCHKEY__SERVER__TRUSTED_PROXIES",
        "url = \"postgres://u:***@h/d?password=***\"  # DATABASE_URL",
        "level = \"warn\"  # test.toml",
        "reveal = \"always\"  # default",
    ] {
        assert!(effective.lines().any(|one| one == line), "{line} not in\n{effective}");
    }
    assert!(!effective.contains("hush"), "{effective}");
    let again = of_file(&effective).expect("it reads back");
    assert_eq!((again.server.port, again.log.level), (8080, LevelFilter::WARN));
}
