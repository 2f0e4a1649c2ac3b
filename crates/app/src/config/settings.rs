//! Every setting of Latchkey. A declaration is the one place of a setting: the parser with its bounds, the example file,
//! the reference page and `latchkey config` follow from it.
//!
//! After a change, renew `latchkey.example.toml` and `docs/reference/configuration.md`: a test says how.

use std::{path::PathBuf, time::Duration};

use actix_web::http::header::HeaderName;
use ipnet::IpNet;
use latchkey_delivery::SmtpTls;
use latchkey_domain::{DigestTime, Email, EventKind, LeakAction, NoticeDays, Term};
use latchkey_postgres::{TlsMode, UrlDefaults};
use latchkey_service::{Reveal, SelfService, TokenFormat, WhenStale};
use secrecy::SecretString;
use tracing::level_filters::LevelFilter;

use super::{
    database_url::Database,
    declaration::{Section, Setting, settings},
    forms::{self, LogFormat},
    values::{Effective, Values},
};
use crate::{
    role::Role,
    server::{Address, Host},
};

settings! {
    /// The HTTP server.
    ["server" server] Server {
        /// `full`: serve everything. `verifier`: serve verification, health checks and metrics only, from a PostgreSQL that is read and
        /// never written, usually a standby in another region. How far that is behind counts into `verify.max_staleness`, which
        /// must then be at least 3s. Of several hosts in `database.url`, a verifier uses the first that answers.
        role: Role = "full", forms::one_of(&Role::ALL);
        /// The address to listen on: an IP address, or a Unix domain socket. The mode of its file is 0660: the user and the group
        /// of the server may connect. Its clients count as `127.0.0.1`, also for `trusted_proxies`.
        listen: Host = "127.0.0.1", forms::host();
        /// The port to listen on; 0 takes any free port.
        port: u16 = 4242, forms::whole(0..=65_535);
        /// A second address, such as `10.0.0.5:4243` or a Unix domain socket, that serves verification and health checks only, for
        /// networks that must not reach administration; empty for none. `listen` still serves everything.
        verify_listen: Option<Address> = "", forms::optional_address();
        /// Worker threads; 0 starts one for each core.
        workers: usize = 0, forms::whole(0..=512);
        /// Requests that take longer get status 503; those whose body takes longer than half of it get 400.
        request_timeout: Duration = "15s", forms::duration(7);
        /// How long a graceful shutdown waits for requests in progress. Keep it longer than `request_timeout`, so that each
        /// of them gets a response.
        shutdown_timeout: Duration = "20s", forms::duration(7);
        /// Connections that are open at once. Further clients wait until one of them ends.
        max_connections: u32 = 16000, forms::whole(1..=1_000_000);
        /// What requests in progress hold together: what has been read of them beyond 16 KiB each. Larger requests get status 503
        /// while clients that need no credentials hold half of it, or all clients three quarters.
        max_memory_in_flight: usize = "24MiB", forms::size();
        /// The origins whose scripts may call `/api/` with a token, such as `https://console.example.com`, or `*` for all;
        /// cookies are never accepted from other origins.
        cors_origins: Vec<String> = [], forms::origins();
        /// Proxies whose `X-Forwarded-For`, `X-Forwarded-Host` and `X-Forwarded-Proto` headers are trusted.
        trusted_proxies: Vec<IpNet> = [], forms::networks();
    }

    /// TLS of the server, without which it speaks plain HTTP. The files are read again at SIGHUP and when they change. Unix domain
    /// sockets are never encrypted.
    ["server.tls" server_tls] ServerTls {
        /// A PEM file with the certificate of the server, and those between it and its authority; empty: no TLS.
        certificate: Option<PathBuf> = "", forms::optional_path();
        /// A PEM file with the key of the certificate, without a password.
        key: Option<PathBuf> = "", forms::optional_path();
        /// A PEM file with the authorities that sign the certificates of clients. If it is set, the verification routes respond
        /// with 403 to clients without such a certificate; all other routes need none.
        client_authorities: Option<PathBuf> = "", forms::optional_path();
    }

    /// The console: pages for people at `/console`, on the address of the server.
    ["console" console] ConsoleSettings {
        /// Whether there is a console. The API is served in any case.
        enabled: bool = true, forms::boolean();
    }

    /// The database, which keeps everything but the master key.
    ["database" database] DatabaseSettings {
        /// `sqlite://<path>`, `sqlite::memory:`, `postgres://<user>:<password>@<host>/<database>`, or `memory:`. What is
        /// kept in memory is lost when the process ends.
        url: Database = "sqlite://data/latchkey.db", forms::database_url();
        /// For verifiers: the URL of the primary, to which last-use times are written over at most two connections; empty: they are
        /// dropped. It may be down without an effect on verification. TLS is as for `url`.
        primary_url: Option<SecretString> = "", forms::optional_postgres_url();
        /// The size of the connection pool. On PostgreSQL at least 2: half of the connections serve reads, half serve one
        /// write transaction at a time. On SQLite, the number of connections that read, each with a thread.
        pool_size: u32 = 8, forms::whole(1..=1_000);
        /// PostgreSQL cancels statements that take longer. On SQLite, how long a write waits for another process's write.
        statement_timeout: Duration = "5s", forms::duration(7);
        /// Requests that wait longer for a free connection get status 503.
        acquire_timeout: Duration = "5s", forms::duration(7);
        /// Whether a connection pooler in transaction mode, such as PgBouncer, stands in front of PostgreSQL.
        transaction_pooler: bool = false, forms::boolean();
    }

    /// TLS to PostgreSQL. The parameters `sslmode`, `sslrootcert`, `sslcert` and `sslkey` of the database URL say the same; where
    /// both are given, they must agree.
    ["database.tls" database_tls] DatabaseTls {
        /// `disable`: plain. `prefer` (the default): encrypted if the server offers it. `require`: always encrypted. None of these
        /// proves that the server is the right one. `verify-ca`: its certificate must come from a trusted authority.
        /// `verify-full`: and be for its name in the URL; use this one across networks. With `root_certificates`, `require` is
        /// `verify-ca`.
        mode: Option<TlsMode> = "", forms::tls_mode();
        /// A PEM file with the certificates of the authorities to trust; empty: those of this machine.
        root_certificates: Option<PathBuf> = "", forms::optional_path();
        /// A PEM file with a client certificate, for servers that demand one.
        certificate: Option<PathBuf> = "", forms::optional_path();
        /// A PEM file with the key of the client certificate.
        key: Option<PathBuf> = "", forms::optional_path();
    }

    /// API tokens.
    ["tokens" tokens] Tokens {
        /// `always`: lists include the secrets of tokens, as those of Unleash do. `once`: only the response that creates a token
        /// includes its secret, and nothing is stored that could reveal it. Secrets that were stored before are no longer
        /// shown, and are deleted when their token is rotated or deleted.
        reveal: Reveal = "always", forms::one_of(&[("always", Reveal::Always), ("once", Reveal::Once)]);
        /// The form of new secrets. `latchkey`: with a checksum, by which a scanner knows a leaked one. `unleash-v2`: that of Unleash from 8.1
        /// on, for clients that insist on it; such a secret is shown once, and lists have its selector in place of it. Existing tokens
        /// keep their form, also when they are rotated.
        format: TokenFormat = "latchkey",
            forms::one_of(&[("latchkey", TokenFormat::Latchkey), ("unleash-v2", TokenFormat::UnleashV2)]);
        /// Whether admin tokens can be created over HTTP. `latchkey token create --type admin` always can.
        allow_admin: bool = false, forms::boolean();
        /// What API tokens may do with themselves at `/api/token`, without any permission. `off`: nothing. `read`: see what they are.
        /// `rotate`: get a new secret too. `all`: revoke themselves too. Frontend tokens only read, because browsers show them.
        self_service: SelfService = "off", forms::one_of(&[
            ("off", SelfService::Off), ("read", SelfService::Read), ("rotate", SelfService::Rotate), ("all", SelfService::All),
        ]);
        /// The minimum length of the tokens in `INIT_*_API_TOKENS`, without their prefix (`*:*.`). Nothing slows down who guesses
        /// a short one.
        min_init_length: u32 = 32, forms::whole(1..=1_000);
    }

    /// What API tokens must be like, and what becomes of those that are not used. A project can have a tighter policy, never a looser one. The
    /// first tokens of an instance and imported ones are not checked, and no policy changes a token that breaks it: those are listed.
    ["policy" policy] PolicySettings {
        /// How far ahead the expiry of a token may be when it is set; empty: any time, or none.
        max_lifetime: Option<Term> = "", forms::optional_term();
        /// The lifetime of a token whose creation says nothing of its expiry; empty: unlimited. It is never longer than `max_lifetime`.
        default_lifetime: Option<Term> = "", forms::optional_term();
        /// Whether each token must expire.
        require_expiry: bool = false, forms::boolean();
        /// Whether each token must have a description.
        require_description: bool = false, forms::boolean();
        /// Whether client and frontend tokens can be for all projects. Admin tokens always are.
        allow_all_projects: bool = true, forms::boolean();
        /// There is a notice of client and frontend tokens that were not used for so long; empty: none. It must be shorter than
        /// `unused_disable`, and a token is disabled only when the time between both has gone by since its notice.
        unused_notice: Option<Term> = "", forms::optional_term();
        /// Client and frontend tokens that were not used for so long are disabled; empty: never. Uses at a verifier count if it has
        /// `database.primary_url`. A token that is enabled again has the whole time anew.
        unused_disable: Option<Term> = "", forms::optional_term();
        /// Tokens that were disabled by `unused_disable` are deleted when they were not used for so long, and not before the time between
        /// both has gone by since; empty: never.
        unused_delete: Option<Term> = "", forms::optional_term();
    }

    /// Quotas.
    ["limits" limits] Limits {
        /// Tokens for each single project, and as many for all projects; admin tokens do not count.
        api_tokens: u32 = 2000, forms::whole(1..=u32::MAX);
        /// Personal access tokens for each user or service account.
        personal_tokens: u32 = 10, forms::whole(1..=u32::MAX);
        /// Event streams (`/api/admin/events/stream`) that a process serves at once; one more is answered with 503.
        event_streams: u32 = 16, forms::whole(0..=10_000);
    }

    /// Sessions of users who sign in with a password.
    ["sessions" sessions] Sessions {
        /// How long a session lasts, regardless of its use. Browsers keep no cookie longer than 400 days.
        ttl: Duration = "48h", forms::duration(400);
        /// Concurrent sessions of a user; one more ends the oldest.
        max_per_user: u32 = 5, forms::whole(1..=u32::MAX);
    }

    /// The audit log.
    ["audit" audit] Audit {
        /// How long events are kept. Older events are deleted and cannot be restored.
        retention: Option<Duration> = "forever", forms::duration_or_forever();
    }

    /// Notices of API tokens, which are events: of those that end soon, are used after their end or not at all, break a policy, or are to
    /// be rotated. Each is recorded once, however many servers there are.
    ["notices" notices] NoticeSettings {
        /// How often a server looks for notices.
        interval: Duration = "5m", forms::duration(7);
        /// How many days before a token ends there is a notice; 0 is when it has ended. Empty for none.
        expiring: NoticeDays = [14, 3, 0], forms::notice_days();
    }

    /// Secrets that were found where they do not belong.
    ["leaks" leaks] Leaks {
        /// What becomes of a token whose secret is reported as leaked. `nothing`: there is an event of it. `disable`: an API token is
        /// refused, too, until it is enabled again, and a personal access token is revoked. `revoke`: either is revoked. The clients of a
        /// token that is disabled or revoked stop working.
        action: LeakAction = "nothing",
            forms::one_of(&[
                ("nothing", LeakAction::Nothing),
                ("disable", LeakAction::Disable),
                ("revoke", LeakAction::Revoke),
            ]);
        /// The public keys with which GitHub's secret scanning signs its reports, each as the id of the key, `=`, and a PEM file with
        /// the key. Without one, `/leaks/github` is 404.
        github_keys: Vec<(String, PathBuf)> = [], forms::keyed_paths();
    }

    /// Webhooks, to which events are sent.
    ["webhooks" webhooks] Webhooks {
        /// How many events this process sends at once, half of them at most to one webhook; 0: it sends none, and other servers on the
        /// database do.
        workers: u32 = 4, forms::whole(0..=256);
        /// Networks and addresses that are sent to although they are not public, and in plain HTTP too if the URL says so, such as
        /// `10.1.0.0/16`. All others that are private, link-local, loopback or of a special purpose are refused, whatever name leads to
        /// them.
        allowed_networks: Vec<IpNet> = [], forms::networks();
        /// The pause after an event was not received. It doubles with each attempt, up to six hours.
        retry_after: Duration = "5s", forms::duration(1);
        /// How long an event is tried, before it counts as failed and the next one of its token is sent.
        give_up_after: Duration = "3d", forms::duration(30);
    }

    /// Mail, by which those who look after tokens are told of notices and leaks, in one digest a day.
    ["mail" mail] MailSection {
        /// The name or the address of the mail server (SMTP); empty: this process sends no mail, and leaves it to others on the database.
        server: Option<String> = "", forms::optional_host_name();
        /// The port of the mail server; 0: the usual one of `tls`, which is 587, 465 or 25.
        port: u16 = 0, forms::whole(0..=65_535);
        /// `starttls`: the connection is encrypted after the first words, or ended. `tls`: from the start. `none`: not at all. The
        /// certificate must be for the name in `server`.
        tls: SmtpTls = "starttls", forms::one_of(&[
            ("starttls", SmtpTls::Starttls), ("tls", SmtpTls::Tls), ("none", SmtpTls::None),
        ]);
        /// A PEM file with the authorities to trust; empty: those of this machine.
        ca_file: Option<PathBuf> = "", forms::optional_path();
        /// The user that the mail server knows, whose password is in `LATCHKEY_SMTP_PASSWORD`; empty: it needs none.
        user: Option<String> = "", forms::optional_text();
        /// The address of the sender.
        from: Option<Email> = "", forms::optional_email();
        /// The address of those who look after the instance: they are told of all that is mailed; empty for none.
        contact: Option<Email> = "", forms::optional_email();
        /// When digests are sent, in UTC. Each address gets one a day at most.
        digest_at: DigestTime = "07:00", forms::time_of_day();
        /// The types of events that are mailed beside notices and leaks. Those that are about no token go to `contact` alone.
        events: Vec<EventKind> = [], forms::event_kinds();
    }

    /// Verification of secrets, and the cache that answers it.
    ["verify" verify] Verify {
        /// The capacity of the cache, in callers. As many unknown secrets are kept in the negative cache.
        cache_entries: u32 = 100000, forms::whole(1..=10_000_000);
        /// How often this process polls the change feed for changes made by other processes. Where PostgreSQL announces changes,
        /// they are read at once, and polling is ten times less frequent.
        poll_interval: Duration = "100ms", forms::duration(7);
        /// When the last successful poll is longer ago, each cache entry is checked in the database before it is used.
        max_staleness: Duration = "5s", forms::duration(7);
        /// What happens when such a check fails because the database is unavailable. `refuse`: status 503. `serve`: known tokens are
        /// verified from the stale cache, so a token that another process has revoked stays valid until the database is
        /// available again. No other request is served from stale entries.
        when_stale: WhenStale = "refuse",
            forms::one_of(&[("refuse", WhenStale::Refuse), ("serve", WhenStale::Serve)]);
        /// Lookups of unknown secrets in the database each second, for each client address (IPv6: for each /64). Further
        /// lookups of that client get status 503 until the second ends. Secrets in either cache do not count.
        unknown_per_second: u32 = 500, forms::whole(1..=u32::MAX);
        /// A header in which `/auth/verify` looks for the token before `Authorization`, such as `X-API-Key`; empty for none.
        header: Option<HeaderName> = "", forms::optional_header();
    }

    /// The time at which each token was last used (`seenAt`).
    ["last_used" last_used] LastUsed {
        /// How often last-use times are written. A token causes at most one write per process in this time. A crash loses the
        /// times since the last write; a graceful shutdown loses none.
        flush_interval: Duration = "60s", forms::duration(7);
    }

    /// How often tokens are used, hour by hour. The counts are written with the last-use times.
    ["usage" usage] Usage {
        /// How long the counts, and the addresses below, are kept.
        retention: Duration = "90d", forms::duration(3_650);
        /// Whether the last five addresses from which each token was used are kept.
        addresses: bool = true, forms::boolean();
    }

    /// Logs, which go to standard error.
    ["log" log] Log {
        /// The level of Latchkey's own messages; libraries log warnings and errors only. `RUST_LOG` takes precedence.
        level: LevelFilter = "info", forms::one_of(&[
            ("off", LevelFilter::OFF),
            ("error", LevelFilter::ERROR),
            ("warn", LevelFilter::WARN),
            ("info", LevelFilter::INFO),
            ("debug", LevelFilter::DEBUG),
            ("trace", LevelFilter::TRACE),
        ]);
        /// `human`: lines for a terminal. `json`: one JSON object per line. `auto`: human on a terminal, JSON otherwise.
        format: LogFormat = "auto", forms::one_of(&[
            ("auto", LogFormat::Auto),
            ("human", LogFormat::Human),
            ("json", LogFormat::Json),
        ]);
        /// Whether each request has a line at the level `info`: its method, route, status, duration, caller and client.
        /// Verifications, health checks and metrics have theirs at `debug`, as all requests do without this.
        access: bool = true, forms::boolean();
    }

    /// Metrics, in the text format of Prometheus.
    ["metrics" metrics] Metrics {
        /// An address, such as `127.0.0.1:9464` or a Unix domain socket, on which `/metrics` and `/internal-backstage/prometheus` are
        /// served, and no longer on that of the server; empty: on that of the server. It speaks plain HTTP and needs no credentials.
        listen: Option<Address> = "", forms::optional_address();
    }

    /// Traces, which go to an OpenTelemetry collector by OTLP over HTTP.
    ["traces" traces] Traces {
        /// The URL of the collector, such as `http://127.0.0.1:4318`, to which `/v1/traces` is added; empty: no traces.
        endpoint: Option<String> = "", forms::optional_url();
        /// The part of requests that are recorded, from 0 to 1.
        sample_ratio: f64 = 0.01, forms::ratio();
        /// Whether the `traceparent` of any client is followed: the request belongs to the trace of its caller, and is recorded if the
        /// caller says so. Without it, only that of `server.trusted_proxies` is, because a client could have all its requests recorded.
        trust_clients: bool = false, forms::boolean();
    }

    /// The master key, under which secrets are sealed.
    ["secrets" secrets] Secrets {
        /// A file with the master key, mode 0600. `LATCHKEY_MASTER_KEY` takes precedence. If neither is set, SQLite
        /// uses a key file beside the database (`data/latchkey.key`), which is created with the database; PostgreSQL requires one of
        /// them. During a key rotation the file has one key per line: the first one seals new secrets, all of them
        /// open existing ones (`latchkey keys rotate --help`).
        master_key_file: Option<PathBuf> = "", forms::optional_path();
        /// Whether to serve a database whose tokens are under a master key that is not configured. Without it, such a process does
        /// not start, because it would refuse every token. Set it after a key was lost, until there are new tokens.
        accept_unknown_key: bool = false, forms::boolean();
    }
}
