//! `latchkey project`.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use latchkey_domain::{ProjectDescription, ProjectId, ProjectMode, ProjectName};
use latchkey_service::{Caller, InstancePermit, ProjectDraft};

use crate::{output, wiring::App};

#[derive(Debug, Subcommand)]
pub(crate) enum ProjectCommand {
    /// Create a project and print its id
    #[command(after_help = "Example:\n  latchkey project create shop --name \"Web shop\"")]
    Create(ProjectArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ProjectArgs {
    /// The id: up to 100 of the characters A-Z, a-z, 0-9, _, ~, . and -
    pub(crate) id: ProjectId,
    /// The name; by default the id
    #[arg(long)]
    pub(crate) name: Option<ProjectName>,
    /// The description
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) description: ProjectDescription,
}

/// Creates a project and prints its id.
pub(super) async fn create(app: &App, arguments: ProjectArgs) -> anyhow::Result<()> {
    let ProjectArgs { id, name, description } = arguments;
    let name = match name {
        Some(name) => name,
        None => ProjectName::new(id.as_str())?,
    };
    let draft = ProjectDraft { id: Some(id), name, description, mode: ProjectMode::Open, environments: None };
    let permit = InstancePermit::request(&Caller::system())?;
    let created = app.use_cases.projects.create(&permit, draft).await;
    let id = created.context("no project was created")?.project.id;
    output::result(&id)?;
    output::explain(format_args!(
        "Its tokens are at /api/admin/projects/{id}/api-tokens. `latchkey grant --project {id}` adds members.",
    ));
    Ok(())
}
