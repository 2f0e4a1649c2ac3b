//! The statements that list the audit trail. Each is made in one function, which the test of query plans calls as well.

use diesel::{ExpressionMethods, QueryDsl, Queryable, dsl::Select, pg::Pg};
use latchkey_domain::{Event, EventKind, ProjectId};
use latchkey_ports::{EventQuery, EventScope, Inconsistency, Page};
use latchkey_sql::{
    Counted,
    columns::{DbTime, Parsed},
    event_columns,
    rows::EventRow,
    schema::{event_projects, event_rows},
};

use crate::{
    connection::Unprepared,
    paging::{page_limit, page_offset},
};

/// The columns of an [`EventWithProjects`].
type EventColumns = (event_columns!(event_rows), event_rows::project_ids);

/// The columns of an [`EventWithProjects`].
pub(crate) const EVENT_COLUMNS: EventColumns = (event_columns!(event_rows), event_rows::project_ids);

/// An event with the projects that it names, in order.
#[derive(Queryable)]
pub(crate) struct EventWithProjects {
    event: EventRow,
    project_ids: Vec<Parsed<ProjectId>>,
}

impl TryFrom<EventWithProjects> for Event {
    type Error = Inconsistency;

    fn try_from(row: EventWithProjects) -> Result<Self, Inconsistency> {
        row.event.into_event(row.project_ids)
    }
}

type Events<'q> = event_rows::BoxedQuery<'q, Pg>;
type Listed<'q> = Unprepared<Select<Events<'q>, EventColumns>>;
type Number<'q> = Unprepared<Counted<Select<Events<'q>, event_rows::id>>>;

/// The events asked for, in no order and on no page.
pub(crate) fn matching_events(query: &EventQuery) -> Events<'_> {
    let mut events = event_rows::table.into_boxed();
    events = match &query.scope {
        EventScope::All => events,
        EventScope::AnyProject => events.filter(event_rows::about_projects),
        // A caller that may read the events of each of these projects may read those of any of them.
        EventScope::Projects(own)
            if !query.projects.is_empty() && query.projects.iter().all(|project| own.contains(project)) =>
        {
            events
        }
        EventScope::Projects(own) => naming_one_of(events, own.iter()),
    };
    if !query.projects.is_empty() {
        events = naming_one_of(events, query.projects.iter());
    }
    // Of one value, an index gives the events in order; of several, only a look at all of them does.
    events = match query.kinds.as_slice() {
        [] => events,
        [kind] => events.filter(event_rows::kind.eq(kind.as_str())),
        kinds => events.filter(event_rows::kind.eq_any(kinds.iter().map(|kind| EventKind::as_str(*kind)))),
    };
    events = match query.actors.as_slice() {
        [] => events,
        [actor] => events.filter(event_rows::actor_user_id.eq(*actor)),
        actors => events.filter(event_rows::actor_user_id.eq_any(actors)),
    };
    if let Some(from) = query.from.map(DbTime::from) {
        events = events.filter(event_rows::at.ge(from));
    }
    if let Some(before) = query.before.map(DbTime::from) {
        events = events.filter(event_rows::at.lt(before));
    }
    events
}

fn naming_one_of<'q>(events: Events<'q>, projects: impl Iterator<Item = &'q ProjectId>) -> Events<'q> {
    let projects: Vec<&str> = projects.map(ProjectId::as_str).collect();
    let links = event_projects::table.select(event_projects::event_id);
    match projects.as_slice() {
        [project] => {
            let project = *project;
            events.filter(event_rows::id.eq_any(links.filter(event_projects::project_id.eq(project))))
        }
        _ => events.filter(event_rows::id.eq_any(links.filter(event_projects::project_id.eq_any(projects)))),
    }
}

/// A page of these events, newest first.
pub(crate) fn event_page(events: Events<'_>, page: Page) -> Listed<'_> {
    let events = events
        .order(event_rows::id.desc())
        .limit(page_limit(page))
        .offset(page_offset(page))
        .select(EVENT_COLUMNS);
    Unprepared(events)
}

/// Counts these events, up to the limit of the port.
pub(crate) fn event_count(events: Events<'_>) -> Number<'_> {
    let most = i64::try_from(EventQuery::MAX_COUNTED).unwrap_or(i64::MAX);
    Unprepared(Counted(events.select(event_rows::id).limit(most)))
}
