//! Routes of Unleash that Latchkey does not have, in groups. Latchkey responds there as on any unknown path; a case that
//! matches all the same needs no entry.

use crate::golden::{Case, expected::Expected};

struct Elsewhere {
    paths: &'static [&'static str],
    /// Why they do not exist here.
    why: &'static str,
}

const ELSEWHERE: &[Elsewhere] = &[
    Elsewhere {
        paths: &["/api/client", "/api/frontend"],
        why: "The Admin API's operations on tokens and what they refer to; feature flags are served elsewhere",
    },
    Elsewhere { paths: &["/api/admin/event-creators"], why: "Users and projects: no such route" },
];

/// Returns every such path.
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    ELSEWHERE.iter().flat_map(|group| group.paths).copied()
}

pub(crate) fn is_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns the response of Latchkey for a case on such a path, and why: below `/api`, only authenticated clients learn that
/// a path does not exist.
pub(crate) fn answer(case: &Case) -> Option<(Expected, &'static str)> {
    let group = ELSEWHERE.iter().find(|group| group.paths.iter().any(|root| is_below(case.path(), root)))?;
    let is_anonymous = !case.is_authorized() && !case.has_cookie();
    let expected = if is_below(case.path(), "/api") && is_anonymous {
        Expected::error(401, "AuthenticationRequired")
    } else {
        Expected::error(404, "NotFoundError")
    };
    Some((expected, group.why))
}
