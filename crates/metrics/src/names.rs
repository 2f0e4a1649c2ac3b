//! Every metric of Latchkey. Names end in their unit, counters in `_total`; durations are in seconds.
//!
//! No label may carry a name that a user chose, a project, an address or a secret: all values of a label are known in the
//! code, except the version.

use crate::declaration::{Counter, Declaration, Gauge, Histogram, Kind, metrics};

/// From a verification in memory to the time limit of a request.
pub const SECONDS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0, 30.0,
];

/// From one row to a hundred portions of a last-use write.
const ROWS: &[f64] = &[1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0];

metrics! {
    /// Requests that were answered. `route` is the pattern of the path, such as `/api/admin/projects/{projectId}/api-tokens`,
    /// or `unmatched`; `method` is `OTHER` for one that HTTP does not define. Requests that the server refuses before they are
    /// routed, such as those that are not HTTP, do not count.
    HTTP_REQUESTS: Counter = "latchkey_http_requests_total" ["route", "method", "status"];
    /// Seconds from the head of a request to that of its response.
    HTTP_REQUEST_SECONDS: Histogram = "latchkey_http_request_seconds" ["route", "method"] buckets SECONDS;

    /// Credentials that were checked, for verification or to authenticate a caller. `result` is `valid` or `invalid`; `source` is
    /// where the answer came from: `memory` (the cache: a hit), `store` (the database: a miss), `stale` (an outdated cache entry
    /// while the database does not answer, `verify.when_stale = "serve"`), or `syntax` (it cannot be a secret of Latchkey).
    VERIFICATIONS: Counter = "latchkey_verifications_total" ["result", "source"];
    /// Tokens that were refused by a verification, by the reason that its answer gives.
    REFUSALS: Counter = "latchkey_verification_refusals_total" ["reason"];
    /// Credentials that were answered 503 without a lookup because their client exceeded `verify.unknown_per_second`.
    UNKNOWN_SECRETS_REFUSED: Counter = "latchkey_unknown_secrets_refused_total" [];
    /// Entries in the verification cache (`kind="token"`) and in the negative cache of unknown secrets (`kind="unknown"`).
    CACHE_ENTRIES: Gauge = "latchkey_cache_entries" ["kind"];
    /// The most entries that each of the two caches holds: `verify.cache_entries`.
    CACHE_CAPACITY: Gauge = "latchkey_cache_capacity_entries" [];
    /// Entries that a cache gave up because it was full. A steady rate means that `verify.cache_entries` is too small.
    CACHE_EVICTIONS: Counter = "latchkey_cache_evictions_total" ["kind"];
    /// Seconds since all changes made by other processes were known; normally at most ten times `verify.poll_interval`, and
    /// growing while the database does not answer. Absent until the change feed was read for the first time.
    FEED_AGE: Gauge = "latchkey_feed_age_seconds" [];
    /// Seconds by which the standby of a verifier may be behind its primary; it is part of the age of the feed. Absent from other
    /// servers, and while it is not known.
    REPLICATION_LAG: Gauge = "latchkey_replication_lag_seconds" [];

    /// Open connections to the database, by pool and state (`in_use` or `idle`). SQLite has the pools `read` and `write`;
    /// PostgreSQL has `exclusive`, whose connections serve one call at a time, and `shared`, which are `in_use` as long as they are
    /// open.
    DATABASE_CONNECTIONS: Gauge = "latchkey_database_connections" ["pool", "state"];
    /// The most connections of a pool.
    DATABASE_CONNECTIONS_MAX: Gauge = "latchkey_database_connections_max" ["pool"];
    /// Calls that wait for a connection of a pool.
    DATABASE_WAITING: Gauge = "latchkey_database_waiting_calls" ["pool"];
    /// Seconds of each call to the store, by its name in the code, with the wait for a connection.
    STORE_SECONDS: Histogram = "latchkey_store_operation_seconds" ["operation"] buckets SECONDS;
    /// Calls to the store that failed. `error` is `unavailable` (no connection, or a time-out), `fault` (an operator must act),
    /// `inconsistent` (a stored value breaks a rule), `stale` (another change was faster), or a refusal that the caller is told:
    /// `not_found`, `conflict`, `in_use`, `last_admin`, `limit_reached`.
    STORE_ERRORS: Counter = "latchkey_store_errors_total" ["operation", "error"];

    /// Seconds of each write of last-use times.
    LAST_USE_FLUSH_SECONDS: Histogram = "latchkey_last_use_flush_seconds" [] buckets SECONDS;
    /// Tokens whose last use was written, in each write.
    LAST_USE_FLUSH_TOKENS: Histogram = "latchkey_last_use_flush_tokens" [] buckets ROWS;
    /// Last uses that a verifier dropped because it has no `database.primary_url`; at most one for each token and write.
    LAST_USES_DROPPED: Counter = "latchkey_last_uses_dropped_total" [];
    /// Passwords that are hashed (`state="running"`, at most one for each core) or wait for that (`state="waiting"`).
    PASSWORD_HASHES: Gauge = "latchkey_password_hashes" ["state"];
    /// Background tasks that were restarted after a failure, which is logged at ERROR; `/ready` answers 503 until the restart.
    TASK_RESTARTS: Counter = "latchkey_background_task_restarts_total" ["task"];

    /// API tokens in the database, by type, expired ones included. This and the next two are counted once a minute, by one
    /// process at a time; each process reports what it counted last, so take the maximum of all, not the sum.
    TOKENS: Gauge = "latchkey_tokens" ["type"];
    /// API tokens that expire within `7d` or `30d`; those of the first count in the second too.
    TOKENS_EXPIRING: Gauge = "latchkey_tokens_expiring" ["type", "within"];
    /// API tokens that have not expired, are older than 90 days and were not used in the last 90 days.
    TOKENS_UNUSED: Gauge = "latchkey_tokens_unused" ["type", "for"];

    /// Requests that this process holds of the rate limits of tokens and has not used; what it does not need goes back.
    RATE_LIMIT_HELD: Gauge = "latchkey_rate_limit_held_requests" [];
    /// Projects that have tokens which end within the longest time of `notices.expiring` (`state="expiring"`), were used after their end
    /// within the last day (`expired_in_use`), were not used for `policy.unused_notice` (`unused`), or are to be rotated
    /// (`rotation_due`). Tokens of all projects do not count. Each process counts when it looks for notices: take the maximum.
    PROJECTS_WITH_TOKENS: Gauge = "latchkey_projects_with_tokens" ["state"];

    /// Secrets that were reported as leaked, by whether they were valid.
    LEAKED_TOKENS_REPORTED: Counter = "latchkey_leaked_tokens_reported_total" ["live"];

    /// Event streams that are open; at most `limits.event_streams`.
    EVENT_STREAMS: Gauge = "latchkey_event_streams" [];
    /// How many numbers the newest event is above the last sealed one; normally 0 after a second. It grows while events cannot be
    /// sealed.
    EVENTS_UNSEALED: Gauge = "latchkey_events_unsealed" [];

    /// Attempts to send an event to a webhook, by what became of the event: `delivered`, `retried` (it will be tried again) or `failed`
    /// (it was given up).
    WEBHOOK_DELIVERIES: Counter = "latchkey_webhook_deliveries_total" ["result"];
    /// Events that are to be sent to webhooks, those of disabled webhooks included. Counted once a minute by each process, so take the
    /// maximum of all, not the sum.
    WEBHOOK_DELIVERIES_WAITING: Gauge = "latchkey_webhook_deliveries_waiting" [];

    /// Attempts to send a digest by mail. `result` is `sent`, `retried` (it is tried again) or `failed` (it is given up).
    MAILS: Counter = "latchkey_mails_total" ["result"];
    /// Digests that are due, and were neither sent nor given up. Each server that sends mail counts all of them, so take the maximum, not the
    /// sum.
    MAIL_DIGESTS_WAITING: Gauge = "latchkey_mail_digests_waiting" [];

    /// Spans of traces that the collector of `traces.endpoint` has received (`result="sent"`), that could not be sent and are lost
    /// (`failed`), or that found the queue full (`dropped`).
    TRACE_SPANS: Counter = "latchkey_trace_spans_total" ["result"];

    /// Always 1; `version` is that of the program.
    BUILD_INFO: Gauge = "latchkey_build_info" ["version"];
    /// Seconds of processor time that the process used.
    PROCESS_CPU_SECONDS: Counter = "process_cpu_seconds_total" [];
    /// Bytes of memory that the process holds.
    PROCESS_RESIDENT_BYTES: Gauge = "process_resident_memory_bytes" [];
    /// Bytes of address space that the process has.
    PROCESS_VIRTUAL_BYTES: Gauge = "process_virtual_memory_bytes" [];
    /// Bytes of address space that the process may have.
    PROCESS_VIRTUAL_MAX_BYTES: Gauge = "process_virtual_memory_max_bytes" [];
    /// Files and connections that the process has open.
    PROCESS_OPEN_FDS: Gauge = "process_open_fds" [];
    /// Files and connections that the process may have open.
    PROCESS_MAX_FDS: Gauge = "process_max_fds" [];
    /// Threads of the process.
    PROCESS_THREADS: Gauge = "process_threads" [];
    /// When the process started, in seconds since 1970.
    PROCESS_START: Gauge = "process_start_time_seconds" [];
}
