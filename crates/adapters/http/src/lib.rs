//! The HTTP interface of Latchkey, on actix-web: operations, bodies, errors and the OpenAPI document.
//!
//! A handler is thin: it extracts, calls one use case of `latchkey-service` and presents the result. Rules about tokens,
//! projects and permissions do not live here.
//!
//! # Layout
//! Each feature is a directory: `tokens`, `people`, `projects`, `policies`, `verification`, `leaks`, `webhooks`, `audit`, `session`, `ops`. Below them, in the
//! order in which they depend on each other:
//! - `error_body`, `error`: the error object, and `ApiError`, which every failure becomes;
//! - `connection`: what the server knows about the connection of a request; `edge_client`, `report_key`: what
//!   clients sign their requests with;
//! - `memory`: what requests in progress hold together; `event_streams`: the streams that are open; `warnings`: what a response says of a request that may have been meant
//!   otherwise;
//! - `paths`, `context`, `timeout`, `response`, `table`, `wire_time`: shared state, time limits, responses, times;
//! - `extract`: the caller, path parameters, queries, bodies, and how text becomes a value of the domain;
//! - `limits`: the time limit of every handler; `observability`: metrics and access log; `traces`; `middleware`: the id, span and
//!   error body of every request, with the headers that protect a response (`protection`) and those of other origins
//!   (`cors`); `hot_path`: its short cut past the router;
//! - `pages`: what a crate of pages for people builds on;
//! - `api`: the registration of operations; `describe`: their entries in the document, with `error_responses`. `app` assembles
//!   the application, and `openapi` the document.
//!
//! # Adding an operation
//! 1. Write the handler under `#[utoipa::path]`, which states its method and path, in the directory of its feature. What
//!    follows from the path and from the signature is described without it: the id of the operation, the parameters and the
//!    body, and why 304, 400, 401, 403, 404 for `{projectId}`, 413, 415 and 503 are sent. State the other responses. A
//!    further reason for one of those is appended to its description: "Or the role is built in."
//! 2. Name it in `Api::private` (or `Api::public`) in the feature's `configure`. That registers the route, the `HEAD`, `405`,
//!    `Allow` and `OPTIONS` of its path, and its entry in the document.
//!
//! ```text
//! #[utoipa::path(put, path = ONE, responses(
//!     (status = 200, description = "The updated thing.", body = ThingBody<'_>),
//!     (status = 404, description = "There is no such thing."),
//! ))]
//! async fn update_thing(
//!     Authorized(permit): Authorized<InstancePermit<ManageThings>>, // 401, then 403
//!     path: PathParameters,
//!     body: Body<UpdateThingBody>,
//!     context: Data<Context>,
//! ) -> ApiResult {
//!     let id = path.id("id")?; // 400
//!     let UpdateThingBody { name } = body.read().await?; // 400, 413, 415
//!     ok(&ThingBody::of(&context.use_cases.things.rename(&permit, id, name).await?)) // 404, 409, …
//! }
//! ```
//!
//! `Authorized` takes whatever implements `Authorize`: `Caller`, `SignedIn`, `InstancePermit<A>`, and `Permit<A>` for the
//! project in the path. It is the only extractor that fails. Everything else is read by the handler, which spells out the
//! order of checks: 401, 403, 400, 404. A new extractor or type of response implements `describe::Describe`.
//!
//! # Adding a body or a query
//! A body is one struct, which parses itself with `deserr::Deserr` and describes itself with `utoipa::ToSchema`; a query
//! likewise, with `utoipa::IntoParams`. All problems are reported at once, each with its place. A member of a body that is not in
//! the schema is a problem if it is misspelt, and ignored with a warning otherwise.
//!
//! ```text
//! #[derive(Deserr, ToSchema)]
//! #[deserr(error = Problems, rename_all = camelCase)]
//! #[schema(as = updateThingSchema, rename_all = "camelCase")]
//! struct UpdateThingBody {
//!     /// What the document says about the member.
//!     #[schema(value_type = String, example = "shop")]
//!     name: ThingName, // required
//!     #[deserr(default)]
//!     #[schema(value_type = Option<String>)]
//!     description: Option<Description>, // may be absent or null
//!     #[deserr(default, from(Timestamp) = Some)]
//!     #[schema(value_type = Option<String>, format = DateTime)]
//!     expires_at: Option<Timestamp>, // may be absent, but not null
//! }
//! ```
//!
//! A type of the domain that is written as text implements `extract::text::FromText` once and is listed in `text_members!`;
//! it can then be a member of bodies and queries. `extract::problems::List` is a list with a limit, and
//! `extract::text::Parsed` a number or boolean in a query.

mod api;
mod app;
mod audit;
mod connection;
mod context;
mod cors;
mod describe;
mod edge_client;
mod error;
mod error_body;
mod error_responses;
mod event_streams;
mod extract;
mod hot_path;
mod leaks;
mod limits;
mod memory;
mod middleware;
mod observability;
mod openapi;
mod ops;
pub mod pages;
mod paths;
mod people;
mod policies;
mod projects;
mod protection;
mod rate_headers;
mod report_key;
mod response;
mod session;
mod table;
mod timeout;
mod tokens;
mod traces;
mod verification;
mod warnings;
mod webhooks;
mod wire_time;

pub use self::{
    app::{Routes, app, openapi},
    audit::{EventPayloads, ExportFormat, UnknownExportFormat},
    connection::{Connection, Streams, Transport},
    context::{Context, HttpSettings, Sampling},
    edge_client::{EdgeClient, InvalidEdgeSecret},
    memory::{FREE_BYTES, MemoryBudget, Reservation, Sender},
    observability::ACCESS,
    report_key::{InvalidReportKey, ReportKey},
    traces::TRACED,
};
