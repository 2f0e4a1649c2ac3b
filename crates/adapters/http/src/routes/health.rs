//! Signs of life: `/health` of the process, `/ready` of the process and its database.

use actix_web::{
    HttpResponse,
    http::{Method, header},
};

use utoipa::{OpenApi, ToSchema};

use super::table::{Path, Table};
use crate::{
    answers::{Answer, JSON},
    call::Call,
    error_body::ErrorBody,
};

const GOOD: &str = r#"{"health":"GOOD"}"#;
const GET_ONLY: &str = "GET,HEAD";

/// This module's part of the document.
#[derive(OpenApi)]
#[openapi(paths(health, ready), components(schemas(ErrorBody, HealthBody)))]
pub(crate) struct Document;

/// A sign of life.
#[derive(ToSchema)]
#[schema(as = healthCheckSchema)]
#[expect(dead_code, reason = "it describes the body for the document; the body is always the same")]
struct HealthBody {
    /// `GOOD`; an answer that is not 200 says that it is not.
    #[schema(example = "GOOD")]
    health: String,
}

pub(super) fn routes(table: &mut Table) {
    Path::public("/health", GET_ONLY).on(Method::GET, health).add(table);
    Path::public("/ready", GET_ONLY).on(Method::GET, ready).add(table);
}

/// Says that the process is alive, whatever its database does.
#[utoipa::path(
    get, path = "/health", operation_id = "getHealth", tag = "Operational",
    responses((status = 200, description = "The process is alive.", body = HealthBody))
)]
pub(crate) async fn health(_: Call) -> Answer {
    Ok(good())
}

/// Says that requests can be served: the database answers.
#[utoipa::path(
    get, path = "/ready", operation_id = "getReady", tag = "Operational",
    responses(
        (status = 200, description = "The database answers.", body = HealthBody),
        (status = 503, description = "The database does not answer.", body = ErrorBody),
    )
)]
pub(crate) async fn ready(call: Call) -> Answer {
    call.context.use_cases.ping().await?;
    Ok(good())
}

fn good() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, JSON)).body(GOOD)
}
