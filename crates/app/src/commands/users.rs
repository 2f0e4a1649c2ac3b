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

/// Makes a user; prints the id.
pub(super) async fn create(app: &App, arguments: UserArgs) -> anyhow::Result<()> {
    let UserArgs { login: Login { email, username }, name, role, password_stdin } = arguments;
    let password = if password_stdin { Some(password::from_stdin()?) } else { None };
    let can_sign_in = password.is_some();
    let root_role = RoleReference::Name(role.clone());
    let draft = UserDraft { username, email, name, root_role, password };
    let permit = managing()?;
    let made = app.use_cases.users.create(&permit, draft).await;
    let user = made.map_err(password::explained).context("no user was made")?;
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
    let nothing = || format!("the password of {login:?} was not set");
    let password = password::from_stdin()?;
    let user = find(app, &login).await.with_context(nothing)?;
    let set = app.use_cases.users.set_password(&managing()?, user.id, &password).await;
    set.map_err(password::explained).with_context(nothing)?;
    output::explain(format_args!("{login} has a new password. All their sessions have ended."));
    Ok(())
}

/// Gives a user a role in a project.
pub(super) async fn grant(app: &App, arguments: GrantArgs) -> anyhow::Result<()> {
    let GrantArgs { user: login, project, role } = arguments;
    let nothing = || format!("no role was given to {login:?}");
    let user = find(app, &login).await.with_context(nothing)?;
    let permit = Permit::<UpdateProject>::request(&Caller::system(), project)?;
    let members = &app.use_cases.members;
    let given = members.add(&permit, vec![user.id], &[RoleReference::Name(role)]).await;
    for role in given.with_context(nothing)? {
        output::explain(format_args!(
            "{login} is {} in the project \"{}\" now.",
            role.name,
            permit.project()
        ));
    }
    Ok(())
}

/// The user of this user name or e-mail address.
pub(super) async fn find(app: &App, login: &str) -> Result<User, ServiceError> {
    app.use_cases.users.find_by_login(&managing()?, login).await
}

/// The permission that whoever may run commands on the database has.
pub(super) fn managing() -> Result<InstancePermit<ManageUsers>, ServiceError> {
    InstancePermit::request(&Caller::system())
}
