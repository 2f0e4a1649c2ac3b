//! `/health` of the process, and `/ready` of the process and its database.

use actix_web::{HttpResponse, http::header, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{Api, operation},
    context::Context,
    error_body::ErrorBody,
    response::{ApiResult, JSON},
};

pub(super) fn configure(api: &mut Api) {
    api.public([operation!(health)]);
    api.public([operation!(ready)]);
}

/// The health of the process.
#[derive(Serialize, ToSchema)]
#[schema(as = healthCheckSchema)]
struct HealthBody {
    /// Always `GOOD`: an unhealthy process answers with another status.
    #[schema(example = "GOOD")]
    health: &'static str,
}

/// Get the health of the process.
///
/// Its database plays no part.
#[utoipa::path(
    get, path = "/health", operation_id = "getHealth", tag = "Operational", security(()),
    responses((status = 200, description = "The process is alive.", body = HealthBody))
)]
pub(crate) async fn health() -> ApiResult {
    good()
}

/// Get the readiness for requests.
#[utoipa::path(
    get, path = "/ready", operation_id = "getReady", tag = "Operational", security(()),
    responses(
        (status = 200, description = "The database answers.", body = HealthBody),
        (status = 503, description = "The database does not answer.", body = ErrorBody),
    )
)]
pub(crate) async fn ready(context: Data<Context>) -> ApiResult {
    context.use_cases.ping().await?;
    good()
}

fn good() -> ApiResult {
    let body =
        serde_json::to_vec(&HealthBody { health: "GOOD" }).map_err(crate::error::ApiError::internal)?;
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, JSON)).body(body))
}
