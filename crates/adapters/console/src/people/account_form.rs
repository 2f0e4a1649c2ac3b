//! The form that creates or changes a user or a service account.

use actix_web::http::StatusCode;
use askama::Template;
use latchkey_domain::{AccountKind, Email, PersonName, Role, User};
use latchkey_http::pages::{ApiError, ApiResult};

use super::{
    names::{called, root_roles},
    place::Place,
    tabs::{Tab, Tabs},
};
use crate::{
    form::Form,
    frame::{Frame, Section},
    visitor::Visitor,
};

/// The role that the form for a new account begins with: it may do the least.
const VIEWER: &str = "3";

#[derive(Template)]
#[template(path = "people/account_form.html")]
struct AccountPage {
    frame: Frame,
    tabs: Tabs,
    place: Place,
    is_service: bool,
    /// The account that is changed; `None` = a new one.
    account: Option<User>,
    form: Form,
    roles: Vec<Role>,
}

impl AccountPage {
    fn title(&self) -> String {
        let frame = &self.frame;
        match &self.account {
            Some(account) => frame.text("people-edit", "name", called(account)),
            None if self.is_service => frame.t("people-service-new").into_owned(),
            None => frame.t("people-user-new").into_owned(),
        }
    }

    fn called(&self) -> &str {
        self.account.as_ref().map(called).unwrap_or_default()
    }
}

/// Returns the fields of a form that begins with what an account has.
fn values(account: &User) -> Form {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    Form::of([
        ("name", text(account.name.as_ref().map(PersonName::as_str))),
        ("email", text(account.identity.email().map(Email::as_str))),
        ("rootRole", account.root_role.to_string()),
    ])
}

fn tab(kind: AccountKind) -> Tab {
    match kind {
        AccountKind::Person => Tab::Users,
        AccountKind::Service => Tab::ServiceAccounts,
    }
}

/// Shows the form for a new account of this kind.
pub(super) async fn new(visitor: &Visitor, kind: AccountKind) -> ApiResult {
    let form = Form::of([("rootRole", VIEWER.to_owned())]);
    show(visitor, StatusCode::OK, kind, None, form).await
}

/// Shows the form for an account as it is.
pub(super) async fn edit(visitor: &Visitor, account: User) -> ApiResult {
    let form = values(&account);
    show(visitor, StatusCode::OK, account.kind, Some(account), form).await
}

/// Shows the form again, with what is wrong with it.
pub(super) async fn again(
    visitor: &Visitor,
    kind: AccountKind,
    account: Option<User>,
    form: Form,
    error: ApiError,
) -> ApiResult {
    let (status, form) = form.with_problems(visitor.browser.words, error)?;
    show(visitor, status, kind, account, form).await
}

async fn show(
    visitor: &Visitor,
    status: StatusCode,
    kind: AccountKind,
    account: Option<User>,
    form: Form,
) -> ApiResult {
    let tab = tab(kind);
    let page = AccountPage {
        frame: visitor.frame(Section::People),
        tabs: Tabs::of(visitor, tab),
        place: Place::of(tab.path(), account.as_ref().map(|account| account.id)),
        is_service: kind == AccountKind::Service,
        account,
        form,
        roles: root_roles(visitor).await?,
    };
    visitor.browser.show_with(status, &page)
}
