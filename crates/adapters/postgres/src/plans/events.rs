//! The audit trail.

use latchkey_domain::{EventKind, ProjectId, Timestamp};
use latchkey_ports::{EventQuery, EventScope, Page};

use super::{large_store, plan, uses, uses_in_order};
use crate::connection::Connection;
use crate::event_lists::{event_count, event_page, matching_events};

fn within(scope: EventScope) -> EventQuery {
    EventQuery { page: Page::first(100), ..EventQuery::within(scope) }
}

async fn plan_of(connection: &mut Connection, query: &EventQuery) -> String {
    plan(connection, event_page(matching_events(query), query.page)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_page_is_read_from_the_newest_event() {
    let (mut connection, _database) = large_store().await;
    let connection = &mut connection;

    reads_events_in_order(&plan_of(connection, &within(EventScope::All)).await, "events_pkey");
    let of_projects = plan_of(connection, &within(EventScope::AnyProject)).await;
    reads_events_in_order(&of_projects, "events_of_projects");

    let kinds = vec![EventKind::ApiTokenDeleted];
    let of_kind = EventQuery { kinds, ..within(EventScope::All) };
    reads_events_in_order(&plan_of(connection, &of_kind).await, "events_by_kind");

    let by_actor = EventQuery { actors: vec![7], ..within(EventScope::All) };
    // A few rows are as well sorted as read in order.
    uses(&plan_of(connection, &by_actor).await, &["events_by_actor"]);

    let projects = vec![ProjectId::new("project-6").expect("an id")];
    let of_project = EventQuery { projects: projects.clone(), ..within(EventScope::All) };
    reads_events_in_order(&plan_of(connection, &of_project).await, "event_projects_pkey");
    let own = within(EventScope::Projects(projects.into_iter().collect()));
    reads_events_in_order(&plan_of(connection, &own).await, "event_projects_pkey");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_is_looked_for_in_the_newest_events_alone() {
    let (mut connection, _database) = large_store().await;
    let query = EventQuery { text: Some("x".to_owned()), ..within(EventScope::All) };
    let plan = plan_of(&mut connection, &query).await;
    uses(&plan, &["Limit", "Scan Backward using events_pkey", "strpos"]);
}

/// The projects of each event are put in order, and nothing else is.
#[track_caller]
fn reads_events_in_order(plan: &str, index: &str) {
    uses_in_order(plan, &[&format!("Scan Backward using {index}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_is_found_by_time() {
    let (mut connection, _database) = large_store().await;
    let from = Timestamp::from_millis(1_767_225_600_000).expect("in range");
    let before = Timestamp::from_millis(1_767_225_600_000 + 60_000).expect("in range");
    let span = EventQuery { from: Some(from), before: Some(before), ..within(EventScope::All) };
    uses(&plan_of(&mut connection, &span).await, &["events_by_time"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_quiet_projects_are_found_by_index() {
    let (mut connection, _database) = large_store().await;
    let own = ["project-1", "project-2"].map(|id| ProjectId::new(id).expect("an id"));
    let query = within(EventScope::Projects(own.into()));
    uses(&plan_of(&mut connection, &query).await, &["event_projects_pkey"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_are_limited() {
    let (mut connection, _database) = large_store().await;
    let all = plan(&mut connection, event_count(matching_events(&within(EventScope::All)))).await;
    assert!(all.contains("Limit") && !all.contains("event_projects"), "{all}");
}
