//! What a crate of pages for people builds on: the extractors, errors and bodies of the API, and the place where its routes and its
//! view of errors are registered. A page calls the use cases that a program's request calls, with the same permits; what
//! differs is what it reads (forms) and what it shows (HTML).

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, header::HeaderMap},
    web::ServiceConfig,
};
use uuid::Uuid;

pub use crate::{
    audit::{EventSearchQuery, event_label, name_in},
    error::ApiError,
    error_body::Detail,
    extract::{Client, PathParameters, Problems, Query, answer_key, body::RawBody, problems::parse},
    people::{
        CreatePersonalTokenBody, CreateRoleBody, CreateServiceAccountBody, CreateUserBody, GroupDraftBody,
        PasswordBody, UpdateRoleBody, UpdateServiceAccountBody, UpdateUserBody,
    },
    policies::SetPolicyBody,
    projects::{
        AddAccessBody, CreateEnvironmentBody, CreateProjectBody, ProjectEnvironmentBody, SetRolesBody,
        SortOrderBody, UpdateEnvironmentBody, UpdateProjectBody,
    },
    response::ApiResult,
    session::{
        ChangeMyPasswordBody,
        login::{expired_cookie, session_cookie},
    },
    table::{plain, table},
    tokens::{CreateTokenBody, PatchTokenBody, RotateTokenBody, TokenQuery},
    webhooks::{DeliveriesQuery, WebhookDraftBody},
};

/// Pages for people, beside the API. See [`crate::Context::with_pages`].
pub trait Pages: Send + Sync {
    /// Returns the path of the page to which `/` leads.
    fn start(&self) -> &'static str;

    /// Registers the routes of the pages.
    fn configure(&self, config: &mut ServiceConfig);

    /// Returns whether a path is one of the pages', so that its errors are shown by [`Pages::failure`].
    fn has(&self, path: &str) -> bool;

    /// Returns the response to a request for a page that failed. The error is logged under this id. A request that was given up with
    /// its handler has nothing left but what was kept of it.
    fn failure(
        &self,
        kept: &PageRequest,
        request: Option<&HttpRequest>,
        error: &ApiError,
        id: Uuid,
    ) -> HttpResponse;
}

/// What is known of a request for a page when it has failed.
#[derive(Debug, Clone)]
pub struct PageRequest {
    pub method: Method,
    /// The path and the query.
    pub target: String,
    pub headers: HeaderMap,
}

impl PageRequest {
    /// Keeps what is needed of a request.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        Self {
            method: request.method().clone(),
            target: target.to_owned(),
            headers: request.headers().clone(),
        }
    }
}
