//! `latchkey project`.

use anyhow::Context as _;
use latchkey_domain::ProjectName;
use latchkey_service::Initiator;

use crate::{cli::ProjectArgs, output, wiring::House};

/// Makes a project; prints its id.
pub(super) async fn create(house: &House, arguments: ProjectArgs) -> anyhow::Result<()> {
    let ProjectArgs { id, name, description } = arguments;
    let name = match name {
        Some(name) => name,
        None => ProjectName::new(id.as_str())?,
    };
    let projects = &house.use_cases.projects;
    let project =
        projects.create(id, name, description, &Initiator::system()).await.context("no project was made")?;
    output::result(&project.id);
    output::explain(format_args!(
        "Its tokens are at /api/admin/projects/{}/api-tokens. Members come by `latchkey grant --project {}`.",
        project.id, project.id
    ));
    Ok(())
}
