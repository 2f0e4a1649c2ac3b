//! The bodies of users: those that create and update one, and those that show some. Service accounts are users too.

use deserr::{Deserr, IntoValue, Value, ValuePointerRef as Location};
use latchkey_domain::{AccountKind, Email, Hex, PersonName, User, Username};
use latchkey_service::{AdminCount, Directory, RoleReference, UserChange, UserDraft};
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::role_body::{RoleBody, RootRoleReference};
use crate::{
    extract::{
        Problems,
        text::{self, FromText},
    },
    wire_time::WireTime,
};

/// Creates a user. Unknown members are refused, as in Unleash.
#[derive(Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(deny_unknown_fields)]
#[schema(as = createUserSchema, rename_all = "camelCase")]
pub struct CreateUserBody {
    /// The user name, for signing in. Required, unless `email` is sent.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "hunter", min_length = 1, max_length = 255)]
    username: Option<Username>,
    /// The e-mail address. Required, unless `username` is sent.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "user@example.com", max_length = 254)]
    email: Option<Email>,
    /// The display name.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "Sam Seawright", min_length = 1, max_length = 255)]
    name: Option<PersonName>,
    /// The password. Absent: the user cannot sign in until one is set.
    #[deserr(default)]
    #[schema(example = "k!5As3HquUrQ", min_length = 10, max_length = 128)]
    password: Option<String>,
    /// The role for the whole instance, by id or name.
    #[schema(value_type = RootRoleReference, example = 2)]
    root_role: RoleReference,
    /// Ignored: no e-mail is sent.
    #[deserr(default)]
    #[schema(example = false)]
    send_email: Option<bool>,
}

impl From<CreateUserBody> for UserDraft {
    fn from(body: CreateUserBody) -> Self {
        let CreateUserBody { username, email, name, password, root_role, send_email: _ignored } = body;
        Self { username, email, name, root_role, password }
    }
}

/// Updates a user. Absent, null or empty members stay as they are.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = updateUserSchema, rename_all = "camelCase")]
pub struct UpdateUserBody {
    /// The e-mail address.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "user@example.com", max_length = 254)]
    email: NonEmpty<Email>,
    /// The display name.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "Sam Seawright", max_length = 255)]
    name: NonEmpty<PersonName>,
    /// The role for the whole instance, by id or name.
    #[deserr(default)]
    #[schema(value_type = Option<RootRoleReference>, example = 2)]
    root_role: Option<RoleReference>,
}

impl From<UpdateUserBody> for UserChange {
    fn from(body: UpdateUserBody) -> Self {
        let UpdateUserBody { email: NonEmpty(email), name: NonEmpty(name), root_role } = body;
        Self { name, email, root_role }
    }
}

/// Text that counts as absent if it is empty or null.
#[derive(Debug)]
struct NonEmpty<T>(Option<T>);

impl<T> Default for NonEmpty<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: FromText> Deserr<Problems> for NonEmpty<T> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        match value {
            Value::Null => Ok(Self(None)),
            Value::String(text) if text.is_empty() => Ok(Self(None)),
            other => text::read(other, place).map(|value| Self(Some(value))),
        }
    }
}

/// A password.
#[derive(Deserr, ToSchema)]
#[deserr(error = Problems)]
#[schema(as = passwordSchema)]
pub struct PasswordBody {
    /// The password.
    #[schema(example = "k!5As3HquUrQ", min_length = 10, max_length = 128)]
    pub password: String,
}

/// A user.
#[derive(Serialize, ToSchema)]
#[schema(as = userSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserBody<'u> {
    /// False: a user is no API token.
    #[serde(rename = "isAPI")]
    #[schema(example = false)]
    is_api: bool,
    /// Whether the user is a person or a program.
    #[schema(example = "User")]
    account_type: AccountType,
    /// The id.
    #[schema(example = 123)]
    id: i64,
    /// The display name; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "Sam Seawright")]
    name: Option<&'u str>,
    /// The user name, for signing in; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "hunter")]
    username: Option<&'u str>,
    /// The e-mail address; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "user@example.com")]
    email: Option<&'u str>,
    /// The URL of a picture, made from the e-mail address, or from the user name if there is none.
    #[schema(
        example = "https://gravatar.com/avatar/8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918?s=42&d=retro&r=g"
    )]
    image_url: String,
    /// When the user last signed in; null: never.
    #[schema(value_type = Option<String>, format = DateTime, required = true, example = "2023-04-19T08:15:14.000Z")]
    #[serde(rename = "seenAt")]
    last_seen_at: Option<WireTime>,
    /// Always 0: failed logins are not shown.
    #[schema(example = 0)]
    login_attempts: u32,
    /// When the user was created.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    created_at: WireTime,
    /// Always null: users are not provisioned by SCIM.
    #[schema(required = true, nullable, value_type = Option<String>)]
    scim_id: Option<&'static str>,
    /// The id of the role for the whole instance.
    #[schema(example = 1)]
    root_role: i64,
}

/// Whether a user is a person or a program.
#[derive(Serialize, ToSchema)]
#[schema(as = accountTypeSchema)]
enum AccountType {
    User,
    #[serde(rename = "Service Account")]
    ServiceAccount,
}

impl From<AccountKind> for AccountType {
    fn from(kind: AccountKind) -> Self {
        match kind {
            AccountKind::Person => Self::User,
            AccountKind::Service => Self::ServiceAccount,
        }
    }
}

impl<'u> UserBody<'u> {
    pub(crate) fn of(user: &'u User) -> Self {
        let BaseUserBody { id, name, username, email, image_url, account_type } = BaseUserBody::of(user);
        Self {
            is_api: false,
            account_type,
            id,
            name,
            username,
            email,
            image_url,
            last_seen_at: user.last_seen_at.map(WireTime),
            login_attempts: 0,
            created_at: WireTime(user.created_at),
            scim_id: None,
            root_role: user.root_role.0,
        }
    }
}

/// What every caller may know of a user.
#[derive(Serialize, ToSchema)]
#[schema(as = baseUserSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct BaseUserBody<'u> {
    /// The id.
    #[schema(example = 123)]
    id: i64,
    /// The display name; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "Sam Seawright")]
    name: Option<&'u str>,
    /// The user name, for signing in; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "hunter")]
    username: Option<&'u str>,
    /// The e-mail address; absent for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "user@example.com")]
    email: Option<&'u str>,
    /// The URL of a picture, made from the e-mail address, or from the user name if there is none.
    #[schema(
        example = "https://gravatar.com/avatar/8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918?s=42&d=retro&r=g"
    )]
    image_url: String,
    /// Whether the user is a person or a program.
    #[schema(example = "User")]
    account_type: AccountType,
}

impl<'u> BaseUserBody<'u> {
    pub(super) fn of(user: &'u User) -> Self {
        Self {
            id: user.id.0,
            name: user.name.as_ref().map(PersonName::as_str),
            username: user.identity.username().map(Username::as_str),
            email: user.identity.email().map(Email::as_str),
            image_url: image_url(user),
            account_type: user.kind.into(),
        }
    }
}

fn image_url(user: &User) -> String {
    let username = || user.identity.username().map(|name| name.as_str().to_owned());
    let key = user.identity.email().map(Email::key).or_else(username).unwrap_or_default();
    format!("https://gravatar.com/avatar/{}?s=42&d=retro&r=g", Hex(&Sha256::digest(key)))
}

/// A list of users, and of the roles for the whole instance.
#[derive(Serialize, ToSchema)]
#[schema(as = usersSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsersBody<'u> {
    /// The users, by id.
    users: Vec<InvitedUserBody<'u>>,
    /// The roles for the whole instance, by id.
    root_roles: Vec<RoleBody<'u>>,
}

impl<'u> UsersBody<'u> {
    pub(super) fn of(directory: &'u Directory) -> Self {
        Self {
            users: directory.users.iter().map(InvitedUserBody::of).collect(),
            root_roles: directory.root_roles.iter().map(RoleBody::of).collect(),
        }
    }
}

/// A user in a list.
#[derive(Serialize, ToSchema)]
#[schema(as = invitedUserSchema)]
#[serde(rename_all = "camelCase")]
struct InvitedUserBody<'u> {
    #[serde(flatten)]
    user: UserBody<'u>,
    /// Always empty: an administrator sets the first password.
    #[schema(value_type = String, example = "")]
    invite_link: &'static str,
}

impl<'u> InvitedUserBody<'u> {
    fn of(user: &'u User) -> Self {
        Self { user: UserBody::of(user), invite_link: "" }
    }
}

/// A user who was just created.
#[derive(Serialize, ToSchema)]
#[schema(as = createUserResponseSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedUserBody<'u> {
    #[serde(flatten)]
    user: InvitedUserBody<'u>,
    /// Always false: no e-mail is sent.
    #[schema(example = false)]
    email_sent: bool,
}

impl<'u> CreatedUserBody<'u> {
    pub(super) fn of(user: &'u User) -> Self {
        Self { user: InvitedUserBody::of(user), email_sent: false }
    }
}

/// How many users have the role Admin.
#[derive(Serialize, ToSchema)]
#[schema(as = adminCountSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AdminCountBody {
    /// People with a password.
    #[schema(example = 1)]
    password: u64,
    /// People without a password.
    #[schema(example = 0)]
    no_password: u64,
    /// Service accounts.
    #[schema(example = 0)]
    service: u64,
}

impl From<AdminCount> for AdminCountBody {
    fn from(AdminCount { with_password, without_password, services }: AdminCount) -> Self {
        Self { password: with_password, no_password: without_password, service: services }
    }
}
