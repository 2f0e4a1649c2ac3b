//! The projects whose tokens a visitor may read, to choose one of them.

use askama::Template;
use latchkey_domain::ProjectId;
use latchkey_http::pages::ApiResult;
use latchkey_ports::ProjectOverview;
use latchkey_service::{ReadInstanceTokens, ReadTokens, ServiceError};

use crate::visitor::Visitor;

/// The projects to which the list of one leads at most.
const LINKED: u32 = 50;

/// The part of the list's page that offers projects. A browser asks for it when one is to be chosen, so that the list does not
/// wait for it.
#[derive(Template)]
#[template(path = "tokens/projects.html")]
struct Offered {
    projects: Vec<ProjectId>,
}

pub(super) async fn offer(visitor: Visitor) -> ApiResult {
    let projects = projects(&visitor).await?;
    visitor.browser.show(&Offered { projects })
}

/// Returns the projects whose tokens the visitor may read.
pub(crate) async fn projects(visitor: &Visitor) -> Result<Vec<ProjectId>, ServiceError> {
    Ok(readable(visitor, visitor.projects().await?))
}

/// Returns the projects to which the list of one leads.
pub(super) async fn linked(visitor: &Visitor) -> Result<Vec<ProjectId>, ServiceError> {
    Ok(readable(visitor, visitor.first_projects(LINKED).await?))
}

fn readable(visitor: &Visitor, projects: Vec<ProjectOverview>) -> Vec<ProjectId> {
    let ids = projects.into_iter().map(|overview| overview.project.id);
    ids.filter(|id| visitor.may_in::<ReadTokens>(id.as_str()).is_ok()).collect()
}

/// Returns whether the visitor may read the tokens of the instance.
pub(crate) fn reads_all(visitor: &Visitor) -> bool {
    visitor.may::<ReadInstanceTokens>().is_ok()
}
