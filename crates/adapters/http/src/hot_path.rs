//! A short cut past the router for the two requests that gateways send all the time, `/auth/verify` and `/edge/validate`:
//! routing costs more than the verification itself. Spelled in any other way, such as with a slash at the end, the same
//! requests take the router to the same handlers.

use actix_web::{
    HttpResponse,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    web::Data,
};

use crate::{
    context::Context,
    error::ApiError,
    extract::body::RawBody,
    limits::guarded,
    paths::{VALIDATE, VERIFY},
    response::ApiResult,
    verification::{validate, verify_request},
};

/// A request that takes the short cut.
#[derive(Debug, Clone, Copy)]
pub(crate) enum HotPath {
    Verify,
    Validate,
}

impl HotPath {
    /// Returns the short cut for a request, if there is one.
    pub(crate) fn of(request: &ServiceRequest) -> Option<Self> {
        match request.path() {
            VERIFY => Some(Self::Verify),
            VALIDATE if *request.method() == Method::POST => Some(Self::Validate),
            _ => None,
        }
    }
}

/// Handles a request to `/auth/verify`.
pub(crate) async fn handle_verify(request: ServiceRequest, context: &Context) -> ServiceResponse<BoxBody> {
    let limit = context.settings.request_timeout;
    let handled = guarded(limit, verify_request(request.request(), context)).await;
    // `ServiceRequest::into_response` would lose the error, which the middleware presents.
    ServiceResponse::new(request.into_parts().0, response(handled))
}

/// Handles a request to `/edge/validate`.
pub(crate) async fn handle_validate(
    request: ServiceRequest,
    context: &Data<Context>,
) -> ServiceResponse<BoxBody> {
    let (request, payload) = request.into_parts();
    let body = RawBody::new(request.clone(), payload, context.clone());
    let handled = guarded(context.settings.request_timeout, validate(context.clone(), body)).await;
    ServiceResponse::new(request, response(handled))
}

fn response(handled: Result<ApiResult, ApiError>) -> HttpResponse {
    handled.and_then(|response| response).unwrap_or_else(HttpResponse::from_error)
}
