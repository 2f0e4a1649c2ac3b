//! What a list is asked for: which entries, in which order, and which page of them.

use std::collections::BTreeSet;

use latchkey_domain::{
    EnvironmentName, EventKind, ProjectId, ProjectVisibility, Timestamp, TokenId, TokenKind, TokenName,
};

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Page {
    /// The most entries; `None` = all there are.
    pub limit: Option<u32>,
    /// How many entries are passed over.
    pub offset: u64,
}

impl Page {
    /// The first entries.
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self { limit: Some(limit), offset: 0 }
    }
}

/// What tokens are ordered by. Ties go by id, in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TokenOrder {
    /// By creation, then id: the contract's order.
    #[default]
    CreatedAt,
    /// By name, code point by code point.
    Name,
    /// By end; a token without one ends later than any other.
    ExpiresAt,
    /// By last use; a token without one was used earlier than any other.
    SeenAt,
}

/// Which way a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// The least first.
    #[default]
    Ascending,
    /// The greatest first.
    Descending,
}

/// Tokens with an attribute that contains a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeFilter {
    /// The attribute's name in JSON; the attribute must be text.
    pub name: &'static str,
    /// The text that it contains, compared case-sensitively.
    pub text: String,
}

/// Which tokens are asked for. Every filter that is there has to be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenQuery {
    /// Only of these kinds; of none, no token is found.
    pub kinds: BTreeSet<TokenKind>,
    /// Only those that name this project.
    pub project: Option<ProjectId>,
    /// Only those that work in this environment and no other (so never admin tokens).
    pub environment: Option<EnvironmentName>,
    /// Only those of this very name.
    pub name: Option<TokenName>,
    /// Only those whose name contains this text, case and all.
    pub name_contains: Option<String>,
    /// Only those with this attribute.
    pub attribute_contains: Option<AttributeFilter>,
    /// Only those that are (`true`) or are not (`false`) expired at that moment.
    pub expired: Option<(bool, Timestamp)>,
    /// Only those that were created before that moment and did not authenticate at or after it.
    pub unused_since: Option<Timestamp>,
    /// The order.
    pub order: TokenOrder,
    /// Which way it runs.
    pub direction: Direction,
    /// Only those that come after this id in the order of ids, the way the list runs; for [`TokenOrder::CreatedAt`]
    /// alone, and passed over with any other order.
    pub after: Option<TokenId>,
    /// Which page.
    pub page: Page,
}

impl TokenQuery {
    /// All tokens of these kinds, by creation.
    #[must_use]
    pub fn of_kinds(kinds: impl IntoIterator<Item = TokenKind>) -> Self {
        Self {
            kinds: kinds.into_iter().collect(),
            project: None,
            environment: None,
            name: None,
            name_contains: None,
            attribute_contains: None,
            expired: None,
            unused_since: None,
            order: TokenOrder::default(),
            direction: Direction::default(),
            after: None,
            page: Page::default(),
        }
    }
}

/// Which projects are asked for, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectQuery {
    /// Only those that somebody sees.
    pub visibility: ProjectVisibility,
    /// Those in the archive, or those that are not.
    pub archived: bool,
    /// Which page.
    pub page: Page,
}

/// Which events somebody may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventScope {
    /// All.
    All,
    /// Those that concern any project, or all of them.
    AnyProject,
    /// Those that concern one of these projects by name.
    Projects(BTreeSet<ProjectId>),
}

/// Which events are asked for, newest first. Every filter that is there has to be met; an empty list filters nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventQuery {
    /// Only those that may be read.
    pub reach: EventScope,
    /// Only of one of these kinds.
    pub kinds: Vec<EventKind>,
    /// Only those that concern one of these projects by name.
    pub projects: Vec<ProjectId>,
    /// Only those of one of these actors, by number (`createdByUserId` on the wire).
    pub actors: Vec<i64>,
    /// Only those at or after that moment.
    pub from: Option<Timestamp>,
    /// Only those before that moment.
    pub before: Option<Timestamp>,
    /// Which page.
    pub page: Page,
}

impl EventQuery {
    /// Counting ends here: a total of that many means "at least that many", so that a page costs the same however long
    /// the trail is.
    pub const MAX_COUNTED: u64 = 10_000;

    /// Every event within reach.
    #[must_use]
    pub fn within(reach: EventScope) -> Self {
        let (kinds, projects, actors) = (Vec::new(), Vec::new(), Vec::new());
        Self { reach, kinds, projects, actors, from: None, before: None, page: Page::default() }
    }
}
