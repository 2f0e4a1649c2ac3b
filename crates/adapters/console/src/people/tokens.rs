//! The personal tokens of a service account.

use askama::Template;
use latchkey_domain::{PersonalToken, PersonalTokenId, Policy, TokenSecret, User};
use latchkey_http::pages::{ApiError, ApiResult, CreatePersonalTokenBody, PathParameters, RawBody, parse};
use latchkey_service::{
    InstancePermit, IssuedPersonalToken, ManageServiceAccounts, Missing, PersonalTokenDraft,
};

use super::{
    names::called,
    question::Question,
    service_accounts::{ROOT, id},
    tabs::{Tab, Tabs},
};
use crate::{
    form::{Empty, Form},
    frame::{Frame, Section},
    page::see_other,
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
        // The policies are about API tokens, and a personal token always ends.
        let mut expiries = expiry::choices(Policy::default());
        expiries.retain(|choice| choice.value != "never");
        let tabs = Tabs::of(visitor, Tab::ServiceAccounts);
        Self { frame: visitor.frame(Section::People), tabs, root: ROOT, account, form, expiries }
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
        let draft = read(&visitor, &form)?;
        Ok(accounts.create_token(&permit, account.id, draft).await?)
    };
    let issued: Result<IssuedPersonalToken, ApiError> = issued.await;
    match issued {
        Ok(IssuedPersonalToken { token, secret }) => visitor.browser.show_secret(&SecretPage {
            frame: visitor.frame(Section::People),
            root: ROOT,
            account,
            token,
            secret: TokenSecret::reveal(&secret).to_owned(),
        }),
        Err(error) => {
            let Some((status, form)) = form.with_problems(&error) else { return Err(error) };
            visitor.browser.show_with(status, &NewPage::of(&visitor, account, form))
        }
    }
}

/// Reads the body of the API that the form stands for.
fn read(visitor: &Visitor, form: &Form) -> Result<PersonalTokenDraft, ApiError> {
    let mut members = form.members(Empty::Absent);
    if let Some(end) = expiry::member(form, visitor.use_cases().now())? {
        members.insert("expiresAt".to_owned(), end);
    }
    let sent: CreatePersonalTokenBody = parse(members, "body")?;
    Ok(sent.into())
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
