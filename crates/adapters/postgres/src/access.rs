//! The port of roles, and of who holds which.

use async_trait::async_trait;
use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use futures_util::FutureExt;
use latchkey_domain::{EventId, Grants, NewEvent, NewRole, ProjectId, Role, RoleId, UserId};
use latchkey_ports::{AccessRepository, Entity, Member, Memberships, StoreError};
use tracing::instrument;

use crate::{
    PostgresStore,
    connection::Connection,
    errors::{Failure, unavailable},
    memberships,
    people::user_exists,
    people_queries::members_of,
    places::project_exists,
    roles,
    rows::{self, GrantRow, MembershipRow},
    schema::{self, user_grants},
};

#[async_trait]
impl AccessRepository for PostgresStore {
    #[instrument(level = "debug", skip_all)]
    async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        let mut connection = self.connection().await?;
        Ok(roles::all(&mut connection).await?)
    }

    #[instrument(level = "debug", skip_all, fields(role = %id))]
    async fn find_role(&self, id: RoleId) -> Result<Option<Role>, StoreError> {
        let mut connection = self.connection().await?;
        Ok(roles::find(&mut connection, id).await?)
    }

    #[instrument(level = "debug", skip_all)]
    async fn create_role(&self, role: &NewRole, event: &NewEvent) -> Result<(RoleId, EventId), StoreError> {
        let (role, event) = (role.clone(), event.clone());
        self.write(move |connection| async move { roles::create(connection, &role, event).await }.boxed())
            .await
    }

    #[instrument(level = "debug", skip_all, fields(role = %before.id))]
    async fn update_role(
        &self,
        before: &Role,
        after: &Role,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (before, after, event) = (before.clone(), after.clone(), event.clone());
        self.write(move |connection| {
            async move { roles::replace(connection, &before, &after, &event).await }.boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(role = %id))]
    async fn delete_role(&self, id: RoleId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| async move { roles::remove(connection, id, &event).await }.boxed()).await
    }

    #[instrument(level = "debug", skip_all, fields(%project))]
    async fn members(&self, project: &ProjectId) -> Result<Vec<Member>, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<MembershipRow> =
            members_of(project.as_str()).load(&mut connection).await.map_err(unavailable)?;
        // One statement in the usual case; see `tokens_of_project`.
        if rows.is_empty() && !project_exists(&mut connection, project).await? {
            return Err(StoreError::NotFound(Entity::Project(project.clone())));
        }
        Ok(rows::members(rows)?)
    }

    #[instrument(level = "debug", skip_all, fields(project = %memberships.project))]
    async fn add_memberships(
        &self,
        memberships: &Memberships,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (memberships, event) = (memberships.clone(), event.clone());
        self.write(move |connection| {
            async move { memberships::add(connection, &memberships, &event).await }.boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(project = %memberships.project))]
    async fn replace_memberships(
        &self,
        memberships: &Memberships,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (memberships, event) = (memberships.clone(), event.clone());
        self.write(move |connection| {
            async move { memberships::replace(connection, &memberships, &event).await }.boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(%user, %project))]
    async fn roles_in_project(&self, user: UserId, project: &ProjectId) -> Result<Vec<RoleId>, StoreError> {
        let mut connection = self.connection().await?;
        let ids: Vec<i64> = schema::memberships::table
            .filter(schema::memberships::user_id.eq(user.0))
            .filter(schema::memberships::project_id.eq(project.as_str()))
            .order(schema::memberships::role_id)
            .select(schema::memberships::role_id)
            .load(&mut connection)
            .await
            .map_err(unavailable)?;
        Ok(ids.into_iter().map(RoleId).collect())
    }

    #[instrument(level = "debug", skip_all, fields(%user))]
    async fn grants_of(&self, user: UserId) -> Result<Option<Grants>, StoreError> {
        let mut connection = self.connection().await?;
        if user_exists(&mut connection, user).await? {
            Ok(Some(grants(&mut connection, user).await?))
        } else {
            Ok(None)
        }
    }
}

/// All that this user may do; nothing for an unknown one. One statement, so one state of the store.
pub(crate) async fn grants(connection: &mut Connection, user: UserId) -> Result<Grants, Failure> {
    let rows = user_grants::table
        .filter(user_grants::user_id.eq(user.0))
        .select(GrantRow::as_select())
        .load(connection)
        .await?;
    Ok(rows::grants(rows)?)
}
