//! The port of policies.

use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper, delete, insert_into,
};
use latchkey_domain::{EventId, NewEvent, Policy, ProjectId};
use latchkey_ports::{Entity, PolicyRepository, StoreError};
use latchkey_sql::{
    rows::{self, NewPolicyRow, PolicyRow},
    schema::project_policies,
};

use crate::{SqliteStore, events::record, existence::check_project, paging::MAX_BINDS};

#[async_trait]
impl PolicyRepository for SqliteStore {
    async fn policies_of(&self, projects: &[ProjectId]) -> Result<BTreeMap<ProjectId, Policy>, StoreError> {
        let projects = projects.to_vec();
        self.read(move |connection| {
            let mut policies = BTreeMap::new();
            for portion in projects.chunks(MAX_BINDS) {
                let ids: Vec<&str> = portion.iter().map(ProjectId::as_str).collect();
                let found: Vec<PolicyRow> = project_policies::table
                    .filter(project_policies::project_id.eq_any(ids))
                    .select(PolicyRow::as_select())
                    .load(connection)?;
                policies.extend(rows::all::<_, (ProjectId, Policy)>(found)?);
            }
            Ok(policies)
        })
        .await
    }

    async fn policies(&self) -> Result<BTreeMap<ProjectId, Policy>, StoreError> {
        self.read(|connection| {
            let found: Vec<PolicyRow> =
                project_policies::table.select(PolicyRow::as_select()).load(connection)?;
            Ok(rows::all::<_, (ProjectId, Policy)>(found)?.into_iter().collect())
        })
        .await
    }

    async fn set_policy(
        &self,
        project: &ProjectId,
        before: &Policy,
        after: &Policy,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (project, before, after, event) = (project.clone(), *before, *after, event.clone());
        self.write(move |connection| {
            check_project(connection, &project)?;
            let policy = project_policies::table.find(project.as_str());
            let row: Option<PolicyRow> =
                policy.select(PolicyRow::as_select()).first(connection).optional()?;
            let kept = rows::kept_policy(row)?;
            StoreError::check_unchanged(Some(&kept), &before, Entity::Project(project.clone()))?;
            delete(policy).execute(connection)?;
            if after != Policy::default() {
                insert_into(project_policies::table)
                    .values(NewPolicyRow::new(&project, &after))
                    .execute(connection)?;
            }
            record(connection, &event)
        })
        .await
    }
}
