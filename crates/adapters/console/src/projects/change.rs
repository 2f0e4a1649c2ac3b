//! Changing the name, the description and the mode of a project.

use askama::Template;
use latchkey_domain::ProjectId;
use latchkey_http::pages::{ApiError, ApiResult, PathParameters, RawBody, UpdateProjectBody, parse};
use latchkey_service::UpdateProject;
use serde_json::Value;

use super::{
    address::{id, root},
    mode::Mode,
};
use crate::{
    form::{Empty, Form},
    frame::{Frame, Section},
    page::see_other,
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "projects/edit.html")]
struct EditPage {
    frame: Frame,
    id: String,
    root: String,
    form: Form,
    modes: Vec<Mode>,
}

fn page(visitor: &Visitor, id: &ProjectId, form: Form) -> EditPage {
    let frame = visitor.frame(Section::Projects);
    EditPage { modes: Mode::all(&frame), frame, id: id.to_string(), root: root(id), form }
}

pub(super) async fn show(visitor: Visitor, path: PathParameters) -> ApiResult {
    let id = id(&path)?;
    visitor.may_in::<UpdateProject>(&id)?;
    let project = visitor.use_cases().projects.get(visitor.caller(), &id).await?.project;
    let form = Form::of([
        ("name", project.name.to_string()),
        ("description", project.description.to_string()),
        ("mode", project.mode.as_str().to_owned()),
    ]);
    visitor.browser.show(&page(&visitor, &project.id, form))
}

pub(super) async fn change(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may_in::<UpdateProject>(&id(&path)?)?;
    let form = Form::read(body).await?;
    let changed = async { Ok(visitor.use_cases().projects.update(&permit, &read(&form)?.into()).await?) };
    let Err(error) = changed.await else {
        return Ok(see_other(&format!("{}?done=project-changed", root(permit.project()))));
    };
    let (status, form) = form.with_problems(visitor.browser.words, error)?;
    visitor.browser.show_with(status, &page(&visitor, permit.project(), form))
}

/// Reads the body of the API. There, what is absent stays as it was; here, a text that was emptied is to be empty.
fn read(form: &Form) -> Result<UpdateProjectBody, ApiError> {
    let mut members = form.members(Empty::Absent);
    for name in ["name", "description"] {
        if form.all(name).next().is_some() {
            members.entry(name).or_insert_with(|| Value::from(""));
        }
    }
    Ok(parse(members, "body")?)
}
