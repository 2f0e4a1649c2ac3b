//! The port of roles and memberships, and the statements on roles.

use std::collections::BTreeSet;

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, delete, insert_into, update};
use diesel_async::RunQueryDsl;
use latchkey_domain::{
    EventId, Grants, Holder, NewEvent, NewRole, Permission, ProjectId, Role, RoleId, UserId,
};
use latchkey_ports::{AccessRepository, Entity, Member, MembersChange, Memberships, StoreError};
use latchkey_sql::{
    errors::{DbError, conflict, conflict_of, not_found, role_conflict, store_error},
    queries,
    rows::{self, ChangedRoleRow, MembershipRow},
    schema::{role_permissions, roles},
};

use crate::{
    PostgresStore,
    connection::Connection,
    events::record,
    locks::{EventLogLock, lock_event_log},
    memberships::{give, grants, lock_all, replace_all, take_all_but},
    projects::project_exists,
    users::user_exists,
};

#[async_trait]
impl AccessRepository for PostgresStore {
    async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = queries::all_roles().load(&mut connection).await.map_err(store_error)?;
        Ok(rows::roles(rows)?)
    }

    async fn find_role(&self, id: RoleId) -> Result<Option<Role>, StoreError> {
        let mut connection = self.connection().await?;
        Ok(find_role(&mut connection, id).await?)
    }

    async fn create_role(&self, role: &NewRole, event: &NewEvent) -> Result<(RoleId, EventId), StoreError> {
        let (role, event) = (role.clone(), event.clone());
        self.write(async move |connection| {
            let lock = lock_event_log(connection).await?;
            let id = insert_role(connection, &lock, &role).await?;
            let event = record(connection, &lock, &event.with_assigned_id(id.0)).await?;
            Ok((id, event))
        })
        .await
    }

    async fn update_role(
        &self,
        before: &Role,
        after: &Role,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (before, after, event) = (before.clone(), after.clone(), event.clone());
        self.write(async move |connection| {
            let role = roles::table.find(before.id.0);
            // Locked first and read afterwards: a role's permissions change with its row.
            let _locked: Option<i64> =
                role.select(roles::id).for_update().first(connection).await.optional()?;
            let kept = find_role(connection, before.id).await?;
            StoreError::check_unchanged(kept.as_ref(), &before, Entity::Role(before.id))?;
            let lock = lock_event_log(connection).await?;
            update(role)
                .set(ChangedRoleRow::from(&after))
                .execute(connection)
                .await
                .map_err(conflict_of(role_conflict))?;
            delete(role_permissions::table.filter(role_permissions::role_id.eq(before.id.0)))
                .execute(connection)
                .await?;
            allow(connection, &lock, before.id, &after.permissions).await?;
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn delete_role(&self, id: RoleId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(async move |connection| {
            let role = roles::table.find(id.0);
            // While the row is locked, no user can be given the role.
            let locked: Option<i64> =
                role.select(roles::id).for_update().first(connection).await.optional()?;
            if locked.is_none() {
                return Err(not_found(Entity::Role(id)));
            }
            if queries::role_is_held(id.0).get_result(connection).await? {
                return Err(StoreError::InUse(Entity::Role(id)).into());
            }
            let lock = lock_event_log(connection).await?;
            delete(role).execute(connection).await?;
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn members(&self, project: &ProjectId) -> Result<Vec<Member>, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<MembershipRow> =
            queries::members_of(project.as_str()).load(&mut connection).await.map_err(store_error)?;
        // One statement in the usual case; see `tokens_of_project`.
        if rows.is_empty() && !project_exists(&mut connection, project).await? {
            return Err(StoreError::NotFound(Entity::Project(project.clone())));
        }
        Ok(rows::members(rows)?)
    }

    async fn add_memberships(
        &self,
        memberships: &Memberships,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (memberships, event) = (memberships.clone(), event.clone());
        self.write(async move |connection| {
            lock_all(connection, &memberships).await?;
            let lock = lock_event_log(connection).await?;
            if !give(connection, &lock, &memberships).await? {
                return Err(conflict(Entity::Membership));
            }
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn replace_memberships(
        &self,
        memberships: &Memberships,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (memberships, event) = (memberships.clone(), event.clone());
        self.write(async move |connection| {
            lock_all(connection, &memberships).await?;
            let lock = lock_event_log(connection).await?;
            take_all_but(connection, &lock, &memberships).await?;
            give(connection, &lock, &memberships).await?;
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn replace_members(&self, change: &MembersChange, event: &NewEvent) -> Result<EventId, StoreError> {
        let (change, event) = (change.clone(), event.clone());
        self.write(async move |connection| {
            lock_all(connection, &change.references()).await?;
            let lock = lock_event_log(connection).await?;
            replace_all(connection, &lock, &change).await?;
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn roles_in_project(&self, holder: Holder, project: &ProjectId) -> Result<Vec<RoleId>, StoreError> {
        let mut connection = self.connection().await?;
        let project = project.as_str();
        let ids: Result<Vec<i64>, _> = match holder {
            Holder::User(user) => queries::roles_in_project(user.0, project).load(&mut connection).await,
            Holder::Group(group) => {
                queries::group_roles_in_project(group.0, project).load(&mut connection).await
            }
        };
        Ok(ids.map_err(store_error)?.into_iter().map(RoleId).collect())
    }

    async fn grants_of(&self, user: UserId) -> Result<Option<Grants>, StoreError> {
        let mut connection = self.connection().await?;
        if user_exists(&mut connection, user).await? {
            Ok(Some(grants(&mut connection, user).await?))
        } else {
            Ok(None)
        }
    }
}

async fn find_role(connection: &mut Connection, id: RoleId) -> Result<Option<Role>, DbError> {
    Ok(rows::roles(queries::role(id.0).load(connection).await?)?.pop())
}

/// Inserts a role with its permissions, and returns its id.
pub(crate) async fn insert_role(
    connection: &mut Connection,
    lock: &EventLogLock,
    role: &NewRole,
) -> Result<RoleId, DbError> {
    let id: i64 = insert_into(roles::table)
        .values(ChangedRoleRow::from(role))
        .returning(roles::id)
        .get_result(connection)
        .await
        .map_err(conflict_of(role_conflict))?;
    allow(connection, lock, RoleId(id), &role.permissions).await?;
    Ok(RoleId(id))
}

/// Gives a role its permissions.
async fn allow(
    connection: &mut Connection,
    _lock: &EventLogLock,
    role: RoleId,
    permissions: &BTreeSet<Permission>,
) -> Result<(), DbError> {
    let rows = rows::role_permissions(role, permissions);
    if !rows.is_empty() {
        insert_into(role_permissions::table).values(rows).execute(connection).await?;
    }
    Ok(())
}
