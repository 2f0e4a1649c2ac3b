//! Routes of the reference that Latchkey does not have, in groups. Whatever the reference answers there, Latchkey
//! answers what it does on any path that there is not; a case that is held all the same needs no entry.

use crate::golden::{Case, expected::Expected};

struct Elsewhere {
    paths: &'static [&'static str],
    /// Why they are not here.
    why: &'static str,
}

const ELSEWHERE: &[Elsewhere] = &[
    Elsewhere {
        paths: &["/api/client", "/api/frontend"],
        why: "Contract, first lines: the Admin API's operations on tokens and what they refer to; feature flags are served elsewhere",
    },
    Elsewhere {
        paths: &["/api/admin/event-creators", "/api/admin/user/roles", "/api/admin/user-admin/1/permissions"],
        why: "People, roles, places: its table has no such row",
    },
];

/// Every path that is elsewhere.
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    ELSEWHERE.iter().flat_map(|group| group.paths).copied()
}

pub(crate) fn is_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What Latchkey answers to a case that is about a path that is elsewhere, and why: below `/api`, that there is no such
/// path is told to those who are known.
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
