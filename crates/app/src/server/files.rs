//! The limit of open files, of which each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The files of a server besides its connections: databases, logs, timers.
const OTHER_FILES: u64 = 256;

/// Raises the limit of this process so far that this many connections can be open, and warns if that is not allowed.
pub(crate) fn allow_files(connections: u32) {
    let needed = u64::from(connections) + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return;
    }
    let allowed = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), ..limit });
    if raised.is_err() || allowed < needed {
        tracing::warn!(
            connections,
            files = allowed,
            "this process may open too few files for server.max_connections: raise their limit (LimitNOFILE= in the unit of \
             systemd, or ulimit -n), or lower the setting"
        );
    }
}
