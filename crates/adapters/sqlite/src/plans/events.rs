//! Plans of the lists of events.

use diesel::QueryDsl;
use latchkey_domain::{EventKind, ProjectId, Timestamp};
use latchkey_ports::{EventQuery, EventScope, Page};

use super::{assert_plan, plan, with_large_store};
use crate::event_lists::{AccessPath, Filter, event_page, links};

/// A query with every filter, each of several values.
fn with_every_filter() -> EventQuery {
    let projects: Vec<ProjectId> = ["project-7", "project-8"].map(|id| id.parse().expect("an id")).into();
    EventQuery {
        scope: EventScope::Projects(projects.iter().cloned().collect()),
        kinds: vec![EventKind::ApiTokenCreated, EventKind::PersonalTokenCreated],
        projects,
        actors: vec![7, 8],
        from: Timestamp::from_millis(1_000).ok(),
        below: None,
        before: Timestamp::from_millis(2_000).ok(),
        text: None,
        page: Page::first(100),
    }
}

fn plain() -> EventQuery {
    EventQuery { page: Page::first(100), ..EventQuery::within(EventScope::All) }
}

/// The lookup of whether an event names another project.
const NAMES_PROJECT: &str = "SEARCH event_projects EXISTS USING PRIMARY KEY (event_id=?)";

/// Asserts the steps that find the events of a page. The projects of each event are read by its id.
#[track_caller]
fn assert_page(plan: &[String], steps: &[&str]) {
    let projects = [
        "CORRELATED SCALAR SUBQUERY",
        "CO-ROUTINE list",
        "SEARCH event_projects USING PRIMARY KEY (event_id=?)",
        "SCAN list",
    ];
    assert_plan(plan, &[steps, &projects].concat());
}

#[test]
fn events_are_read_from_the_newest() {
    with_large_store(|connection| {
        assert_page(&plan(connection, &event_page(&plain(), AccessPath::Scan)), &["SCAN events"]);
        let any = EventQuery { scope: EventScope::AnyProject, ..plain() };
        assert_page(&plan(connection, &event_page(&any, AccessPath::Scan)), &["SCAN events"]);
        let dense = plan(connection, &event_page(&with_every_filter(), AccessPath::Scan));
        assert_page(&dense, &["SCAN events", NAMES_PROJECT, NAMES_PROJECT]);
    });
}

#[test]
fn text_is_looked_for_in_the_newest_events_alone() {
    with_large_store(|connection| {
        let query = EventQuery { text: Some("x".to_owned()), ..plain() };
        let found = plan(connection, &event_page(&query, AccessPath::Scan));
        assert_page(
            &found,
            &["SEARCH events USING INTEGER PRIMARY KEY (rowid=?)", "LIST SUBQUERY", "SCAN events"],
        );
    });
}

#[test]
fn many_events_of_one_value_are_found_in_order() {
    with_large_store(|connection| {
        let kind = EventQuery { kinds: vec![EventKind::PersonalTokenCreated], ..plain() };
        let found = plan(connection, &event_page(&kind, AccessPath::One(Filter::Kinds)));
        assert_page(&found, &["SEARCH events USING INDEX events_by_kind (kind=?)"]);
        let actor = EventQuery { actors: vec![7], ..plain() };
        let found = plan(connection, &event_page(&actor, AccessPath::One(Filter::Actors)));
        assert_page(&found, &["SEARCH events USING INDEX events_by_actor (actor_user_id=?)"]);
    });
}

const LINKS: &str = "SEARCH event_projects USING COVERING INDEX event_projects_by_project (project_id=?)";

#[test]
fn few_events_are_found_by_id_in_order() {
    with_large_store(|connection| {
        let by_id = ["SEARCH events USING INTEGER PRIMARY KEY (rowid=?)", "LIST SUBQUERY"];
        let query = with_every_filter();
        for filter in [Filter::Projects, Filter::Reach] {
            let found = plan(connection, &event_page(&query, AccessPath::Few(filter)));
            assert_page(&found, &[&by_id[..], &[LINKS, NAMES_PROJECT]].concat());
        }
        for filter in [Filter::Actors, Filter::Kinds, Filter::Time] {
            let found = plan(connection, &event_page(&query, AccessPath::Few(filter)));
            let inner = "SEARCH events USING COVERING INDEX";
            assert_page(&found, &[&by_id[..], &[inner, NAMES_PROJECT, NAMES_PROJECT]].concat());
        }
    });
}

#[test]
fn selective_filters_are_counted_in_indexes() {
    with_large_store(|connection| {
        let query = with_every_filter();
        assert_plan(&plan(connection, &links(&query.projects).limit(100)), &[LINKS]);
        for filter in [Filter::Actors, Filter::Kinds, Filter::Time] {
            let found = plan(connection, &filter.ids(&query).limit(100));
            assert_plan(&found, &["SEARCH events USING COVERING INDEX"]);
        }
    });
}

#[test]
fn the_best_path_is_chosen() {
    with_large_store(|connection| {
        let mut path = |query: &EventQuery| AccessPath::to_page(connection, query).expect("counted");
        assert_eq!(path(&plain()), AccessPath::Scan);
        assert_eq!(path(&with_every_filter()), AccessPath::Few(Filter::Projects));
        let kinds = EventQuery { kinds: vec![EventKind::ApiTokenCreated], ..plain() };
        assert_eq!(path(&kinds), AccessPath::One(Filter::Kinds), "many, of one value");
        let kinds = EventQuery { kinds: with_every_filter().kinds, ..plain() };
        assert_eq!(path(&kinds), AccessPath::Scan, "many, of several");
        let rare =
            EventQuery { kinds: vec![EventKind::PersonalTokenCreated, EventKind::RoleCreated], ..plain() };
        assert_eq!(path(&rare), AccessPath::Few(Filter::Kinds));
        let time = EventQuery { from: with_every_filter().from, ..plain() };
        assert_eq!(path(&time), AccessPath::Scan);
        let window = EventQuery { before: with_every_filter().before, ..time };
        assert_eq!(path(&window), AccessPath::Few(Filter::Time));
    });
}
