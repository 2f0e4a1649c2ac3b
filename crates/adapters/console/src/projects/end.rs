//! Archiving, reviving and deleting a project.

use actix_web::http::StatusCode;
use askama::Template;
use latchkey_domain::Project;
use latchkey_http::pages::{ApiResult, PathParameters, RawBody};
use latchkey_ports::ProjectOverview;
use latchkey_service::{DeleteProject, Rule, ServiceError};

use super::address::{LIST, id, root};
use crate::{
    form::Form,
    frame::{Frame, Section},
    page::see_other,
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "projects/delete.html")]
struct DeletePage {
    frame: Frame,
    root: String,
    overview: ProjectOverview,
    may_archive: bool,
    problem: bool,
}

fn page(visitor: &Visitor, overview: ProjectOverview, problem: bool) -> DeletePage {
    DeletePage {
        frame: visitor.frame(Section::Projects),
        root: root(&overview.project.id),
        may_archive: overview.project.archived_at.is_none(),
        overview,
        problem,
    }
}

pub(super) async fn archive(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may_in::<DeleteProject>(&id(&path)?)?;
    Form::read(body).await?;
    visitor.use_cases().projects.archive(&permit).await?;
    Ok(see_other(&format!("{}?done=project-archived", root(permit.project()))))
}

pub(super) async fn revive(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may_in::<DeleteProject>(&id(&path)?)?;
    Form::read(body).await?;
    visitor.use_cases().projects.revive(&permit).await?;
    Ok(see_other(&format!("{}?done=project-revived", root(permit.project()))))
}

pub(super) async fn ask(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may_in::<DeleteProject>(&id(&path)?)?;
    let overview = visitor.use_cases().projects.get(visitor.caller(), permit.project().as_str()).await?;
    if overview.project.id.as_str() == Project::DEFAULT {
        // There is nothing to ask: the use case refuses it.
        let rule = Rule::named("default-project").with("what", "deleted");
        return Err(ServiceError::NotPermitted(rule.says("The default project cannot be deleted.")).into());
    }
    visitor.browser.show(&page(&visitor, overview, false))
}

pub(super) async fn delete(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may_in::<DeleteProject>(&id(&path)?)?;
    let form = Form::read(body).await?;
    let projects = &visitor.use_cases().projects;
    let overview = projects.get(visitor.caller(), permit.project().as_str()).await?;
    // What revokes tokens is confirmed by the id.
    if overview.tokens > 0 && form.value("_id").trim() != overview.project.id.as_str() {
        return visitor.browser.show_with(StatusCode::BAD_REQUEST, &page(&visitor, overview, true));
    }
    projects.delete(&permit).await?;
    Ok(see_other(&format!("{LIST}?done=project-deleted")))
}
