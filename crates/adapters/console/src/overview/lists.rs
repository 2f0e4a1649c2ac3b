//! The lists of the overview that are no filter of the list of tokens.

use askama::Template;
use latchkey_domain::{PolicyRule, Timestamp, TokenId};
use latchkey_http::pages::ApiResult;
use latchkey_service::{Attention, Concern, ConcernedToken, Policies, PolicyViolation};

use super::{
    address::{VIOLATIONS, list, named_project},
    concern,
};
use crate::{
    frame::{Frame, Section, query_value},
    paths::ROOT,
    tokens::{Reach, Row},
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "overview/list.html")]
struct ListPage {
    frame: Frame,
    reach: Reach,
    root: String,
    /// Where the overview of the same tokens is.
    overview: String,
    /// The key of what these tokens have in common.
    title: &'static str,
    /// The key of why that needs attention.
    what: &'static str,
    /// What the list leaves out.
    limit: Option<String>,
    rows: Vec<Listed>,
    /// Where the next page is.
    next: Option<String>,
}

/// A token in the list.
struct Listed {
    row: Row,
    noticed_at: Option<Timestamp>,
    /// The rules that it breaks.
    rules: Vec<&'static str>,
}

impl ListPage {
    fn has_moments(&self) -> bool {
        self.rows.iter().any(|listed| listed.noticed_at.is_some())
    }

    fn has_rules(&self) -> bool {
        self.rows.iter().any(|listed| !listed.rules.is_empty())
    }
}

/// Returns which tokens a list is about: those of the project that the address names, else all.
async fn reach(visitor: &Visitor) -> ApiResult<Reach> {
    Ok(named_project(visitor).await?.map_or(Reach::Instance, Reach::Project))
}

pub(super) async fn leaked(visitor: Visitor) -> ApiResult {
    by_events(&visitor, Concern::Leaked, ("overview-leaked", "overview-leaked-what")).await
}

pub(super) async fn expired_in_use(visitor: Visitor) -> ApiResult {
    let words = ("overview-expired-in-use", "overview-expired-in-use-what");
    by_events(&visitor, Concern::ExpiredInUse, words).await
}

async fn by_events(
    visitor: &Visitor,
    concern: Concern,
    (title, what): (&'static str, &'static str),
) -> ApiResult {
    let reach = reach(visitor).await?;
    let found = concern::tokens(visitor, &reach, concern).await?;
    let frame = visitor.frame(Section::Overview);
    let listed = |ConcernedToken { token, noticed_at }| Listed {
        row: Row::of(token, frame.now),
        noticed_at: Some(noticed_at),
        rules: Vec::new(),
    };
    let rows = found.tokens.into_iter().map(listed).collect();
    let limit = found.has_more.then(|| frame.number("overview-of-events", "count", &Attention::EVENTS));
    let (root, overview) = (reach.path(), list(ROOT, &reach, None));
    visitor.browser.show(&ListPage { frame, reach, root, overview, title, what, limit, rows, next: None })
}

pub(super) async fn violations(visitor: Visitor) -> ApiResult {
    let reach = reach(&visitor).await?;
    let after = query_value(&visitor.browser.target, "after").as_deref().and_then(TokenId::parse);
    let found = concern::violations(&visitor, &reach, after).await?;
    let frame = visitor.frame(Section::Overview);
    let listed = |PolicyViolation { token, rules }| Listed {
        row: Row::of(token, frame.now),
        noticed_at: None,
        rules: rules.into_iter().map(PolicyRule::as_str).collect(),
    };
    let rows = found.violations.into_iter().map(listed).collect();
    let is_part = after.is_some() || found.next.is_some();
    let limit = is_part.then(|| frame.number("overview-of-tokens", "count", &Policies::PORTION));
    let next = found.next.map(|last| list(VIOLATIONS, &reach, Some(last)));
    let (root, overview) = (reach.path(), list(ROOT, &reach, None));
    visitor.browser.show(&ListPage {
        frame,
        reach,
        root,
        overview,
        title: "overview-violations",
        what: "overview-violations-what",
        limit,
        rows,
        next,
    })
}
