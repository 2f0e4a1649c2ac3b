//! Groups.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use latchkey_domain::{
    EventId, Grants, Group, GroupId, GroupName, NewEvent, NewGroup, ProjectId, RoleId, Timestamp, UserId,
};
use latchkey_ports::{Entity, GroupOverview, GroupRepository, MemberGroup, StoreError};

use crate::{MemoryStore, state::State};

impl State {
    pub(crate) fn group(&self, id: GroupId) -> Result<&Group, StoreError> {
        self.groups.get(&id).ok_or(StoreError::NotFound(Entity::Group(id)))
    }

    /// Returns what each group of a user gives.
    pub(crate) fn grants_of_groups(&self, user: UserId) -> impl Iterator<Item = Grants> {
        let own = self.groups.values().filter(move |group| group.members.contains_key(&user));
        own.map(|group| {
            let held = self.group_roles.keys().filter(|(holder, _, _)| *holder == group.id);
            let in_projects =
                held.filter_map(|(_, project, role)| Some((project.clone(), self.roles.get(role)?)));
            Grants::of_group(group.root_role.and_then(|role| self.roles.get(&role)), in_projects)
        })
    }

    fn overview_of_group(&self, group: &Group) -> GroupOverview {
        let users = group.members.keys().filter_map(|user| self.users.get(user)).cloned().collect();
        let held = self.group_roles.keys().filter(|(holder, _, _)| *holder == group.id);
        let projects: BTreeSet<ProjectId> = held.map(|(_, project, _)| project.clone()).collect();
        GroupOverview { group: group.clone(), users, projects: projects.into_iter().collect() }
    }

    /// Fails if the role or a member does not exist, or if a group other than `except` has the name.
    fn check_group(
        &self,
        (name, root_role): (&GroupName, Option<RoleId>),
        members: &BTreeMap<UserId, Timestamp>,
        except: Option<GroupId>,
    ) -> Result<(), StoreError> {
        if let Some(role) = root_role {
            self.role(role, |role| role.kind.is_root())?;
        }
        members.keys().try_for_each(|user| self.user(*user).map(|_| ()))?;
        self.check_group_name(name, except)
    }

    /// Fails if a group other than `except` has the name.
    pub(crate) fn check_group_name(
        &self,
        name: &GroupName,
        except: Option<GroupId>,
    ) -> Result<(), StoreError> {
        let mut others = self.groups.values().filter(|group| Some(group.id) != except);
        if others.any(|group| group.name == *name) {
            return Err(StoreError::Conflict(Entity::GroupName));
        }
        Ok(())
    }
}

#[async_trait]
impl GroupRepository for MemoryStore {
    async fn groups(&self) -> Result<Vec<GroupOverview>, StoreError> {
        let state = self.state();
        Ok(state.groups.values().map(|group| state.overview_of_group(group)).collect())
    }

    async fn find_group(&self, id: GroupId) -> Result<Option<GroupOverview>, StoreError> {
        let state = self.state();
        Ok(state.groups.get(&id).map(|group| state.overview_of_group(group)))
    }

    async fn member_groups(&self, project: &ProjectId) -> Result<Vec<MemberGroup>, StoreError> {
        let state = self.state();
        state.project(project)?;
        let mut groups: Vec<MemberGroup> = Vec::new();
        let held = state.group_roles.iter().filter(|((_, held_in, _), _)| held_in == project);
        for ((id, _, role), at) in held {
            match groups.last_mut().filter(|last| last.overview.group.id == *id) {
                Some(group) => {
                    group.roles.push(*role);
                    group.added_at = group.added_at.min(*at);
                }
                None => groups.push(MemberGroup {
                    overview: state.overview_of_group(state.group(*id)?),
                    roles: vec![*role],
                    added_at: *at,
                }),
            }
        }
        Ok(groups)
    }

    async fn create_group(
        &self,
        group: &NewGroup,
        event: &NewEvent,
    ) -> Result<(GroupId, EventId), StoreError> {
        let mut state = self.state();
        state.check_group((&group.name, group.root_role), &group.members, None)?;
        let id = state.next_group();
        state.groups.insert(id, group.clone().with_id(id));
        let event = state.record(event.clone().with_assigned_id(id.0));
        Ok((id, event))
    }

    async fn update_group(
        &self,
        before: &Group,
        after: &Group,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        StoreError::check_unchanged(state.groups.get(&before.id), before, Entity::Group(before.id))?;
        state.check_group((&after.name, after.root_role), &after.members, Some(before.id))?;
        state.groups.insert(before.id, after.clone());
        Ok(state.record(event.clone()))
    }

    async fn delete_group(&self, id: GroupId, event: &NewEvent) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.group(id)?;
        state.groups.remove(&id);
        state.group_roles.retain(|(group, _, _), _| *group != id);
        Ok(state.record(event.clone()))
    }
}
