//! A server that reaches its PostgreSQL database through a proxy, which a test can cut.

use latchkey_testkit::{
    env::TestEnv,
    raw_http::{Request, Response},
    server::Server,
    wait::until,
};

use crate::{proxy::Proxy, refusals::assert_refused};

/// A server behind a proxy. Other servers of its environment use the same proxy.
pub(crate) struct RemoteServer {
    pub(crate) env: TestEnv,
    pub(crate) proxy: Proxy,
    pub(crate) server: Server,
}

impl RemoteServer {
    /// Starts a server in this environment, whose store must be PostgreSQL.
    pub(crate) fn of(mut env: TestEnv) -> Self {
        let proxy = Proxy::before(&env.postgres_server());
        env.use_postgres_proxy(proxy.address());
        let server = env.serve();
        Self { env, proxy, server }
    }

    /// Returns the first response that is not a success.
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
