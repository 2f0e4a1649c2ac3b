//! Unknown keys and bad values.

use super::{of_environment, of_file, refused};

#[test]
fn an_unknown_key_is_named_with_its_source_and_the_keys_there_are() {
    assert_eq!(
        refused(of_file("[server]\nprot = 1")),
        "unknown key \"server.prot\" in test.toml: the keys of [server] are role, listen, port, verify_listen, workers, request_timeout, \
         shutdown_timeout, max_connections, max_memory_in_flight, cors_origins, trusted_proxies"
    );
    assert_eq!(
        refused(of_file("[sever]\nport = 1")),
        "unknown section \"sever\" in test.toml: the sections are server, server.tls, console, database, database.tls, tokens, policy, \
         limits, sessions, audit, notices, leaks, webhooks, mail, verify, last_used, usage, log, metrics, traces, secrets"
    );
    assert_eq!(
        refused(of_file("server = 1")),
        "\"server\" in test.toml must be a section: write [server] and its keys below"
    );
    assert_eq!(
        refused(of_environment([("LATCHKEY__LOG__LEVLE", "info")])),
        "unknown key \"log.levle\" in the environment variable LATCHKEY__LOG__LEVLE: the keys of [log] are level, format, access"
    );
    assert_eq!(
        refused(of_environment([("LATCHKEY__PORT", "1")])),
        "unknown key \"port\" in the environment variable LATCHKEY__PORT: did you mean LATCHKEY__SERVER__PORT?"
    );
}

#[test]
fn a_bad_value_is_named_with_its_source() {
    for (file, message) in [
        (
            "[server]\nport = 65536",
            "bad value for server.port in test.toml: \"65536\" is not a whole number from 0 to 65535",
        ),
        (
            "[server]\nport = true",
            "bad value for server.port in test.toml: \"true\" is not a whole number from 0 to 65535",
        ),
        ("[server.port]\nx = 1", "bad value for server.port in test.toml: it must be a value, not a section"),
        ("[server]\nport = [1]", "bad value for server.port in test.toml: it must be a single value"),
        (
            "[server]\nlisten = \"localhost\"",
            "bad value for server.listen in test.toml: \"localhost\" is not an IP address, or unix: and a path, such as \
             unix:/run/latchkey/latchkey.sock",
        ),
        (
            "[server]\nmax_memory_in_flight = \"64\"",
            "bad value for server.max_memory_in_flight in test.toml: \"64\" is not a size from 1MiB up, such as 64MiB or \
             1GiB",
        ),
        (
            "[server]\ncors_origins = [\"https://a.example/\"]",
            "bad value for server.cors_origins in test.toml: \"https://a.example/\" is not an origin, such as \
             https://console.example.com, or *",
        ),
        (
            "[server.tls]\ncertificate = \"a.pem\"",
            "bad value for server.tls.key in default: it must name the file with the key of server.tls.certificate",
        ),
        (
            "[server.tls]\nkey = \"a.pem\"",
            "bad value for server.tls.certificate in default: it must name the file with the certificate of \
             server.tls.key",
        ),
        (
            "[server.tls]\nclient_authorities = \"a.pem\"",
            "bad value for server.tls.client_authorities in test.toml: client certificates need TLS: set \
             server.tls.certificate and server.tls.key too",
        ),
        (
            "[server]\nworkers = 513",
            "bad value for server.workers in test.toml: \"513\" is not a whole number from 0 to 512",
        ),
        (
            "[server]\ntrusted_proxies = \"10.0.0.1, x\"",
            "bad value for server.trusted_proxies in test.toml: \"x\" is not an IP address or a network, such as \
             10.0.0.5 or 10.0.0.0/8",
        ),
        (
            "[last_used]\nflush_interval = \"0s\"",
            "bad value for last_used.flush_interval in test.toml: \"0s\" is not a duration from 1ms to 7d, such as \
             100ms, 5s or 2h 30m",
        ),
        (
            "[tokens]\nreveal = \"never\"",
            "bad value for tokens.reveal in test.toml: \"never\" is not one of always, once",
        ),
        (
            "[tokens]\nallow_admin = \"yes\"",
            "bad value for tokens.allow_admin in test.toml: \"yes\" is not one of true, false",
        ),
        (
            "[verify]\nwhen_stale = \"answer\"",
            "bad value for verify.when_stale in test.toml: \"answer\" is not one of refuse, serve",
        ),
        (
            "[verify]\nheader = \"X Token\"",
            "bad value for verify.header in test.toml: \"X Token\" is not the name of an HTTP header that can carry \
             a token, such as X-API-Key, or empty",
        ),
        (
            "[audit]\nretention = \"0s\"",
            "bad value for audit.retention in test.toml: \"0s\" is not forever, or a duration from 1ms, such as 400d",
        ),
        (
            "[verify]\nmax_staleness = \"50ms\"",
            "bad value for verify.max_staleness in test.toml: it must be longer than verify.poll_interval",
        ),
    ] {
        assert_eq!(refused(of_file(file)), message);
    }
    let message = refused(of_file("[last_used]\nflush_interval = 10"));
    assert!(
        message.starts_with("bad value for last_used.flush_interval in test.toml: \"10\" is not a duration"),
        "{message}"
    );
    let message = refused(of_environment([("LATCHKEY__LOG__LEVEL", "inof")]));
    assert!(message.starts_with("bad value for log.level in LATCHKEY__LOG__LEVEL"), "{message}");
    let message = refused(of_environment([("DATABASE_URL", "mysql://u:hush@h/d")]));
    assert!(
        message.starts_with("bad value for database.url in DATABASE_URL: it must begin with"),
        "{message}"
    );
    assert!(!message.contains("hush"), "{message}");
}

#[test]
fn a_bad_setting_of_traces_is_refused() {
    for (bad, expected) in [
        ("endpoint = \"localhost:4317\"", "is not a URL that begins with http:// or https://"),
        ("endpoint = \"grpc://localhost:4317\"", "is not a URL that begins with http:// or https://"),
        ("endpoint = \"http://user:pass@localhost:4318\"", "without credentials and query, or empty"),
        ("endpoint = \"http://localhost:4318?key=1\"", "without credentials and query, or empty"),
        ("sample_ratio = 1.5", "\"1.5\" is not a number from 0 to 1, such as 0.01"),
        ("sample_ratio = \"nan\"", "\"nan\" is not a number from 0 to 1, such as 0.01"),
    ] {
        let message = refused(of_file(&format!("[traces]\n{bad}")));
        assert!(message.starts_with("bad value for traces.") && message.contains(expected), "{message}");
    }
}

#[test]
fn a_bad_setting_of_mail_is_refused() {
    for (bad, expected) in [
        ("server = \"smtp.example.com:587\"", "is not the name or the IP address of a host without a port"),
        (
            "server = \"smtps://smtp.example.com\"",
            "is not the name or the IP address of a host without a port",
        ),
        ("tls = \"opportunistic\"", "\"opportunistic\" is not one of starttls, tls, none"),
        ("from = \"latchkey\"", "\"latchkey\" is not an e-mail address, such as ops@example.com, or empty"),
        ("contact = \"a@b@c\"", "\"a@b@c\" is not an e-mail address"),
        ("digest_at = \"7\"", "\"7\" is not a time of day in UTC, such as 07:00"),
        ("events = [\"api-token-exploded\"]", "\"api-token-exploded\" is not the type of an event"),
        ("server = \"a\"", "it must be the address from which mail is sent, because mail.server is set"),
        ("user = \"ed\"\ntls = \"none\"", "mail.user needs starttls or tls"),
        ("ca_file = \"ca.pem\"\ntls = \"none\"", "there is no certificate to check without mail.tls"),
    ] {
        let message = refused(of_file(&format!("[mail]\n{bad}")));
        assert!(message.starts_with("bad value for mail.") && message.contains(expected), "{message}");
    }
}

#[test]
fn what_a_verifier_cannot_work_with_is_refused() {
    for (file, message) in [
        (
            "[server]\nrole = \"verifier\"",
            "bad value for server.role in test.toml: a verifier reads PostgreSQL: set DATABASE_URL to that of a standby",
        ),
        (
            "[server]\nrole = \"verifier\"\n[database]\nurl = \"postgres://h/d\"\ntransaction_pooler = true",
            "bad value for database.transaction_pooler in test.toml: a verifier must know which server it reads: connect it \
             without the pooler",
        ),
        (
            "[server]\nrole = \"verifier\"\n[database]\nurl = \"postgres://h/d\"\n[verify]\nmax_staleness = \"2s\"",
            "bad value for verify.max_staleness in test.toml: for a verifier it must be at least 3s, because an idle primary \
             shows each second that it is there",
        ),
        (
            "[database]\nprimary_url = \"sqlite://hush.db\"",
            "bad value for database.primary_url in test.toml: it must begin with postgres://",
        ),
    ] {
        assert_eq!(refused(of_file(file)), message);
    }
}

#[test]
fn a_header_that_cannot_carry_a_token_is_refused() {
    for name in [
        "Host",
        "content-length",
        "Content-Type",
        "TRANSFER-ENCODING",
        "Connection",
        "Cookie",
        "X-Forwarded-For",
    ] {
        let message = refused(of_environment([("LATCHKEY__VERIFY__HEADER", name)]));
        let expected = format!(
            "bad value for verify.header in LATCHKEY__VERIFY__HEADER: \"{name}\" is not the name of an HTTP header that \
             can carry a token, such as X-API-Key, or empty"
        );
        assert_eq!(message, expected);
    }
}

#[test]
fn a_value_out_of_bounds_is_refused_with_the_bounds() {
    for (section, name, value, problem) in [
        ("database", "pool_size", "0", "\"0\" is not a whole number from 1 to 1000"),
        ("database", "url = \"postgres://h/d\"\npool_size", "1", "PostgreSQL needs at least 2 connections"),
        ("database", "pool_size", "1000000", "\"1000000\" is not a whole number from 1 to 1000"),
        (
            "database",
            "statement_timeout",
            "\"8d\"",
            "\"8d\" is not a duration from 1ms to 7d, such as 100ms, 5s or 2h 30m",
        ),
        (
            "verify",
            "poll_interval",
            "\"999us\"",
            "\"999us\" is not a duration from 1ms to 7d, such as 100ms, 5s or 2h 30m",
        ),
        ("verify", "cache_entries", "10000001", "\"10000001\" is not a whole number from 1 to 10000000"),
        ("verify", "unknown_per_second", "0", "\"0\" is not a whole number from 1 to 4294967295"),
        ("limits", "personal_tokens", "-1", "\"-1\" is not a whole number from 1 to 4294967295"),
        (
            "sessions",
            "ttl",
            "\"401d\"",
            "\"401d\" is not a duration from 1ms to 400d, such as 100ms, 5s or 2h 30m",
        ),
        (
            "sessions",
            "ttl",
            "\"1ns\"",
            "\"1ns\" is not a duration from 1ms to 400d, such as 100ms, 5s or 2h 30m",
        ),
        ("sessions", "max_per_user", "0", "\"0\" is not a whole number from 1 to 4294967295"),
    ] {
        let file = format!("[{section}]\n{name} = {value}");
        let key = name.lines().last().expect("a key");
        assert_eq!(refused(of_file(&file)), format!("bad value for {section}.{key} in test.toml: {problem}"));
    }
}
