//! One member of a project, a user or a group: changing the roles, and removing them all.

use actix_web::http::StatusCode;
use askama::Template;
use latchkey_domain::{GroupId, Holder, Role, UserId};
use latchkey_http::pages::{ApiError, ApiResult, PathParameters, RawBody, SetRolesBody};
use latchkey_service::{Missing, Permit, ServiceError, UpdateProject};

use super::{
    address::{LIST, id, root},
    members::{self, Holding},
};
use crate::{
    form::Form,
    frame::{Frame, Section},
    page::see_other,
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "projects/member.html")]
struct MemberPage {
    frame: Frame,
    id: String,
    root: String,
    member: Holding,
    roles: Vec<Role>,
    form: Form,
}

/// Returns the user or the group that the path names.
fn holder(path: &PathParameters) -> Result<Holder, ApiError> {
    let id = path.id("holder")?;
    match path.text("kind")?.as_str() {
        "users" => Ok(UserId(id).into()),
        "groups" => Ok(GroupId(id).into()),
        _ => Err(ServiceError::NotFound(Missing::User).into()),
    }
}

async fn find(
    visitor: &Visitor,
    permit: &Permit<UpdateProject>,
    holder: Holder,
) -> Result<Holding, ServiceError> {
    let missing = match holder {
        Holder::User(_) => Missing::User,
        Holder::Group(_) => Missing::Group,
    };
    let found = members::of(visitor, permit).await?.into_iter().find(|member| member.holder == holder);
    Ok(found.ok_or(missing)?)
}

async fn page(
    visitor: &Visitor,
    permit: &Permit<UpdateProject>,
    member: Holding,
    form: Form,
) -> Result<MemberPage, ServiceError> {
    Ok(MemberPage {
        frame: visitor.frame(Section::Projects),
        id: permit.project().to_string(),
        root: root(permit.project()),
        roles: members::roles(visitor, permit, &member.roles).await?,
        member,
        form,
    })
}

pub(super) async fn show(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may_in::<UpdateProject>(&id(&path)?)?;
    let member = find(&visitor, &permit, holder(&path)?).await?;
    let form = Form::of(member.roles.iter().map(|role| ("roles[]", role.to_string())));
    let page = page(&visitor, &permit, member, form).await?;
    visitor.browser.show(&page)
}

pub(super) async fn change(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may_in::<UpdateProject>(&id(&path)?)?;
    let mut form = Form::read(body).await?;
    let holder = holder(&path)?;
    let member = find(&visitor, &permit, holder).await?;
    if form.all("roles[]").next().is_none() {
        // To the API, no role means no member; here, that has a button of its own.
        form.refuse(visitor.browser.words.get("project-member-needs-role").into_owned());
        let page = page(&visitor, &permit, member, form).await?;
        return visitor.browser.show_with(StatusCode::BAD_REQUEST, &page);
    }
    let changed = async {
        let body: SetRolesBody = form.body()?;
        Ok(visitor.use_cases().members.replace(&permit, holder, &body.into_roles()).await?)
    };
    let Err(error) = changed.await else {
        let root = root(permit.project());
        // Users may have taken from themselves the permission to see the members.
        let place = if is_visitor(&visitor, holder) { root } else { format!("{root}/members") };
        return Ok(see_other(&format!("{place}?done=project-member-changed")));
    };
    let (status, form) = form.with_problems(visitor.browser.words, error)?;
    let page = page(&visitor, &permit, member, form).await?;
    visitor.browser.show_with(status, &page)
}

pub(super) async fn remove(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may_in::<UpdateProject>(&id(&path)?)?;
    Form::read(body).await?;
    let holder = holder(&path)?;
    visitor.use_cases().members.remove(&permit, holder).await?;
    // Users who left a private project do not see it any more.
    let place = if is_visitor(&visitor, holder) {
        LIST.to_owned()
    } else {
        format!("{}/members", root(permit.project()))
    };
    Ok(see_other(&format!("{place}?done=project-member-removed")))
}

fn is_visitor(visitor: &Visitor, holder: Holder) -> bool {
    holder == Holder::User(visitor.signed_in.user())
}
