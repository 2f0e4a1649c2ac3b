//! Signs of life: `/health` of the process, `/ready` of the process and its database.

use actix_web::{
    HttpResponse,
    http::{Method, header},
};

use utoipa::OpenApi;

use super::table::{Path, Table};
use crate::{
    answers::{Answer, JSON},
    call::Call,
};

const GOOD: &str = r#"{"health":"GOOD"}"#;
const GET_ONLY: &str = "GET,HEAD";

/// This module's part of the document.
#[derive(OpenApi)]
#[openapi(paths(health, ready), components(schemas(crate::failure::ErrorBody)))]
pub(crate) struct Document;

pub(super) fn routes(table: &mut Table) {
    Path::public("/health", GET_ONLY).on(Method::GET, health).add(table);
    Path::public("/ready", GET_ONLY).on(Method::GET, ready).add(table);
}

/// Says that the process is alive, whatever its database does.
#[utoipa::path(
    get, path = "/health", operation_id = "getHealth", tag = "Operational",
    responses((status = 200, description = "The process is alive.", example = json!({"health": "GOOD"})))
)]
pub(crate) async fn health(_: Call) -> Answer {
    Ok(good())
}

/// Says that requests can be served: the database answers.
#[utoipa::path(
    get, path = "/ready", operation_id = "getReady", tag = "Operational",
    responses(
        (status = 200, description = "The database answers.", example = json!({"health": "GOOD"})),
        (status = 503, description = "The database does not answer.", body = crate::failure::ErrorBody),
    )
)]
pub(crate) async fn ready(call: Call) -> Answer {
    call.context.use_cases.ping().await?;
    Ok(good())
}

fn good() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, JSON)).body(GOOD)
}
