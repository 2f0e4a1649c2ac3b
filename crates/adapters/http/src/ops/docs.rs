//! The OpenAPI document, and Swagger UI for it.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Bytes, Data},
};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

use crate::{
    api::Api,
    context::Context,
    error::ApiError,
    response::{ApiResult, JSON},
};

const DOCUMENT: &str = "/docs/openapi.json";
/// What the page may load and do. Swagger UI sets styles on its elements, and its icons are URLs of data.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The page refers to its files relative to itself, so its URL must end with the slash.
const PAGE: &str = "/docs/openapi/";

pub(super) fn configure(api: &mut Api) {
    api.page(DOCUMENT, web::to(document));
    api.page("/", web::to(start));
    api.page("/docs", web::to(redirect));
    api.page("/docs/openapi", web::to(page));
    api.page("/docs/openapi/{file:.*}", web::to(page));
}

/// The OpenAPI document, built on the first request for it.
pub(crate) struct Document {
    build: fn() -> OpenApi,
    json: OnceLock<Bytes>,
}

impl Document {
    /// Creates the document from the function that builds it.
    pub(crate) fn new(build: fn() -> OpenApi) -> Self {
        Self { build, json: OnceLock::new() }
    }

    fn json(&self) -> Result<Bytes, ApiError> {
        if let Some(json) = self.json.get() {
            return Ok(json.clone());
        }
        let json = (self.build)().to_json().map_err(ApiError::internal)?;
        Ok(self.json.get_or_init(|| json.into()).clone())
    }
}

async fn document(document: Data<Document>) -> ApiResult {
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, JSON)).body(document.json()?))
}

/// Leads people to the console, and programs to the page. Not for good, because a browser would remember it after something else
/// is here.
async fn start(request: HttpRequest, context: Data<Context>) -> HttpResponse {
    let pages = context.pages.as_ref().filter(|_| accepts_html(&request));
    let path = pages.map_or(PAGE, |pages| pages.start());
    HttpResponse::Found().insert_header((header::LOCATION, path)).finish()
}

/// Whether a browser asks, for its user to look at the response.
fn accepts_html(request: &HttpRequest) -> bool {
    let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|types| types.contains("text/html"))
}

async fn redirect() -> HttpResponse {
    HttpResponse::MovedPermanently().insert_header((header::LOCATION, PAGE)).finish()
}

async fn page(request: HttpRequest) -> ApiResult {
    let path = request.uri().path();
    let Some(name) = path.strip_prefix(PAGE) else { return Ok(redirect().await) };
    let file = utoipa_swagger_ui::serve(name, Arc::new(Config::<'static>::from(DOCUMENT)));
    let file = file.map_err(|error| ApiError::internal(error.to_string()))?;
    let file = file.ok_or_else(|| ApiError::UnknownPath(path.to_owned()))?;
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, file.content_type))
        .insert_header((header::CACHE_CONTROL, "no-cache"));
    if matches!(name, "" | "index.html") {
        let html = String::from_utf8_lossy(&file.bytes).replace("<title>Swagger UI<", "<title>Latchkey API<");
        return Ok(response.insert_header((header::CONTENT_SECURITY_POLICY, PAGE_POLICY)).body(html));
    }
    Ok(response.body(match file.bytes {
        // Part of the program: the responses share it.
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    }))
}
