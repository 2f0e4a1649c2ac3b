//! The health check, `/health`, and the readiness check, `/ready`.

use actix_web::{HttpResponse, web::Data};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{Api, operations},
    context::Context,
    paths::{HEALTH, READY},
    response::ApiResult,
};

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    api.tag("Operational").public(operations![health, ready]);
}

/// The health of the process or of its database.
#[derive(Serialize, ToSchema)]
#[schema(as = healthCheckSchema)]
struct HealthBody {
    /// Always `GOOD`: an unhealthy process answers with another status.
    #[schema(example = "GOOD")]
    health: &'static str,
}

/// Get the health of the process.
///
/// It does not depend on the database.
#[utoipa::path(get, path = HEALTH, operation_id = "getHealth", security(()), responses(
    (status = 200, description = "The process is running.", body = HealthBody),
))]
pub(crate) async fn health() -> HttpResponse {
    good()
}

/// Get the readiness of the process.
///
/// It depends on the database. A load balancer sends requests to processes that are ready.
#[utoipa::path(get, path = READY, operation_id = "getReady", security(()), responses(
    (status = 200, description = "The database answers.", body = HealthBody),
    (status = 503, description = "The database does not answer."),
))]
pub(crate) async fn ready(context: Data<Context>) -> ApiResult {
    context.use_cases.ping().await?;
    Ok(good())
}

fn good() -> HttpResponse {
    HttpResponse::Ok().json(HealthBody { health: "GOOD" })
}
