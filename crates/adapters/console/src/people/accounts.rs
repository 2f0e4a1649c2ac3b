//! The lists of users and of service accounts.

use askama::Template;
use latchkey_domain::{AccountKind, PersonalToken, User};
use latchkey_http::pages::ApiResult;
use latchkey_service::{ManageServiceAccounts, ManageUsers, ServiceError};

use super::{
    names::{called, role_name, root_roles},
    tabs::{Tab, Tabs},
};
use crate::{
    frame::{Frame, Section, query_value},
    paging::{self, Paging},
    paths::with_query,
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "people/accounts.html")]
struct ListPage {
    frame: Frame,
    tabs: Tabs,
    root: &'static str,
    is_services: bool,
    rows: Vec<Row>,
    /// The text that was searched for.
    text: String,
    paging: Paging,
}

/// An account in the list.
struct Row {
    user: User,
    role: String,
    tokens: usize,
}

impl Row {
    fn called(&self) -> &str {
        called(&self.user)
    }
}

impl ListPage {
    /// Returns the address of the page that begins there.
    fn at(&self, offset: u64) -> String {
        with_query(self.root, [("offset", offset.to_string())])
    }
}

/// What the address of a list asks for.
struct ListQuery {
    /// The text that is searched for; empty for a list of all.
    text: String,
    offset: u64,
}

impl ListQuery {
    fn of(visitor: &Visitor) -> Self {
        let target = &visitor.browser.target;
        let text = query_value(target, "q").unwrap_or_default();
        Self { text: text.trim().replace('\0', ""), offset: paging::offset(target) }
    }

    /// Returns the accounts of a kind that are found by the text, all on one page.
    async fn found(&self, visitor: &Visitor, kind: AccountKind) -> Result<Vec<User>, ServiceError> {
        let mut found = visitor.use_cases().users.search(visitor.caller(), &self.text).await?;
        found.retain(|user| user.kind == kind);
        Ok(found)
    }
}

pub(super) async fn users(visitor: Visitor) -> ApiResult {
    let permit = visitor.may::<ManageUsers>()?;
    let query = ListQuery::of(&visitor);
    let users = if query.text.is_empty() {
        visitor.use_cases().users.list(&permit, paging::asked(query.offset)).await?.users
    } else {
        query.found(&visitor, AccountKind::Person).await?
    };
    show(&visitor, Tab::Users, query, users, &[]).await
}

pub(super) async fn service_accounts(visitor: Visitor) -> ApiResult {
    let permit = visitor.may::<ManageServiceAccounts>()?;
    let query = ListQuery::of(&visitor);
    let accounts = &visitor.use_cases().service_accounts;
    if query.text.is_empty() {
        let (directory, tokens) = accounts.list(&permit, paging::asked(query.offset)).await?;
        return show(&visitor, Tab::ServiceAccounts, query, directory.users, &tokens).await;
    }
    let found = query.found(&visitor, AccountKind::Service).await?;
    let mut tokens = Vec::new();
    for account in &found {
        match accounts.tokens(&permit, account.id).await {
            Ok(own) => tokens.extend(own),
            // It was deleted meanwhile.
            Err(ServiceError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    show(&visitor, Tab::ServiceAccounts, query, found, &tokens).await
}

async fn show(
    visitor: &Visitor,
    tab: Tab,
    query: ListQuery,
    mut users: Vec<User>,
    tokens: &[PersonalToken],
) -> ApiResult {
    let roles = root_roles(visitor).await?;
    let paging =
        if query.text.is_empty() { Paging::cut(&mut users, query.offset) } else { Paging::whole(&users, 0) };
    let row = |user: User| Row {
        role: role_name(&roles, user.root_role),
        tokens: tokens.iter().filter(|token| token.user == user.id).count(),
        user,
    };
    visitor.browser.show(&ListPage {
        frame: visitor.frame(Section::People),
        tabs: Tabs::of(visitor, tab),
        root: tab.path(),
        is_services: tab == Tab::ServiceAccounts,
        rows: users.into_iter().map(row).collect(),
        text: query.text,
        paging,
    })
}
