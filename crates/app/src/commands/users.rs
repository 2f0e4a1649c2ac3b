//! `latchkey user`.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use latchkey_domain::{Email, PersonName, User, Username};
use latchkey_service::{Caller, InstancePermit, ManageUsers, RoleReference, ServiceError, UserDraft};

use crate::{commands::password, output, wiring::App};

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Create a user and print the id
    #[command(
        after_help = "Examples:\n  latchkey user create --email ed@example.com --name Ed --role Editor\n  \
        latchkey user create --username ops --role Admin --password-stdin < password.txt\n  \
        latchkey user create --username deployer"
    )]
    Create(UserArgs),
    /// Set a user's password and end all their sessions
    #[command(after_help = "Examples:\n  latchkey user set-password --user ed@example.com\n  \
        latchkey user set-password --user ed@example.com --password-stdin < password.txt")]
    SetPassword(PasswordArgs),
}

#[derive(Debug, Args)]
pub(crate) struct UserArgs {
    #[command(flatten)]
    pub(crate) login: Login,
    /// The display name
    #[arg(long)]
    pub(crate) name: Option<PersonName>,
    /// The role for the whole instance: Admin, Editor or Viewer
    #[arg(long, default_value = "Viewer")]
    pub(crate) role: String,
    /// Ask for the password on a terminal, or read the first line of standard input; without a password, the user cannot sign in
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PasswordArgs {
    /// The user's name or e-mail address
    #[arg(long)]
    pub(crate) user: String,
    /// Read the password from the first line of standard input; without this, it is asked for on the terminal
    // It is never an argument: every user of the machine can see the arguments of its processes.
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

/// The login names of a user: one of them, or both.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Login {
    /// The e-mail address
    #[arg(long, value_parser = Email::new)]
    pub(crate) email: Option<Email>,
    /// The user name
    #[arg(long)]
    pub(crate) username: Option<Username>,
}

/// Creates a user and prints the id.
pub(super) async fn create(app: &App, arguments: UserArgs) -> anyhow::Result<()> {
    let UserArgs { login: Login { email, username }, name, role, password_stdin } = arguments;
    let password = if password_stdin { Some(password::read()?) } else { None };
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
            "Without a password {label} cannot sign in: `latchkey user set-password --user {label}` sets one."
        ));
    }
    Ok(())
}

/// Sets a user's password.
pub(super) async fn set_password(app: &App, arguments: PasswordArgs) -> anyhow::Result<()> {
    let PasswordArgs { user: login, password_stdin } = arguments;
    let failure = || format!("the password of {login:?} was not set");
    let password = password::read_from_terminal_or(password_stdin)?;
    let user = find(app, &login).await.with_context(failure)?;
    let set = app.use_cases.users.set_password(&user_management()?, user.id, &password).await;
    set.map_err(password::explained).with_context(failure)?;
    output::explain(format_args!("{login} has a new password. All their sessions have ended."));
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
