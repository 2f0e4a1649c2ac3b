//! Which tokens the overview is about, and where its lists are.

use latchkey_domain::{ProjectId, TokenId};
use latchkey_http::pages::ApiResult;
use latchkey_service::ReadTokens;

use crate::{
    frame::query_value,
    paths::with_query,
    tokens::{Reach, reads_all},
    visitor::Visitor,
};

/// The lists that no filter of the list of tokens has.
pub(super) const LEAKED: &str = path!("overview/leaked");
pub(super) const EXPIRED_IN_USE: &str = path!("overview/expired-in-use");
pub(super) const VIOLATIONS: &str = path!("overview/violations");

/// Returns the project that the address names.
///
/// # Errors
/// [`latchkey_service::ServiceError::Denied`] if the visitor may not read its tokens; `NotFound`.
pub(super) async fn named_project(visitor: &Visitor) -> ApiResult<Option<String>> {
    let Some(project) = query_value(&visitor.browser.target, "project").filter(|named| !named.is_empty())
    else {
        return Ok(None);
    };
    visitor.may_in::<ReadTokens>(&project)?;
    visitor.use_cases().projects.get(visitor.caller(), &project).await?;
    Ok(Some(project))
}

/// Returns which tokens the overview is about: those of the project that the address names, else all, else those of the first
/// of these projects, whose tokens the visitor may read; `None` if there is none.
pub(super) async fn reach(visitor: &Visitor, projects: &[ProjectId]) -> ApiResult<Option<Reach>> {
    Ok(match named_project(visitor).await? {
        Some(project) => Some(Reach::Project(project)),
        None if reads_all(visitor) => Some(Reach::Instance),
        None => projects.first().map(|project| Reach::Project(project.to_string())),
    })
}

/// Returns the address of a list for the same tokens, after a token of it if one is given.
pub(super) fn list(path: &str, reach: &Reach, after: Option<TokenId>) -> String {
    let project = reach.project().map(|project| ("project", project.to_owned()));
    with_query(path, project.into_iter().chain(after.map(|last| ("after", last.to_string()))))
}
