//! A server with tokens of every kind.

use latchkey_testkit::{
    env::{NewToken, Store, TestEnv},
    raw_http::{Request, Response},
    server::{Server, TOKENS},
    token_json::MEMBERS,
};
use serde_json::Value;

use crate::database::{Records, WrittenEvent};

/// A token for all projects, which the routes of one project neither list nor delete.
pub(super) const WIDE: &str = "*:development.c1Kd8Xw5Zt2Rq7Lm4Vn9Bs3Hj6Pf0GyA";
/// A token of the project that exists from the start.
pub(super) const FIRST: &str = "default:development.u7Nb2Yx9Qe4Wt6Mr1Kz8Cv3Sg5Lh0JpD";

/// A server with both of these tokens and, if commands can reach its store, further ones.
pub(super) struct Fixture {
    pub(super) env: TestEnv,
    pub(super) server: Server,
    /// Created by commands, which cannot reach the memory store of another process.
    pub(super) others: Option<Others>,
}

pub(super) struct Others {
    pub(super) viewer: String,
    pub(super) member_of_p2: String,
    /// A token of `default` and `p2`.
    pub(super) of_two_projects: String,
}

impl Fixture {
    pub(super) fn on(store: Store) -> Self {
        let env = TestEnv::on(store)
            .with("INIT_CLIENT_API_TOKENS", &format!("{WIDE},{FIRST}"))
            .with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", "50ms");
        let server = env.serve();
        let others = (store != Store::Memory).then(|| Others::on(&env));
        Self { env, server, others }
    }

    pub(super) fn post(&self, body: &Value) -> Response {
        self.server.as_admin(Request::post(TOKENS, body))
    }

    /// Returns the events about tokens; none for the memory store, which only the server can read.
    pub(super) fn events(&self) -> Vec<WrittenEvent> {
        match self.env.store() {
            Store::Memory => Vec::new(),
            _ => Records::of(&self.env).token_events(),
        }
    }
}

impl Others {
    fn on(env: &TestEnv) -> Self {
        env.create_project("p2");
        let viewer = env.create_caller("viewer", "Viewer");
        let member_of_p2 = env.create_caller("member", "Viewer");
        env.grant("member", "p2", "Member");
        let projects = &["default", "p2"];
        let of_two_projects = env.create_token(&NewToken { name: "two", projects, ..NewToken::default() });
        Self { viewer, member_of_p2, of_two_projects }
    }
}

/// Asserts that the text is one object with the members of a token in the order of the wire.
#[track_caller]
pub(super) fn assert_members_in_order(text: &str) {
    let mut rest = text.strip_prefix('{').expect("an object");
    for (number, field) in MEMBERS.iter().enumerate() {
        let start = format!("{}\"{field}\":", if number == 0 { "" } else { "," });
        rest = rest
            .strip_prefix(&start)
            .unwrap_or_else(|| panic!("{field} does not come next in {text}: {rest}"));
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        values.next().expect("a value").expect("a value");
        rest = &rest[values.byte_offset()..];
    }
    assert_eq!(rest, "}", "more members in {text}");
}
