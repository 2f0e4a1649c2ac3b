//! The limits of a handler: the time that it may take, and that a panic stays its own.

use std::{future::Future, panic::AssertUnwindSafe, time::Duration};

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};
use futures_util::FutureExt;

use crate::{context::Context, error::ApiError, timeout::timeout};

/// Returns the output of the future.
///
/// # Errors
/// [`ApiError::TimedOut`] if it takes longer than the limit, [`ApiError::Panicked`] if it panics.
pub(crate) async fn guarded<F: Future>(limit: Duration, future: F) -> Result<F::Output, ApiError> {
    let output = timeout(limit, AssertUnwindSafe(future).catch_unwind()).await.ok_or(ApiError::TimedOut)?;
    output.map_err(|_| ApiError::Panicked)
}

/// Runs the handler of a request with a time limit, and turns a panic into a 500.
///
/// # Errors
/// As the handler's service.
pub(crate) async fn limit_handler(
    context: Data<Context>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let http_request = request.request().clone();
    match guarded(context.settings.request_timeout, next.call(request)).await {
        Ok(response) => response.map(ServiceResponse::map_into_boxed_body),
        Err(error) => Ok(ServiceResponse::new(http_request, HttpResponse::from_error(error))),
    }
}
