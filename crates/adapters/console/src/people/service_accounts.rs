//! Service accounts: one account with its tokens, and what can be done to it.

use askama::Template;
use latchkey_domain::{AccountKind, PersonalToken, User, UserId};
use latchkey_http::pages::{
    ApiError, ApiResult, CreateServiceAccountBody, PathParameters, RawBody, UpdateServiceAccountBody,
};
use latchkey_service::ManageServiceAccounts;

use super::{
    account_form,
    names::{called, role_name, root_roles},
    question::Question,
    tabs::{Tab, Tabs},
};
use crate::{
    form::Form,
    frame::{Frame, Section},
    page::see_other,
    visitor::Visitor,
};

pub(super) const ROOT: &str = path!("people/service-accounts");

#[derive(Template)]
#[template(path = "people/service_account.html")]
struct ServiceAccountPage {
    frame: Frame,
    tabs: Tabs,
    root: &'static str,
    account: User,
    role: String,
    tokens: Vec<PersonalToken>,
}

impl ServiceAccountPage {
    fn called(&self) -> &str {
        called(&self.account)
    }

    fn is_expired(&self, token: &PersonalToken) -> bool {
        token.is_expired_at(self.frame.now)
    }
}

pub(super) fn id(path: &PathParameters) -> Result<UserId, ApiError> {
    Ok(UserId(path.id("id")?))
}

pub(super) async fn show(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may::<ManageServiceAccounts>()?;
    let accounts = &visitor.use_cases().service_accounts;
    let account = accounts.get(&permit, id(&path)?).await?;
    visitor.browser.show(&ServiceAccountPage {
        frame: visitor.frame(Section::People),
        tabs: Tabs::of(&visitor, Tab::ServiceAccounts),
        root: ROOT,
        role: role_name(&root_roles(&visitor).await?, account.root_role),
        tokens: accounts.tokens(&permit, account.id).await?,
        account,
    })
}

pub(super) async fn new(visitor: Visitor) -> ApiResult {
    visitor.may::<ManageServiceAccounts>()?;
    account_form::new(&visitor, AccountKind::Service).await
}

pub(super) async fn create(visitor: Visitor, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageServiceAccounts>()?;
    let form = Form::read(body).await?;
    let created = async {
        let sent: CreateServiceAccountBody = form.body()?;
        Ok(visitor.use_cases().service_accounts.create(&permit, sent.into()).await?)
    };
    match created.await {
        Ok(account) => Ok(see_other(&format!("{ROOT}/{}?done=people-service-created", account.id))),
        Err(error) => account_form::again(&visitor, AccountKind::Service, None, form, error).await,
    }
}

pub(super) async fn edit(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may::<ManageServiceAccounts>()?;
    let account = visitor.use_cases().service_accounts.get(&permit, id(&path)?).await?;
    account_form::edit(&visitor, account).await
}

pub(super) async fn update(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageServiceAccounts>()?;
    let form = Form::read(body).await?;
    let accounts = &visitor.use_cases().service_accounts;
    let account = accounts.get(&permit, id(&path)?).await?;
    let updated = async {
        let sent: UpdateServiceAccountBody = form.body()?;
        let (name, root_role) = sent.into_change();
        Ok(accounts.update(&permit, account.id, name, root_role).await?)
    };
    match updated.await {
        Ok(account) => Ok(see_other(&format!("{ROOT}/{}?done=people-changed", account.id))),
        Err(error) => account_form::again(&visitor, AccountKind::Service, Some(account), form, error).await,
    }
}

fn question(visitor: &Visitor, account: &User) -> Question {
    let title = ("people-service-delete", called(account));
    let back = format!("{ROOT}/{}", account.id);
    Question::of(visitor, Tab::ServiceAccounts, title, "people-service-delete-what", back)
}

pub(super) async fn ask(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may::<ManageServiceAccounts>()?;
    let account = visitor.use_cases().service_accounts.get(&permit, id(&path)?).await?;
    question(&visitor, &account).ask(&visitor)
}

pub(super) async fn delete(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageServiceAccounts>()?;
    Form::read(body).await?;
    let accounts = &visitor.use_cases().service_accounts;
    let account = accounts.get(&permit, id(&path)?).await?;
    let deleted = accounts.delete(&permit, account.id).await;
    question(&visitor, &account).answer(&visitor, deleted, &format!("{ROOT}?done=people-service-deleted"))
}
