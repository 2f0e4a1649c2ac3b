//! The members of a project and their roles.

use std::sync::Arc;

use latchkey_domain::{EventKind, NewEvent, Place, Role, RoleId, Snapshot, UserId};
use latchkey_ports::{AccessRepository, Entity, Member, Memberships, StoreError};

use crate::{
    Missing, Permit, RoleReference, ServiceError, UpdateProject,
    accounts::{Accounts, choose},
};

/// The members of a project, and the roles that can be assigned there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectAccess {
    /// The members, by user id.
    pub members: Vec<Member>,
    /// The roles of projects, built in or not, by id.
    pub roles: Vec<Role>,
}

/// The use cases of this module.
pub struct Members {
    accounts: Accounts,
}

impl Members {
    pub(crate) fn new(accounts: Accounts) -> Self {
        Self { accounts }
    }

    fn access(&self) -> &Arc<dyn AccessRepository> {
        &self.accounts.access
    }

    /// Returns the members of the project.
    pub async fn list(&self, permit: &Permit<UpdateProject>) -> Result<ProjectAccess, ServiceError> {
        let members = self.access().members(permit.project()).await?;
        Ok(ProjectAccess { members, roles: self.roles_of_projects().await? })
    }

    async fn roles_of_projects(&self) -> Result<Vec<Role>, ServiceError> {
        let mut roles = self.access().roles().await?;
        roles.retain(|role| !role.kind.is_root());
        Ok(roles)
    }

    /// Gives each of these users each of these roles, in addition to those held. If that changes nothing, there is no
    /// event.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] without a user or a role, and for an unknown one; [`ServiceError::Denied`] for a
    /// role with permissions that the caller does not hold.
    pub async fn add(
        &self,
        permit: &Permit<UpdateProject>,
        mut users: Vec<UserId>,
        roles: &[RoleReference],
    ) -> Result<Vec<Role>, ServiceError> {
        users.sort_unstable();
        users.dedup();
        if users.is_empty() {
            return Err(ServiceError::field("users", "Name at least one user."));
        }
        if roles.is_empty() {
            return Err(ServiceError::field("roles", "Name at least one role."));
        }
        let given = self.roles(permit, roles).await?;
        let ids: Vec<_> = given.iter().map(|role| role.id).collect();
        let event = self.event(permit, EventKind::ProjectAccessAdded);
        let event = event.with_after(Snapshot::of_memberships(&users, &ids));
        let memberships = self.memberships(permit, users, ids);
        match self.access().add_memberships(&memberships, &event).await {
            Ok(_) | Err(StoreError::Conflict(Entity::Membership)) => {}
            Err(error) => return Err(unknown_user(error)),
        }
        self.accounts.changes.after_commit(&event);
        Ok(given)
    }

    /// Gives a user exactly these roles. If that changes nothing, there is no event.
    ///
    /// # Errors
    /// As [`Members::add`], but no role is allowed: that removes all roles. [`ServiceError::NotFound`] for an unknown
    /// user.
    pub async fn replace(
        &self,
        permit: &Permit<UpdateProject>,
        user: UserId,
        roles: &[RoleReference],
    ) -> Result<(), ServiceError> {
        let mut after: Vec<_> = self.roles(permit, roles).await?.iter().map(|role| role.id).collect();
        after.sort_unstable();
        let before = self.access().roles_in_project(user, permit.project()).await?;
        if before == after {
            if before.is_empty() {
                // Finds out which of the two is missing.
                self.accounts.users.find_user(user).await?.ok_or(Missing::User)?;
                self.access().members(permit.project()).await?;
            }
            return Ok(());
        }
        let kind =
            if after.is_empty() { EventKind::ProjectAccessRemoved } else { EventKind::ProjectAccessUpdated };
        let event = NewEvent {
            before: Some(Snapshot::of_roles(user, &before)),
            after: (!after.is_empty()).then(|| Snapshot::of_roles(user, &after)),
            ..self.event(permit, kind)
        };
        let memberships = self.memberships(permit, vec![user], after);
        self.access().replace_memberships(&memberships, &event).await?;
        self.accounts.changes.after_commit(&event);
        Ok(())
    }

    /// Removes all roles of a user in the project.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an unknown project, and for a user without a role there.
    pub async fn remove(&self, permit: &Permit<UpdateProject>, user: UserId) -> Result<(), ServiceError> {
        if self.access().roles_in_project(user, permit.project()).await?.is_empty() {
            // Finds out which of the two is missing.
            self.access().members(permit.project()).await?;
            return Err(Missing::User.into());
        }
        self.replace(permit, user, &[]).await
    }

    /// Returns the roles that a request names, if the caller may assign each of them.
    async fn roles(
        &self,
        permit: &Permit<UpdateProject>,
        references: &[RoleReference],
    ) -> Result<Vec<Role>, ServiceError> {
        let place = Place::Project(permit.project().clone());
        let known = self.roles_of_projects().await?;
        let mut given: Vec<Role> = Vec::new();
        for reference in references {
            let role = choose(&known, reference, "roles")?;
            if given.iter().all(|other| other.id != role.id) {
                permit.caller().check_granting(role, &place)?;
                given.push(role.clone());
            }
        }
        Ok(given)
    }

    fn event(&self, permit: &Permit<UpdateProject>, kind: EventKind) -> NewEvent {
        self.accounts.changes.event_in(permit.project(), kind, &permit.initiator())
    }

    fn memberships(
        &self,
        permit: &Permit<UpdateProject>,
        users: Vec<UserId>,
        roles: Vec<RoleId>,
    ) -> Memberships {
        Memberships { project: permit.project().clone(), users, roles, at: self.accounts.changes.now() }
    }
}

/// Maps the error of a user that is part of the body, not of the path.
fn unknown_user(error: StoreError) -> ServiceError {
    match error {
        StoreError::NotFound(Entity::User(id)) => {
            ServiceError::field("users", format!("There is no user {id}."))
        }
        other => other.into(),
    }
}
