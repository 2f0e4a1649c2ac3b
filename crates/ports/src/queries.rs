//! Queries for lists: filters, order and page.

use std::collections::BTreeSet;

use latchkey_domain::{
    EnvironmentName, EventId, EventKind, ProjectId, ProjectVisibility, Timestamp, TokenId, TokenKind,
    TokenName,
};
use serde_json::Value;

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Page {
    /// The maximum number of entries; `None` = all.
    pub limit: Option<u32>,
    pub offset: u64,
}

impl Page {
    /// Returns a page of the first entries.
    pub fn first(limit: u32) -> Self {
        Self { limit: Some(limit), offset: 0 }
    }
}

/// The order of a list of tokens. Ties are ordered by id, in the same direction. Text is ordered code point by code point.
///
/// In the orders of the two database stores, an index has the tokens in order, so that a page reads little more than itself, except
/// for [`TokenOrder::Project`], and for [`TokenOrder::SeenAt`] in PostgreSQL: these sort all tokens that pass the filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenOrder {
    /// By creation, then id.
    #[default]
    CreatedAt,
    Name,
    /// By the name of the kind: admin, client, frontend.
    Kind,
    /// By the name of the environment; admin tokens, which have none, come first.
    Environment,
    /// By the smallest id of the projects that a token names; tokens for all projects come first.
    Project,
    /// By owner; a token without one comes first.
    Owner,
    /// By [`TokenStatus`](latchkey_domain::TokenStatus): disabled, expired, expiring, active. Tokens of one status are ordered by
    /// expiry, one without an expiry last. Disabled tokens and then the others, each by expiry, are in this order at any moment.
    Status,
    /// By expiry; a token without one comes last.
    ExpiresAt,
    /// By last use; a token that was never used comes first.
    SeenAt,
}

/// The direction of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    #[default]
    Ascending,
    Descending,
}

/// A condition on the attributes of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeFilter {
    /// The attribute of this name, which must be text, contains this text; case matters.
    Contains { name: &'static str, text: String },
    /// The attribute of this name, which must be text, is set.
    IsSet { name: &'static str },
    /// What is at this path of names in the JSON of the attributes is one of these texts, numbers, booleans or null. A name
    /// in a path has only characters of the names of metadata.
    Is { path: Vec<String>, values: Vec<Value> },
}

impl AttributeFilter {
    /// Returns the condition that this is the owner.
    pub fn owner(name: String) -> Self {
        Self::Is { path: vec!["owner".to_owned()], values: vec![name.into()] }
    }
}

/// When tokens end. The default is at any time, or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ends {
    /// Only those that are not expired at that moment. One without an end never is.
    pub after: Option<Timestamp>,
    /// Only those that are expired at that moment.
    pub by: Option<Timestamp>,
}

impl Ends {
    /// Those that are not expired at that moment.
    pub fn after(moment: Timestamp) -> Self {
        Self { after: Some(moment), by: None }
    }

    /// Those that are expired at that moment.
    pub fn by(moment: Timestamp) -> Self {
        Self { after: None, by: Some(moment) }
    }

    /// Whether tokens are filtered by it.
    pub fn is_set(self) -> bool {
        self.after.is_some() || self.by.is_some()
    }
}

/// The tokens that a caller may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadableTokens {
    All,
    /// Those that name some project.
    OfAnyProject,
    /// Those that name one of these projects.
    OfProjects(BTreeSet<ProjectId>),
}

/// A query for tokens. A token must pass every filter that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenQuery {
    /// Only those that the caller may read.
    pub readable: ReadableTokens,
    /// Only these kinds; if there is none, no token is found.
    pub kinds: BTreeSet<TokenKind>,
    /// Only those that name this project.
    pub project: Option<ProjectId>,
    /// Only those that name no project, because they are for all of them.
    pub of_all_projects: bool,
    /// Only those that work in this environment and no other (so never admin tokens).
    pub environment: Option<EnvironmentName>,
    /// Only those of exactly this name.
    pub name: Option<TokenName>,
    /// Only those whose name contains this text; case matters.
    pub name_contains: Option<String>,
    /// Only those that meet each of these conditions.
    pub attributes: Vec<AttributeFilter>,
    /// Only those that are (`true`), or are not (`false`) enabled.
    pub enabled: Option<bool>,
    pub ends: Ends,
    /// Only those that were created before that moment and did not authenticate at or after it.
    pub unused_since: Option<Timestamp>,
    pub order: TokenOrder,
    pub direction: Direction,
    /// Only those after this id in the direction of the list; for [`TokenOrder::CreatedAt`] only, ignored with any
    /// other order.
    pub after: Option<TokenId>,
    pub page: Page,
}

impl TokenQuery {
    /// Returns the query for all tokens of these kinds, by creation.
    pub fn of_kinds(kinds: impl IntoIterator<Item = TokenKind>) -> Self {
        Self {
            readable: ReadableTokens::All,
            kinds: kinds.into_iter().collect(),
            project: None,
            of_all_projects: false,
            environment: None,
            name: None,
            name_contains: None,
            attributes: Vec::new(),
            enabled: None,
            ends: Ends::default(),
            unused_since: None,
            order: TokenOrder::default(),
            direction: Direction::default(),
            after: None,
            page: Page::default(),
        }
    }

    /// Returns the query for all tokens that name this project, by creation.
    #[must_use]
    pub fn of_project(project: ProjectId) -> Self {
        // Admin tokens name no project.
        let kinds = [TokenKind::Client, TokenKind::Frontend];
        Self { project: Some(project), ..Self::of_kinds(kinds) }
    }

    /// Returns the project if this is [`TokenQuery::of_project`], perhaps after a token and with a limit. Clients ask for
    /// this list far more often than for others, so stores have a statement of its own for it.
    #[must_use]
    pub fn whole_project(&self) -> Option<&ProjectId> {
        let Self {
            readable: ReadableTokens::All,
            kinds,
            project: Some(project),
            of_all_projects: false,
            environment: None,
            name: None,
            name_contains: None,
            attributes,
            enabled: None,
            ends: Ends { after: None, by: None },
            unused_since: None,
            order: TokenOrder::CreatedAt,
            direction: Direction::Ascending,
            after: _,
            page: Page { limit: _, offset: 0 },
        } = self
        else {
            return None;
        };
        let has_all = [TokenKind::Client, TokenKind::Frontend].iter().all(|kind| kinds.contains(kind));
        (has_all && attributes.is_empty()).then_some(project)
    }
}

/// A query for projects, which are ordered by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectQuery {
    pub visibility: ProjectVisibility,
    /// The archived ones, or those that are not archived.
    pub archived: bool,
    pub page: Page,
}

/// The events that a caller may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventScope {
    All,
    /// Those that concern some project, or all projects.
    AnyProject,
    /// Those that concern one of these projects by name.
    Projects(BTreeSet<ProjectId>),
}

/// A query for events, which are ordered newest first. An event must pass every filter; an empty list filters nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventQuery {
    /// Only those that the caller may read.
    pub scope: EventScope,
    pub kinds: Vec<EventKind>,
    /// Only those that concern one of these projects by name.
    pub projects: Vec<ProjectId>,
    /// Only those of these actors, by number (`createdByUserId` on the wire).
    pub actors: Vec<i64>,
    /// Only those at or after that moment.
    pub from: Option<Timestamp>,
    /// Only those before that moment.
    pub before: Option<Timestamp>,
    /// Only those with lower numbers: the next portion of all events of the other filters.
    pub below: Option<EventId>,
    /// Only those whose state before or after contains this text, as JSON writes it; the case of ASCII letters is ignored. It
    /// is looked for in the newest [`EventQuery::MAX_SEARCHED`] events that pass the other filters.
    pub text: Option<String>,
    pub page: Page,
}

impl EventQuery {
    /// The maximum number of events that are read for a text, which no index finds.
    pub const MAX_SEARCHED: u32 = 100_000;
    /// The maximum total: it means "at least that many", so that the cost of a page does not depend on the length of
    /// the trail.
    pub const MAX_COUNTED: u64 = 10_000;

    /// Returns the query for all events in this scope.
    pub fn within(scope: EventScope) -> Self {
        Self {
            scope,
            kinds: Vec::new(),
            projects: Vec::new(),
            actors: Vec::new(),
            from: None,
            before: None,
            below: None,
            text: None,
            page: Page::default(),
        }
    }

    /// Returns the text to look for in the JSON of an event: in lower case, and escaped as a string of JSON is.
    #[must_use]
    pub fn text_in_json(&self) -> Option<String> {
        let quoted = serde_json::Value::from(self.text.as_deref()?.to_ascii_lowercase()).to_string();
        Some(quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned())
    }
}
