//! Roles: the list, with what each of them gives, and one role.

use askama::Template;
use latchkey_domain::{Permission, Role, RoleId};
use latchkey_http::pages::{ApiError, ApiResult, PathParameters, RawBody};
use latchkey_service::ManageRoles;

use super::{
    matrix::{self, Block},
    question::Question,
    tabs::{Tab, Tabs},
};
use crate::{
    form::Form,
    frame::{Frame, Section},
    visitor::Visitor,
};

pub(super) const ROOT: &str = path!("people/roles");

#[derive(Template)]
#[template(path = "people/roles.html")]
struct ListPage {
    frame: Frame,
    tabs: Tabs,
    root: &'static str,
    may_manage: bool,
    roles: Vec<Role>,
    blocks: Vec<Block>,
}

#[derive(Template)]
#[template(path = "people/role.html")]
struct RolePage {
    frame: Frame,
    tabs: Tabs,
    root: &'static str,
    may_manage: bool,
    role: Role,
    blocks: Vec<Block>,
}

impl RolePage {
    fn name(&self) -> &str {
        self.role.name.as_str()
    }

    fn description(&self) -> &str {
        self.role.description.as_str()
    }
}

/// Returns whether a role gives a permission, for templates.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates call with references")]
pub(super) fn gives(role: &Role, permission: &Permission) -> bool {
    matrix::gives(role, *permission)
}

/// Returns the key of what a permission allows, for templates.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates call with references")]
pub(super) fn key(permission: &Permission) -> String {
    matrix::key(*permission)
}

pub(super) fn id(path: &PathParameters) -> Result<RoleId, ApiError> {
    Ok(RoleId(path.id("id")?))
}

pub(super) async fn list(visitor: Visitor) -> ApiResult {
    let roles = visitor.use_cases().roles.list(visitor.caller()).await?;
    visitor.browser.show(&ListPage {
        frame: visitor.frame(Section::People),
        tabs: Tabs::of(&visitor, Tab::Roles),
        root: ROOT,
        may_manage: visitor.may::<ManageRoles>().is_ok(),
        roles,
        blocks: matrix::all(),
    })
}

pub(super) async fn show(visitor: Visitor, path: PathParameters) -> ApiResult {
    let role = visitor.use_cases().roles.get(visitor.caller(), id(&path)?).await?;
    let blocks = if role.kind.is_built_in() { matrix::all() } else { matrix::of_kind(role.kind) };
    visitor.browser.show(&RolePage {
        frame: visitor.frame(Section::People),
        tabs: Tabs::of(&visitor, Tab::Roles),
        root: ROOT,
        may_manage: visitor.may::<ManageRoles>().is_ok() && !role.kind.is_built_in(),
        role,
        blocks,
    })
}

fn question(visitor: &Visitor, role: &Role) -> Question {
    let title = ("people-role-delete", role.name.as_str());
    let back = format!("{ROOT}/{}", role.id);
    Question::of(visitor, Tab::Roles, title, "people-role-delete-what", back)
}

pub(super) async fn ask(visitor: Visitor, path: PathParameters) -> ApiResult {
    visitor.may::<ManageRoles>()?;
    let role = visitor.use_cases().roles.get(visitor.caller(), id(&path)?).await?;
    question(&visitor, &role).ask(&visitor)
}

pub(super) async fn delete(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageRoles>()?;
    Form::read(body).await?;
    let roles = &visitor.use_cases().roles;
    let role = roles.get(visitor.caller(), id(&path)?).await?;
    let deleted = roles.delete(&permit, role.id).await;
    question(&visitor, &role).answer(&visitor, deleted, &format!("{ROOT}?done=people-role-deleted"))
}
