//! `latchkey project`.

use anyhow::Context as _;
use latchkey_domain::{ProjectMode, ProjectName};
use latchkey_service::{Caller, InstancePermit, ProjectDraft};

use crate::{cli::ProjectArgs, output, wiring::App};

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
