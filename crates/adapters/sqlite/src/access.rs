//! The port of roles, and of who holds which.

use async_trait::async_trait;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use latchkey_domain::{EventId, Grants, NewEvent, NewRole, ProjectId, Role, RoleId, UserId};
use latchkey_ports::{AccessRepository, Entity, Member, Memberships, StoreError};
use tracing::instrument;

use crate::{
    SqliteStore,
    errors::{conflict, not_found},
    events::record,
    memberships::{check_all, give, grants, members_of, take_all_but},
    people::user_exists,
    places::check_project,
    roles::{change, every_role, find, is_held, keep, remove},
    rows,
    schema::memberships as held,
};

#[async_trait]
impl AccessRepository for SqliteStore {
    #[instrument(level = "debug", skip_all)]
    async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        self.read_snapshot(every_role).await
    }

    #[instrument(level = "debug", skip_all, fields(role = %id))]
    async fn find_role(&self, id: RoleId) -> Result<Option<Role>, StoreError> {
        self.read_snapshot(move |connection| find(connection, id)).await
    }

    #[instrument(level = "debug", skip_all)]
    async fn create_role(&self, role: &NewRole, event: &NewEvent) -> Result<(RoleId, EventId), StoreError> {
        let (role, event) = (role.clone(), event.clone());
        self.write(move |connection| {
            let id = keep(connection, &role)?;
            let event = record(connection, &event.with_assigned_id(id.0))?;
            Ok((id, event))
        })
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
            let kept = find(connection, before.id)?;
            StoreError::unless_kept(kept.as_ref(), &before, Entity::Role(before.id))?;
            change(connection, before.id, &after)?;
            record(connection, &event)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(role = %id))]
    async fn delete_role(&self, id: RoleId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| {
            if is_held(connection, id)? {
                return Err(StoreError::InUse(Entity::Role(id)).into());
            }
            if !remove(connection, id)? {
                return Err(not_found(Entity::Role(id)));
            }
            record(connection, &event)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(%project))]
    async fn members(&self, project: &ProjectId) -> Result<Vec<Member>, StoreError> {
        let project = project.clone();
        self.read_snapshot(move |connection| {
            check_project(connection, &project)?;
            let rows = members_of(project.as_str()).load(connection)?;
            Ok(rows::members(rows)?)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(project = %memberships.project))]
    async fn add_memberships(
        &self,
        memberships: &Memberships,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (memberships, event) = (memberships.clone(), event.clone());
        self.write(move |connection| {
            check_all(connection, &memberships)?;
            if !give(connection, &memberships)? {
                return Err(conflict(Entity::Membership));
            }
            record(connection, &event)
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
            check_all(connection, &memberships)?;
            take_all_but(connection, &memberships)?;
            give(connection, &memberships)?;
            record(connection, &event)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(%user, %project))]
    async fn roles_in_project(&self, user: UserId, project: &ProjectId) -> Result<Vec<RoleId>, StoreError> {
        let project = project.clone();
        self.read(move |connection| {
            let roles: Vec<i64> = held::table
                .filter(held::user_id.eq(user.0))
                .filter(held::project_id.eq(project.as_str()))
                .order(held::role_id)
                .select(held::role_id)
                .load(connection)?;
            Ok(roles.into_iter().map(RoleId).collect())
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(%user))]
    async fn grants_of(&self, user: UserId) -> Result<Option<Grants>, StoreError> {
        self.read_snapshot(move |connection| {
            if user_exists(connection, user)? { grants(connection, user).map(Some) } else { Ok(None) }
        })
        .await
    }
}
