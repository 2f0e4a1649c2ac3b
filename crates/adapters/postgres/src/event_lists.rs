//! The statements that list events. The tests of query plans use them as well.

use diesel::{
    ExpressionMethods, QueryDsl, SelectableHelper,
    dsl::{AsSelect, Select, sql},
    pg::Pg,
    sql_types::{Bool, Text},
};
use latchkey_domain::{EventKind, ProjectId};
use latchkey_ports::{EventQuery, EventScope, Page};
use latchkey_sql::{
    Counted,
    columns::DbTime,
    queries::{page_limit, page_offset},
    rows::EventRow,
    schema::{event_projects, events},
};

use crate::connection::Unprepared;

type Events<'q> = events::BoxedQuery<'q, Pg>;
type Listed<'q> = Unprepared<Select<Events<'q>, AsSelect<EventRow, Pg>>>;
type Number<'q> = Unprepared<Counted<Select<Events<'q>, events::id>>>;

/// Selects the events of a query, in no order. A text is looked for in the newest alone.
pub(crate) fn matching_events(query: &EventQuery) -> Events<'_> {
    let Some(text) = query.text_in_json() else { return filtered_events(query) };
    let newest = filtered_events(query).order(events::id.desc()).limit(EventQuery::MAX_SEARCHED.into());
    // With the collation "C", `lower` changes the letters of ASCII alone.
    let contains = sql::<Bool>("(strpos(lower(events.\"after\"::text COLLATE \"C\"), ")
        .bind::<Text, _>(text.clone())
        .sql(") > 0 OR strpos(lower(events.\"before\"::text COLLATE \"C\"), ")
        .bind::<Text, _>(text)
        .sql(") > 0)");
    events::table.into_boxed().filter(events::id.eq_any(newest.select(events::id))).filter(contains)
}

/// Selects the events that pass the filters other than the text.
fn filtered_events(query: &EventQuery) -> Events<'_> {
    let mut events = events::table.into_boxed();
    events = match &query.scope {
        EventScope::All => events,
        // The condition of a partial index, literally: as a bind, it would be unknown when the statement is planned.
        EventScope::AnyProject => events.filter(sql::<Bool>("concerns <> 'nothing'")),
        // The caller may read the events of each of these projects, so the filter by projects is enough.
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
    // For one value, an index has the events in order.
    events = match query.kinds.as_slice() {
        [] => events,
        [kind] => events.filter(events::kind.eq(kind.as_str())),
        kinds => events.filter(events::kind.eq_any(kinds.iter().map(|kind| EventKind::as_str(*kind)))),
    };
    events = match query.actors.as_slice() {
        [] => events,
        [actor] => events.filter(events::actor_user_id.eq(*actor)),
        actors => events.filter(events::actor_user_id.eq_any(actors)),
    };
    if let Some(from) = query.from.map(DbTime::from) {
        events = events.filter(events::at.ge(from));
    }
    if let Some(before) = query.before.map(DbTime::from) {
        events = events.filter(events::at.lt(before));
    }
    if let Some(below) = query.below {
        events = events.filter(events::id.lt(below.0));
    }
    events
}

fn naming_one_of<'q>(events: Events<'q>, projects: impl Iterator<Item = &'q ProjectId>) -> Events<'q> {
    let projects: Vec<&str> = projects.map(ProjectId::as_str).collect();
    let links = event_projects::table.select(event_projects::event_id);
    match projects.as_slice() {
        [project] => {
            let project = *project;
            events.filter(events::id.eq_any(links.filter(event_projects::project_id.eq(project))))
        }
        _ => events.filter(events::id.eq_any(links.filter(event_projects::project_id.eq_any(projects)))),
    }
}

/// Selects a page of these events, newest first.
pub(crate) fn event_page(events: Events<'_>, page: Page) -> Listed<'_> {
    let events = events
        .order(events::id.desc())
        .limit(page_limit(page))
        .offset(page_offset(page))
        .select(EventRow::as_select());
    Unprepared(events)
}

/// Counts these events, up to the limit of the port.
pub(crate) fn event_count(events: Events<'_>) -> Number<'_> {
    let limit = i64::try_from(EventQuery::MAX_COUNTED).unwrap_or(i64::MAX);
    Unprepared(Counted(events.select(events::id).limit(limit)))
}
