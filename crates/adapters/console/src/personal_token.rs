//! What the forms for personal access tokens have in common: those of users, and those of service accounts.

use latchkey_http::pages::{ApiError, CreatePersonalTokenBody, parse};
use latchkey_service::PersonalTokenDraft;

use crate::{
    form::{Empty, Form},
    tokens::expiry,
    visitor::Visitor,
};

/// Reads the body of the API that a form stands for.
pub(crate) fn read(visitor: &Visitor, form: &Form) -> Result<PersonalTokenDraft, ApiError> {
    let mut members = form.members(Empty::Absent);
    expiry::add_to(&mut members, form, visitor.use_cases().now())?;
    let sent: CreatePersonalTokenBody = parse(members, "body")?;
    Ok(sent.into())
}
