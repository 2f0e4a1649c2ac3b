//! The table of routes. Paths are exact, but for one slash that may follow; each knows its methods.

use std::{future::Future, sync::Arc};

use actix_web::{
    App, Error, HttpRequest, HttpResponse,
    body::BoxBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::{Method, header},
    middleware::from_fn,
    web::{self, Payload, ServiceConfig},
};

use crate::{
    answers::Answer,
    call::Call,
    context::Context,
    failure::Failure,
    surround::{guarded, surround},
};

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
    let around = Arc::clone(context);
    let table = Arc::clone(context);
    App::new()
        .wrap(from_fn(move |request, next| surround(Arc::clone(&around), request, next)))
        .configure(move |config| routes(config, &table))
}

fn routes(config: &mut ServiceConfig, context: &Arc<Context>) {
    docs::routes(config, context);
    environments::routes(config, context);
    events::routes(config, context);
    health::routes(config, context);
    instance_tokens::routes(config, context);
    login::routes(config, context);
    myself::routes(config, context);
    personal_tokens::routes(config, context);
    project_access::routes(config, context);
    project_environments::routes(config, context);
    project_tokens::routes(config, context);
    projects::routes(config, context);
    prometheus::routes(config, context);
    roles::routes(config, context);
    service_accounts::routes(config, context);
    users::routes(config, context);
    verification::routes(config, context);
    config.default_service(handler(context, "", unknown));
}

/// One path, its methods, and what each does.
pub(crate) struct Path<'c> {
    context: &'c Arc<Context>,
    pattern: &'static str,
    resource: actix_web::Resource,
    allow: &'static str,
    /// Whether somebody has to be known before they are told which methods there are.
    private: bool,
}

impl<'c> Path<'c> {
    /// A path for those who are known, and the methods that it takes, as `Allow` lists them.
    pub(crate) fn private(path: &'static str, allow: &'static str, context: &'c Arc<Context>) -> Self {
        Self { private: true, ..Self::public(path, allow, context) }
    }

    /// A path for everybody.
    pub(crate) fn public(path: &'static str, allow: &'static str, context: &'c Arc<Context>) -> Self {
        let resource = web::resource([path.to_owned(), format!("{path}/")]);
        Self { context, pattern: path, resource, allow, private: false }
    }

    /// What a method does; `GET` is `HEAD` too.
    pub(crate) fn on<F, R>(mut self, method: Method, act: F) -> Self
    where
        F: Fn(Call) -> R + Clone + 'static,
        R: Future<Output = Answer> + 'static,
    {
        if method == Method::GET {
            let head = handler(self.context, self.pattern, act.clone()).method(Method::HEAD);
            self.resource = self.resource.route(head);
        }
        self.resource = self.resource.route(handler(self.context, self.pattern, act).method(method));
        self
    }

    /// Adds the path to the table, with its answers to `OPTIONS` and to methods that it does not take.
    pub(crate) fn add(self, config: &mut ServiceConfig) {
        let Self { context, pattern, resource, allow, private } = self;
        let known =
            async move |call: &Call| if private { call.authenticate().await.map(drop) } else { Ok(()) };
        let options = move |call: Call| async move {
            known(&call).await?;
            Ok(HttpResponse::Ok()
                .insert_header((header::ALLOW, allow))
                .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
                .body(allow))
        };
        let other = move |call: Call| async move {
            known(&call).await?;
            Err(Failure::WrongMethod(allow))
        };
        config.service(
            resource
                .route(handler(context, pattern, options).method(Method::OPTIONS))
                .default_service(handler(context, pattern, other)),
        );
    }
}

/// Wraps what a handler does: it gets a [`Call`], and its failure becomes an answer.
fn handler<F, R>(context: &Arc<Context>, pattern: &'static str, act: F) -> actix_web::Route
where
    F: Fn(Call) -> R + Clone + 'static,
    R: Future<Output = Answer> + 'static,
{
    let context = Arc::clone(context);
    web::to(move |request: HttpRequest, payload: Payload| {
        guarded(Arc::clone(&context), act(Call::new(request, Arc::clone(&context), pattern, payload)))
    })
}

/// A path that there is not. Under `/api` only those who are known are told so.
async fn unknown(call: Call) -> Answer {
    let path = call.request.uri().path();
    if path == "/api" || path.starts_with("/api/") {
        call.authenticate().await?;
    }
    Err(Failure::UnknownPath(call.request.path().to_owned()))
}
