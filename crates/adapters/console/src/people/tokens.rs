//! The personal tokens of a service account.

use askama::Template;
use latchkey_domain::{PersonalToken, PersonalTokenId, User};
use latchkey_http::pages::{ApiError, ApiResult, PathParameters, RawBody};
use latchkey_service::{InstancePermit, IssuedPersonalToken, ManageServiceAccounts, Missing};

use super::{
    names::called,
    question::Question,
    service_accounts::{ROOT, id},
    tabs::{Tab, Tabs},
};
use crate::{
    form::Form,
    frame::{Frame, Section},
    page::see_other,
    personal_token,
    tokens::expiry::{self, Choice},
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "people/new_token.html")]
struct NewPage {
    frame: Frame,
    tabs: Tabs,
    root: &'static str,
    account: User,
    form: Form,
    expiries: Vec<Choice>,
}

impl NewPage {
    fn of(visitor: &Visitor, account: User, form: Form) -> Self {
        Self {
            frame: visitor.frame(Section::People),
            tabs: Tabs::of(visitor, Tab::ServiceAccounts),
            root: ROOT,
            account,
            form,
            expiries: expiry::of_personal_tokens(),
        }
    }

    fn called(&self) -> &str {
        called(&self.account)
    }

    fn back(&self) -> String {
        format!("{ROOT}/{}", self.account.id)
    }
}

#[derive(Template)]
#[template(path = "people/secret.html")]
struct SecretPage {
    frame: Frame,
    root: &'static str,
    account: User,
    token: PersonalToken,
    secret: String,
}

pub(super) async fn new(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may::<ManageServiceAccounts>()?;
    let account = visitor.use_cases().service_accounts.get(&permit, id(&path)?).await?;
    visitor.browser.show(&NewPage::of(&visitor, account, Form::default()))
}

pub(super) async fn create(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageServiceAccounts>()?;
    let form = Form::read(body).await?;
    let accounts = &visitor.use_cases().service_accounts;
    let account = accounts.get(&permit, id(&path)?).await?;
    let issued = async {
        let draft = personal_token::read(&visitor, &form)?;
        Ok(accounts.create_token(&permit, account.id, draft).await?)
    };
    let issued: Result<IssuedPersonalToken, ApiError> = issued.await;
    match issued {
        Ok(IssuedPersonalToken { token, secret }) => visitor.browser.show_secret(&SecretPage {
            frame: visitor.frame(Section::People),
            root: ROOT,
            account,
            token,
            secret: secret.reveal().to_owned(),
        }),
        Err(error) => {
            let (status, form) = form.with_problems(visitor.browser.words, error)?;
            visitor.browser.show_with(status, &NewPage::of(&visitor, account, form))
        }
    }
}

/// Returns an account and that of its tokens which the path names.
async fn find(
    visitor: &Visitor,
    permit: &InstancePermit<ManageServiceAccounts>,
    path: &PathParameters,
) -> Result<(User, PersonalToken), ApiError> {
    let accounts = &visitor.use_cases().service_accounts;
    let account = accounts.get(permit, id(path)?).await?;
    let token = PersonalTokenId(path.id("token")?);
    let tokens = accounts.tokens(permit, account.id).await?;
    let found = tokens.into_iter().find(|one| one.id == token);
    let found = found.ok_or_else(|| ApiError::Refused(Missing::PersonalToken.into()))?;
    Ok((account, found))
}

fn question(visitor: &Visitor, account: &User, token: &PersonalToken) -> Question {
    let back = format!("{ROOT}/{}", account.id);
    let action = format!("{back}/tokens/{}/revoke", token.id);
    let title = ("people-token-revoke", token.description.as_str());
    Question::of(visitor, Tab::ServiceAccounts, title, "people-token-revoke-what", back)
        .about(called(account), action)
}

pub(super) async fn ask(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may::<ManageServiceAccounts>()?;
    let (account, token) = find(&visitor, &permit, &path).await?;
    question(&visitor, &account, &token).ask(&visitor)
}

pub(super) async fn revoke(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageServiceAccounts>()?;
    Form::read(body).await?;
    let (account, token) = find(&visitor, &permit, &path).await?;
    visitor.use_cases().service_accounts.delete_token(&permit, account.id, token.id).await?;
    Ok(see_other(&format!("{ROOT}/{}?done=people-token-revoked", account.id)))
}
