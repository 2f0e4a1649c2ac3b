//! The overview: what needs attention, how much is verified, and what happened lately.

mod lists;
mod show;
mod tiles;

use actix_web::web::{self, ServiceConfig};
use latchkey_http::pages::ApiResult;
use latchkey_service::ReadTokens;

use crate::{
    ROOT,
    frame::query_value,
    tokens::{Choices, Reach},
    visitor::Visitor,
};

/// The lists that no filter of the list of tokens has.
const LEAKED: &str = path!("overview/leaked");
const EXPIRED_IN_USE: &str = path!("overview/expired-in-use");
const VIOLATIONS: &str = path!("overview/violations");

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .route(ROOT, web::get().to(show::show))
        .route(LEAKED, web::get().to(lists::leaked))
        .route(EXPIRED_IN_USE, web::get().to(lists::expired_in_use))
        .route(VIOLATIONS, web::get().to(lists::violations));
}

/// Returns the project that the address names.
///
/// # Errors
/// [`latchkey_service::ServiceError::Denied`] if the visitor may not read its tokens; `NotFound`.
async fn named_project(visitor: &Visitor) -> ApiResult<Option<String>> {
    let Some(project) = query_value(&visitor.browser.target, "project").filter(|named| !named.is_empty())
    else {
        return Ok(None);
    };
    visitor.may_in::<ReadTokens>(&project)?;
    visitor.use_cases().projects.get(visitor.caller(), &project).await?;
    Ok(Some(project))
}

/// Returns which tokens the overview is about: those of the project that the address names, else all, else those of the first
/// project whose tokens the visitor may read; `None` if there is none.
async fn reach(visitor: &Visitor, choices: &Choices) -> ApiResult<Option<Reach>> {
    Ok(match named_project(visitor).await? {
        Some(project) => Some(Reach::Project(project)),
        None if choices.has_all => Some(Reach::Instance),
        None => choices.projects.first().map(|project| Reach::Project(project.to_string())),
    })
}
