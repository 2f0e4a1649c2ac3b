//! Environments and projects.

use std::collections::BTreeSet;

use latchkey_domain::{Environment, EnvironmentName, EventKind, NewEvent, Project, ProjectScope};
use latchkey_ports::{Finding, ImportedProject, RowKind};

use super::{ImportPlan, Importer};
use crate::{Initiator, ServiceError};

impl Importer {
    pub(super) async fn plan_environments(
        &self,
        plan: &mut ImportPlan,
        incoming: Vec<Environment>,
        by: &Initiator,
    ) -> Result<(), ServiceError> {
        for environment in incoming {
            let name = &environment.name;
            if let Some(known) = self.store.find_environment(name).await? {
                let why = differing_environment(&environment, &known).join("; ");
                plan.findings.push(Finding::present(RowKind::Environment, name, why));
                continue;
            }
            plan.findings.push(Finding::came(RowKind::Environment, name));
            let event = self.event(EventKind::EnvironmentCreated, None, by);
            let event = NewEvent { environment: Some(name.clone()), ..event }.with_after(&environment);
            plan.import.environments.push((environment, event));
        }
        Ok(())
    }

    pub(super) async fn plan_projects(
        &self,
        plan: &mut ImportPlan,
        incoming: Vec<(Project, Vec<EnvironmentName>)>,
        by: &Initiator,
    ) -> Result<(), ServiceError> {
        for (project, environments) in incoming {
            let in_it = Some(ProjectScope::one(project.id.clone()));
            let Some(known) = self.store.project_overview(&project.id).await? else {
                plan.findings.push(Finding::came(RowKind::Project, &project.id));
                let event = self.event(EventKind::ProjectCreated, in_it, by).with_after(&project);
                plan.import.projects.push(ImportedProject { project, environments, replaces: None, event });
                continue;
            };
            let here: BTreeSet<_> = known.environments.iter().collect();
            let missing: Vec<_> = environments.iter().filter(|name| !here.contains(name)).cloned().collect();
            let differences = differences(&project, &known.project, &missing);
            if differences.is_empty() || !is_untouched(&known.project) {
                plan.findings.push(Finding::present(RowKind::Project, &project.id, differences.join("; ")));
                continue;
            }
            let why = "the project that every new instance has becomes what it is there";
            plan.findings.push(Finding::changed(RowKind::Project, &project.id, why));
            plan.findings.push(Finding::came(RowKind::Project, &project.id));
            // Its change is the mark that it is no longer as new.
            let project = Project { updated_at: self.now(), ..project };
            let event = self.event(EventKind::ProjectUpdated, in_it, by);
            let event = event.with_before(&known.project).with_after(&project);
            let replaces = Some(known.project);
            plan.import.projects.push(ImportedProject { project, environments: missing, replaces, event });
        }
        Ok(())
    }
}

/// Whether this is the project of a new instance, as it was made.
fn is_untouched(project: &Project) -> bool {
    project.id.as_str() == Project::DEFAULT && project.updated_at == project.created_at
}

fn differing_environment(there: &Environment, here: &Environment) -> Vec<String> {
    let mut differences = Vec::new();
    if there.kind != here.kind {
        differences.push(format!("type {} there and {} here", there.kind, here.kind));
    }
    if there.enabled != here.enabled {
        let state = |one: &Environment| if one.enabled { "on" } else { "off" };
        differences.push(format!("switched {} there and {} here", state(there), state(here)));
    }
    differences
}

fn differences(there: &Project, here: &Project, missing: &[EnvironmentName]) -> Vec<String> {
    let mut differences = Vec::new();
    if there.name != here.name {
        differences.push(format!("named {:?} there and {:?} here", there.name.as_str(), here.name.as_str()));
    }
    if there.description != here.description {
        differences.push("another description".to_owned());
    }
    if there.mode != here.mode {
        differences.push(format!("{} there and {} here", there.mode, here.mode));
    }
    if there.archived_at.is_some() != here.archived_at.is_some() {
        let where_archived = if there.archived_at.is_some() { "there" } else { "here" };
        differences.push(format!("archived {where_archived} only"));
    }
    if !missing.is_empty() {
        let names: Vec<_> = missing.iter().map(EnvironmentName::as_str).collect();
        differences.push(format!("without the environments {} here", names.join(", ")));
    }
    differences
}
