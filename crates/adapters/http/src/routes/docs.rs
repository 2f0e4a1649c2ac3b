//! The OpenAPI document, and a page to try it at.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::{Method, header},
};
use latchkey_service::ServiceError;
use utoipa_swagger_ui::Config;

use super::table::{Path, Table};
use crate::{
    answers::{Answer, JSON},
    call::Call,
    failure::Failure,
};

const DOCUMENT: &str = "/docs/openapi.json";
/// The page names its parts relative to itself, so it has to be asked for with the slash.
const PAGE: &str = "/docs/openapi/";
const GET_ONLY: &str = "GET,HEAD";

pub(super) fn routes(table: &mut Table) {
    Path::public(DOCUMENT, GET_ONLY).on(Method::GET, document).add(table);
    Path::public("/docs", GET_ONLY).on(Method::GET, moved).add(table);
    Path::public("/docs/openapi", GET_ONLY).on(Method::GET, moved).add_exact(table);
    Path::public(PAGE, GET_ONLY).on(Method::GET, page).add_exact(table);
    Path::public("/docs/openapi/{*part}", GET_ONLY).on(Method::GET, page).add_exact(table);
}

async fn moved(_: Call) -> Answer {
    Ok(HttpResponse::MovedPermanently().insert_header((header::LOCATION, PAGE)).finish())
}

async fn page(call: Call) -> Answer {
    let path = call.request.uri().path();
    let part = path.strip_prefix(PAGE).unwrap_or_default();
    let file = utoipa_swagger_ui::serve(part, Arc::new(Config::from(DOCUMENT)));
    let file = file.map_err(|error| Failure::Refused(ServiceError::Internal(error.to_string().into())))?;
    let file = file.ok_or_else(|| Failure::UnknownPath(path.to_owned()))?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_TYPE, file.content_type));
    if matches!(part, "" | "index.html") {
        let titled =
            String::from_utf8_lossy(&file.bytes).replace("<title>Swagger UI<", "<title>Latchkey API<");
        return Ok(answer.body(titled));
    }
    Ok(answer.body(file.bytes.into_owned()))
}

async fn document(call: Call) -> Answer {
    Ok(HttpResponse::Ok().insert_header((header::CONTENT_TYPE, JSON)).body(call.context.document.clone()))
}
