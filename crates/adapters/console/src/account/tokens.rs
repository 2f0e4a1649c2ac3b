//! The visitor's own personal access tokens.

use actix_web::http::StatusCode;
use askama::Template;
use latchkey_domain::{PersonalToken, PersonalTokenId};
use latchkey_http::pages::{ApiError, ApiResult, PathParameters, RawBody};
use latchkey_service::{IssuedPersonalToken, Missing, ServiceError};

use crate::{
    form::Form,
    frame::{Frame, Section},
    page::see_other,
    personal_token,
    tokens::expiry::{self, Choice},
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "account/token_new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    expiries: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "account/token_secret.html")]
struct SecretPage {
    frame: Frame,
    token: PersonalToken,
    secret: String,
}

#[derive(Template)]
#[template(path = "account/token_revoke.html")]
struct RevokePage {
    frame: Frame,
    token: PersonalToken,
}

pub(super) async fn show_new(visitor: Visitor) -> ApiResult {
    visitor.browser.show(&new_page(&visitor, Form::default()))
}

fn new_page(visitor: &Visitor, form: Form) -> NewPage {
    NewPage { frame: visitor.frame(Section::Account), form, expiries: expiry::of_personal_tokens() }
}

pub(super) async fn create(visitor: Visitor, body: RawBody) -> ApiResult {
    let form = Form::read(body).await?;
    let error = match issue(&visitor, &form).await {
        Ok(IssuedPersonalToken { token, secret }) => {
            let frame = visitor.frame(Section::Account);
            let secret = secret.reveal().to_owned();
            return visitor.browser.show_secret(&SecretPage { frame, token, secret });
        }
        Err(error) => error,
    };
    // There are as many tokens as a user may have.
    if let ApiError::Refused(ServiceError::NotPermitted(message)) = &error {
        let mut form = form;
        form.refuse(visitor.browser.words.message(message).into_owned());
        return visitor.browser.show_with(StatusCode::FORBIDDEN, &new_page(&visitor, form));
    }
    let (status, form) = form.with_problems(visitor.browser.words, error)?;
    visitor.browser.show_with(status, &new_page(&visitor, form))
}

async fn issue(visitor: &Visitor, form: &Form) -> Result<IssuedPersonalToken, ApiError> {
    let draft = personal_token::read(visitor, form)?;
    Ok(visitor.use_cases().personal_tokens.create(&visitor.signed_in, draft).await?)
}

pub(super) async fn ask(visitor: Visitor, path: PathParameters) -> ApiResult {
    let id = PersonalTokenId(path.id("id")?);
    let own = visitor.use_cases().personal_tokens.list(&visitor.signed_in).await?;
    let missing = || ServiceError::NotFound(Missing::PersonalToken);
    let token = own.into_iter().find(|token| token.id == id).ok_or_else(missing)?;
    visitor.browser.show(&RevokePage { frame: visitor.frame(Section::Account), token })
}

pub(super) async fn revoke(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    Form::read(body).await?;
    let id = PersonalTokenId(path.id("id")?);
    visitor.use_cases().personal_tokens.delete(&visitor.signed_in, id).await?;
    Ok(see_other(path!("account?done=account-token-revoked")))
}
