//! Users on the wire, people and service accounts, wherever an answer speaks of one.

use std::fmt::Write as _;

use latchkey_domain::{AccountKind, Email, PersonName, User, Username};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::moments::Moment;

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = userSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserBody<'u> {
    /// False: a user is no API token.
    #[serde(rename = "isAPI")]
    #[schema(example = false)]
    is_api: bool,
    /// Whether it is a person or a program.
    #[schema(value_type = AccountType, example = "User")]
    account_type: &'static str,
    /// The id.
    #[schema(example = 123)]
    id: i64,
    /// What the user is called.
    #[schema(required = true, example = "Sam Seawright")]
    name: Option<&'u str>,
    /// The name for signing in.
    #[schema(required = true, example = "hunter")]
    username: Option<&'u str>,
    /// The e-mail address.
    #[schema(required = true, example = "user@example.com")]
    email: Option<&'u str>,
    /// A picture that goes with the e-mail address, else with the user name.
    #[schema(
        example = "https://gravatar.com/avatar/8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918?s=42&d=retro&r=g"
    )]
    image_url: String,
    /// When the user last signed in; null: never.
    #[schema(value_type = Option<String>, format = DateTime, required = true, example = "2023-04-19T08:15:14.000Z")]
    #[serde(rename = "seenAt")]
    last_seen_at: Option<Moment>,
    /// Always 0; what failed is counted elsewhere, and shown to nobody.
    #[schema(example = 0)]
    login_attempts: u32,
    /// When the user was made.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    created_at: Moment,
    /// Always null: no directory of somebody else's manages users here.
    #[schema(required = true, nullable, value_type = Option<String>)]
    scim_id: Option<&'static str>,
    /// The id of the role that is held for the whole instance.
    #[schema(example = 1)]
    root_role: i64,
}

/// Whether a user is a person or a program.
#[derive(ToSchema)]
#[schema(as = accountTypeSchema)]
#[expect(dead_code, reason = "it describes the values for the document")]
pub(crate) enum AccountType {
    User,
    #[schema(rename = "Service Account")]
    ServiceAccount,
}

impl<'u> UserBody<'u> {
    pub(crate) fn of(user: &'u User) -> Self {
        Self {
            is_api: false,
            account_type: account_type(user.kind),
            id: user.id.0,
            name: user.name.as_ref().map(PersonName::as_str),
            username: user.identity.username().map(Username::as_str),
            email: user.identity.email().map(Email::as_str),
            image_url: image_url(user),
            last_seen_at: user.last_seen_at.map(Moment),
            login_attempts: 0,
            created_at: Moment(user.created_at),
            scim_id: None,
            root_role: user.root_role.0,
        }
    }
}

/// How the wire says whether a user is a person or a program.
pub(crate) fn account_type(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Person => "User",
        AccountKind::Service => "Service Account",
    }
}

/// The picture that goes with the e-mail address, else with the user name.
pub(crate) fn image_url(user: &User) -> String {
    let username = || user.identity.username().map(|name| name.as_str().to_owned());
    let key = user.identity.email().map(Email::key).or_else(username).unwrap_or_default();
    let mut url = "https://gravatar.com/avatar/".to_owned();
    for byte in Sha256::digest(key) {
        let _ = write!(url, "{byte:02x}");
    }
    url.push_str("?s=42&d=retro&r=g");
    url
}
