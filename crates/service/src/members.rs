//! The members of a project, users and groups, and their roles.

use std::sync::Arc;

use latchkey_domain::{EventKind, GroupId, Holder, NewEvent, Place, Role, RoleId, Snapshot, UserId};
use latchkey_ports::{
    AccessRepository, Entity, Holdings, Member, MemberGroup, MembersChange, Memberships, StoreError,
};

use crate::{
    Missing, Permit, RoleReference, Rule, ServiceError, UpdateProject,
    accounts::{Accounts, choose},
};

/// The members of a project, and the roles that can be assigned there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectAccess {
    /// The users with roles of their own, by id.
    pub members: Vec<Member>,
    /// The groups, by id.
    pub groups: Vec<MemberGroup>,
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
        let groups = self.accounts.groups.member_groups(permit.project()).await?;
        Ok(ProjectAccess { members, groups, roles: self.roles_of_projects().await? })
    }

    async fn roles_of_projects(&self) -> Result<Vec<Role>, ServiceError> {
        let mut roles = self.access().roles().await?;
        roles.retain(|role| !role.kind.is_root());
        Ok(roles)
    }

    /// Gives each of these users and groups each of these roles, in addition to those held. If that changes nothing, there
    /// is no event.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] without a user or group, or without a role, and for an unknown one; [`ServiceError::Denied`] for a
    /// role with permissions that the caller does not hold.
    pub async fn add(
        &self,
        permit: &Permit<UpdateProject>,
        mut users: Vec<UserId>,
        mut groups: Vec<GroupId>,
        roles: &[RoleReference],
    ) -> Result<Vec<Role>, ServiceError> {
        users.sort_unstable();
        users.dedup();
        groups.sort_unstable();
        groups.dedup();
        if users.is_empty() && groups.is_empty() {
            return Err(ServiceError::field(
                "users",
                Rule::named("holder-required").says("Name at least one user or group."),
            ));
        }
        if roles.is_empty() {
            return Err(ServiceError::field(
                "roles",
                Rule::named("role-required").says("Name at least one role."),
            ));
        }
        let given = self.roles(permit, roles).await?;
        let ids: Vec<_> = given.iter().map(|role| role.id).collect();
        let event = self.event(permit, EventKind::ProjectAccessAdded);
        let event = event.with_after(Snapshot::of_memberships(&users, &groups, &ids));
        let memberships = self.memberships(permit, (users, groups), ids);
        match self.access().add_memberships(&memberships, &event).await {
            Ok(_) | Err(StoreError::Conflict(Entity::Membership)) => {}
            Err(error) => return Err(unknown_holder(error, "users", "groups")),
        }
        self.accounts.changes.after_commit(&event);
        Ok(given)
    }

    /// Gives a user or a group exactly these roles. If that changes nothing, there is no event.
    ///
    /// # Errors
    /// As [`Members::add`], but no role is allowed: that removes all roles. [`ServiceError::NotFound`] for an unknown
    /// user or group.
    pub async fn replace(
        &self,
        permit: &Permit<UpdateProject>,
        holder: Holder,
        roles: &[RoleReference],
    ) -> Result<(), ServiceError> {
        let mut after: Vec<_> = self.roles(permit, roles).await?.iter().map(|role| role.id).collect();
        after.sort_unstable();
        let before = self.access().roles_in_project(holder, permit.project()).await?;
        if before == after {
            if before.is_empty() {
                // Finds out which of the two is missing.
                self.check_exists(holder).await?;
                self.access().members(permit.project()).await?;
            }
            return Ok(());
        }
        let kind = match (holder, after.is_empty()) {
            (Holder::User(_), false) => EventKind::ProjectAccessUpdated,
            (Holder::User(_), true) => EventKind::ProjectAccessRemoved,
            (Holder::Group(_), false) => EventKind::ProjectGroupAccessUpdated,
            (Holder::Group(_), true) => EventKind::ProjectGroupAccessRemoved,
        };
        let event = NewEvent {
            before: Some(Snapshot::of_roles(holder, &before)),
            after: (!after.is_empty()).then(|| Snapshot::of_roles(holder, &after)),
            ..self.event(permit, kind)
        };
        let holders = match holder {
            Holder::User(id) => (vec![id], Vec::new()),
            Holder::Group(id) => (Vec::new(), vec![id]),
        };
        let memberships = self.memberships(permit, holders, after);
        self.access().replace_memberships(&memberships, &event).await?;
        self.accounts.changes.after_commit(&event);
        Ok(())
    }

    /// Gives each of these roles to its holders, and takes every other role in the project from every user and group: the
    /// members are these and no others. If that changes nothing, there is no event.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for an unknown user, group or role; [`ServiceError::Denied`] for a role with permissions that
    /// the caller does not hold; [`ServiceError::NotFound`] for an unknown project.
    pub async fn replace_all(
        &self,
        permit: &Permit<UpdateProject>,
        roles: &[(RoleReference, Vec<Holder>)],
    ) -> Result<(), ServiceError> {
        let place = Place::Project(permit.project().clone());
        let known = self.roles_of_projects().await?;
        let mut after = Holdings::new();
        for (reference, holders) in roles {
            let role = choose(&known, reference, "roles")?;
            permit.caller().check_granting(role, &place)?;
            after.extend(holders.iter().map(|holder| (*holder, role.id)));
        }
        let replaced = self.accounts.changes.retry_on_conflict(async || -> Result<(), ServiceError> {
            let before = self.holdings(permit).await?;
            if before == after {
                return Ok(());
            }
            let event = NewEvent {
                before: Some(Snapshot::of_holdings(&before)),
                after: Some(Snapshot::of_holdings(&after)),
                ..self.event(permit, EventKind::ProjectAccessReplaced)
            };
            let change = MembersChange {
                project: permit.project().clone(),
                before,
                after: after.clone(),
                at: self.accounts.changes.now(),
            };
            self.access()
                .replace_members(&change, &event)
                .await
                .map_err(|error| unknown_holder(error, "roles", "roles"))?;
            self.accounts.changes.after_commit(&event);
            Ok(())
        });
        replaced.await
    }

    /// Returns what users and groups hold in the project. A change between the two reads makes the compare-and-swap fail.
    async fn holdings(&self, permit: &Permit<UpdateProject>) -> Result<Holdings, ServiceError> {
        let mut holdings = Holdings::new();
        for Member { user, roles, added_at: _ } in self.access().members(permit.project()).await? {
            holdings.extend(roles.into_iter().map(|role| (user.id.into(), role)));
        }
        for MemberGroup { overview, roles, added_at: _ } in
            self.accounts.groups.member_groups(permit.project()).await?
        {
            holdings.extend(roles.into_iter().map(|role| (overview.group.id.into(), role)));
        }
        Ok(holdings)
    }

    /// Removes all roles of a user or a group in the project.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an unknown project, and for a user or a group without a role there.
    pub async fn remove(&self, permit: &Permit<UpdateProject>, holder: Holder) -> Result<(), ServiceError> {
        if self.access().roles_in_project(holder, permit.project()).await?.is_empty() {
            // Finds out which of the two is missing.
            self.access().members(permit.project()).await?;
            return Err(missing(holder).into());
        }
        self.replace(permit, holder, &[]).await
    }

    async fn check_exists(&self, holder: Holder) -> Result<(), ServiceError> {
        let exists = match holder {
            Holder::User(id) => self.accounts.users.find_user(id).await?.is_some(),
            Holder::Group(id) => self.accounts.groups.find_group(id).await?.is_some(),
        };
        if exists { Ok(()) } else { Err(missing(holder).into()) }
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
        (users, groups): (Vec<UserId>, Vec<GroupId>),
        roles: Vec<RoleId>,
    ) -> Memberships {
        let at = self.accounts.changes.now();
        Memberships { project: permit.project().clone(), users, groups, roles, at }
    }
}

fn missing(holder: Holder) -> Missing {
    match holder {
        Holder::User(_) => Missing::User,
        Holder::Group(_) => Missing::Group,
    }
}

/// Maps the error of a user or a group that is part of these members of the body, not of the path.
fn unknown_holder(error: StoreError, users: &'static str, groups: &'static str) -> ServiceError {
    match error {
        StoreError::NotFound(Entity::User(id)) => ServiceError::no_user(users, id),
        StoreError::NotFound(Entity::Group(id)) => {
            let rule = Rule::named("group-unknown").with("id", id);
            ServiceError::field(groups, rule.says(format!("There is no group {id}.")))
        }
        other => other.into(),
    }
}
