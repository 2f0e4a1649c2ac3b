//! A new project.

use askama::Template;
use latchkey_domain::ProjectMode;
use latchkey_http::pages::{ApiResult, CreateProjectBody, RawBody};
use latchkey_ports::EnvironmentOverview;
use latchkey_service::{CreateProjects, ServiceError};

use super::{address::root, mode::Mode};
use crate::{
    form::Form,
    frame::{Frame, Section},
    page::see_other,
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "projects/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    modes: Vec<Mode>,
    environments: Vec<EnvironmentOverview>,
}

pub(super) async fn show(visitor: Visitor) -> ApiResult {
    visitor.may::<CreateProjects>()?;
    let mut form = Form::of([("mode", ProjectMode::default().as_str().to_owned())]);
    let environments = environments(&visitor).await?;
    // As where the API is told nothing of them.
    for overview in environments.iter().filter(|overview| overview.environment.enabled) {
        form.add("environments[]", overview.environment.name.as_str());
    }
    visitor.browser.show(&page(&visitor, form, environments))
}

async fn environments(visitor: &Visitor) -> Result<Vec<EnvironmentOverview>, ServiceError> {
    visitor.use_cases().environments.list(visitor.caller()).await
}

fn page(visitor: &Visitor, form: Form, environments: Vec<EnvironmentOverview>) -> NewPage {
    let frame = visitor.frame(Section::Projects);
    NewPage { modes: Mode::all(&frame), frame, form, environments }
}

pub(super) async fn create(visitor: Visitor, body: RawBody) -> ApiResult {
    let permit = visitor.may::<CreateProjects>()?;
    let form = Form::read(body).await?;
    let created = async {
        let body: CreateProjectBody = form.body()?;
        Ok(visitor.use_cases().projects.create(&permit, body.into()).await?)
    };
    match created.await {
        Ok(created) => Ok(see_other(&format!("{}?done=project-created", root(&created.project.id)))),
        Err(error) => {
            let (status, form) = form.with_problems(visitor.browser.words, error)?;
            let environments = environments(&visitor).await?;
            visitor.browser.show_with(status, &page(&visitor, form, environments))
        }
    }
}
