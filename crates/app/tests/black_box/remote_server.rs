//! A server whose way to its Postgres database leads through a proxy, and what it answers when that is cut.

use crate::{
    ground::Ground,
    proxy::Proxy,
    refusals::assert_refused,
    server::Server,
    waiting::until,
    wire::{Answer, Call},
};

/// A server behind a proxy. Others that are started on its ground are behind the same.
pub(crate) struct Far {
    pub(crate) ground: Ground,
    pub(crate) proxy: Proxy,
    pub(crate) server: Server,
}

impl Far {
    /// A server on this ground, which must be one on Postgres.
    pub(crate) fn of(mut ground: Ground) -> Self {
        let proxy = Proxy::before(&ground.postgres_server());
        ground.reach_postgres_by(proxy.address());
        let server = ground.serve();
        Self { ground, proxy, server }
    }

    /// The answer once the server has noticed.
    pub(crate) fn answer_when_dead(&self, call: &Call) -> Answer {
        until("the server notices", || {
            let answer = self.server.send(call);
            (answer.status != 200).then_some(answer)
        })
    }
}

#[track_caller]
pub(crate) fn assert_unavailable(answer: &Answer, what: &str) {
    assert_refused(answer, 503, "ServiceUnavailableError", &[], what);
    let after = answer.header("retry-after").unwrap_or_else(|| panic!("{what}: no Retry-After"));
    assert!(after.parse::<u32>().is_ok_and(|seconds| seconds > 0), "{what}: Retry-After: {after}");
}
