//! The port of roles and memberships, and the statements on roles.

use async_trait::async_trait;
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, SqliteConnection, delete, insert_into, update};
use latchkey_domain::{
    EventId, Grants, Holder, NewEvent, NewRole, Permission, ProjectId, Role, RoleId, UserId,
};
use latchkey_ports::{AccessRepository, Entity, Member, MembersChange, Memberships, StoreError};
use latchkey_sql::{
    errors::{DbError, conflict, conflict_of, not_found, role_conflict},
    queries,
    rows::{self, ChangedRoleRow},
    schema::{last_made_role, role_permissions, roles},
};

use crate::{
    SqliteStore,
    events::record,
    existence::{check_project, user_exists},
    memberships::{check_all, give, grants, replace_all, take_all_but},
};

#[async_trait]
impl AccessRepository for SqliteStore {
    async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        self.read(|connection| Ok(rows::roles(queries::all_roles().load(connection)?)?)).await
    }

    async fn find_role(&self, id: RoleId) -> Result<Option<Role>, StoreError> {
        self.read(move |connection| find_role(connection, id)).await
    }

    async fn create_role(&self, role: &NewRole, event: &NewEvent) -> Result<(RoleId, EventId), StoreError> {
        let (role, event) = (role.clone(), event.clone());
        self.write(move |connection| {
            let id = insert_role(connection, &role)?;
            let event = record(connection, &event.with_assigned_id(id.0))?;
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
        self.write(move |connection| {
            let kept = find_role(connection, before.id)?;
            StoreError::check_unchanged(kept.as_ref(), &before, Entity::Role(before.id))?;
            update(roles::table.find(before.id.0))
                .set(ChangedRoleRow::from(&after))
                .execute(connection)
                .map_err(conflict_of(role_conflict))?;
            delete(role_permissions::table.filter(role_permissions::role_id.eq(before.id.0)))
                .execute(connection)?;
            allow(connection, before.id, &after.permissions)?;
            record(connection, &event)
        })
        .await
    }

    async fn delete_role(&self, id: RoleId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| {
            if queries::role_is_held(id.0).get_result(connection)? {
                return Err(StoreError::InUse(Entity::Role(id)).into());
            }
            if delete(roles::table.find(id.0)).execute(connection)? == 0 {
                return Err(not_found(Entity::Role(id)));
            }
            record(connection, &event)
        })
        .await
    }

    async fn members(&self, project: &ProjectId) -> Result<Vec<Member>, StoreError> {
        let project = project.clone();
        self.read_snapshot(move |connection| {
            check_project(connection, &project)?;
            let rows = queries::members_of(project.as_str()).load(connection)?;
            Ok(rows::members(rows)?)
        })
        .await
    }

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

    async fn replace_members(&self, change: &MembersChange, event: &NewEvent) -> Result<EventId, StoreError> {
        let (change, event) = (change.clone(), event.clone());
        self.write(move |connection| {
            replace_all(connection, &change)?;
            record(connection, &event)
        })
        .await
    }

    async fn roles_in_project(&self, holder: Holder, project: &ProjectId) -> Result<Vec<RoleId>, StoreError> {
        let project = project.clone();
        self.read(move |connection| {
            let roles: Vec<i64> = match holder {
                Holder::User(user) => queries::roles_in_project(user.0, project.as_str()).load(connection)?,
                Holder::Group(group) => {
                    queries::group_roles_in_project(group.0, project.as_str()).load(connection)?
                }
            };
            Ok(roles.into_iter().map(RoleId).collect())
        })
        .await
    }

    async fn grants_of(&self, user: UserId) -> Result<Option<Grants>, StoreError> {
        self.read_snapshot(move |connection| {
            if user_exists(connection, user)? { grants(connection, user).map(Some) } else { Ok(None) }
        })
        .await
    }
}

fn find_role(connection: &mut SqliteConnection, id: RoleId) -> Result<Option<Role>, DbError> {
    Ok(rows::roles(queries::role(id.0).load(connection)?)?.pop())
}

/// Inserts a role under an id that no role had before.
pub(crate) fn insert_role(connection: &mut SqliteConnection, role: &NewRole) -> Result<RoleId, DbError> {
    let id: i64 = update(last_made_role::table)
        .set(last_made_role::id.eq(last_made_role::id + 1))
        .returning(last_made_role::id)
        .get_result(connection)?;
    insert_into(roles::table)
        .values((roles::id.eq(id), ChangedRoleRow::from(role)))
        .execute(connection)
        .map_err(conflict_of(role_conflict))?;
    allow(connection, RoleId(id), &role.permissions)?;
    Ok(RoleId(id))
}

fn allow<'a>(
    connection: &mut SqliteConnection,
    role: RoleId,
    permissions: impl IntoIterator<Item = &'a Permission>,
) -> Result<(), DbError> {
    for row in rows::role_permissions(role, permissions) {
        insert_into(role_permissions::table).values(row).execute(connection)?;
    }
    Ok(())
}
