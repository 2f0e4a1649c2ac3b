//! The members of a project, and the form that adds some.

use askama::Template;
use latchkey_domain::{Group, Holder, Place, Role, RoleId, Timestamp, User, authorize_granting};
use latchkey_http::pages::{AddAccessBody, ApiResult, PathParameters, RawBody, parse};
use latchkey_ports::{Member, MemberGroup};
use latchkey_service::{Permit, ProjectAccess, ServiceError, UpdateProject};
use serde_json::{Map, Value};

use super::address::{id, root};
use crate::{
    form::{Empty, Form},
    frame::{Frame, Section, query_value},
    page::see_other,
    visitor::Visitor,
};

/// The most users that can be chosen from at once: as many as a search finds.
const FOUND: usize = 100;

/// A user or a group that holds roles in a project.
pub(super) struct Holding {
    pub(super) holder: Holder,
    /// How people call it, and under which name a user signs in if that is another.
    pub(super) name: String,
    pub(super) login: Option<String>,
    /// How many users a group has.
    pub(super) users: Option<usize>,
    pub(super) roles: Vec<RoleId>,
    pub(super) role_names: Vec<String>,
    /// Since when it is a member.
    pub(super) added_at: Timestamp,
    /// Where its page is.
    pub(super) address: String,
}

#[derive(Template)]
#[template(path = "projects/members.html")]
struct MembersPage {
    frame: Frame,
    id: String,
    root: String,
    members: Vec<Holding>,
}

#[derive(Template)]
#[template(path = "projects/add.html")]
struct AddPage {
    frame: Frame,
    id: String,
    root: String,
    form: Form,
    searched: String,
    people: Vec<Person>,
    /// Whether there are users whom only a search shows.
    has_more: bool,
    groups: Vec<Group>,
    roles: Vec<Role>,
}

/// A user who can be added.
struct Person {
    id: String,
    name: String,
    login: Option<String>,
}

/// Returns how people call a user, and the name under which they sign in if that is another.
fn names(user: &User) -> (String, Option<String>) {
    let login = user.identity.label().to_owned();
    match &user.name {
        Some(name) => (name.to_string(), Some(login)),
        None => (login, None),
    }
}

/// Returns the members of a project: users, then groups.
pub(super) async fn of(
    visitor: &Visitor,
    permit: &Permit<UpdateProject>,
) -> Result<Vec<Holding>, ServiceError> {
    let ProjectAccess { members, groups, roles } = visitor.use_cases().members.list(permit).await?;
    let root = root(permit.project());
    let role_names = |held: &[RoleId]| {
        let held = held.iter().filter_map(|id| roles.iter().find(|role| role.id == *id));
        held.map(|role| role.name.to_string()).collect()
    };
    let of_user = |Member { user, roles, added_at }: Member| {
        let (name, login) = names(&user);
        Holding {
            holder: user.id.into(),
            name,
            login,
            users: None,
            role_names: role_names(&roles),
            roles,
            added_at,
            address: format!("{root}/members/users/{}", user.id),
        }
    };
    let of_group = |MemberGroup { overview, roles, added_at }: MemberGroup| Holding {
        holder: overview.group.id.into(),
        name: overview.group.name.to_string(),
        login: None,
        users: Some(overview.users.len()),
        role_names: role_names(&roles),
        roles,
        added_at,
        address: format!("{root}/members/groups/{}", overview.group.id),
    };
    Ok(members.into_iter().map(of_user).chain(groups.into_iter().map(of_group)).collect())
}

/// Returns the roles of projects that the visitor may give here, and those among these that are held already.
pub(super) async fn roles(
    visitor: &Visitor,
    permit: &Permit<UpdateProject>,
    held: &[RoleId],
) -> Result<Vec<Role>, ServiceError> {
    let place = Place::Project(permit.project().clone());
    let grants = visitor.caller().grants();
    let mut roles = visitor.use_cases().roles.list(visitor.caller()).await?;
    roles.retain(|role| {
        let is_offered = held.contains(&role.id) || authorize_granting(grants, role, &place).is_ok();
        !role.kind.is_root() && is_offered
    });
    Ok(roles)
}

pub(super) async fn show(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may_in::<UpdateProject>(&id(&path)?)?;
    let members = of(&visitor, &permit).await?;
    visitor.browser.show(&MembersPage {
        frame: visitor.frame(Section::Projects),
        id: permit.project().to_string(),
        root: root(permit.project()),
        members,
    })
}

pub(super) async fn choose(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may_in::<UpdateProject>(&id(&path)?)?;
    // Finds out whether there is such a project.
    visitor.use_cases().members.list(&permit).await?;
    let searched = query_value(&visitor.browser.target, "search").unwrap_or_default();
    let page = page(&visitor, &permit, Form::of([("_search", searched)])).await?;
    visitor.browser.show(&page)
}

async fn page(
    visitor: &Visitor,
    permit: &Permit<UpdateProject>,
    form: Form,
) -> Result<AddPage, ServiceError> {
    let (users, caller) = (&visitor.use_cases().users, visitor.caller());
    let searched = form.value("_search").trim().to_owned();
    let mut found = match searched.as_str() {
        "" => users.all_accounts(caller).await?,
        searched => users.search(caller, searched).await?,
    };
    let has_more = found.len() > FOUND || (found.len() == FOUND && !searched.is_empty());
    found.truncate(FOUND);
    let people = found.iter().map(|user| {
        let (name, login) = names(user);
        Person { id: user.id.to_string(), name, login }
    });
    Ok(AddPage {
        frame: visitor.frame(Section::Projects),
        id: permit.project().to_string(),
        root: root(permit.project()),
        people: people.collect(),
        form,
        searched,
        has_more,
        groups: visitor.use_cases().groups.all(caller).await?,
        roles: roles(visitor, permit, &[]).await?,
    })
}

pub(super) async fn add(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may_in::<UpdateProject>(&id(&path)?)?;
    let form = Form::read(body).await?;
    let added = async {
        let body: AddAccessBody = parse(with_numbers(form.members(Empty::Absent)), "body")?;
        let (users, groups, roles) = body.into_parts();
        Ok(visitor.use_cases().members.add(&permit, users, groups, &roles).await?)
    };
    let Err(error) = added.await else {
        return Ok(see_other(&format!("{}/members?done=project-members-added", root(permit.project()))));
    };
    let (status, form) = form.with_problems(visitor.browser.words, error)?;
    let page = page(&visitor, &permit, form).await?;
    visitor.browser.show_with(status, &page)
}

/// Returns the members of a body with the ids of users and groups as numbers, as the API has them. What is no number is refused
/// where it is read.
fn with_numbers(mut members: Map<String, Value>) -> Map<String, Value> {
    for name in ["users", "groups"] {
        let Some(Value::Array(ids)) = members.get_mut(name) else { continue };
        for id in ids {
            if let Some(number) = id.as_str().and_then(|text| text.parse::<i64>().ok()) {
                *id = number.into();
            }
        }
    }
    members
}
