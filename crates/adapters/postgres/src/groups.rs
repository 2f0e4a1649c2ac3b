//! The port of groups.

use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, delete, insert_into, sql_query,
    sql_types::{Array, BigInt},
    update,
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{EventId, Group, GroupId, NewEvent, NewGroup, ProjectId, RoleId, Timestamp, UserId};
use latchkey_ports::{Entity, GroupOverview, GroupRepository, MemberGroup, StoreError};
use latchkey_sql::{
    columns::{DbTime, Parsed, UtcTime},
    errors::{DbError, conflict_of, group_conflict, not_found, store_error},
    queries,
    rows::{self, ChangedGroupRow, GroupMemberRow, GroupRoleRow, GroupRow, GroupsWithRoles},
    schema::{group_members, user_groups},
};

use crate::{
    PostgresStore,
    connection::Connection,
    events::record,
    locks::{EventLogLock, lock_event_log, lock_users},
    projects::project_exists,
    users::lock_root_role,
};

/// Adds members to a group. Two arrays, because a statement has no room for a bind per member.
const ADD_MEMBERS: &str = "\
    INSERT INTO group_members (group_id, user_id, added_at) \
    SELECT $1, user_id, added_at FROM unnest($2, $3) AS member (user_id, added_at)";

#[async_trait]
impl GroupRepository for PostgresStore {
    async fn groups(&self) -> Result<Vec<GroupOverview>, StoreError> {
        let mut connection = self.connection().await?;
        let groups = queries::all_groups().load(&mut connection).await.map_err(store_error)?;
        Ok(overviews(&mut connection, groups).await?)
    }

    async fn find_group(&self, id: GroupId) -> Result<Option<GroupOverview>, StoreError> {
        let mut connection = self.connection().await?;
        Ok(find_group(&mut connection, id).await?)
    }

    async fn member_groups(&self, project: &ProjectId) -> Result<Vec<MemberGroup>, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<GroupRoleRow> =
            queries::groups_in(project.as_str()).load(&mut connection).await.map_err(store_error)?;
        // One statement in the usual case; see `tokens_of_project`.
        if rows.is_empty() && !project_exists(&mut connection, project).await? {
            return Err(StoreError::NotFound(Entity::Project(project.clone())));
        }
        let held = GroupsWithRoles::collect(rows)?;
        let (members, projects) = details(&mut connection, &held.groups).await?;
        Ok(held.into_member_groups(members, projects)?)
    }

    async fn create_group(
        &self,
        group: &NewGroup,
        event: &NewEvent,
    ) -> Result<(GroupId, EventId), StoreError> {
        let (group, event) = (group.clone(), event.clone());
        self.write(async move |connection| {
            let role_exists = lock_optional_role(connection, group.root_role).await?;
            let members: Vec<UserId> = group.members.keys().copied().collect();
            let users = lock_users(connection, &members).await?;
            check_references((group.root_role, role_exists), &group.members, &users)?;
            let lock = lock_event_log(connection).await?;
            let id = insert_group(connection, &lock, &group).await?;
            let event = record(connection, &lock, &event.with_assigned_id(id.0)).await?;
            Ok((id, event))
        })
        .await
    }

    async fn update_group(
        &self,
        before: &Group,
        after: &Group,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (before, after, event) = (before.clone(), after.clone(), event.clone());
        self.write(async move |connection| {
            let role_exists = lock_optional_role(connection, after.root_role).await?;
            lock_group(connection, before.id).await?;
            // Also the members that go: until the end of the transaction, none of them is deleted.
            let members: Vec<UserId> = before.members.keys().chain(after.members.keys()).copied().collect();
            let users = lock_users(connection, &members).await?;
            let kept = find_group(connection, before.id).await?.map(|overview| overview.group);
            StoreError::check_unchanged(kept.as_ref(), &before, Entity::Group(before.id))?;
            check_references((after.root_role, role_exists), &after.members, &users)?;
            let lock = lock_event_log(connection).await?;
            update(user_groups::table.find(before.id.0))
                .set(ChangedGroupRow::from(&after))
                .execute(connection)
                .await
                .map_err(conflict_of(group_conflict))?;
            if before.members != after.members {
                let members = group_members::table.filter(group_members::group_id.eq(before.id.0));
                delete(members).execute(connection).await?;
                add_members(connection, &lock, before.id, &after.members).await?;
            }
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn delete_group(&self, id: GroupId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(async move |connection| {
            if !lock_group(connection, id).await? {
                return Err(not_found(Entity::Group(id)));
            }
            let lock = lock_event_log(connection).await?;
            delete(user_groups::table.find(id.0)).execute(connection).await?;
            record(connection, &lock, &event).await
        })
        .await
    }
}

async fn find_group(connection: &mut Connection, id: GroupId) -> Result<Option<GroupOverview>, DbError> {
    let row: Option<GroupRow> = queries::group(id.0).first(connection).await.optional()?;
    Ok(overviews(connection, row.into_iter().collect()).await?.pop())
}

async fn overviews(
    connection: &mut Connection,
    groups: Vec<GroupRow>,
) -> Result<Vec<GroupOverview>, DbError> {
    let (members, projects) = details(connection, &groups).await?;
    Ok(rows::groups(groups, members, projects)?)
}

/// The members of groups, and the projects in which these have roles.
type Details = (Vec<GroupMemberRow>, Vec<(i64, Parsed<ProjectId>)>);

async fn details(connection: &mut Connection, groups: &[GroupRow]) -> Result<Details, DbError> {
    let ids: Vec<i64> = groups.iter().map(|group| group.id).collect();
    if ids.is_empty() {
        return Ok(Details::default());
    }
    let members = queries::members_of_groups(&ids).load(connection).await?;
    let projects = queries::projects_of_groups(&ids).load(connection).await?;
    Ok((members, projects))
}

/// Returns whether there is such a group, and locks it. While it is locked, it can be given no role in a project, and no other
/// change of it begins.
async fn lock_group(connection: &mut Connection, id: GroupId) -> Result<bool, DbError> {
    let group = user_groups::table.find(id.0).select(user_groups::id).for_update();
    Ok(group.first::<i64>(connection).await.optional()?.is_some())
}

/// Locks the root role, and returns whether it exists and is for the whole instance; true for none.
async fn lock_optional_role(connection: &mut Connection, role: Option<RoleId>) -> Result<bool, DbError> {
    match role {
        Some(role) => lock_root_role(connection, role).await,
        None => Ok(true),
    }
}

/// Fails if the root role does not exist, or a member is not among these users, which are in order.
fn check_references(
    (root_role, role_exists): (Option<RoleId>, bool),
    members: &BTreeMap<UserId, Timestamp>,
    users: &[UserId],
) -> Result<(), DbError> {
    if let Some(role) = root_role.filter(|_| !role_exists) {
        return Err(not_found(Entity::Role(role)));
    }
    match members.keys().find(|member| users.binary_search(member).is_err()) {
        Some(unknown) => Err(not_found(Entity::User(*unknown))),
        None => Ok(()),
    }
}

/// Inserts a group with its members, and returns its id.
pub(crate) async fn insert_group(
    connection: &mut Connection,
    lock: &EventLogLock,
    group: &NewGroup,
) -> Result<GroupId, DbError> {
    let created_at = user_groups::created_at.eq(DbTime::from(group.created_at));
    let id: i64 = insert_into(user_groups::table)
        .values((ChangedGroupRow::from(group), created_at))
        .returning(user_groups::id)
        .get_result(connection)
        .await
        .map_err(conflict_of(group_conflict))?;
    add_members(connection, lock, GroupId(id), &group.members).await?;
    Ok(GroupId(id))
}

async fn add_members(
    connection: &mut Connection,
    _lock: &EventLogLock,
    group: GroupId,
    members: &BTreeMap<UserId, Timestamp>,
) -> Result<(), DbError> {
    let (users, times): (Vec<i64>, Vec<DbTime>) =
        members.iter().map(|(user, at)| (user.0, DbTime::from(*at))).unzip();
    sql_query(ADD_MEMBERS)
        .bind::<BigInt, _>(group.0)
        .bind::<Array<BigInt>, _>(users)
        .bind::<Array<UtcTime>, _>(times)
        .execute(connection)
        .await?;
    Ok(())
}
