//! Policies of projects.

use diesel::{Insertable, Queryable, Selectable};
use latchkey_domain::{Policy, ProjectId};
use latchkey_ports::Inconsistency;

use super::{Row, optional};
use crate::{
    columns::{NewJson, Parsed},
    schema::project_policies,
};

/// A row of `project_policies`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = project_policies)]
pub struct PolicyRow {
    project_id: String,
    policy: Parsed<Policy>,
}

impl TryFrom<PolicyRow> for (ProjectId, Policy) {
    type Error = Inconsistency;

    fn try_from(row: PolicyRow) -> Result<Self, Inconsistency> {
        let at = Row { table: "project_policies", key: &row.project_id };
        Ok((at.column("project_id", ProjectId::new(&row.project_id))?, at.parsed("policy", row.policy)?))
    }
}

/// Returns the policy of a project by the row that was found, if any.
///
/// # Errors
/// The row's [`Inconsistency`].
pub fn kept_policy(row: Option<PolicyRow>) -> Result<Policy, Inconsistency> {
    let kept: Option<(ProjectId, Policy)> = optional(row)?;
    Ok(kept.map_or_else(Policy::default, |(_, policy)| policy))
}

/// A new row of `project_policies`.
#[derive(Insertable)]
#[diesel(table_name = project_policies)]
pub struct NewPolicyRow<'a> {
    project_id: &'a str,
    policy: NewJson,
}

impl<'a> NewPolicyRow<'a> {
    /// Returns the row of a project's policy.
    #[must_use]
    pub fn new(project: &'a ProjectId, policy: &Policy) -> Self {
        Self { project_id: project.as_str(), policy: NewJson(policy.to_json().into()) }
    }
}
