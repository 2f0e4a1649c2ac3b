//! Groups: the list, and one group with its members.

use actix_web::http::StatusCode;
use askama::Template;
use latchkey_domain::{AccountKind, Group, GroupId, Role, Timestamp, User, UserId};
use latchkey_http::pages::{ApiError, ApiResult, Detail, PathParameters, RawBody};
use latchkey_ports::{GroupOverview, Page};
use latchkey_service::{ManageGroups, ManageUsers, Missing, ServiceError};

use super::{
    names::{called, role_name, root_roles},
    question::Question,
    tabs::{Tab, Tabs},
};
use crate::{
    form::Form,
    frame::{Frame, Section},
    page::see_other,
    visitor::Visitor,
};

pub(super) const ROOT: &str = path!("people/groups");
/// The users whose names a browser proposes for a new member.
const PROPOSED: u32 = 200;

#[derive(Template)]
#[template(path = "people/groups.html")]
struct ListPage {
    frame: Frame,
    tabs: Tabs,
    root: &'static str,
    rows: Vec<Row>,
}

/// A group in the list.
struct Row {
    overview: GroupOverview,
    role: Option<String>,
}

#[derive(Template)]
#[template(path = "people/group.html")]
struct GroupPage {
    frame: Frame,
    tabs: Tabs,
    root: &'static str,
    overview: GroupOverview,
    role: Option<String>,
    members: Vec<Member>,
    /// What a new member can be named by.
    proposed: Vec<String>,
    form: Form,
}

/// A member in the table of a group.
struct Member {
    user: User,
    since: Option<Timestamp>,
}

impl Member {
    fn called(&self) -> &str {
        called(&self.user)
    }

    fn is_service(&self) -> bool {
        self.user.kind == AccountKind::Service
    }
}

impl GroupPage {
    fn group(&self) -> &Group {
        &self.overview.group
    }

    fn name(&self) -> &str {
        self.overview.group.name.as_str()
    }

    fn description(&self) -> &str {
        self.overview.group.description.as_str()
    }
}

pub(super) fn id(path: &PathParameters) -> Result<GroupId, ApiError> {
    Ok(GroupId(path.id("id")?))
}

fn role_of(roles: &[Role], overview: &GroupOverview) -> Option<String> {
    overview.group.root_role.map(|role| role_name(roles, role))
}

pub(super) async fn list(visitor: Visitor) -> ApiResult {
    let permit = visitor.may::<ManageGroups>()?;
    let roles = root_roles(&visitor).await?;
    let groups = visitor.use_cases().groups.list(&permit).await?;
    let row = |overview| Row { role: role_of(&roles, &overview), overview };
    visitor.browser.show(&ListPage {
        frame: visitor.frame(Section::People),
        tabs: Tabs::of(&visitor, Tab::Groups),
        root: ROOT,
        rows: groups.into_iter().map(row).collect(),
    })
}

pub(super) async fn show(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may::<ManageGroups>()?;
    let overview = visitor.use_cases().groups.get(&permit, id(&path)?).await?;
    show_with(&visitor, StatusCode::OK, overview, Form::default()).await
}

async fn show_with(visitor: &Visitor, status: StatusCode, overview: GroupOverview, form: Form) -> ApiResult {
    let joined = &overview.group.members;
    let member = |user: &User| Member { user: user.clone(), since: joined.get(&user.id).copied() };
    let proposed = match visitor.may::<ManageUsers>() {
        Ok(permit) => visitor.use_cases().users.list(&permit, Page::first(PROPOSED)).await?.users,
        Err(_) => Vec::new(),
    };
    let proposed = proposed.iter().filter(|user| !joined.contains_key(&user.id));
    let page = GroupPage {
        frame: visitor.frame(Section::People),
        tabs: Tabs::of(visitor, Tab::Groups),
        root: ROOT,
        role: role_of(&root_roles(visitor).await?, &overview),
        members: overview.users.iter().map(member).collect(),
        proposed: proposed.map(|user| user.identity.label().to_owned()).collect(),
        overview,
        form,
    };
    visitor.browser.show_with(status, &page)
}

/// Makes the user a member whom the field `_login` names as they sign in.
pub(super) async fn add_member(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageGroups>()?;
    let of_users = visitor.may::<ManageUsers>()?;
    let form = Form::read(body).await?;
    let use_cases = visitor.use_cases();
    let overview = use_cases.groups.get(&permit, id(&path)?).await?;
    let group = overview.group.id;
    let user = match use_cases.users.find_by_login(&of_users, form.value("_login").trim()).await {
        Ok(user) => user,
        Err(ServiceError::NotFound(_)) => {
            let message = visitor.browser.words.get("people-login-unknown").into_owned();
            let error = ApiError::BadInput(vec![Detail::of_field("_login", message)]);
            let (status, form) = form.with_problems(visitor.browser.words, error)?;
            return show_with(&visitor, status, overview, form).await;
        }
        Err(error) => return Err(error.into()),
    };
    use_cases.groups.add_members(&permit, group, &[user.id]).await?;
    Ok(see_other(&format!("{ROOT}/{group}?done=people-member-added")))
}

pub(super) async fn remove_member(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageGroups>()?;
    Form::read(body).await?;
    let groups = &visitor.use_cases().groups;
    let overview = groups.get(&permit, id(&path)?).await?;
    let (group, user) = (overview.group.id, UserId(path.id("user")?));
    if !overview.group.members.contains_key(&user) {
        return Err(ServiceError::from(Missing::User).into());
    }
    groups.remove_members(&permit, group, &[user]).await?;
    Ok(see_other(&format!("{ROOT}/{group}?done=people-member-removed")))
}

fn question(visitor: &Visitor, overview: &GroupOverview) -> Question {
    let title = ("people-group-delete", overview.group.name.as_str());
    let back = format!("{ROOT}/{}", overview.group.id);
    Question::of(visitor, Tab::Groups, title, "people-group-delete-what", back)
}

pub(super) async fn ask(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may::<ManageGroups>()?;
    let overview = visitor.use_cases().groups.get(&permit, id(&path)?).await?;
    question(&visitor, &overview).ask(&visitor)
}

pub(super) async fn delete(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageGroups>()?;
    Form::read(body).await?;
    let groups = &visitor.use_cases().groups;
    let overview = groups.get(&permit, id(&path)?).await?;
    let deleted = groups.delete(&permit, overview.group.id).await;
    question(&visitor, &overview).answer(&visitor, deleted, &format!("{ROOT}?done=people-group-deleted"))
}
