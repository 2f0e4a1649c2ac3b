//! The form that creates or changes a group. Its members are added and removed on the page of the group.

use actix_web::http::StatusCode;
use askama::Template;
use latchkey_domain::{Group, Role, SsoGroupName};
use latchkey_http::pages::{ApiError, ApiResult, GroupDraftBody, PathParameters, RawBody};
use latchkey_service::{GroupDraft, ManageGroups};

use super::{
    groups::{ROOT, id},
    names::root_roles,
    place::Place,
    tabs::{Tab, Tabs},
};
use crate::{
    form::Form,
    frame::{Frame, Section},
    page::see_other,
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "people/group_form.html")]
struct FormPage {
    frame: Frame,
    tabs: Tabs,
    place: Place,
    /// The group that is changed; `None` = a new one.
    group: Option<Group>,
    form: Form,
    roles: Vec<Role>,
}

impl FormPage {
    fn title(&self) -> String {
        match &self.group {
            Some(group) => self.frame.text("people-edit", "name", group.name.as_str()),
            None => self.frame.t("people-group-new").into_owned(),
        }
    }
}

/// Returns the fields of a form that begins with what a group has.
fn values(group: &Group) -> Form {
    let sso_groups: Vec<_> = group.sso_groups.iter().map(SsoGroupName::as_str).collect();
    Form::of([
        ("name", group.name.as_str().to_owned()),
        ("description", group.description.as_str().to_owned()),
        ("rootRole", group.root_role.map(|role| role.to_string()).unwrap_or_default()),
        ("mappingsSSO[]", sso_groups.join("\n")),
    ])
}

/// Reads the body of the API that the form stands for.
fn read(form: &Form) -> Result<GroupDraft, ApiError> {
    let sent: GroupDraftBody = form.body()?;
    Ok(sent.into())
}

pub(super) async fn new(visitor: Visitor) -> ApiResult {
    visitor.may::<ManageGroups>()?;
    show(&visitor, StatusCode::OK, None, Form::default()).await
}

pub(super) async fn create(visitor: Visitor, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageGroups>()?;
    let form = Form::read(body).await?;
    let created = async { Ok(visitor.use_cases().groups.create(&permit, &read(&form)?).await?.group) };
    match created.await {
        Ok(group) => Ok(see_other(&format!("{ROOT}/{}?done=people-group-created", group.id))),
        Err(error) => again(&visitor, None, form, error).await,
    }
}

pub(super) async fn edit(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may::<ManageGroups>()?;
    let group = visitor.use_cases().groups.get(&permit, id(&path)?).await?.group;
    let form = values(&group);
    show(&visitor, StatusCode::OK, Some(group), form).await
}

pub(super) async fn update(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageGroups>()?;
    let form = Form::read(body).await?;
    let groups = &visitor.use_cases().groups;
    let group = groups.get(&permit, id(&path)?).await?.group;
    let replaced = async {
        // The state replaces the group as a whole, and the form says nothing of the members.
        let draft = GroupDraft { users: group.members.keys().copied().collect(), ..read(&form)? };
        Ok(groups.replace(&permit, group.id, &draft).await?)
    };
    match replaced.await {
        Ok(overview) => Ok(see_other(&format!("{ROOT}/{}?done=people-changed", overview.group.id))),
        Err(error) => again(&visitor, Some(group), form, error).await,
    }
}

/// Shows the form again, with what is wrong with it.
async fn again(visitor: &Visitor, group: Option<Group>, form: Form, error: ApiError) -> ApiResult {
    let (status, form) = form.with_problems(visitor.browser.words, error)?;
    show(visitor, status, group, form).await
}

async fn show(visitor: &Visitor, status: StatusCode, group: Option<Group>, form: Form) -> ApiResult {
    let page = FormPage {
        frame: visitor.frame(Section::People),
        tabs: Tabs::of(visitor, Tab::Groups),
        place: Place::of(ROOT, group.as_ref().map(|group| group.id)),
        group,
        form,
        roles: root_roles(visitor).await?,
    };
    visitor.browser.show_with(status, &page)
}
