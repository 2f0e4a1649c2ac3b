//! `latchkey user` and `latchkey grant`.

use anyhow::Context as _;
use latchkey_domain::User;
use latchkey_service::{
    Caller, InstancePermit, ManageUsers, Permit, RoleReference, ServiceError, UpdateProject, UserDraft,
};

use crate::{
    cli::{GrantArgs, Login, PasswordArgs, UserArgs},
    commands::password,
    output,
    wiring::App,
};

/// Creates a user and prints the id.
pub(super) async fn create(app: &App, arguments: UserArgs) -> anyhow::Result<()> {
    let UserArgs { login: Login { email, username }, name, role, password_stdin } = arguments;
    let password = if password_stdin { Some(password::from_stdin()?) } else { None };
    let can_sign_in = password.is_some();
    let root_role = RoleReference::Name(role.clone());
    let draft = UserDraft { username, email, name, root_role, password };
    let permit = user_management()?;
    let created = app.use_cases.users.create(&permit, draft).await;
    let user = created.map_err(password::explained).context("no user was created")?;
    output::result(user.id)?;
    let label = user.identity.label();
    output::explain(format_args!("User {} is {label}, with the root role {role}.", user.id));
    if !can_sign_in {
        output::explain(format_args!(
            "Without a password {label} cannot sign in: `latchkey user set-password --user {label} --password-stdin` sets one."
        ));
    }
    Ok(())
}

/// Sets a user's password.
pub(super) async fn set_password(app: &App, arguments: PasswordArgs) -> anyhow::Result<()> {
    let PasswordArgs { user: login, password_stdin: _ } = arguments;
    let failure = || format!("the password of {login:?} was not set");
    let password = password::from_stdin()?;
    let user = find(app, &login).await.with_context(failure)?;
    let set = app.use_cases.users.set_password(&user_management()?, user.id, &password).await;
    set.map_err(password::explained).with_context(failure)?;
    output::explain(format_args!("{login} has a new password. All their sessions have ended."));
    Ok(())
}

/// Gives a user a role in a project.
pub(super) async fn grant(app: &App, arguments: GrantArgs) -> anyhow::Result<()> {
    let GrantArgs { user: login, project, role } = arguments;
    let failure = || format!("no role was granted to {login:?}");
    let user = find(app, &login).await.with_context(failure)?;
    let permit = Permit::<UpdateProject>::request(&Caller::system(), project)?;
    let members = &app.use_cases.members;
    let granted = members.add(&permit, vec![user.id], &[RoleReference::Name(role)]).await;
    for role in granted.with_context(failure)? {
        output::explain(format_args!(
            "{login} is {} in the project \"{}\" now.",
            role.name,
            permit.project()
        ));
    }
    Ok(())
}

/// Finds a user by user name or e-mail address.
pub(super) async fn find(app: &App, login: &str) -> Result<User, ServiceError> {
    app.use_cases.users.find_by_login(&user_management()?, login).await
}

/// Returns the permit to manage users, which every operator with access to the database has.
pub(super) fn user_management() -> Result<InstancePermit<ManageUsers>, ServiceError> {
    InstancePermit::request(&Caller::system())
}
