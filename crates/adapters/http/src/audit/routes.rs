//! The audit trail: `/api/admin/events`, `/api/admin/search/events` and `/api/admin/projects/{projectId}/events`
//! (contract, "Events").

use latchkey_service::{InstancePermit, Permit, ReadEvents, ReadProjectEvents};

use crate::{
    api::{Api, operation},
    audit::body::{EVENT_BYTES, EventsBody, FoundEventsBody},
    audit::query::{filter, page, plain_filter},
    call::Call,
    error_body::ErrorBody,
    error_responses::CallerErrors,
    response::{ApiResult, Tagged, tagged},
};

const ALL: &str = "/api/admin/events";
const SEARCH: &str = "/api/admin/search/events";
const OF_PROJECT: &str = "/api/admin/projects/{projectId}/events";
/// How many events a list answers that nobody limits, as in the reference.
const USUAL_LIST: u32 = 100;
/// How many a search answers that nobody limits, as in the reference.
const USUAL_SEARCH: u32 = 50;

pub(crate) fn configure(api: &mut Api) {
    api.private([operation!(get_events)]);
    api.private([operation!(search_events)]);
    api.private([operation!(get_project_events)]);
}

/// Get the most recent events from the instance.
///
/// Newest first.
#[utoipa::path(
    get, path = ALL, operation_id = "getEvents", tag = "Events",
    params(
        ("project" = Option<String>, Query, description = "Only those that concern this project."),
        ("limit" = Option<u32>, Query, description = "The most events that are answered: 100, if absent; at most 1,000."),
        ("offset" = Option<u64>, Query, description = "How many events are passed over."),
    ),
    responses(
        (status = 200, description = "The events.", body = EventsBody<'_>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 400, description = "The query is at fault.", body = ErrorBody),
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_events(call: Call) -> ApiResult<Tagged> {
    let permit: InstancePermit<ReadEvents> = InstancePermit::request(&call.caller().await?)?;
    let mut query = call.query()?;
    let (page, filter) = (page(&query, USUAL_LIST), plain_filter(&mut query));
    query.finish(())?;
    let found = call.context.use_cases.audit_trail.list(&permit, filter, page).await?;
    tagged(&EventsBody::of(&found), EVENT_BYTES * found.events.len())
}

/// Search for events.
///
/// Those that the caller may read, newest first: all for an administrator; for others those that concern a project whose
/// tokens they may read. Every filter that is there has to be met.
#[utoipa::path(
    get, path = SEARCH, operation_id = "searchEvents", tag = "Events",
    params(
        ("type" = Option<String>, Query, description = "What happened.", example = "IS_ANY_OF:api-token-created,api-token-deleted"),
        ("project" = Option<String>, Query, description = "The project that it concerns.", example = "IS:default"),
        ("createdBy" = Option<String>, Query, description = "Who did it, by id; -42 for admin tokens, -1337 for the system.", example = "IS:7"),
        ("from" = Option<String>, Query, description = "The first day (UTC), or the first moment.", example = "IS:2023-04-01"),
        ("to" = Option<String>, Query, description = "The last day (UTC), or the last moment.", example = "IS:2023-04-30"),
        ("limit" = Option<u32>, Query, description = "The most events that are answered: 50, if absent; at most 1,000."),
        ("offset" = Option<u64>, Query, description = "How many events are passed over."),
    ),
    responses(
        (status = 200, description = "The events.", body = FoundEventsBody<'_>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 400, description = "A filter is malformed, or names a type of event that there is not.", body = ErrorBody),
        (status = 403, description = "The credentials are a client or frontend token's.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn search_events(call: Call) -> ApiResult<Tagged> {
    let caller = call.caller().await?;
    let mut query = call.query()?;
    let (page, filter) = (page(&query, USUAL_SEARCH), filter(&mut query));
    query.finish(())?;
    let found = call.context.use_cases.audit_trail.search(&caller, filter, page).await?;
    tagged(&FoundEventsBody::of(&found), EVENT_BYTES * found.events.len())
}

/// Get the events of a project.
///
/// Newest first; also those of a project that is gone, as long as they are kept.
#[utoipa::path(
    get, path = OF_PROJECT, operation_id = "getProjectEvents", tag = "Events",
    params(
        ("projectId" = String, Path, description = "The id of the project."),
        ("limit" = Option<u32>, Query, description = "The most events that are answered: 100, if absent; at most 1,000."),
        ("offset" = Option<u64>, Query, description = "How many events are passed over."),
    ),
    responses(
        (status = 200, description = "The events.", body = EventsBody<'_>),
        (status = 304, description = "The client has this already, as its If-None-Match says."),
        (status = 400, description = "The path or the query cannot be read.", body = ErrorBody),
        (status = 403, description = "The permission READ_PROJECT_API_TOKEN is missing.", body = ErrorBody),
        (status = 404, description = "There is no such project, and no event tells of it.", body = ErrorBody),
        CallerErrors,
    )
)]
pub(crate) async fn get_project_events(call: Call) -> ApiResult<Tagged> {
    let caller = call.caller().await?;
    let permit: Permit<ReadProjectEvents> = Permit::request_for(&caller, &call.parameter("projectId")?)?;
    let page = page(&call.query()?, USUAL_LIST);
    let found = call.context.use_cases.audit_trail.of_project(&permit, page).await?;
    tagged(&EventsBody::of(&found), EVENT_BYTES * found.events.len())
}
