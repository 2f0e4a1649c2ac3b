//! How an event is shown.

use latchkey_domain::{Actor, EnvironmentName, Event, ProjectId, ProjectScope, Snapshot, Timestamp};
use latchkey_http::pages::name_in;
use serde_json::Value;

use super::changes::{Change, between};
use crate::{frame::Frame, happened::title};

/// An event as it is shown.
pub(super) struct Entry {
    pub(super) id: i64,
    pub(super) at: Timestamp,
    /// The key of its title.
    pub(super) title: String,
    /// The name of the thing that it is about.
    pub(super) name: Option<String>,
    pub(super) actor: String,
    pub(super) actor_id: i64,
    pub(super) projects: Option<Vec<String>>,
    pub(super) environment: Option<String>,
    pub(super) address: Option<String>,
    pub(super) user_agent: Option<String>,
    pub(super) changes: Vec<Change>,
    /// Whether there is a side before and one after, so that the changes are few.
    pub(super) is_update: bool,
}

impl Entry {
    pub(super) fn of(Event { id, record }: &Event, frame: &Frame) -> Self {
        let [before, after] =
            [&record.before, &record.after].map(|side| side.as_ref().map(Snapshot::to_json));
        let said = after.as_ref().or(before.as_ref());
        let of_environment = |data: &Value| data.get("environment")?.as_str().map(ToOwned::to_owned);
        let name =
            said.and_then(|data| name_in(data).map(ToOwned::to_owned).or_else(|| of_environment(data)));
        let actor = match &record.actor {
            Actor::System => frame.t("audit-by-system").into_owned(),
            Actor::AdminToken { name } => frame.text("audit-by-token", "name", name),
            Actor::User { name, .. } | Actor::Elsewhere { name } => name.clone(),
        };
        Self {
            id: id.0,
            at: record.at,
            title: title(record.kind),
            name,
            actor,
            actor_id: record.actor.user_id(),
            projects: record.projects.as_ref().map(projects),
            environment: record.environment.as_ref().map(EnvironmentName::as_str).map(ToOwned::to_owned),
            address: record.origin.address.map(|address| address.to_string()),
            user_agent: record.origin.user_agent.clone(),
            changes: between(before.as_ref(), after.as_ref()),
            is_update: before.is_some() && after.is_some(),
        }
    }
}

/// Returns the projects; none stands for all.
fn projects(scope: &ProjectScope) -> Vec<String> {
    scope.named().iter().map(ProjectId::as_str).map(ToOwned::to_owned).collect()
}
