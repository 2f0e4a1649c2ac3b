//! The statements that list events by any filters, newest first. As in `token_lists`, a page costs about the same however
//! many events there are: a filter that leaves few events finds them by its index; otherwise the events are read from the
//! newest on.

use diesel::{
    ExpressionMethods, QueryDsl, QueryResult, RunQueryDsl, SelectableHelper, SqliteConnection,
    dsl::{AsSelect, exists, max, sql},
    sql_types::{BigInt, Bool, Text},
    sqlite::Sqlite,
};
use latchkey_domain::{EventId, EventKind, ProjectId};
use latchkey_ports::{EventQuery, EventScope};
use latchkey_sql::{
    columns::DbTime,
    rows::EventRow,
    schema::{event_projects, events},
};

use crate::paging::{count, paged, unindexed};

/// Fewer events than this are sorted quickly.
const FEW: u32 = 50_000;

type Events<'a> = events::BoxedQuery<'a, Sqlite>;
type EventRows<'a> =
    events::BoxedQuery<'a, Sqlite, <AsSelect<EventRow, Sqlite> as diesel::Expression>::SqlType>;
type EventIds<'a> = events::BoxedQuery<'a, Sqlite, BigInt>;
type LinkedEvents<'a> = event_projects::BoxedQuery<'a, Sqlite, BigInt>;

/// A filter that has an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    Projects,
    Reach,
    Actors,
    Kinds,
    Time,
}

/// How a page is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccessPath {
    /// From the newest event on.
    Scan,
    /// Among the few events that a filter leaves.
    Few(Filter),
    /// In the index of a filter for one value, which many events have.
    One(Filter),
}

impl Filter {
    /// The most selective first, as a rule.
    pub(crate) const ALL: [Self; 5] = [Self::Projects, Self::Reach, Self::Actors, Self::Kinds, Self::Time];

    fn is_in(self, query: &EventQuery) -> bool {
        match self {
            Self::Projects => !query.projects.is_empty(),
            Self::Reach => matches!(query.scope, EventScope::Projects(_)),
            Self::Actors => !query.actors.is_empty(),
            Self::Kinds => !query.kinds.is_empty(),
            Self::Time => query.from.is_some() || query.before.is_some(),
        }
    }

    /// Whether the filter asks for one value, whose events its index lists by id.
    fn asks_for_one(self, query: &EventQuery) -> bool {
        match self {
            Self::Actors => query.actors.len() == 1,
            Self::Kinds => query.kinds.len() == 1,
            Self::Projects | Self::Reach | Self::Time => false,
        }
    }

    /// Whether this filter alone leaves few events.
    fn leaves_few(self, connection: &mut SqliteConnection, query: &EventQuery) -> QueryResult<bool> {
        let number = match (self, &query.scope) {
            (Self::Projects, _) => count(connection, links(&query.projects).limit(FEW.into())),
            (Self::Reach, EventScope::Projects(projects)) => {
                count(connection, links(projects).limit(FEW.into()))
            }
            _ => count(connection, self.ids(query).limit(FEW.into())),
        };
        Ok(number? < FEW.into())
    }

    /// The ids of all events that this filter leaves, in its index.
    pub(crate) fn ids(self, query: &EventQuery) -> EventIds<'_> {
        self.narrow(events::table.into_boxed(), query, true).select(events::id)
    }

    /// Narrows events by this filter, with its index or without.
    fn narrow<'a>(self, events: Events<'a>, query: &'a EventQuery, indexed: bool) -> Events<'a> {
        match (self, &query.scope) {
            (Self::Projects, _) if query.projects.is_empty() => events,
            (Self::Projects, _) => concerning(events, &query.projects),
            (Self::Reach, EventScope::Projects(projects)) => concerning(events, projects),
            // The exact condition of a partial index.
            (Self::Reach, EventScope::AnyProject) => events.filter(sql::<Bool>("concerns <> 'nothing'")),
            (Self::Reach, EventScope::All) => events,
            (Self::Actors, _) if query.actors.is_empty() => events,
            (Self::Actors, _) if indexed => events.filter(events::actor_user_id.eq_any(&query.actors)),
            (Self::Actors, _) => events.filter(unindexed(events::actor_user_id).eq_any(&query.actors)),
            (Self::Kinds, _) if query.kinds.is_empty() => events,
            (Self::Kinds, _) => {
                let kinds: Vec<&str> = query.kinds.iter().copied().map(EventKind::as_str).collect();
                if indexed {
                    events.filter(events::kind.eq_any(kinds))
                } else {
                    events.filter(unindexed(events::kind).eq_any(kinds))
                }
            }
            (Self::Time, _) => within(events, query, indexed),
        }
    }
}

/// The ids of events of these projects; an event of several of them occurs several times.
pub(crate) fn links<'a>(projects: impl IntoIterator<Item = &'a ProjectId>) -> LinkedEvents<'a> {
    let ids: Vec<&str> = projects.into_iter().map(ProjectId::as_str).collect();
    event_projects::table
        .filter(event_projects::project_id.eq_any(ids))
        .select(event_projects::event_id)
        .into_boxed()
}

/// Looks at the projects of each event, which are few; the list may be of many.
fn concerning<'a>(events: Events<'a>, projects: impl IntoIterator<Item = &'a ProjectId>) -> Events<'a> {
    let ids: Vec<&str> = projects.into_iter().map(ProjectId::as_str).collect();
    let links = event_projects::table.filter(event_projects::event_id.eq(events::id));
    events.filter(exists(links.filter(unindexed(event_projects::project_id).eq_any(ids))))
}

fn within<'a>(mut events: Events<'a>, query: &EventQuery, indexed: bool) -> Events<'a> {
    if let Some(from) = query.from.map(DbTime::from) {
        events = if indexed {
            events.filter(events::at.ge(from))
        } else {
            events.filter(unindexed(events::at).ge(from))
        };
    }
    match query.before.map(DbTime::from) {
        Some(before) if indexed => events.filter(events::at.lt(before)),
        Some(before) => events.filter(unindexed(events::at).lt(before)),
        None => events,
    }
}

impl AccessPath {
    /// Chooses the path to a page.
    pub(crate) fn to_page(connection: &mut SqliteConnection, query: &EventQuery) -> QueryResult<Self> {
        let filters = || Filter::ALL.into_iter().filter(|filter| filter.is_in(query));
        for filter in filters() {
            if filter.leaves_few(connection, query)? {
                return Ok(Self::Few(filter));
            }
        }
        // Without `before`: events after it are skipped faster by id than by an index.
        let one = filters().find(|filter| filter.asks_for_one(query) && query.before.is_none());
        Ok(one.map_or(Self::Scan, Self::One))
    }

    /// Chooses the path to the count, for which the order does not matter.
    fn to_total(self, query: &EventQuery) -> Self {
        let mut filters = [Filter::Time, Filter::Actors, Filter::Kinds].into_iter();
        match filters.find(|filter| filter.is_in(query)) {
            Some(filter) if self == Self::Scan => Self::One(filter),
            _ => self,
        }
    }
}

/// The events of a query, in no order.
fn found(query: &EventQuery, path: AccessPath) -> Events<'_> {
    let mut events = events::table.into_boxed();
    for filter in Filter::ALL.into_iter().filter(|filter| path != AccessPath::Few(*filter)) {
        events = filter.narrow(events, query, path == AccessPath::One(filter));
    }
    if let Some(below) = query.below {
        events = events.filter(events::id.lt(below.0));
    }
    // A list of ids and not the filter itself, which the planner might still expect to leave many.
    match (path, &query.scope) {
        (AccessPath::Few(Filter::Projects), _) => events.filter(events::id.eq_any(links(&query.projects))),
        (AccessPath::Few(Filter::Reach), EventScope::Projects(projects)) => {
            events.filter(events::id.eq_any(links(projects)))
        }
        (AccessPath::Few(filter), _) => events.filter(events::id.eq_any(filter.ids(query))),
        (AccessPath::Scan | AccessPath::One(_), _) => events,
    }
}

/// The events of a query, and of those the ones with its text, which is looked for in the newest alone.
fn with_text(query: &EventQuery, path: AccessPath) -> Events<'_> {
    let Some(text) = query.text_in_json() else { return found(query, path) };
    let newest = found(query, path).order(events::id.desc()).limit(EventQuery::MAX_SEARCHED.into());
    let contains = sql::<Bool>("(instr(lower(events.\"after\"), ")
        .bind::<Text, _>(text.clone())
        .sql(") > 0 OR instr(lower(events.\"before\"), ")
        .bind::<Text, _>(text)
        .sql(") > 0)");
    events::table.into_boxed().filter(events::id.eq_any(newest.select(events::id))).filter(contains)
}

/// Returns the number of the newest event of this store; 0 if there are imported ones at most.
pub(crate) fn newest_event(connection: &mut SqliteConnection) -> QueryResult<EventId> {
    let newest: Option<i64> = events::table.select(max(events::id)).first(connection)?;
    Ok(EventId(newest.unwrap_or(0).max(0)))
}

/// Selects the page of a query, newest first.
pub(crate) fn event_page(query: &EventQuery, path: AccessPath) -> EventRows<'_> {
    paged(with_text(query, path).order(events::id.desc()), query.page).select(EventRow::as_select())
}

/// Counts the events of all pages, up to the limit of the port.
pub(crate) fn event_count(
    connection: &mut SqliteConnection,
    query: &EventQuery,
    path: AccessPath,
) -> QueryResult<u64> {
    let limit = i64::try_from(EventQuery::MAX_COUNTED).unwrap_or(i64::MAX);
    if query.text.is_some() {
        return count(connection, with_text(query, path).select(events::id).limit(limit));
    }
    let mut filters = Filter::ALL.into_iter().filter(|filter| filter.is_in(query));
    match (filters.next(), filters.next(), &query.scope) {
        // Counted in an index, without reading an event.
        (Some(Filter::Projects), None, EventScope::All) if query.below.is_none() => {
            count(connection, links(&query.projects).distinct().limit(limit))
        }
        (Some(Filter::Reach), None, EventScope::Projects(projects)) if query.below.is_none() => {
            count(connection, links(projects).distinct().limit(limit))
        }
        _ => count(connection, found(query, path.to_total(query)).select(events::id).limit(limit)),
    }
}
