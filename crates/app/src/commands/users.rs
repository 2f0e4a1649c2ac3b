//! `latchkey user` and `latchkey grant`.

use anyhow::Context as _;
use latchkey_domain::UserIdentity;
use latchkey_service::{Initiator, UserDraft};

use crate::{
    cli::{GrantArgs, UserArgs},
    output,
    wiring::House,
};

/// Makes a user; prints the id.
pub(super) async fn create(house: &House, arguments: UserArgs) -> anyhow::Result<()> {
    let UserArgs { login, name, role } = arguments;
    let draft = UserDraft {
        identity: UserIdentity::new(login.username, login.email)?,
        name,
        root_role: role.clone(),
    };
    let people = &house.use_cases.people;
    let user = people.create_user(draft, &Initiator::system()).await.context("no user was made")?;
    output::result(user.id);
    output::explain(format_args!(
        "User {} is {}, with the root role {role}.",
        user.id,
        user.identity.label()
    ));
    Ok(())
}

/// Gives a user a role in a project.
pub(super) async fn grant(house: &House, arguments: GrantArgs) -> anyhow::Result<()> {
    let GrantArgs { user: login, project, role } = arguments;
    let people = &house.use_cases.people;
    let user =
        people.find_by_login(&login).await.with_context(|| format!("no role was given to {login:?}"))?;
    let role = people
        .grant(&user, &project, &role, &Initiator::system())
        .await
        .with_context(|| format!("no role was given to {login:?}"))?;
    output::explain(format_args!("{login} is {} in the project \"{project}\" now.", role.name));
    Ok(())
}
