//! Roles, memberships and grants.

use std::collections::BTreeMap;

use async_trait::async_trait;
use latchkey_domain::{
    EventId, Grants, Holder, NewEvent, NewRole, ProjectId, Role, RoleId, RoleName, Timestamp, User, UserId,
};
use latchkey_ports::{AccessRepository, Entity, Holdings, Member, MembersChange, Memberships, StoreError};

use crate::{MemoryStore, state::State};

impl State {
    pub(crate) fn grants(&self, user: &User) -> Result<Grants, StoreError> {
        let root = self.role(user.root_role, |_| true)?;
        let held = self.memberships.keys().filter(|(holder, _, _)| *holder == user.id);
        let in_projects =
            held.filter_map(|(_, project, role)| Some((project.clone(), self.roles.get(role)?)));
        let own = Grants::of_roles(root, in_projects);
        Ok(self.grants_of_groups(user.id).fold(own, Grants::with_group))
    }

    /// Fails if a role other than `except` has this name.
    pub(crate) fn check_role_name(&self, name: &RoleName, except: Option<RoleId>) -> Result<(), StoreError> {
        let mut others = self.roles.values().filter(|role| Some(role.id) != except);
        if others.any(|role| role.name == *name) {
            return Err(StoreError::Conflict(Entity::RoleName));
        }
        Ok(())
    }

    fn is_assigned(&self, role: RoleId) -> bool {
        self.users.values().any(|user| user.root_role == role)
            || self.memberships.keys().any(|(_, _, held)| *held == role)
            || self.groups.values().any(|group| group.root_role == Some(role))
            || self.group_roles.keys().any(|(_, _, held)| *held == role)
    }

    fn check_memberships(&self, memberships: &Memberships) -> Result<(), StoreError> {
        memberships.users.iter().try_for_each(|user| self.user(*user).map(|_| ()))?;
        memberships.groups.iter().try_for_each(|group| self.group(*group).map(|_| ()))?;
        self.project(&memberships.project)?;
        let is_project_role = |role: &Role| !role.kind.is_root();
        memberships.roles.iter().try_for_each(|role| self.role(*role, is_project_role).map(|_| ()))
    }

    /// Assigns the roles and returns whether any assignment is new.
    fn assign(&mut self, memberships: &Memberships) -> bool {
        let count_before = self.memberships.len() + self.group_roles.len();
        let Memberships { project, users, groups, roles, at } = memberships;
        for role in roles {
            for user in users {
                self.memberships.entry((*user, project.clone(), *role)).or_insert(*at);
            }
            for group in groups {
                self.group_roles.entry((*group, project.clone(), *role)).or_insert(*at);
            }
        }
        self.memberships.len() + self.group_roles.len() > count_before
    }

    fn roles_held_in<'s>(
        &'s self,
        project: &'s ProjectId,
    ) -> impl Iterator<Item = (UserId, RoleId, Timestamp)> + 's {
        let own = self.memberships.iter().filter(move |((_, held_in, _), _)| held_in == project);
        own.map(|((user, _, role), at)| (*user, *role, *at))
    }

    fn holdings_in<'s>(&'s self, project: &'s ProjectId) -> impl Iterator<Item = (Holder, RoleId)> + 's {
        let of_users = self.roles_held_in(project).map(|(user, role, _)| (user.into(), role));
        let of_groups = self.group_roles.keys().filter(move |(_, held_in, _)| held_in == project);
        of_users.chain(of_groups.map(|(group, _, role)| ((*group).into(), *role)))
    }
}

#[async_trait]
impl AccessRepository for MemoryStore {
    async fn roles(&self) -> Result<Vec<Role>, StoreError> {
        Ok(self.state().roles.values().cloned().collect())
    }

    async fn find_role(&self, id: RoleId) -> Result<Option<Role>, StoreError> {
        Ok(self.state().roles.get(&id).cloned())
    }

    async fn create_role(&self, role: &NewRole, event: &NewEvent) -> Result<(RoleId, EventId), StoreError> {
        let mut state = self.state();
        state.check_role_name(&role.name, None)?;
        let id = state.next_role();
        state.roles.insert(id, role.clone().with_id(id));
        let event = state.record(event.clone().with_assigned_id(id.0));
        Ok((id, event))
    }

    async fn update_role(
        &self,
        before: &Role,
        after: &Role,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        if state.role(before.id, |_| true)? != before {
            return Err(StoreError::Stale(Entity::Role(before.id)));
        }
        state.check_role_name(&after.name, Some(before.id))?;
        state.roles.insert(before.id, after.clone());
        Ok(state.record(event.clone()))
    }

    async fn delete_role(&self, id: RoleId, event: &NewEvent) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.role(id, |_| true)?;
        if state.is_assigned(id) {
            return Err(StoreError::InUse(Entity::Role(id)));
        }
        state.roles.remove(&id);
        Ok(state.record(event.clone()))
    }

    async fn members(&self, project: &ProjectId) -> Result<Vec<Member>, StoreError> {
        let state = self.state();
        state.project(project)?;
        let mut members: BTreeMap<UserId, Member> = BTreeMap::new();
        for (id, role, at) in state.roles_held_in(project) {
            let user = state.user(id)?;
            let new = || Member { user: user.clone(), roles: Vec::new(), added_at: at };
            let member = members.entry(id).or_insert_with(new);
            member.roles.push(role);
            member.added_at = member.added_at.min(at);
        }
        Ok(members.into_values().collect())
    }

    async fn add_memberships(
        &self,
        memberships: &Memberships,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.check_memberships(memberships)?;
        if !state.assign(memberships) {
            return Err(StoreError::Conflict(Entity::Membership));
        }
        Ok(state.record(event.clone()))
    }

    async fn replace_memberships(
        &self,
        memberships: &Memberships,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let mut state = self.state();
        state.check_memberships(memberships)?;
        let Memberships { project, users, groups, roles, at: _ } = memberships;
        state.memberships.retain(|(user, held_in, role), _| {
            held_in != project || !users.contains(user) || roles.contains(role)
        });
        state.group_roles.retain(|(group, held_in, role), _| {
            held_in != project || !groups.contains(group) || roles.contains(role)
        });
        state.assign(memberships);
        Ok(state.record(event.clone()))
    }

    async fn replace_members(&self, change: &MembersChange, event: &NewEvent) -> Result<EventId, StoreError> {
        let mut state = self.state();
        let MembersChange { project, before, after, at } = change;
        state.check_memberships(&change.references())?;
        if state.holdings_in(project).collect::<Holdings>() != *before {
            return Err(StoreError::Stale(Entity::Project(project.clone())));
        }
        let is_after = |holder: Holder, role: &RoleId| after.contains(&(holder, *role));
        state
            .memberships
            .retain(|(user, held_in, role), _| held_in != project || is_after((*user).into(), role));
        state
            .group_roles
            .retain(|(group, held_in, role), _| held_in != project || is_after((*group).into(), role));
        for (holder, role) in after {
            match holder {
                Holder::User(id) => state.memberships.entry((*id, project.clone(), *role)).or_insert(*at),
                Holder::Group(id) => state.group_roles.entry((*id, project.clone(), *role)).or_insert(*at),
            };
        }
        Ok(state.record(event.clone()))
    }

    async fn roles_in_project(&self, holder: Holder, project: &ProjectId) -> Result<Vec<RoleId>, StoreError> {
        let state = self.state();
        let held = state.holdings_in(project).filter(|(one, _)| *one == holder);
        Ok(held.map(|(_, role)| role).collect())
    }

    async fn grants_of(&self, user: UserId) -> Result<Option<Grants>, StoreError> {
        let state = self.state();
        state.users.get(&user).map(|user| state.grants(user)).transpose()
    }
}
