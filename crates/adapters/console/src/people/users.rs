//! Users: one user with all that they may do, and what can be done to them.

use askama::Template;
use latchkey_domain::{AccountKind, Group, Permission, ProjectId, User, UserId};
use latchkey_http::pages::{
    ApiError, ApiResult, CreateUserBody, PasswordBody, PathParameters, RawBody, UpdateUserBody,
};
use latchkey_service::{ManageGroups, ManageUsers, UserAccess};

use super::{
    account_form,
    matrix::{self, Block},
    names::called,
    question::Question,
    tabs::{Tab, Tabs},
};
use crate::{
    form::Form,
    frame::{Frame, Section, query_value},
    page::see_other,
    visitor::Visitor,
};

const ROOT: &str = path!("people/users");

#[derive(Template)]
#[template(path = "people/user.html")]
struct UserPage {
    frame: Frame,
    tabs: Tabs,
    root: &'static str,
    access: UserAccess,
    blocks: Vec<Block>,
    groups: Vec<Group>,
    projects: Vec<ProjectId>,
    /// The project in which their permissions are looked at.
    project: Option<ProjectId>,
}

impl UserPage {
    fn user(&self) -> &User {
        &self.access.user
    }

    fn called(&self) -> &str {
        called(self.user())
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates call with references")]
    fn holds(&self, permission: &Permission) -> bool {
        self.access.holds(*permission)
    }

    fn is_chosen(&self, project: &ProjectId) -> bool {
        self.project.as_ref() == Some(project)
    }
}

fn id(path: &PathParameters) -> Result<UserId, ApiError> {
    Ok(UserId(path.id("id")?))
}

pub(super) async fn show(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may::<ManageUsers>()?;
    let id = id(&path)?;
    let use_cases = visitor.use_cases();
    let project = query_value(&visitor.browser.target, "project");
    let project = project.and_then(|project| ProjectId::new(&project).ok());
    let access = use_cases.users.access_of(&permit, id, project.clone()).await?;
    let projects = visitor.projects().await?;
    let groups = match visitor.may::<ManageGroups>() {
        Ok(permit) => use_cases.groups.list(&permit).await?,
        Err(_) => Vec::new(),
    };
    let groups = groups.into_iter().map(|overview| overview.group);
    visitor.browser.show(&UserPage {
        frame: visitor.frame(Section::People),
        tabs: Tabs::of(&visitor, Tab::Users),
        root: ROOT,
        access,
        blocks: matrix::all(),
        groups: groups.filter(|group| group.members.contains_key(&id)).collect(),
        projects: projects.into_iter().map(|overview| overview.project.id).collect(),
        project,
    })
}

pub(super) async fn new(visitor: Visitor) -> ApiResult {
    visitor.may::<ManageUsers>()?;
    account_form::new(&visitor, AccountKind::Person).await
}

pub(super) async fn create(visitor: Visitor, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageUsers>()?;
    let form = Form::read(body).await?;
    let created = async {
        let sent: CreateUserBody = form.body()?;
        Ok(visitor.use_cases().users.create(&permit, sent.into()).await?)
    };
    match created.await {
        Ok(user) => Ok(see_other(&format!("{ROOT}/{}?done=people-user-created", user.id))),
        Err(error) => account_form::again(&visitor, AccountKind::Person, None, form, error).await,
    }
}

pub(super) async fn edit(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may::<ManageUsers>()?;
    let user = visitor.use_cases().users.get(&permit, id(&path)?).await?;
    account_form::edit(&visitor, user).await
}

pub(super) async fn update(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageUsers>()?;
    let form = Form::read(body).await?;
    let user = visitor.use_cases().users.get(&permit, id(&path)?).await?;
    let updated = async {
        let sent: UpdateUserBody = form.body()?;
        Ok(visitor.use_cases().users.update(&permit, user.id, &sent.into()).await?)
    };
    match updated.await {
        Ok(user) => Ok(see_other(&format!("{ROOT}/{}?done=people-changed", user.id))),
        Err(error) => account_form::again(&visitor, AccountKind::Person, Some(user), form, error).await,
    }
}

#[derive(Template)]
#[template(path = "people/password.html")]
struct PasswordPage {
    frame: Frame,
    tabs: Tabs,
    root: &'static str,
    user: User,
    form: Form,
}

impl PasswordPage {
    fn of(visitor: &Visitor, user: User, form: Form) -> Self {
        let tabs = Tabs::of(visitor, Tab::Users);
        Self { frame: visitor.frame(Section::People), tabs, root: ROOT, user, form }
    }

    fn called(&self) -> &str {
        called(&self.user)
    }

    fn back(&self) -> String {
        format!("{ROOT}/{}", self.user.id)
    }
}

pub(super) async fn password(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may::<ManageUsers>()?;
    let user = visitor.use_cases().users.get(&permit, id(&path)?).await?;
    visitor.browser.show(&PasswordPage::of(&visitor, user, Form::default()))
}

pub(super) async fn set_password(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageUsers>()?;
    let form = Form::read(body).await?;
    let users = &visitor.use_cases().users;
    let user = users.get(&permit, id(&path)?).await?;
    let set = async {
        let PasswordBody { password } = form.body()?;
        Ok::<_, ApiError>(users.set_password(&permit, user.id, &password).await?)
    };
    match set.await {
        Ok(()) => Ok(see_other(&format!("{ROOT}/{}?done=people-password-set", user.id))),
        Err(error) => {
            let (status, form) = form.with_problems(visitor.browser.words, error)?;
            visitor.browser.show_with(status, &PasswordPage::of(&visitor, user, form))
        }
    }
}

fn question(visitor: &Visitor, user: &User) -> Question {
    let back = format!("{ROOT}/{}", user.id);
    Question::of(visitor, Tab::Users, ("people-user-delete", called(user)), "people-user-delete-what", back)
}

pub(super) async fn ask(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may::<ManageUsers>()?;
    let user = visitor.use_cases().users.get(&permit, id(&path)?).await?;
    question(&visitor, &user).ask(&visitor)
}

pub(super) async fn delete(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageUsers>()?;
    Form::read(body).await?;
    let users = &visitor.use_cases().users;
    let user = users.get(&permit, id(&path)?).await?;
    let deleted = users.delete(&permit, user.id).await;
    question(&visitor, &user).answer(&visitor, deleted, &format!("{ROOT}?done=people-user-deleted"))
}
