//! The lists of users and of service accounts.

use askama::Template;
use latchkey_domain::{AccountKind, PersonalToken, User};
use latchkey_http::pages::ApiResult;
use latchkey_ports::Page;
use latchkey_service::{ManageServiceAccounts, ManageUsers, ServiceError};

use super::{
    names::{called, role_name, root_roles},
    tabs::{Tab, Tabs},
};
use crate::{
    frame::{Frame, Section, query_value},
    visitor::Visitor,
};

/// The accounts on a page.
const SHOWN: u32 = 50;
/// Where a list ends, so that what an address says can be counted on from.
const MAX_OFFSET: u64 = 1_000_000_000;

#[derive(Template)]
#[template(path = "people/accounts.html")]
struct ListPage {
    frame: Frame,
    tabs: Tabs,
    root: &'static str,
    is_services: bool,
    rows: Vec<Row>,
    query: ListQuery,
    has_more: bool,
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

/// What the address of a list asks for.
struct ListQuery {
    /// The text that is searched for; empty for a list of all.
    text: String,
    offset: u64,
}

impl ListQuery {
    fn of(visitor: &Visitor) -> Self {
        let value = |name| query_value(&visitor.browser.target, name).unwrap_or_default();
        Self {
            text: value("q").trim().replace('\0', ""),
            offset: value("offset").parse().unwrap_or(0).min(MAX_OFFSET),
        }
    }

    /// Returns the page of the list, with one account more, which says whether there are more.
    fn page(&self) -> Page {
        Page { limit: Some(SHOWN + 1), offset: self.offset }
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
        visitor.use_cases().users.list(&permit, query.page()).await?.users
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
        let (directory, tokens) = accounts.list(&permit, query.page()).await?;
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
    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let has_more = query.text.is_empty() && users.len() > shown;
    if has_more {
        users.truncate(shown);
    }
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
        query,
        has_more,
    })
}
