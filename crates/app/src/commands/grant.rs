//! `latchkey grant`.

use anyhow::Context as _;
use clap::Args;
use latchkey_domain::{GroupName, ProjectId};
use latchkey_service::{Caller, Permit, RoleReference, UpdateProject};

use crate::{
    commands::{groups, users},
    output,
    wiring::App,
};

#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    #[command(flatten)]
    pub(crate) holder: HolderArgs,
    /// The project's id
    #[arg(long)]
    pub(crate) project: ProjectId,
    /// The role: Owner or Member
    #[arg(long, default_value = "Member")]
    pub(crate) role: String,
}

/// The holder of a role: a user or a group.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct HolderArgs {
    /// The user's name or e-mail address
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// The name of a group: its members have the role besides their own
    #[arg(long)]
    pub(crate) group: Option<GroupName>,
}

/// Gives a user or a group a role in a project.
pub(super) async fn grant(app: &App, arguments: GrantArgs) -> anyhow::Result<()> {
    let GrantArgs { holder: HolderArgs { user, group }, project, role } = arguments;
    let holder = user.as_deref().or(group.as_ref().map(GroupName::as_str)).unwrap_or_default();
    let failure = || format!("no role was granted to {holder:?}");
    let (mut to_users, mut to_groups) = (Vec::new(), Vec::new());
    if let Some(login) = &user {
        to_users.push(users::find(app, login).await.with_context(failure)?.id);
    }
    if let Some(name) = &group {
        to_groups.push(groups::find(app, name).await.with_context(failure)?.group.id);
    }
    let permit = Permit::<UpdateProject>::request(&Caller::system(), project)?;
    let granted = app.use_cases.members.add(&permit, to_users, to_groups, &[RoleReference::Name(role)]).await;
    for role in granted.with_context(failure)? {
        output::explain(format_args!(
            "{holder} is {} in the project \"{}\" now.",
            role.name,
            permit.project()
        ));
    }
    Ok(())
}
