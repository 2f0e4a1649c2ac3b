//! The port of groups.

use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SqliteConnection, delete, insert_into,
    update,
};
use latchkey_domain::{EventId, Group, GroupId, NewEvent, NewGroup, ProjectId, RoleId, Timestamp, UserId};
use latchkey_ports::{Entity, GroupOverview, GroupRepository, MemberGroup, StoreError};
use latchkey_sql::{
    columns::{DbTime, Parsed},
    errors::{DbError, conflict_of, group_conflict, not_found},
    queries,
    rows::{self, ChangedGroupRow, GroupMemberRow, GroupRow, GroupsWithRoles},
    schema::{group_members, user_groups},
};

use crate::{
    SqliteStore,
    events::record,
    existence::{check_project, check_role, check_user},
    paging::MAX_BINDS,
};

#[async_trait]
impl GroupRepository for SqliteStore {
    async fn groups(&self) -> Result<Vec<GroupOverview>, StoreError> {
        self.read_snapshot(|connection| {
            let groups = queries::all_groups().load(connection)?;
            overviews(connection, groups)
        })
        .await
    }

    async fn find_group(&self, id: GroupId) -> Result<Option<GroupOverview>, StoreError> {
        self.read_snapshot(move |connection| find_group(connection, id)).await
    }

    async fn member_groups(&self, project: &ProjectId) -> Result<Vec<MemberGroup>, StoreError> {
        let project = project.clone();
        self.read_snapshot(move |connection| {
            check_project(connection, &project)?;
            let held = GroupsWithRoles::collect(queries::groups_in(project.as_str()).load(connection)?)?;
            let (members, projects) = details(connection, &held.groups)?;
            Ok(held.into_member_groups(members, projects)?)
        })
        .await
    }

    async fn create_group(
        &self,
        group: &NewGroup,
        event: &NewEvent,
    ) -> Result<(GroupId, EventId), StoreError> {
        let (group, event) = (group.clone(), event.clone());
        self.write(move |connection| {
            check_references(connection, group.root_role, &group.members)?;
            let id = insert_group(connection, &group)?;
            let event = record(connection, &event.with_assigned_id(id.0))?;
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
        self.write(move |connection| {
            let kept = find_group(connection, before.id)?.map(|overview| overview.group);
            StoreError::check_unchanged(kept.as_ref(), &before, Entity::Group(before.id))?;
            check_references(connection, after.root_role, &after.members)?;
            update(user_groups::table.find(before.id.0))
                .set(ChangedGroupRow::from(&after))
                .execute(connection)
                .map_err(conflict_of(group_conflict))?;
            if before.members != after.members {
                let members = group_members::table.filter(group_members::group_id.eq(before.id.0));
                delete(members).execute(connection)?;
                add_members(connection, before.id, &after.members)?;
            }
            record(connection, &event)
        })
        .await
    }

    async fn delete_group(&self, id: GroupId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| {
            if delete(user_groups::table.find(id.0)).execute(connection)? == 0 {
                return Err(not_found(Entity::Group(id)));
            }
            record(connection, &event)
        })
        .await
    }
}

fn find_group(connection: &mut SqliteConnection, id: GroupId) -> Result<Option<GroupOverview>, DbError> {
    let row: Option<GroupRow> = queries::group(id.0).first(connection).optional()?;
    Ok(overviews(connection, row.into_iter().collect())?.pop())
}

fn overviews(
    connection: &mut SqliteConnection,
    groups: Vec<GroupRow>,
) -> Result<Vec<GroupOverview>, DbError> {
    let (members, projects) = details(connection, &groups)?;
    Ok(rows::groups(groups, members, projects)?)
}

/// The members of groups, and the projects in which these have roles.
type Details = (Vec<GroupMemberRow>, Vec<(i64, Parsed<ProjectId>)>);

fn details(connection: &mut SqliteConnection, groups: &[GroupRow]) -> Result<Details, DbError> {
    let ids: Vec<i64> = groups.iter().map(|group| group.id).collect();
    let (mut members, mut projects) = Details::default();
    for some in ids.chunks(MAX_BINDS) {
        let rows: Vec<GroupMemberRow> = queries::members_of_groups(some).load(connection)?;
        members.extend(rows);
        let rows: Vec<(i64, Parsed<ProjectId>)> = queries::projects_of_groups(some).load(connection)?;
        projects.extend(rows);
    }
    Ok((members, projects))
}

/// Fails if the role is not for the whole instance, or if it or a member does not exist.
fn check_references(
    connection: &mut SqliteConnection,
    root_role: Option<RoleId>,
    members: &BTreeMap<UserId, Timestamp>,
) -> Result<(), DbError> {
    if let Some(role) = root_role {
        check_role(connection, role, true)?;
    }
    members.keys().try_for_each(|user| check_user(connection, *user))
}

/// Inserts a group with its members, and returns its id.
pub(crate) fn insert_group(connection: &mut SqliteConnection, group: &NewGroup) -> Result<GroupId, DbError> {
    let created_at = user_groups::created_at.eq(DbTime::from(group.created_at));
    let id: i64 = insert_into(user_groups::table)
        .values((ChangedGroupRow::from(group), created_at))
        .returning(user_groups::id)
        .get_result(connection)
        .map_err(conflict_of(group_conflict))?;
    add_members(connection, GroupId(id), &group.members)?;
    Ok(GroupId(id))
}

fn add_members(
    connection: &mut SqliteConnection,
    group: GroupId,
    members: &BTreeMap<UserId, Timestamp>,
) -> Result<(), DbError> {
    for row in rows::group_members(group, members) {
        insert_into(group_members::table).values(row).execute(connection)?;
    }
    Ok(())
}
