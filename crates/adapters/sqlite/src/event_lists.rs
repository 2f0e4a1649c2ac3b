//! The statements that find events by any filter, newest first. As in `token_lists`, a list costs about the same however
//! long the trail is: a filter that leaves few events finds them by its index, else the trail is walked.

use diesel::{
    ExpressionMethods, QueryDsl, QueryResult, SelectableHelper, SqliteConnection,
    dsl::{AsSelect, exists, sql},
    sql_types::{BigInt, Bool},
    sqlite::Sqlite,
};
use latchkey_domain::{EventKind, ProjectId};
use latchkey_ports::{EventQuery, EventReach};

use crate::{
    paging::{Counted, paged, unindexed},
    rows::EventRow,
    schema::{event_projects, events},
};

/// Fewer events than this are few: sorted soon. Of a million events, a page of so many is met soon too.
const FEW: u32 = 50_000;

type Events<'a> = events::BoxedQuery<'a, Sqlite>;
type EventRows<'a> =
    events::BoxedQuery<'a, Sqlite, <AsSelect<EventRow, Sqlite> as diesel::Expression>::SqlType>;
type EventIds<'a> = events::BoxedQuery<'a, Sqlite, BigInt>;

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
pub(crate) enum Way {
    /// Along the trail.
    Walk,
    /// By the index of a filter, which has the events in order.
    InOrder(Filter),
    /// By the index of a filter that leaves few, which are then sorted.
    Sorted(Filter),
}

impl Filter {
    /// In the order in which they are likely to leave few events.
    pub(crate) const ALL: [Self; 5] = [Self::Projects, Self::Reach, Self::Actors, Self::Kinds, Self::Time];

    fn is_in(self, query: &EventQuery) -> bool {
        match self {
            Self::Projects => !query.projects.is_empty(),
            Self::Reach => matches!(query.reach, EventReach::Projects(_)),
            Self::Actors => !query.actors.is_empty(),
            Self::Kinds => !query.kinds.is_empty(),
            Self::Time => query.from.is_some() || query.before.is_some(),
        }
    }

    /// Whether the filter asks for one value, of which the index has the events by number.
    fn asks_for_one(self, query: &EventQuery) -> bool {
        match self {
            Self::Actors => query.actors.len() == 1,
            Self::Kinds => query.kinds.len() == 1,
            Self::Projects | Self::Reach | Self::Time => false,
        }
    }

    /// The numbers of events that this filter leaves, as many as are not few any more.
    pub(crate) fn alone(self, query: &EventQuery) -> EventIds<'_> {
        self.narrow(events::table.into_boxed(), query, true).select(events::id).limit(FEW.into())
    }

    /// The events that this filter leaves, found by its index or not.
    fn narrow<'a>(self, events: Events<'a>, query: &'a EventQuery, indexed: bool) -> Events<'a> {
        match (self, &query.reach) {
            (Self::Projects, _) if query.projects.is_empty() => events,
            (Self::Projects, _) => concerning(events, &query.projects, indexed),
            (Self::Reach, EventReach::Projects(projects)) => concerning(events, projects, indexed),
            // The very condition of a partial index.
            (Self::Reach, EventReach::AnyProject) => events.filter(sql::<Bool>("concerns <> 'nothing'")),
            (Self::Reach, EventReach::All) => events,
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

/// From the projects to the events, or from each event to its projects.
fn concerning<'a>(
    events: Events<'a>,
    projects: impl IntoIterator<Item = &'a ProjectId>,
    indexed: bool,
) -> Events<'a> {
    let ids: Vec<&str> = projects.into_iter().map(ProjectId::as_str).collect();
    let links = event_projects::table.filter(event_projects::project_id.eq_any(ids));
    if indexed {
        events.filter(events::id.eq_any(links.select(event_projects::event_id)))
    } else {
        events.filter(exists(links.filter(event_projects::event_id.eq(events::id))))
    }
}

fn within<'a>(mut events: Events<'a>, query: &EventQuery, indexed: bool) -> Events<'a> {
    if let Some(from) = query.from.map(latchkey_domain::Timestamp::millis) {
        events = if indexed {
            events.filter(events::at.ge(from))
        } else {
            events.filter(unindexed(events::at).ge(from))
        };
    }
    match query.before.map(latchkey_domain::Timestamp::millis) {
        Some(before) if indexed => events.filter(events::at.lt(before)),
        Some(before) => events.filter(unindexed(events::at).lt(before)),
        None => events,
    }
}

fn filtered(query: &EventQuery, by: Option<Filter>) -> Events<'_> {
    Filter::ALL
        .into_iter()
        .fold(events::table.into_boxed(), |events, filter| filter.narrow(events, query, by == Some(filter)))
}

impl Way {
    /// The best way to a page.
    pub(crate) fn to_page(connection: &mut SqliteConnection, query: &EventQuery) -> QueryResult<Self> {
        let filters = || Filter::ALL.into_iter().filter(|filter| filter.is_in(query));
        for filter in filters() {
            if Counted(filter.alone(query)).number(connection)? < FEW.into() {
                let in_order =
                    filter.asks_for_one(query) || matches!(filter, Filter::Projects | Filter::Reach);
                return Ok(if in_order { Self::InOrder(filter) } else { Self::Sorted(filter) });
            }
        }
        Ok(filters().find(|filter| filter.asks_for_one(query)).map_or(Self::Walk, Self::InOrder))
    }

    /// The filter by whose index events are counted: in which order they are met does not matter then.
    pub(crate) fn to_count(self, query: &EventQuery) -> Option<Filter> {
        match self {
            Self::InOrder(filter) | Self::Sorted(filter) => Some(filter),
            Self::Walk => {
                [Filter::Actors, Filter::Kinds, Filter::Time].into_iter().find(|filter| filter.is_in(query))
            }
        }
    }
}

/// The events asked for, newest first.
pub(crate) fn page(query: &EventQuery, way: Way) -> EventRows<'_> {
    let events = match way {
        Way::Walk => filtered(query, None).order(events::id.desc()),
        Way::InOrder(filter) => filtered(query, Some(filter)).order(events::id.desc()),
        Way::Sorted(filter) => filtered(query, Some(filter)).order(unindexed(events::id).desc()),
    };
    paged(events, query.page).select(EventRow::as_select())
}

/// The numbers of the events on all pages, of as many as are counted.
pub(crate) fn all_pages(query: &EventQuery, by: Option<Filter>) -> EventIds<'_> {
    let most = i64::try_from(EventQuery::MOST_COUNTED).unwrap_or(i64::MAX);
    filtered(query, by).select(events::id).limit(most)
}
