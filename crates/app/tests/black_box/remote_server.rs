//! A server whose way to its Postgres database leads through a proxy, and what it answers when that is cut.

use latchkey_testkit::{
    env::TestEnv,
    raw_http::{Request, Response},
    server::Server,
    wait::until,
};

use crate::{proxy::Proxy, refusals::assert_refused};

/// A server behind a proxy. Others that are started on its env are behind the same.
pub(crate) struct RemoteServer {
    pub(crate) env: TestEnv,
    pub(crate) proxy: Proxy,
    pub(crate) server: Server,
}

impl RemoteServer {
    /// A server on this env, which must be one on Postgres.
    pub(crate) fn of(mut env: TestEnv) -> Self {
        let proxy = Proxy::before(&env.postgres_server());
        env.use_postgres_proxy(proxy.address());
        let server = env.serve();
        Self { env, proxy, server }
    }

    /// The answer once the server has noticed.
    pub(crate) fn answer_when_dead(&self, request: &Request) -> Response {
        until("the server notices", || {
            let answer = self.server.send(request);
            (answer.status != 200).then_some(answer)
        })
    }
}

#[track_caller]
pub(crate) fn assert_unavailable(answer: &Response, what: &str) {
    assert_refused(answer, 503, "ServiceUnavailableError", &[], what);
    let after = answer.header("retry-after").unwrap_or_else(|| panic!("{what}: no Retry-After"));
    assert!(after.parse::<u32>().is_ok_and(|seconds| seconds > 0), "{what}: Retry-After: {after}");
}
