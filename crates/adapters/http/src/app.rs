//! Assembles the application from its features.

use std::sync::Arc;

use actix_web::{
    App, Error, HttpRequest, HttpResponse,
    body::BoxBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    web::{self, Data},
};

use crate::{
    api::Api, audit, context::Context, error::ApiError, extract::Client, leaks, middleware::RequestScope,
    ops, people, policies, projects, session, tokens, verification, webhooks,
};

/// What an application serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routes {
    /// Every operation; the metrics may be served elsewhere.
    All { with_metrics: bool },
    /// The verification of tokens, and the health of the process.
    Verification,
    /// As [`Routes::Verification`], on the main address of a process that serves nothing else; the metrics may be served elsewhere.
    Verifier { with_metrics: bool },
    /// The metrics.
    Metrics,
}

/// Returns the application. Each worker has one of its own for each address.
#[must_use]
pub fn app(
    context: &Arc<Context>,
    routes: Routes,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let pages = context.pages.clone();
    let context = Data::from(Arc::clone(context));
    App::new()
        .app_data(context.clone())
        .app_data(Data::new(ops::Document::new(openapi)))
        .configure(|config| match routes {
            Routes::All { with_metrics } => {
                api(with_metrics).configure(config);
                if let Some(pages) = &pages {
                    pages.configure(config);
                }
                config.default_service(web::to(unknown_path));
            }
            Routes::Verification => {
                verification_api().configure(config);
                config.default_service(web::to(unserved_path));
            }
            Routes::Verifier { with_metrics } => {
                verifier_api(with_metrics).configure(config);
                config.default_service(web::to(path_of_administration));
            }
            Routes::Metrics => {
                metrics_api().configure(config);
                config.default_service(web::to(unserved_path));
            }
        })
        .wrap(RequestScope::new(context, routes != Routes::Metrics))
}

/// Returns the OpenAPI 3.1 document of every operation.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    crate::openapi::document(&api(true))
}

/// Returns the operations of every feature.
fn api(with_metrics: bool) -> Api {
    let mut api = Api::default();
    // First, because lists of tokens are requested most, and the router tries one path after another.
    tokens::configure(&mut api);
    audit::configure(&mut api);
    ops::configure(&mut api);
    if with_metrics {
        ops::configure_metrics(&mut api);
    }
    people::configure(&mut api);
    projects::configure(&mut api);
    policies::configure(&mut api);
    session::configure(&mut api);
    verification::configure(&mut api);
    verification::configure_issuing(&mut api);
    leaks::configure(&mut api);
    webhooks::configure(&mut api);
    api
}

/// Returns the operations of a gateway's network.
fn verification_api() -> Api {
    let mut api = Api::default();
    verification::configure(&mut api);
    ops::configure_health(&mut api);
    api
}

/// Returns the operations of a process that verifies tokens.
fn verifier_api(with_metrics: bool) -> Api {
    let mut api = verification_api();
    if with_metrics {
        ops::configure_metrics(&mut api);
    }
    api
}

/// Returns the operations of an address for monitors.
fn metrics_api() -> Api {
    let mut api = Api::default();
    ops::configure_metrics(&mut api);
    api
}

/// Answers a path that has no route where nothing is known of the others.
async fn unserved_path(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Err(ApiError::UnknownPath(request.uri().path().to_owned()))
}

/// Answers a path that has no route in a process that verifies tokens.
async fn path_of_administration(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    Err(ApiError::NotOfVerifier(request.uri().path().to_owned()))
}

/// Answers a path that has no route: 404, under `/api` only after authentication.
async fn unknown_path(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let path = request.uri().path();
    if path == "/api" || path.starts_with("/api/") {
        Client::new(&request, Context::of(&request)?).authenticate().await?;
    }
    Err(ApiError::UnknownPath(path.to_owned()))
}
