//! The JSON of an API token on the wire, with the values of a new client token of the project `default`.

#![expect(clippy::indexing_slicing, reason = "an absent member is null")]

use std::fmt;

use latchkey_domain::TokenId;
use serde_json::{Value, json};

/// The members of a token, in the order of the wire.
pub const MEMBERS: [&str; 13] = [
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
    "secure",
    "id",
];

/// In place of an id, which is any.
const ANY_ID: &str = "<token-id>";

/// The JSON of a token, of which single members can be replaced.
#[derive(Debug, Clone)]
pub struct TokenJson(Value);

/// Returns the JSON of a client token of this name with this secret and creation time, in `development`, which does not
/// expire and was not used.
pub fn token_json(name: &str, secret: &str, created_at: &str) -> TokenJson {
    TokenJson(json!({
        "secret": secret,
        "tokenName": name,
        "username": name,
        "type": "client",
        "environment": "development",
        "project": "default",
        "projects": ["default"],
        "expiresAt": null,
        "createdAt": created_at,
        "seenAt": null,
        "alias": null,
        "secure": false,
        "id": ANY_ID,
    }))
}

impl TokenJson {
    /// Replaces or adds a member.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        if let Some(members) = self.0.as_object_mut() {
            members.insert(member.to_owned(), value.into());
        }
        self
    }

    /// Sets the projects, in both of the members that tell them.
    #[must_use]
    pub fn with_projects(self, projects: &[&str]) -> Self {
        self.with("project", projects.join(",")).with("projects", projects)
    }
}

/// Writes the members in the order of the wire, as the server does.
impl fmt::Display for TokenJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = MEMBERS.iter().map(|member| format!("\"{member}\":{}", self.0[*member]));
        write!(f, "{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

impl From<TokenJson> for Value {
    fn from(TokenJson(value): TokenJson) -> Self {
        value
    }
}

impl PartialEq<TokenJson> for Value {
    fn eq(&self, TokenJson(value): &TokenJson) -> bool {
        let mut value = value.clone();
        if value["id"] == ANY_ID && self["id"].as_str().is_some_and(|id| TokenId::parse(id).is_some()) {
            value["id"] = self["id"].clone();
        }
        *self == value
    }
}
