//! Every call of tools that administer Unleash, in their order and with their bodies. The tools themselves are Go programs,
//! which are not built here: what they send and read is in these modules, one for each.

mod terraform;
mod terraform_access;
mod unleasherator;

use latchkey_testkit::{
    env::{ADMIN, Store, TestEnv},
    raw_http::{Request, Response},
    server::Server,
};
use serde_json::Value;

/// A tool with its server.
struct Tool {
    user_agent: &'static str,
    // Dropped in this order.
    server: Server,
    _env: TestEnv,
}

impl Tool {
    fn new(user_agent: &'static str, store: Store) -> Self {
        let env = TestEnv::on(store);
        Self { user_agent, server: env.serve(), _env: env }
    }

    /// Sends a request with the admin token and expects exactly this status, as clients that are generated do.
    #[track_caller]
    fn call(&self, method: &str, path: &str, body: Option<&Value>, status: u16) -> Response {
        let mut request = Request::new(method, path)
            .header("user-agent", self.user_agent)
            .header("x-unleash-appname", self.user_agent)
            .by(ADMIN);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = self.server.send(&request);
        assert_eq!(response.status, status, "{method} {path} {body:?}: {}", response.text());
        response
    }

    #[track_caller]
    fn get(&self, path: &str) -> Value {
        self.call("GET", path, None, 200).json()
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value, status: u16) -> Value {
        self.call("POST", path, Some(body), status).json()
    }

    /// Sends a change; the response may have no body.
    #[track_caller]
    fn put(&self, path: &str, body: &Value) -> Response {
        self.call("PUT", path, Some(body), 200)
    }

    #[track_caller]
    fn delete(&self, path: &str) {
        self.call("DELETE", path, None, 200);
    }
}

/// Asserts that an object has these members, none of which is null.
#[track_caller]
fn assert_has(object: &Value, members: &[&str]) {
    for member in members {
        assert!(object.get(member).is_some_and(|value| !value.is_null()), "{member} is missing in {object}");
    }
}

/// Asserts that an object does not have these members, not even as null.
#[track_caller]
fn assert_lacks(object: &Value, members: &[&str]) {
    for member in members {
        assert_eq!(object.get(member), None, "{member} in {object}");
    }
}

/// Returns the entry of a list whose member has this value.
#[track_caller]
fn entry<'v>(list: &'v Value, member: &str, value: &Value) -> &'v Value {
    let found = list.as_array().expect("a list").iter().find(|one| one[member] == *value);
    found.unwrap_or_else(|| panic!("no {member} {value} in {list}"))
}
