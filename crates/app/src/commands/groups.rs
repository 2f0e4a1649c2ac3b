//! `latchkey group`.

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use latchkey_domain::{GroupDescription, GroupName, ProjectId, Role, RoleId, UserId};
use latchkey_ports::GroupOverview;
use latchkey_service::{
    Caller, GroupDraft, InstancePermit, ManageGroups, Missing, RoleReference, ServiceError, counted,
};

use crate::{commands::users, output, wiring::App};

#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// Create a group and print its id
    #[command(
        after_help = "Examples:\n  latchkey group create Payments --member ed@example.com --member bo\n  \
        latchkey group create Operators --role Editor --description \"On call\"\n\n\
        `latchkey grant --group Payments --project shop` gives its members a role in a project."
    )]
    Create(CreateArgs),
    /// List the groups, by id
    List,
    /// Print the user name or e-mail address of each member
    #[command(after_help = "Example:\n  latchkey group show Payments")]
    Show(NameArgs),
    /// Delete a group; its members stay users, with their own roles
    #[command(after_help = "Example:\n  latchkey group delete Payments")]
    Delete(NameArgs),
    /// Make users members of a group
    #[command(after_help = "Example:\n  latchkey group add-member Payments --user ed@example.com --user bo")]
    AddMember(MembersArgs),
    /// Take users out of a group
    #[command(after_help = "Example:\n  latchkey group remove-member Payments --user ed@example.com")]
    RemoveMember(MembersArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The name
    pub(crate) name: GroupName,
    /// The description
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) description: GroupDescription,
    /// A role for the whole instance, which members have besides their own: Admin, Editor or Viewer
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// The user name or e-mail address of a member, may be repeated
    #[arg(long = "member", value_name = "USER")]
    pub(crate) members: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The name
    pub(crate) name: GroupName,
}

#[derive(Debug, Args)]
pub(crate) struct MembersArgs {
    /// The name of the group
    pub(crate) name: GroupName,
    /// The name or e-mail address of a user, may be repeated
    #[arg(long = "user", value_name = "USER", required = true)]
    pub(crate) users: Vec<String>,
}

/// Runs a command about groups.
pub(super) async fn run(app: &App, command: GroupCommand) -> anyhow::Result<()> {
    match command {
        GroupCommand::Create(arguments) => create(app, arguments).await,
        GroupCommand::List => list(app).await,
        GroupCommand::Show(NameArgs { name }) => show(app, &name).await,
        GroupCommand::Delete(NameArgs { name }) => delete(app, &name).await,
        GroupCommand::AddMember(arguments) => add_members(app, arguments).await,
        GroupCommand::RemoveMember(arguments) => remove_members(app, arguments).await,
    }
}

async fn create(app: &App, arguments: CreateArgs) -> anyhow::Result<()> {
    const FAILURE: &str = "no group was created";
    let CreateArgs { name, description, role, members } = arguments;
    let draft = GroupDraft {
        name,
        description,
        sso_groups: Vec::new(),
        root_role: role.map(RoleReference::Name),
        users: find_users(app, &members).await.context(FAILURE)?,
    };
    let created = app.use_cases.groups.create(&management()?, &draft).await.context(FAILURE)?;
    output::result(created.group.id)?;
    explain(app, &created).await
}

async fn list(app: &App) -> anyhow::Result<()> {
    let groups = app.use_cases.groups.list(&management()?).await?;
    let roles = app.use_cases.roles.list(&Caller::system()).await?;
    output::result(format_args!("{:>6}  {:>7}  {:16}  name", "id", "members", "root role"))?;
    for GroupOverview { group, users, projects: _ } in groups {
        let role = group.root_role.and_then(|id| name_of(&roles, id)).unwrap_or("-");
        output::result(format_args!(
            "{:>6}  {:>7}  {role:16}  {}",
            group.id.0,
            users.len(),
            group.name.as_str()
        ))?;
    }
    Ok(())
}

async fn show(app: &App, name: &GroupName) -> anyhow::Result<()> {
    let found = find(app, name).await?;
    explain(app, &found).await?;
    found.users.iter().try_for_each(|user| output::result(user.identity.label()))
}

async fn delete(app: &App, name: &GroupName) -> anyhow::Result<()> {
    let failure = "no group was deleted";
    let GroupOverview { group, users, .. } = find(app, name).await.context(failure)?;
    app.use_cases.groups.delete(&management()?, group.id).await.context(failure)?;
    let members = counted(users.len().try_into()?, "member");
    output::explain(format_args!("There is no group {:?} any more. It had {members}.", name.as_str()));
    Ok(())
}

async fn add_members(app: &App, MembersArgs { name, users }: MembersArgs) -> anyhow::Result<()> {
    let failure = || format!("the group {:?} was not changed", name.as_str());
    let group = find(app, &name).await.with_context(failure)?.group.id;
    let ids = find_users(app, &users).await.with_context(failure)?;
    let changed = app.use_cases.groups.add_members(&management()?, group, &ids).await;
    explain(app, &changed.with_context(failure)?).await
}

async fn remove_members(app: &App, MembersArgs { name, users }: MembersArgs) -> anyhow::Result<()> {
    let failure = || format!("the group {:?} was not changed", name.as_str());
    let group = find(app, &name).await.with_context(failure)?.group.id;
    let ids = find_users(app, &users).await.with_context(failure)?;
    let changed = app.use_cases.groups.remove_members(&management()?, group, &ids).await;
    explain(app, &changed.with_context(failure)?).await
}

/// Finds a group by its name.
pub(super) async fn find(app: &App, name: &GroupName) -> anyhow::Result<GroupOverview> {
    match app.use_cases.groups.find_by_name(&management()?, name).await {
        Err(ServiceError::NotFound(Missing::Group)) => {
            Err(anyhow!("there is no group {:?}: `latchkey group list` shows the groups", name.as_str()))
        }
        found => Ok(found?),
    }
}

async fn find_users(app: &App, logins: &[String]) -> anyhow::Result<Vec<UserId>> {
    let mut ids = Vec::with_capacity(logins.len());
    for login in logins {
        ids.push(users::find(app, login).await.with_context(|| format!("user {login:?}"))?.id);
    }
    Ok(ids)
}

/// Says what a group is and what it gives.
async fn explain(app: &App, GroupOverview { group, users, projects }: &GroupOverview) -> anyhow::Result<()> {
    let (name, members) = (group.name.as_str(), counted(users.len().try_into()?, "member"));
    let roles = app.use_cases.roles.list(&Caller::system()).await?;
    let root_role = match group.root_role.and_then(|id| name_of(&roles, id)) {
        Some(role) => format!("the root role {role}"),
        None => "no root role".to_owned(),
    };
    let projects: Vec<_> = projects.iter().map(ProjectId::as_str).collect();
    let in_projects = match projects.as_slice() {
        [] => "no role in a project".to_owned(),
        some => format!("roles in these projects: {}", some.join(", ")),
    };
    output::explain(format_args!("Group {} is {name:?}: {members}, {root_role}, {in_projects}.", group.id));
    Ok(())
}

fn name_of(roles: &[Role], id: RoleId) -> Option<&str> {
    roles.iter().find(|role| role.id == id).map(|role| role.name.as_str())
}

/// Returns the permit to manage groups, which every operator with access to the database has.
fn management() -> Result<InstancePermit<ManageGroups>, ServiceError> {
    InstancePermit::request(&Caller::system())
}
