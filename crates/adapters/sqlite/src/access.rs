//! The port of roles, and of who holds which.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper, SqliteConnection,
    insert_into,
};
use latchkey_domain::{EventId, Grants, NewEvent, ProjectId, Role, RoleId, RoleKind, UserId};
use latchkey_ports::{AccessRepository, Entity, StoreError};
use tracing::instrument;

use crate::{
    SqliteStore,
    errors::{Failure, not_found, taken},
    events::record,
    people::user_exists,
    places::project_exists,
    rows::{self, GrantRow, RoleRow},
    schema::{memberships, role_permissions, roles, user_grants},
};

#[async_trait]
impl AccessRepository for SqliteStore {
    #[instrument(level = "debug", skip_all)]
    async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        self.read_snapshot(|connection| {
            let roles = roles::table.order(roles::id).select(RoleRow::as_select()).load(connection)?;
            let permissions = role_permissions::table
                .order((role_permissions::role_id, role_permissions::permission))
                .load(connection)?;
            Ok(rows::roles(roles, permissions)?)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(%user, %project, %role))]
    async fn add_membership(
        &self,
        user: UserId,
        project: &ProjectId,
        role: RoleId,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (project, event) = (project.clone(), event.clone());
        self.write(move |connection| {
            if !user_exists(connection, user)? {
                return Err(not_found(Entity::User(user)));
            }
            if !project_exists(connection, &project)? {
                return Err(not_found(Entity::Project(project)));
            }
            if role_of_instance(connection, role)? != Some(false) {
                return Err(not_found(Entity::Role(role)));
            }
            insert_into(memberships::table)
                .values((
                    memberships::user_id.eq(user.0),
                    memberships::project_id.eq(project.as_str()),
                    memberships::role_id.eq(role.0),
                ))
                .execute(connection)
                .map_err(taken(|_| Some(Entity::Membership)))?;
            record(connection, &event)
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

/// Whether the role is held for the whole instance (and not in a project); `None` where there is no such role.
pub(crate) fn role_of_instance(
    connection: &mut SqliteConnection,
    id: RoleId,
) -> Result<Option<bool>, Failure> {
    let row = roles::table.find(id.0).select(RoleRow::as_select()).first(connection).optional()?;
    let kind = row.map(|row| row.role_kind()).transpose()?;
    Ok(kind.map(RoleKind::is_root))
}

/// All that this user may do; nothing for an unknown one.
pub(crate) fn grants(connection: &mut SqliteConnection, user: UserId) -> Result<Grants, Failure> {
    let rows = user_grants::table
        .filter(user_grants::user_id.eq(user.0))
        .select(GrantRow::as_select())
        .load(connection)?;
    Ok(rows::grants(rows)?)
}
