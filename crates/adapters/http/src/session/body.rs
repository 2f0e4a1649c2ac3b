//! The bodies of signing in, of sessions, and of changing one's own password.

use latchkey_domain::{Session, SessionId};
use latchkey_service::LoggedIn;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    error::ApiError, error_body::Detail, extract::fields::Fields, people::user_body::UserBody,
    wire_time::WireTime,
};

/// A body that signs in. It takes no other members.
#[derive(ToSchema)]
#[schema(as = loginSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `credentials` reads it")]
pub(crate) struct LoginBody {
    /// The user name, or the e-mail address in any case of letters.
    #[schema(example = "user")]
    username: String,
    /// The password.
    #[schema(example = "hunter2", format = Password)]
    password: String,
}

/// Reads the body: user name and password.
///
/// # Errors
/// [`ApiError::BadInput`] with every problem of every member.
pub(crate) fn credentials(body: Value) -> Result<(String, String), ApiError> {
    let mut fields = Fields::of(body)?;
    // A store that keeps text as C strings must never see a NUL.
    let username = fields.required("username", |text| {
        if text.contains('\0') {
            Err("username must not contain NUL.".to_owned())
        } else {
            Ok(text.to_owned())
        }
    });
    let password = fields.required("password", |text| Ok(text.to_owned()));
    fields.refuse_others(&["username", "password"]);
    fields.finish(username.zip(password))
}

/// Somebody who signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = loggedInSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoggedInBody<'l> {
    #[serde(flatten)]
    user: UserBody<'l>,
    /// How many of the user's oldest sessions ended for this one.
    #[schema(example = 0)]
    deleted_sessions: u64,
    /// How many sessions a user may have at once.
    #[schema(example = 5)]
    active_sessions: u32,
}

impl<'l> LoggedInBody<'l> {
    pub(crate) fn of(logged_in: &'l LoggedIn) -> Self {
        Self {
            user: UserBody::of(&logged_in.user),
            deleted_sessions: logged_in.ended_sessions,
            active_sessions: logged_in.max_per_user,
        }
    }
}

/// A session, without the secret in its cookie.
#[derive(Serialize, ToSchema)]
#[schema(as = sessionSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionBody<'s> {
    /// The id, by which it can be ended.
    #[schema(example = "9c40958a-daac-400e-98fb-3bb438567008")]
    id: String,
    /// When the user signed in.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    created_at: WireTime,
    /// When it ends, whatever happens.
    #[schema(value_type = String, format = DateTime, example = "2023-04-21T08:15:14.000Z")]
    expires_at: WireTime,
    /// From which address the user signed in.
    #[schema(required = true, example = "203.0.113.7")]
    address: Option<String>,
    /// What the user's client called itself.
    #[schema(required = true, example = "Mozilla/5.0")]
    user_agent: Option<&'s str>,
    /// Whether it is the session that asks.
    #[schema(example = true)]
    current: bool,
}

/// The sessions of a user.
#[derive(Serialize, ToSchema)]
#[schema(as = sessionsSchema)]
pub(crate) struct SessionsBody<'s> {
    /// The sessions that have not ended, oldest first.
    sessions: Vec<SessionBody<'s>>,
}

impl<'s> SessionsBody<'s> {
    /// The sessions, of which one may be that of the request.
    pub(crate) fn of(sessions: &'s [Session], current: Option<SessionId>) -> Self {
        let shown = sessions.iter().map(|session| SessionBody {
            id: session.id.to_string(),
            created_at: WireTime(session.created_at),
            expires_at: WireTime(session.expires_at),
            address: session.origin.address.map(|address| address.to_string()),
            user_agent: session.origin.user_agent.as_deref(),
            current: current == Some(session.id),
        });
        Self { sessions: shown.collect() }
    }
}

/// A body that changes the caller's own password.
#[derive(ToSchema)]
#[schema(as = changeMyPasswordSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `change` reads it")]
pub(crate) struct ChangeMyPasswordBody {
    /// The new password: 10 to 128 characters, none of the commonest.
    #[schema(example = "correct horse battery", min_length = 10, max_length = 128, format = Password)]
    password: String,
    /// The new password once more.
    #[schema(rename = "confirmPassword", example = "correct horse battery", format = Password)]
    confirm_password: String,
    /// The password until now.
    #[schema(rename = "oldPassword", example = "hunter2", format = Password)]
    old_password: String,
}

/// Reads the body: the old password and the new one.
///
/// # Errors
/// [`ApiError::BadInput`] with every problem of every member, and where the new password is written in two ways.
pub(crate) fn password_change(body: Value) -> Result<(String, String), ApiError> {
    let mut fields = Fields::of(body)?;
    let text = |text: &str| Ok(text.to_owned());
    let new = fields.required("password", text);
    let again = fields.required("confirmPassword", text);
    let old = fields.required("oldPassword", text);
    if new.is_some() && again.is_some() && new != again {
        let message = "confirmPassword must be the same as password.";
        fields.problem(Detail::of_field("confirmPassword", message));
    }
    fields.finish(old.zip(new))
}
