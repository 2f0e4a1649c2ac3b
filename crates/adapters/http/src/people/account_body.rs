//! On the wire: the bodies that make and change users, and the lists that show them.

use latchkey_domain::{Email, PersonName, User, Username};
use latchkey_service::{AdminCount, Directory, UserChange, UserDraft};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    error::ApiError,
    extract::fields::Fields,
    people::role_body::RoleBody,
    people::user_body::{AccountType, UserBody, account_type, image_url},
};

/// What a body that makes a user may have; anything else in it is refused, as in the reference.
const MEMBERS: &[&str] = &["username", "email", "name", "password", "rootRole", "sendEmail"];

/// A body that makes a user.
#[derive(ToSchema)]
#[schema(as = createUserSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `draft` reads it, problem by problem")]
pub(crate) struct CreateUserBody {
    /// The name for signing in. Required, unless `email` is sent.
    #[schema(example = "hunter", min_length = 1, max_length = 255)]
    username: Option<String>,
    /// The e-mail address. Required, unless `username` is sent.
    #[schema(example = "user@example.com", max_length = 254)]
    email: Option<String>,
    /// What the user is called.
    #[schema(example = "Sam Seawright", min_length = 1, max_length = 255)]
    name: Option<String>,
    /// The password. Absent: the user cannot sign in until one is set.
    #[schema(example = "k!5As3HquUrQ", min_length = 10, max_length = 128)]
    password: Option<String>,
    /// The role held for the whole instance, by its id or its name.
    #[schema(value_type = RootRoleReference, example = 2, rename = "rootRole")]
    root_role: Value,
    /// Passed over: no e-mail is sent.
    #[schema(example = false, rename = "sendEmail")]
    send_email: Option<bool>,
}

/// A role, by its id or its name.
#[derive(ToSchema)]
#[schema(as = rootRoleReferenceSchema)]
#[expect(dead_code, reason = "it describes the values for the document")]
enum RootRoleReference {
    #[schema(rename = "id")]
    Id(i64),
    #[schema(rename = "name")]
    Name(String),
}

/// A body that changes a user. What is absent, null or empty stays as it is.
#[derive(ToSchema)]
#[schema(as = updateUserSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `change` reads it, problem by problem")]
pub(crate) struct UpdateUserBody {
    /// The e-mail address.
    #[schema(example = "user@example.com", max_length = 254)]
    email: Option<String>,
    /// What the user is called.
    #[schema(example = "Sam Seawright", max_length = 255)]
    name: Option<String>,
    /// The role held for the whole instance, by its id or its name.
    #[schema(value_type = Option<RootRoleReference>, example = 2, rename = "rootRole")]
    root_role: Option<Value>,
}

/// A body with a password.
#[derive(ToSchema)]
#[schema(as = passwordSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `password` reads it")]
pub(crate) struct PasswordBody {
    /// The password.
    #[schema(example = "k!5As3HquUrQ", min_length = 10, max_length = 128)]
    password: String,
}

/// Reads the body that makes a user.
///
/// # Errors
/// [`ApiError::BadInput`] with every problem of every member.
pub(crate) fn draft(body: Value) -> Result<UserDraft, ApiError> {
    let mut fields = Fields::of(body)?;
    fields.refuse_others(MEMBERS);
    fields.need("rootRole");
    let root_role = fields.role("rootRole");
    let username =
        fields.optional("username", |text| Username::new(text).map_err(|error| format!("The {error}.")));
    let email = fields.optional("email", email);
    let name = fields.optional("name", name);
    let password = fields.optional("password", |text| Ok(text.to_owned()));
    fields.boolean("sendEmail");
    let draft = root_role.map(|root_role| UserDraft { username, email, name, root_role, password });
    fields.finish(draft)
}

/// Reads the body that changes a user. An empty string keeps what there is, as in the reference.
///
/// # Errors
/// [`ApiError::BadInput`] with every problem of every member.
pub(crate) fn change(body: Value) -> Result<UserChange, ApiError> {
    let mut fields = Fields::of(body)?;
    let change = UserChange {
        name: fields.optional("name", |text| kept_if_empty(text, name)).flatten(),
        email: fields.optional("email", |text| kept_if_empty(text, email)).flatten(),
        root_role: fields.role("rootRole"),
    };
    fields.finish(Some(change))
}

/// Reads the body with a password.
///
/// # Errors
/// [`ApiError::BadInput`].
pub(crate) fn password(body: Value) -> Result<String, ApiError> {
    let mut fields = Fields::of(body)?;
    let password = fields.required("password", |text| Ok(text.to_owned()));
    fields.finish(password)
}

fn kept_if_empty<T>(text: &str, read: fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    if text.is_empty() { Ok(None) } else { read(text).map(Some) }
}

fn name(text: &str) -> Result<PersonName, String> {
    PersonName::new(text).map_err(|error| format!("The {error}."))
}

fn email(text: &str) -> Result<Email, String> {
    Email::new(text).map_err(|error| format!("email: {error}."))
}

/// Users, and the roles that they can hold for the whole instance.
#[derive(Serialize, ToSchema)]
#[schema(as = usersSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UsersBody<'u> {
    /// The users, by id.
    users: Vec<InvitedUserBody<'u>>,
    /// The roles that can be held for the whole instance, by id.
    root_roles: Vec<RoleBody<'u>>,
}

impl<'u> UsersBody<'u> {
    pub(crate) fn of(directory: &'u Directory) -> Self {
        Self {
            users: directory.users.iter().map(InvitedUserBody::of).collect(),
            root_roles: directory.root_roles.iter().map(RoleBody::of).collect(),
        }
    }
}

/// A user in the list of all.
#[derive(Serialize, ToSchema)]
#[schema(as = invitedUserSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InvitedUserBody<'u> {
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

/// A user who was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = createUserResponseSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreatedUserBody<'u> {
    #[serde(flatten)]
    user: InvitedUserBody<'u>,
    /// Always false: no e-mail is sent.
    #[schema(example = false)]
    email_sent: bool,
}

impl<'u> CreatedUserBody<'u> {
    pub(crate) fn of(user: &'u User) -> Self {
        Self { user: InvitedUserBody::of(user), email_sent: false }
    }
}

/// What everybody may know of a user.
#[derive(Serialize, ToSchema)]
#[schema(as = baseUserSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BaseUserBody<'u> {
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
    /// Whether it is a person or a program.
    #[schema(value_type = AccountType, example = "User")]
    account_type: &'static str,
}

impl<'u> BaseUserBody<'u> {
    pub(crate) fn of(user: &'u User) -> Self {
        Self {
            id: user.id.0,
            name: user.name.as_ref().map(PersonName::as_str),
            username: user.identity.username().map(Username::as_str),
            email: user.identity.email().map(Email::as_str),
            image_url: image_url(user),
            account_type: account_type(user.kind),
        }
    }
}

/// Everybody who can be given a role in a project.
#[derive(Serialize, ToSchema)]
#[schema(as = usersGroupsBaseSchema)]
pub(crate) struct EverybodyBody<'u> {
    /// The users and service accounts, by id.
    users: Vec<BaseUserBody<'u>>,
    /// Always empty: there are no groups here.
    #[schema(example = json!([]))]
    groups: Vec<String>,
}

impl<'u> EverybodyBody<'u> {
    pub(crate) fn of(users: &'u [User]) -> Self {
        Self { users: users.iter().map(BaseUserBody::of).collect(), groups: Vec::new() }
    }
}

/// How many can administer everything.
#[derive(Serialize, ToSchema)]
#[schema(as = adminCountSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AdminCountBody {
    /// People with a password.
    #[schema(example = 1)]
    password: u64,
    /// People without one.
    #[schema(example = 0)]
    no_password: u64,
    /// Service accounts.
    #[schema(example = 0)]
    service: u64,
}

impl AdminCountBody {
    pub(crate) fn of(count: AdminCount) -> Self {
        let AdminCount { with_password, without_password, services } = count;
        Self { password: with_password, no_password: without_password, service: services }
    }
}
