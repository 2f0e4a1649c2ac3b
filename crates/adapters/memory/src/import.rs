//! Imports.

use std::collections::HashSet;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use latchkey_domain::{Event, EventId, GroupId, Holder, PersonalToken, Role, RoleId, User, UserId};
use latchkey_ports::{
    Entity, Import, ImportRepository, Reference, References, ResolvedMemberships, StoreError, TokenPortions,
};

use crate::{MemoryStore, state::State};

#[async_trait]
impl ImportRepository for MemoryStore {
    async fn import(&self, import: Import) -> Result<(), StoreError> {
        let mut state = self.state();
        state.check_references(&import.references()?)?;
        state.check_new_entries(&import)?;
        let roles = state.add_places_and_roles(&import);
        let users = state.add_users(&import, &roles)?;
        let groups = state.add_groups(&import, &roles, &users)?;
        for given in &import.memberships {
            let ResolvedMemberships { role, holders, event } = given.resolve(&roles, &users, &groups)?;
            for (holder, at) in holders {
                let project = given.project.clone();
                match holder {
                    Holder::User(id) => state.memberships.entry((id, project, role)).or_insert(at),
                    Holder::Group(id) => state.group_roles.entry((id, project, role)).or_insert(at),
                };
            }
            state.record(event);
        }
        for given in &import.personal_tokens {
            let (id, token) = (state.next_personal_token(), given.resolve(&users)?);
            state.personal_tokens_by_digest.insert(given.secret.digest, (id, given.secret.key));
            let kept = PersonalToken { last_used_at: given.last_used_at, ..token.clone().with_id(id) };
            state.personal_tokens.insert(id, kept);
            state.record(given.event.clone().with_after(&token).with_assigned_id(id.0));
        }
        for token in &import.tokens {
            state.insert(token);
        }
        for event in import.token_events {
            state.record(event);
        }
        Ok(())
    }

    async fn import_many(&self, mut import: Import, mut portions: TokenPortions) -> Result<(), StoreError> {
        while let Some(portion) = portions.try_next().await? {
            import.tokens.extend(portion.tokens);
            import.token_events.extend(portion.events);
        }
        self.import(import).await
    }

    async fn import_events(&self, events: &[Event]) -> Result<(), StoreError> {
        let mut state = self.state();
        for event in events {
            if let Err(place) = state.events.binary_search_by_key(&event.id, |kept| kept.id) {
                state.events.insert(place, event.clone());
            }
        }
        Ok(())
    }

    async fn event_ids(&self, first: EventId, last: EventId) -> Result<Vec<EventId>, StoreError> {
        let state = self.state();
        let ids = state.events.iter().map(|event| event.id);
        Ok(ids.filter(|id| (first..=last).contains(id)).collect())
    }
}

impl State {
    fn check_references(&self, named: &References<'_>) -> Result<(), StoreError> {
        named.projects.iter().try_for_each(|id| self.project(id).map(drop))?;
        named.environments.iter().try_for_each(|name| self.environment(name).map(drop))?;
        named.roles.iter().try_for_each(|(id, of_instance)| {
            self.role(*id, |role: &Role| role.kind.is_root() == *of_instance).map(drop)
        })?;
        named.users.iter().try_for_each(|id| self.user(*id).map(drop))
    }

    /// Fails if an entry has what another one has, in the store or in the import, that only one may have.
    fn check_new_entries(&self, import: &Import) -> Result<(), StoreError> {
        let conflict =
            |is_taken: bool, entity| if is_taken { Err(StoreError::Conflict(entity)) } else { Ok(()) };
        let mut seen = HashSet::new();
        for (environment, _) in &import.environments {
            let is_taken =
                self.environments.contains_key(&environment.name) || !seen.insert(&environment.name);
            conflict(is_taken, Entity::Environment(environment.name.clone()))?;
        }
        let mut seen = HashSet::new();
        for one in &import.projects {
            let id = &one.project.id;
            match &one.replaces {
                Some(before) => {
                    StoreError::check_unchanged(self.projects.get(id), before, Entity::Project(id.clone()))?;
                }
                None => {
                    conflict(
                        self.projects.contains_key(id) || !seen.insert(id),
                        Entity::Project(id.clone()),
                    )?;
                }
            }
        }
        let mut seen = HashSet::new();
        for (role, _) in &import.roles {
            self.check_role_name(&role.name, None)?;
            conflict(!seen.insert(&role.name), Entity::RoleName)?;
        }
        let mut seen = HashSet::new();
        for user in &import.users {
            self.check_identity(&user.identity, None)?;
            conflict(!user.identity.login_names().all(|name| seen.insert(name)), Entity::UserIdentity)?;
        }
        let mut seen = HashSet::new();
        for group in &import.groups {
            self.check_group_name(&group.name, None)?;
            conflict(!seen.insert(&group.name), Entity::GroupName)?;
        }
        let (mut seen, mut digests) = (HashSet::new(), HashSet::new());
        for token in &import.personal_tokens {
            let digest = token.secret.digest;
            let is_taken = self.personal_tokens_by_digest.contains_key(&digest) || !digests.insert(digest);
            conflict(is_taken, Entity::Secret)?;
            let is_taken = self.personal_tokens.values().any(|kept| {
                Reference::Existing(kept.user) == token.user && kept.description == token.description
            }) || !seen.insert((token.user, &token.description));
            conflict(is_taken, Entity::PersonalTokenDescription)?;
        }
        self.check_all_unique(&import.tokens)
    }

    /// Adds environments, projects and roles, and returns the ids of the roles.
    fn add_places_and_roles(&mut self, import: &Import) -> Vec<RoleId> {
        for (environment, event) in &import.environments {
            self.environments.insert(environment.name.clone(), environment.clone());
            self.record(event.clone());
        }
        for one in &import.projects {
            let links = one.environments.iter().map(|name| (one.project.id.clone(), name.clone()));
            self.project_environments.extend(links);
            self.projects.insert(one.project.id.clone(), one.project.clone());
            self.record(one.event.clone());
        }
        let mut ids = Vec::with_capacity(import.roles.len());
        for (role, event) in &import.roles {
            let id = self.next_role();
            self.roles.insert(id, role.clone().with_id(id));
            self.record(event.clone().with_assigned_id(id.0));
            ids.push(id);
        }
        ids
    }

    fn add_users(&mut self, import: &Import, roles: &[RoleId]) -> Result<Vec<UserId>, StoreError> {
        let mut ids = Vec::with_capacity(import.users.len());
        for given in &import.users {
            let (id, user) = (self.next_user(), given.resolve(roles)?);
            self.record(given.event.clone().with_after(&user).with_assigned_id(id.0));
            self.users.insert(id, User { last_seen_at: given.last_seen_at, ..user.with_id(id) });
            self.passwords.extend(given.password.clone().map(|password| (id, password)));
            ids.push(id);
        }
        Ok(ids)
    }

    fn add_groups(
        &mut self,
        import: &Import,
        roles: &[RoleId],
        users: &[UserId],
    ) -> Result<Vec<GroupId>, StoreError> {
        let mut ids = Vec::with_capacity(import.groups.len());
        for given in &import.groups {
            let (id, group) = (self.next_group(), given.resolve(roles, users)?);
            self.record(given.event.clone().with_after(&group).with_assigned_id(id.0));
            self.groups.insert(id, group.with_id(id));
            ids.push(id);
        }
        Ok(ids)
    }
}
