//! The OpenAPI document, and a page to try it at.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::{Method, header},
    web::ServiceConfig,
};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::Path;
use crate::{
    answers::{Answer, JSON},
    call::Call,
    context::Context,
};

const DOCUMENT: &str = "/docs/openapi.json";

pub(super) fn routes(config: &mut ServiceConfig, context: &Arc<Context>) {
    Path::public(DOCUMENT, "GET,HEAD", context).on(Method::GET, document).add(config);
    // The page names its parts relative to itself, so it has to be asked for with the slash.
    config.route(
        "/docs/openapi",
        actix_web::web::get().to(async || {
            HttpResponse::MovedPermanently().insert_header((header::LOCATION, "/docs/openapi/")).finish()
        }),
    );
    config.service(SwaggerUi::new("/docs/openapi/{_:.*}").config(Config::from(DOCUMENT)));
}

async fn document(call: Call) -> Answer {
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, JSON)).body(call.context.document.clone()))
}
