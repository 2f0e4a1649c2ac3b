//! A short cut past the router for the two requests that gateways send all the time, `/auth/verify` and `/edge/validate`:
//! routing costs more than the verification itself. Spelled in any other way, such as with a slash at the end, the same
//! requests take the router to the same handlers.

use actix_web::{
    Error, HttpResponse,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    web::Data,
};

use crate::{
    context::Context,
    extract::body::RawBody,
    limits::guarded,
    verification::{VALIDATE, VERIFY, validate, verify},
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

    /// Handles the request.
    ///
    /// # Errors
    /// None: a failed request is a response.
    pub(crate) async fn handle(
        self,
        request: ServiceRequest,
        context: Data<Context>,
    ) -> Result<ServiceResponse<BoxBody>, Error> {
        let (request, payload) = request.into_parts();
        let limit = context.settings.request_timeout;
        let handled = match self {
            Self::Verify => guarded(limit, verify(request.clone(), context)).await,
            Self::Validate => {
                let body = RawBody::new(request.clone(), payload, context.clone());
                guarded(limit, validate(context, body)).await
            }
        };
        let response = handled.and_then(|response| response).unwrap_or_else(HttpResponse::from_error);
        Ok(ServiceResponse::new(request, response))
    }
}
