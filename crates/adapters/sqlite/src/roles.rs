//! The port of roles and memberships, and the statements on roles.

use async_trait::async_trait;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, NullableExpressionMethods, QueryDsl, RunQueryDsl,
    SelectableHelper, SqliteConnection, delete, dsl::exists, insert_into, select, update,
};
use latchkey_domain::{EventId, Grants, NewEvent, NewRole, Permission, ProjectId, Role, RoleId, UserId};
use latchkey_ports::{AccessRepository, Entity, Member, Memberships, StoreError};
use latchkey_sql::{
    errors::{DbError, conflict, conflict_of, not_found},
    rows::{self, ChangedRoleRow, NewRoleRow, RoleRow},
    schema::{last_made_role, memberships, role_permissions, roles, users},
};
use tracing::instrument;

use crate::{
    SqliteStore,
    events::record,
    existence::{check_project, user_exists},
    memberships::{check_all, give, grants, members_of, take_all_but},
};

#[async_trait]
impl AccessRepository for SqliteStore {
    #[instrument(level = "debug", skip_all)]
    async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        self.read_snapshot(find_roles).await
    }

    #[instrument(level = "debug", skip_all, fields(role = %id))]
    async fn find_role(&self, id: RoleId) -> Result<Option<Role>, StoreError> {
        self.read_snapshot(move |connection| find_role(connection, id)).await
    }

    #[instrument(level = "debug", skip_all)]
    async fn create_role(&self, role: &NewRole, event: &NewEvent) -> Result<(RoleId, EventId), StoreError> {
        let (role, event) = (role.clone(), event.clone());
        self.write(move |connection| {
            let id = insert_role(connection, &role)?;
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
            let kept = find_role(connection, before.id)?;
            StoreError::unless_kept(kept.as_ref(), &before, Entity::Role(before.id))?;
            replace_role(connection, before.id, &after)?;
            record(connection, &event)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(role = %id))]
    async fn delete_role(&self, id: RoleId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| {
            if role_is_held(connection, id)? {
                return Err(StoreError::InUse(Entity::Role(id)).into());
            }
            if !remove_role(connection, id)? {
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
            let roles: Vec<i64> = memberships::table
                .filter(memberships::user_id.eq(user.0))
                .filter(memberships::project_id.eq(project.as_str()))
                .order(memberships::role_id)
                .select(memberships::role_id)
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

/// Every role, by id.
pub(crate) fn find_roles(connection: &mut SqliteConnection) -> Result<Vec<Role>, DbError> {
    let rows = roles::table
        .left_join(role_permissions::table)
        .order((roles::id, role_permissions::permission))
        .select((RoleRow::as_select(), role_permissions::permission.nullable()))
        .load(connection)?;
    Ok(rows::roles(rows)?)
}

/// The role of this id.
pub(crate) fn find_role(connection: &mut SqliteConnection, id: RoleId) -> Result<Option<Role>, DbError> {
    let rows = roles::table
        .left_join(role_permissions::table)
        .filter(roles::id.eq(id.0))
        .select((RoleRow::as_select(), role_permissions::permission.nullable()))
        .load(connection)?;
    Ok(rows::roles(rows)?.pop())
}

/// Inserts a role under an id that no role had before.
pub(crate) fn insert_role(connection: &mut SqliteConnection, role: &NewRole) -> Result<RoleId, DbError> {
    let id: i64 = update(last_made_role::table)
        .set(last_made_role::id.eq(last_made_role::id + 1))
        .returning(last_made_role::id)
        .get_result(connection)?;
    insert_into(roles::table)
        .values((roles::id.eq(id), NewRoleRow::from(role)))
        .execute(connection)
        .map_err(conflict_of(role_name_conflict))?;
    allow(connection, RoleId(id), &role.permissions)?;
    Ok(RoleId(id))
}

/// Puts a role in the place of the one of this id.
pub(crate) fn replace_role(
    connection: &mut SqliteConnection,
    id: RoleId,
    role: &Role,
) -> Result<(), DbError> {
    update(roles::table.find(id.0))
        .set(ChangedRoleRow::from(role))
        .execute(connection)
        .map_err(conflict_of(role_name_conflict))?;
    delete(role_permissions::table.filter(role_permissions::role_id.eq(id.0))).execute(connection)?;
    allow(connection, id, &role.permissions)
}

fn allow<'a>(
    connection: &mut SqliteConnection,
    id: RoleId,
    permissions: impl IntoIterator<Item = &'a Permission>,
) -> Result<(), DbError> {
    for permission in permissions {
        insert_into(role_permissions::table)
            .values((
                role_permissions::role_id.eq(id.0),
                role_permissions::permission.eq(permission.as_str()),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// The entity that exists already, by the unique column.
fn role_name_conflict(columns: &str) -> Option<Entity> {
    (columns == "roles.name").then_some(Entity::RoleName)
}

/// Whether a user holds the role, for the instance or in a project.
pub(crate) fn role_is_held(connection: &mut SqliteConnection, id: RoleId) -> Result<bool, DbError> {
    let for_instance = exists(users::table.filter(users::root_role_id.eq(id.0)));
    let in_project = exists(memberships::table.filter(memberships::role_id.eq(id.0)));
    Ok(select(for_instance.or(in_project)).get_result(connection)?)
}

/// Removes a role that no user holds; returns whether it existed.
pub(crate) fn remove_role(connection: &mut SqliteConnection, id: RoleId) -> Result<bool, DbError> {
    Ok(delete(roles::table.find(id.0)).execute(connection)? > 0)
}
