//! A server with tokens of every kind, to try the rows on.

use serde_json::Value;

use crate::{
    command_line::NewToken,
    database::{Records, WrittenEvent},
    ground::{Ground, Store},
    server::{Server, TOKENS},
    wire::{Answer, Call},
};

/// A token for all projects, which is nobody's to list or delete here.
pub(super) const WIDE: &str = "*:development.c1Kd8Xw5Zt2Rq7Lm4Vn9Bs3Hj6Pf0GyA";
/// A token of the project from the start.
pub(super) const FIRST: &str = "default:development.u7Nb2Yx9Qe4Wt6Mr1Kz8Cv3Sg5Lh0JpD";

/// A server with both of these tokens, and whatever else its store allows.
pub(super) struct House {
    pub(super) ground: Ground,
    pub(super) server: Server,
    /// Made by the command line, which cannot reach into the memory of another process.
    pub(super) others: Option<Others>,
}

pub(super) struct Others {
    pub(super) viewer: String,
    pub(super) member_of_p2: String,
    /// A token of `default` and `p2`.
    pub(super) of_two_projects: String,
}

impl House {
    pub(super) fn on(store: Store) -> Self {
        let ground = Ground::on(store)
            .with("INIT_CLIENT_API_TOKENS", &format!("{WIDE},{FIRST}"))
            .with("LATCHKEY__LAST_USED__FLUSH_INTERVAL", "50ms");
        let server = ground.serve();
        let others = (store != Store::Memory).then(|| Others::on(&ground));
        Self { ground, server, others }
    }

    pub(super) fn post(&self, body: &Value) -> Answer {
        self.server.as_admin(Call::post(TOKENS, body))
    }

    /// The events about tokens; none where only the server itself can see them.
    pub(super) fn events(&self) -> Vec<WrittenEvent> {
        match self.ground.store {
            Store::Memory => Vec::new(),
            _ => Records::of(&self.ground).token_events(),
        }
    }
}

impl Others {
    fn on(ground: &Ground) -> Self {
        ground.make_project("p2");
        let viewer = ground.make_caller("viewer", "Viewer");
        let member_of_p2 = ground.make_caller("member", "Viewer");
        ground.grant("member", "p2", "Member");
        let projects = &["default", "p2"];
        let of_two_projects = ground.make_token(&NewToken { name: "two", projects, ..NewToken::default() });
        Self { viewer, member_of_p2, of_two_projects }
    }
}

const FIELDS: [&str; 11] = [
    "secret",
    "tokenName",
    "username",
    "type",
    "environment",
    "project",
    "projects",
    "expiresAt",
    "createdAt",
    "seenAt",
    "alias",
];

/// The text is one object with these members in this order, as far as a reader of JSON need not care and a person does.
#[track_caller]
pub(super) fn assert_members_in_order(text: &str) {
    let mut rest = text.strip_prefix('{').expect("an object");
    for (number, field) in FIELDS.iter().enumerate() {
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
