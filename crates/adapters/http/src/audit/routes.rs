//! The audit trail: `/api/admin/events`, `/api/admin/search/events` and `/api/admin/projects/{projectId}/events`.

use actix_web::web::Data;
use latchkey_ports::EventPage;
use latchkey_service::{Caller, InstancePermit, Permit, ReadEvents, ReadProjectEvents};

use super::{
    body::{EVENT_BYTES, EventsBody, FoundEventsBody},
    export::{__path_export_events, export_events},
    query::{EventSearchQuery, EventsQuery, ProjectEventsQuery},
    stream::{__path_stream_events, stream_events},
};
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, Query},
    response::{ApiResult, Tagged, tagged},
};

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    api.tag("Events").private(operations![
        get_events,
        stream_events,
        export_events,
        search_events,
        get_project_events
    ]);
}

/// Get the most recent events from the instance.
///
/// Newest first.
#[utoipa::path(get, path = "/api/admin/events", responses(
    (status = 200, description = "The events.", body = EventsBody<'_>),
))]
pub(crate) async fn get_events(
    Authorized(permit): Authorized<InstancePermit<ReadEvents>>,
    query: Query<EventsQuery>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let (filter, page) = query.read()?.into_parts();
    list_response(&context.use_cases.audit_trail.list(&permit, filter, page).await?)
}

/// Search for events.
///
/// The events that the caller may read, newest first: all for an administrator; for others the events of projects whose
/// tokens they may read. An event has to match all filters.
#[utoipa::path(get, path = "/api/admin/search/events", responses(
    (status = 200, description = "The events.", body = FoundEventsBody<'_>),
    (status = 400, description = "Or a filter names an unknown type of event."),
))]
pub(crate) async fn search_events(
    Authorized(caller): Authorized<Caller>,
    query: Query<EventSearchQuery>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let (filter, page) = query.read()?.into_parts();
    let found = context.use_cases.audit_trail.search(&caller, filter, page).await?;
    tagged(&FoundEventsBody::of(&found), EVENT_BYTES * found.events.len())
}

/// Get the events of a project.
///
/// Newest first. Events of a deleted project are found until they are removed themselves.
#[utoipa::path(get, path = "/api/admin/projects/{projectId}/events", responses(
    (status = 200, description = "The events.", body = EventsBody<'_>),
    (status = 404, description = "And there is no event of one."),
))]
pub(crate) async fn get_project_events(
    Authorized(permit): Authorized<Permit<ReadProjectEvents>>,
    query: Query<ProjectEventsQuery>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let page = query.read()?.into();
    list_response(&context.use_cases.audit_trail.of_project(&permit, page).await?)
}

fn list_response(page: &EventPage) -> ApiResult<Tagged> {
    tagged(&EventsBody::of(page), EVENT_BYTES * page.events.len())
}
