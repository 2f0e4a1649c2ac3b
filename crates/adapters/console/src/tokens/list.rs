//! The list of tokens: filters, order and page are in its address, so that a list can be linked and kept.

use askama::Template;
use futures_util::future::try_join3;
use latchkey_domain::{
    ApiToken, EnvironmentName, ProjectId, ProjectScope, Timestamp, TokenKind, TokenStatus,
};
use latchkey_http::pages::{ApiResult, Query, TokenQuery};
use latchkey_ports::{Direction, TokenOrder};
use latchkey_service::{ServiceError, TokenFilter};
use std::{fmt::Display, time::Duration};

use super::{
    listing::Listing,
    projects::reads_all,
    reach::{Allowed, Reach},
};
use crate::{
    frame::{Frame, Section, query_pairs},
    mark::Mark,
    paging::{self, Paging},
    paths::with_query,
    visitor::Visitor,
};

const DAY: u64 = 86_400;

/// The days after which a token can be looked for as unused.
const UNUSED_DAYS: [u64; 4] = [30, 60, 90, 180];
/// What `attention` says for the client and frontend tokens for all projects, to which the overview leads.
const OF_ALL_PROJECTS: &str = "all-projects";

#[derive(Template)]
#[template(path = "tokens/list.html")]
struct ListPage {
    frame: Frame,
    reach: Reach,
    root: String,
    entries: Vec<Entry>,
    address: Address,
    paging: Paging,
    choices: Choices,
    projects: Vec<ProjectId>,
    /// What the visitor may do with some of the tokens.
    allowed: Allowed,
    /// Where a token is created.
    form: Option<String>,
}

/// A token in the list, with its pages and with what the visitor may do with it.
struct Entry {
    row: Row,
    root: String,
    allowed: Allowed,
}

impl ListPage {
    fn is_of(&self, project: &ProjectId) -> bool {
        self.reach.project() == Some(project.as_str())
    }

    /// Returns the marks of the statuses that can be chosen.
    fn statuses() -> impl Iterator<Item = Mark> {
        TokenStatus::ALL.iter().rev().copied().map(Mark::of_token)
    }
}

/// What can be chosen in the filters. Projects, of which there may be many, are asked for when one is to be chosen
/// ([`super::projects`]).
#[derive(Default)]
pub(crate) struct Choices {
    pub(crate) environments: Vec<EnvironmentName>,
    pub(crate) kinds: Vec<TokenKind>,
}

/// A token in the list.
pub(crate) struct Row {
    pub(crate) token: ApiToken,
    pub(crate) status: TokenStatus,
    pub(crate) mark: Mark,
}

impl Row {
    pub(crate) fn of(token: ApiToken, now: Timestamp) -> Self {
        let status = TokenStatus::of(&token, now);
        Self { token, status, mark: Mark::of_token(status) }
    }

    /// Returns the projects by id; none stands for all.
    pub(crate) fn projects(&self) -> Vec<&str> {
        match self.token.access.projects() {
            ProjectScope::All => Vec::new(),
            ProjectScope::Only(only) => only.as_slice().iter().map(ProjectId::as_str).collect(),
        }
    }
}

/// The address of a list, from which those of the next page and of other orders are made.
pub(crate) struct Address {
    path: String,
    pairs: Vec<(String, String)>,
}

impl Address {
    pub(crate) fn of(path: &str, target: &str) -> Self {
        let mut pairs = query_pairs(target);
        pairs.retain(|(name, value)| !value.is_empty() && name != "done" && name != "failed");
        Self { path: path.to_owned(), pairs }
    }

    /// Returns the value of a parameter.
    pub(crate) fn value(&self, name: &str) -> &str {
        self.pairs.iter().rev().find(|(sent, _)| sent == name).map_or("", |(_, value)| value)
    }

    /// Returns whether a parameter has this value.
    pub(crate) fn is(&self, name: &str, value: impl Display) -> bool {
        self.value(name) == format!("{value}")
    }

    /// Returns whether anything is filtered.
    pub(crate) fn is_filtered(&self) -> bool {
        self.pairs.iter().any(|(name, _)| !["offset", "sortBy", "sortOrder"].contains(&name.as_str()))
    }

    /// Returns the address with other values for some parameters, of which an empty one is left out.
    pub(crate) fn with(&self, changes: &[(&str, String)]) -> String {
        let kept = self.pairs.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        let replaced = changes.iter().map(|(name, value)| (*name, value.as_str()));
        with_query(&self.path, kept.chain(replaced))
    }

    /// Returns the address of the page that begins there.
    pub(crate) fn at(&self, offset: u64) -> String {
        self.with(&[("offset", if offset == 0 { String::new() } else { offset.to_string() })])
    }

    /// Returns the address of the list in the order of a column; in the other direction if it is in that order.
    pub(crate) fn sorted(&self, by: &str) -> String {
        let is_ascending = self.direction(by) == Some("ascending");
        let order = if is_ascending { "desc" } else { "asc" };
        self.with(&[("sortBy", by.to_owned()), ("sortOrder", order.to_owned()), ("offset", String::new())])
    }

    /// Returns the direction of the list, if it is in the order of this column.
    pub(crate) fn direction(&self, by: &str) -> Option<&'static str> {
        let (sorted, order) = match self.value("sortBy") {
            "" => ("createdAt", "desc"),
            sorted => (sorted, self.value("sortOrder")),
        };
        (sorted == by).then_some(if order == "desc" { "descending" } else { "ascending" })
    }

    /// Returns the address of the same list as CSV.
    pub(crate) fn export(&self) -> String {
        let list = self.with(&[("offset", String::new())]);
        let query = list.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
        format!("{}/export.csv{query}", self.path)
    }
}

/// Returns the filter that an address of a list stands for, without a page.
pub(crate) fn filter(query: &Query<TokenQuery>, address: &Address, now: Timestamp) -> ApiResult<TokenFilter> {
    let (mut filter, _) = TokenQuery::read(query)?;
    if address.value("sortBy").is_empty() {
        (filter.order, filter.direction) = (TokenOrder::CreatedAt, Direction::Descending);
    }
    if let Some(days) = UNUSED_DAYS.into_iter().find(|days| address.is("unused", days)) {
        filter.unused_since = now.minus(Duration::from_secs(days * DAY)).ok();
    }
    filter.of_all_projects = address.is("attention", OF_ALL_PROJECTS);
    Ok(filter)
}

pub(super) async fn show(visitor: Visitor, reach: Reach, query: Query<TokenQuery>) -> ApiResult {
    let root = reach.path();
    let listing = Listing::of(&visitor, reach.clone())?;
    let address = Address::of(&root, &visitor.browser.target);
    let frame = visitor.frame(Section::Tokens);
    let filter = filter(&query, &address, frame.now)?;
    let offset = filter.offset;
    let filter = TokenFilter { limit: paging::asked(offset).limit, ..filter };
    let found = try_join3(listing.search(&visitor, filter), choices(&visitor), listing.projects(&visitor));
    let (page, choices, projects) = found.await?;
    let mut tokens = page.tokens;
    let paging = Paging::cut(&mut tokens, offset);
    let entry = |token: ApiToken| {
        let reach = listing.reach_of(&token);
        let allowed = reach.allowed_with(&visitor, &token);
        Entry { root: reach.path(), allowed, row: Row::of(token, frame.now) }
    };
    let entries = tokens.into_iter().map(|revealed| entry(revealed.token)).collect();
    let allowed = listing.allowed_with_some(&visitor);
    let form = listing.form(&visitor, &projects, address.value("project"));
    let page = ListPage { frame, reach, root, entries, address, paging, choices, projects, allowed, form };
    visitor.browser.show(&page)
}

/// Returns what can be chosen in the filters.
pub(crate) async fn choices(visitor: &Visitor) -> Result<Choices, ServiceError> {
    let environments = visitor.use_cases().environments.list(visitor.caller()).await?;
    let mut kinds = vec![TokenKind::Client, TokenKind::Frontend];
    if reads_all(visitor) {
        kinds.push(TokenKind::Admin);
    }
    Ok(Choices {
        environments: environments.into_iter().map(|overview| overview.environment.name).collect(),
        kinds,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_what_they_do_not_change() {
        let address = Address::of("/console/tokens", "/console/tokens?name=a%26b&offset=50&type=&done=x");
        assert_eq!(address.at(0), "/console/tokens?name=a%26b");
        assert_eq!(address.at(100), "/console/tokens?name=a%26b&offset=100");
        assert_eq!(address.sorted("tokenName"), "/console/tokens?name=a%26b&sortBy=tokenName&sortOrder=asc");
        assert_eq!(address.direction("createdAt"), Some("descending"));
        assert_eq!(address.export(), "/console/tokens/export.csv?name=a%26b");
        assert!(address.is_filtered());
    }
}
