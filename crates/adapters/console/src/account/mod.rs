//! The visitor's own account: password, sessions, personal access tokens.

mod password;
mod sessions;
mod tokens;

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use askama::Template;
use latchkey_domain::{PersonalToken, SessionId, UserCredential};
use latchkey_http::pages::ApiResult;

use self::sessions::Shown;
use crate::{
    form::Form,
    frame::{Frame, Section},
    visitor::Visitor,
};

/// Where the account is.
const PATH: &str = path!("account");

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(
        web::scope(PATH)
            .route("", web::get().to(show))
            .route("/password", web::post().to(password::change))
            .route("/sign-out-everywhere", web::post().to(sessions::end_all))
            .route("/sessions/{id}/end", web::post().to(sessions::end))
            .service(web::resource("/tokens/new").get(tokens::show_new).post(tokens::create))
            .service(web::resource("/tokens/{id}/revoke").get(tokens::ask).post(tokens::revoke)),
    );
}

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

async fn show(visitor: Visitor) -> ApiResult {
    with_form(&visitor, StatusCode::OK, Form::default()).await
}

/// Shows the page with what is wrong with the form for the password.
async fn with_form(visitor: &Visitor, status: StatusCode, form: Form) -> ApiResult {
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

/// Returns the session of this request. A visitor who came by a personal access token has none.
fn current_session(visitor: &Visitor) -> Option<SessionId> {
    match visitor.signed_in.credential() {
        UserCredential::Session(id) => Some(id),
        UserCredential::PersonalToken(_) => None,
    }
}
