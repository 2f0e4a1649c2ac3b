//! The port of policies.

use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, delete, insert_into};
use diesel_async::RunQueryDsl;
use latchkey_domain::{EventId, NewEvent, Policy, ProjectId};
use latchkey_ports::{Entity, PolicyRepository, StoreError};
use latchkey_sql::{
    errors::{not_found, store_error},
    rows::{self, NewPolicyRow, PolicyRow},
    schema::{project_policies, projects},
};

use crate::{PostgresStore, events::record, locks::lock_event_log};

#[async_trait]
impl PolicyRepository for PostgresStore {
    /// Over a shared connection, because each creation of a token in a project asks first.
    async fn policies_of(&self, projects: &[ProjectId]) -> Result<BTreeMap<ProjectId, Policy>, StoreError> {
        let ids: Vec<&str> = projects.iter().map(ProjectId::as_str).collect();
        let reader = self.reader().await?;
        let found: Vec<PolicyRow> = project_policies::table
            .filter(project_policies::project_id.eq_any(ids))
            .select(PolicyRow::as_select())
            .load(&mut &**reader)
            .await
            .map_err(store_error)?;
        Ok(rows::all::<_, (ProjectId, Policy)>(found)?.into_iter().collect())
    }

    async fn policies(&self) -> Result<BTreeMap<ProjectId, Policy>, StoreError> {
        let found = project_policies::table.select(PolicyRow::as_select());
        let found: Vec<(ProjectId, Policy)> = self.load_all::<PolicyRow, _>(found).await?;
        Ok(found.into_iter().collect())
    }

    async fn set_policy(
        &self,
        project: &ProjectId,
        before: &Policy,
        after: &Policy,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (project, before, after, event) = (project.clone(), *before, *after, event.clone());
        self.write(async move |connection| {
            let id = project.as_str();
            // The lock of the project's row orders changes of its policy.
            let held: Option<String> = projects::table
                .find(id)
                .select(projects::id)
                .for_no_key_update()
                .first(connection)
                .await
                .optional()?;
            if held.is_none() {
                return Err(not_found(Entity::Project(project.clone())));
            }
            let policy = project_policies::table.find(id);
            let row: Option<PolicyRow> =
                policy.select(PolicyRow::as_select()).first(connection).await.optional()?;
            let kept = rows::kept_policy(row)?;
            StoreError::check_unchanged(Some(&kept), &before, Entity::Project(project.clone()))?;
            let lock = lock_event_log(connection).await?;
            delete(policy).execute(connection).await?;
            if after != Policy::default() {
                let row = NewPolicyRow::new(&project, &after);
                insert_into(project_policies::table).values(row).execute(connection).await?;
            }
            record(connection, &lock, &event).await
        })
        .await
    }
}
