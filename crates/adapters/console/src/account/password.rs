//! The visitor's own password.

use actix_web::{HttpRequest, http::StatusCode};
use latchkey_http::pages::{ApiError, ApiResult, ChangeMyPasswordBody, Detail, RawBody};
use latchkey_service::ServiceError;

use super::show::with_form;
use crate::{
    form::{Empty, Form},
    session::{signed_out, to_wait},
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
    let at_old = |problem: String| ApiError::BadInput(vec![Detail::of_field("oldPassword", problem)]);
    let (status, error) = match error {
        ApiError::Refused(ServiceError::WrongPassword) => {
            (Some(StatusCode::UNAUTHORIZED), at_old(words.get("account-password-wrong").into_owned()))
        }
        ApiError::Refused(ServiceError::TooManyAttempts(wait)) => {
            (Some(StatusCode::TOO_MANY_REQUESTS), at_old(to_wait(words, wait)))
        }
        other => (None, other),
    };
    let (of_problem, form) =
        Form::of(FIELDS.map(|name| (name, String::new()))).with_problems(visitor.browser.words, error)?;
    with_form(&visitor, status.unwrap_or(of_problem), form).await
}

async fn attempt(visitor: &Visitor, form: &Form) -> Result<(), ApiError> {
    let body = ChangeMyPasswordBody::of_members(form.members(Empty::Absent))?;
    let use_cases = visitor.use_cases();
    let changed =
        use_cases.sessions.change_password(&use_cases.users, &visitor.signed_in, body.old_and_new());
    Ok(changed.await?)
}
