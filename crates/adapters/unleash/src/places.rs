//! Environments, projects and settings.

use std::collections::{BTreeMap, BTreeSet};

use latchkey_domain::{
    Environment, EnvironmentKind, EnvironmentName, Project, ProjectDescription, ProjectId, ProjectMode,
    ProjectName, Timestamp,
};
use latchkey_ports::{Finding, RowKind};

use crate::{
    records::{EnvironmentRecord, LostEnvironment, ProjectRecord, SettingRecord},
    text::fit,
};

/// What tokens can be scoped to.
#[derive(Default)]
pub(crate) struct Places {
    pub(crate) projects: BTreeMap<String, ProjectId>,
    pub(crate) environments: BTreeSet<EnvironmentName>,
}

/// The text that stands for all projects, and for all environments.
pub(crate) const ALL: &str = "*";

/// Where an environment without a place stands, as in Unleash.
const LAST: i32 = 9_999;

/// Returns the time of a column, or the first or last that there is.
pub(crate) fn time(millis: i64) -> Timestamp {
    Timestamp::saturating_from_millis(millis)
}

/// Returns the environments, and those that only tokens name.
pub(crate) fn environments(
    records: Vec<EnvironmentRecord>,
    lost: Vec<LostEnvironment>,
    findings: &mut Vec<Finding>,
) -> Vec<Environment> {
    let mut environments = Vec::new();
    for record in records {
        let name = match EnvironmentName::new(&record.name) {
            Ok(name) => name,
            Err(error) => {
                findings.push(Finding::left_out(RowKind::Environment, &record.name, error.to_string()));
                continue;
            }
        };
        let kind = record.kind.parse().unwrap_or_else(|_| {
            let why = format!("its type {:?} is unknown here: it is of the type development", record.kind);
            findings.push(Finding::changed(RowKind::Environment, &name, why));
            EnvironmentKind::Development
        });
        let sort_order = record.sort_order.unwrap_or(LAST);
        environments.push(Environment { name, kind, sort_order, enabled: record.enabled });
    }
    for LostEnvironment(name) in lost {
        match EnvironmentName::new(&name) {
            Ok(name) => {
                let why =
                    "it does not exist there any more, and tokens still name it: it is switched off here";
                findings.push(Finding::changed(RowKind::Environment, &name, why));
                let kind = EnvironmentKind::Development;
                environments.push(Environment { name, kind, sort_order: LAST, enabled: false });
            }
            Err(error) => findings.push(Finding::left_out(RowKind::Environment, name, error.to_string())),
        }
    }
    environments
}

/// Returns the projects, each with its environments.
pub(crate) fn projects(
    records: Vec<ProjectRecord>,
    environments: &[Environment],
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Vec<(Project, Vec<EnvironmentName>)> {
    let mut projects = Vec::new();
    for record in records {
        let id = match ProjectId::new(&record.id) {
            Ok(id) => id,
            Err(error) => {
                findings.push(Finding::left_out(RowKind::Project, &record.id, error.to_string()));
                continue;
            }
        };
        let Some(name) = fit(&record.name, ProjectName::MAX_CHARACTERS, id.as_str(), ProjectName::new) else {
            findings.push(Finding::left_out(RowKind::Project, &id, "it has no name that can be used"));
            continue;
        };
        let text = record.description.unwrap_or_default();
        let description = fit(&text, ProjectDescription::MAX_CHARACTERS, "", ProjectDescription::new);
        if !name.is_same || !description.as_ref().is_some_and(|text| text.is_same) {
            let why = "its name or description was too long or had characters that are not text";
            findings.push(Finding::changed(RowKind::Project, &id, why));
        }
        let mode = record.mode.as_deref().unwrap_or(ProjectMode::Open.as_str());
        let mode = mode.parse().unwrap_or_else(|_| {
            let why = format!(
                "its mode {mode:?} is unknown here: it is private, which shows it to its members alone"
            );
            findings.push(Finding::changed(RowKind::Project, &id, why));
            ProjectMode::Private
        });
        let created_at = record.created.map_or(now, time);
        let known = environments.iter().map(|one| &one.name);
        let environments = known.filter(|name| record.environments.iter().any(|one| one == name.as_str()));
        let environments = environments.cloned().collect();
        let project = Project {
            id,
            name: name.value,
            description: description.map(|text| text.value).unwrap_or_default(),
            mode,
            created_at,
            updated_at: record.updated.map_or(created_at, time),
            archived_at: record.archived.map(time),
        };
        projects.push((project, environments));
    }
    projects
}

/// Returns what an operator has to know about a setting.
pub(crate) fn setting(record: &SettingRecord) -> Option<Finding> {
    let content: serde_json::Value = serde_json::from_str(record.content.as_deref()?).ok()?;
    let is_set = |member: &str| content.get(member).and_then(serde_json::Value::as_bool) == Some(true);
    let why = match record.name.as_str() {
        "unleash.auth.simple" if is_set("disabled") => {
            "signing in with a password is switched off there, and not here: users that have a password can sign in"
        }
        "maintenance.mode" if is_set("enabled") => {
            "it is in maintenance mode there, and this instance is not"
        }
        name if name.starts_with("unleash.auth.") && is_set("enabled") => {
            "single sign-on is not taken over: set it up here"
        }
        _ => return None,
    };
    Some(Finding::left_out(RowKind::Setting, &record.name, why))
}
