//! The visitor's own password.

use actix_web::{HttpRequest, http::StatusCode};
use latchkey_http::pages::{ApiError, ApiResult, ChangeMyPasswordBody, Detail, RawBody};
use latchkey_service::{ServiceError, whole_seconds};

use super::show::with_form;
use crate::{
    form::{Empty, Form},
    session::signed_out,
    visitor::Visitor,
};

/// The fields of the form, which is shown again without what was in them: a page never has a password.
const FIELDS: [&str; 3] = ["oldPassword", "password", "confirmPassword"];

pub(super) async fn change(visitor: Visitor, request: HttpRequest, body: RawBody) -> ApiResult {
    let form = Form::read(body).await?;
    let error = match attempt(&visitor, &form).await {
        // All sessions have ended, this one too.
        Ok(()) => return Ok(signed_out(&request, visitor.context(), "password-changed")),
        Err(error) => error,
    };
    let words = visitor.browser.words;
    let at_old = |status: StatusCode, words: String| {
        let error = ApiError::BadInput(vec![Detail::of_field("oldPassword", words)]);
        Form::of(FIELDS.map(|name| (name, String::new())))
            .with_problems(&error)
            .map(|(_, form)| (status, form))
    };
    let again = match &error {
        ApiError::Refused(ServiceError::WrongPassword) => {
            at_old(StatusCode::UNAUTHORIZED, words.get("account-password-wrong").into_owned())
        }
        ApiError::Refused(ServiceError::TooManyAttempts(wait)) => {
            let seconds = i64::try_from(whole_seconds(*wait)).unwrap_or(i64::MAX);
            let words = words.with("sign-in-wait", [("seconds", seconds.into())]).into_owned();
            at_old(StatusCode::TOO_MANY_REQUESTS, words)
        }
        other => Form::of(FIELDS.map(|name| (name, String::new()))).with_problems(other),
    };
    match again {
        Some((status, form)) => with_form(&visitor, status, form).await,
        None => Err(error),
    }
}

async fn attempt(visitor: &Visitor, form: &Form) -> Result<(), ApiError> {
    let body = ChangeMyPasswordBody::of_members(form.members(Empty::Absent))?;
    let use_cases = visitor.use_cases();
    let changed =
        use_cases.sessions.change_password(&use_cases.users, &visitor.signed_in, body.old_and_new());
    Ok(changed.await?)
}
