//! The table of routes. Paths are exact, but for one slash that may follow; each knows its methods.

use std::sync::Arc;

use actix_web::{
    App, Error,
    body::BoxBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse, fn_service},
};

pub(crate) use self::table::{Acting, Path, Table};
use crate::{answers::Answer, call::Call, context::Context, failure::Failure, surround::surround};

mod docs;
mod environments;
mod events;
mod health;
mod instance_tokens;
mod login;
mod myself;
mod personal_tokens;
mod project_access;
mod project_environments;
mod project_tokens;
mod projects;
mod prometheus;
mod roles;
mod service_accounts;
mod table;
mod users;
mod verification;

/// The document's part of each module.
pub(crate) fn documents() -> Vec<utoipa::openapi::OpenApi> {
    use utoipa::OpenApi as _;
    vec![
        environments::Document::openapi(),
        events::Document::openapi(),
        health::Document::openapi(),
        instance_tokens::Document::openapi(),
        login::Document::openapi(),
        myself::Document::openapi(),
        personal_tokens::Document::openapi(),
        project_access::Document::openapi(),
        project_environments::Document::openapi(),
        project_tokens::Document::openapi(),
        projects::Document::openapi(),
        prometheus::Document::openapi(),
        roles::Document::openapi(),
        service_accounts::Document::openapi(),
        users::Document::openapi(),
        verification::Document::openapi(),
    ]
}

/// The application that answers everything.
#[must_use]
pub fn app(
    context: &Arc<Context>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let context = Arc::clone(context);
    // A bare service: a route of actix's would box each future once more.
    App::new().default_service(fn_service(move |asked: ServiceRequest| {
        let context = Arc::clone(&context);
        async move {
            let (request, payload) = asked.into_parts();
            let answer = surround(context, request.clone(), payload).await;
            Ok::<_, Error>(ServiceResponse::new(request, answer))
        }
    }))
}

/// The table of all routes.
pub(crate) fn table() -> Table {
    let mut table = Table::default();
    docs::routes(&mut table);
    environments::routes(&mut table);
    events::routes(&mut table);
    health::routes(&mut table);
    instance_tokens::routes(&mut table);
    login::routes(&mut table);
    myself::routes(&mut table);
    personal_tokens::routes(&mut table);
    project_access::routes(&mut table);
    project_environments::routes(&mut table);
    project_tokens::routes(&mut table);
    projects::routes(&mut table);
    prometheus::routes(&mut table);
    roles::routes(&mut table);
    service_accounts::routes(&mut table);
    users::routes(&mut table);
    verification::routes(&mut table);
    table
}

/// A path that there is not. Under `/api` only those who are known are told so.
pub(crate) async fn unknown(call: Call) -> Answer {
    let path = call.request.uri().path();
    if path == "/api" || path.starts_with("/api/") {
        call.authenticate().await?;
    }
    Err(Failure::UnknownPath(call.request.path().to_owned()))
}
