//! The form that creates or changes a custom role.

use askama::Template;
use latchkey_domain::{Permission, Role, RoleKind};
use latchkey_http::pages::{
    ApiError, ApiResult, CreateRoleBody, PathParameters, RawBody, UpdateRoleBody, parse,
};
use latchkey_service::{ManageRoles, ServiceError};
use serde_json::{Map, Value, json};

use super::{
    matrix::{self, Block},
    place::Place,
    roles::{ROOT, id},
    tabs::{Tab, Tabs},
};
use crate::{
    form::{Empty, Form},
    frame::{Frame, Section},
    page::see_other,
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "people/role_form.html")]
struct FormPage {
    frame: Frame,
    tabs: Tabs,
    place: Place,
    /// The role that is changed; `None` = a new one.
    role: Option<Role>,
    form: Form,
    blocks: Vec<Block>,
}

impl FormPage {
    fn of(visitor: &Visitor, role: Option<Role>, form: Form) -> Self {
        let kind = role.as_ref().map_or(RoleKind::RootCustom, |role| role.kind);
        Self {
            frame: visitor.frame(Section::People),
            tabs: Tabs::of(visitor, Tab::Roles),
            place: Place::of(ROOT, role.as_ref().map(|role| role.id)),
            blocks: matrix::of_kind(kind),
            role,
            form,
        }
    }

    fn title(&self) -> String {
        match &self.role {
            Some(role) => self.frame.text("people-edit", "name", role.name.as_str()),
            None => self.frame.t("people-role-new").into_owned(),
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates call with references")]
    fn is_checked(&self, permission: &Permission) -> bool {
        self.form.has("permissions[]", permission.as_str())
    }
}

/// Returns the fields of a form that begins with what a role has.
fn values(role: &Role) -> Form {
    let mut form = Form::of([
        ("name", role.name.as_str().to_owned()),
        ("description", role.description.as_str().to_owned()),
    ]);
    role.permissions.iter().for_each(|permission| form.add("permissions[]", permission.as_str()));
    form
}

/// Returns the members of the API's body. It has each permission as an object; and a browser sends nothing of a list in
/// which no box is checked, and that too is what the role is to give.
fn members(form: &Form) -> Map<String, Value> {
    let mut members = form.members(Empty::Absent);
    let permissions = form.all("permissions[]").map(|name| json!({ "name": name })).collect();
    members.insert("permissions".to_owned(), Value::Array(permissions));
    members.insert("description".to_owned(), Value::from(form.value("description").trim()));
    members
}

pub(super) async fn new(visitor: Visitor) -> ApiResult {
    visitor.may::<ManageRoles>()?;
    let form = Form::of([("type", RoleKind::RootCustom.as_str().to_owned())]);
    visitor.browser.show(&FormPage::of(&visitor, None, form))
}

pub(super) async fn create(visitor: Visitor, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageRoles>()?;
    let form = Form::read(body).await?;
    let created = async {
        let sent: CreateRoleBody = parse(members(&form), "body")?;
        Ok(visitor.use_cases().roles.create(&permit, sent.into()).await?)
    };
    match created.await {
        Ok(role) => Ok(see_other(&format!("{ROOT}/{}?done=people-role-created", role.id))),
        Err(error) => again(&visitor, None, form, error),
    }
}

/// Returns the role that the path names, if it can be changed.
async fn find(visitor: &Visitor, path: &PathParameters) -> Result<Role, ApiError> {
    let role = visitor.use_cases().roles.get(visitor.caller(), id(path)?).await?;
    if role.kind.is_built_in() {
        let message = visitor.browser.words.get("people-role-built-in-stays").into_owned();
        return Err(ServiceError::NotPermitted(message.into()).into());
    }
    Ok(role)
}

pub(super) async fn edit(visitor: Visitor, path: PathParameters) -> ApiResult {
    visitor.may::<ManageRoles>()?;
    let role = find(&visitor, &path).await?;
    let form = values(&role);
    visitor.browser.show(&FormPage::of(&visitor, Some(role), form))
}

pub(super) async fn update(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageRoles>()?;
    let form = Form::read(body).await?;
    let role = find(&visitor, &path).await?;
    let updated = async {
        // A name that was left empty is a mistake, and not a name that stays as it is.
        let mut members = members(&form);
        members.entry("name").or_insert_with(|| Value::from(form.value("name")));
        let sent: UpdateRoleBody = parse(members, "body")?;
        Ok(visitor.use_cases().roles.update(&permit, role.id, &sent.into()).await?)
    };
    match updated.await {
        Ok(role) => Ok(see_other(&format!("{ROOT}/{}?done=people-changed", role.id))),
        Err(error) => again(&visitor, Some(role), form, error),
    }
}

/// Shows the form again, with what is wrong with it.
fn again(visitor: &Visitor, role: Option<Role>, form: Form, error: ApiError) -> ApiResult {
    let (status, form) = form.with_problems(visitor.browser.words, error)?;
    visitor.browser.show_with(status, &FormPage::of(visitor, role, form))
}
