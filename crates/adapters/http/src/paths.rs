//! The paths that are needed in more than one place.

/// Whether the process runs.
pub(crate) const HEALTH: &str = "/health";
/// Whether the process can serve requests.
pub(crate) const READY: &str = "/ready";
/// The metrics.
pub(crate) const METRICS: &str = "/metrics";
/// The metrics, where Unleash has them.
pub(crate) const UNLEASH_METRICS: &str = "/internal-backstage/prometheus";
/// Verification for gateways.
pub(crate) const VERIFY: &str = "/auth/verify";
/// Verification for Unleash Edge.
pub(crate) const VALIDATE: &str = "/edge/validate";
/// Verification for programs.
pub(crate) const VERIFY_TOKENS: &str = "/api/verify";
/// Token introspection (RFC 7662).
pub(crate) const INTROSPECT: &str = "/oauth2/introspect";
