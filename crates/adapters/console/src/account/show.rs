//! The page of the account.

use actix_web::http::StatusCode;
use askama::Template;
use latchkey_domain::PersonalToken;
use latchkey_http::pages::ApiResult;

use super::sessions::{Shown, current_session};
use crate::{
    form::Form,
    frame::{Frame, Section},
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "account/show.html")]
struct AccountPage {
    frame: Frame,
    label: String,
    /// The form for the password.
    form: Form,
    sessions: Vec<Shown>,
    tokens: Vec<PersonalToken>,
}

pub(super) async fn show(visitor: Visitor) -> ApiResult {
    with_form(&visitor, StatusCode::OK, Form::default()).await
}

/// Shows the page with what is wrong with the form for the password.
pub(super) async fn with_form(visitor: &Visitor, status: StatusCode, form: Form) -> ApiResult {
    let use_cases = visitor.use_cases();
    let sessions = use_cases.sessions.list(&visitor.signed_in).await?;
    let tokens = use_cases.personal_tokens.list(&visitor.signed_in).await?;
    let current = current_session(visitor);
    let page = AccountPage {
        frame: visitor.frame(Section::Account),
        label: visitor.label().to_owned(),
        form,
        sessions: sessions.into_iter().rev().map(|session| Shown::of(session, current)).collect(),
        tokens,
    };
    visitor.browser.show_with(status, &page)
}
