//! Roles: the built-in ones, and custom ones.

use std::{collections::BTreeSet, sync::Arc};

use latchkey_domain::{EventKind, NewRole, Permission, Role, RoleDescription, RoleId, RoleKind, RoleName};
use latchkey_ports::AccessRepository;

use crate::{Caller, Fault as _, InstancePermit, ManageRoles, Missing, Rule, ServiceError, changes::Changes};

/// A role to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleDraft {
    /// Its unique name.
    pub name: RoleName,
    pub kind: RoleKind,
    pub description: RoleDescription,
    pub permissions: BTreeSet<Permission>,
}

/// A change to a role; `None` = unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleChange {
    /// Its unique name.
    pub name: Option<RoleName>,
    /// Where it is held; it cannot be changed, because its holders hold it there.
    pub kind: Option<RoleKind>,
    pub description: Option<RoleDescription>,
    pub permissions: Option<BTreeSet<Permission>>,
}

/// The use cases of this module.
pub struct Roles {
    access: Arc<dyn AccessRepository>,
    changes: Changes,
}

impl Roles {
    pub(crate) fn new(access: Arc<dyn AccessRepository>, changes: Changes) -> Self {
        Self { access, changes }
    }

    /// Returns every role, by id. Open to all callers of the administrative routes, because owners of projects choose
    /// roles.
    pub async fn list(&self, _: &Caller) -> Result<Vec<Role>, ServiceError> {
        Ok(self.access.roles().await?)
    }

    /// Returns the role of this id.
    pub async fn get(&self, _: &Caller, id: RoleId) -> Result<Role, ServiceError> {
        self.find(id).await
    }

    /// Creates a role.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a permission that a role of its kind cannot hold; [`ServiceError::Exists`] for
    /// a name in use.
    pub async fn create(
        &self,
        permit: &InstancePermit<ManageRoles>,
        draft: RoleDraft,
    ) -> Result<Role, ServiceError> {
        let RoleDraft { name, kind, description, permissions } = draft;
        if kind.is_built_in() {
            let text = "type must be root-custom or custom: the others are built in.";
            return Err(ServiceError::field("type", Rule::named("role-type-built-in").says(text)));
        }
        check_permissions(kind, &permissions)?;
        let role = NewRole { name, kind, description, permissions };
        let event = self.changes.event(EventKind::RoleCreated, &permit.initiator()).with_after(&role);
        let (id, _) = self.access.create_role(&role, &event).await?;
        self.changes.after_commit(&event);
        Ok(role.with_id(id))
    }

    /// Changes a role and returns the result. The change applies to its holders at once.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] for a built-in one; [`ServiceError::Invalid`] for another kind; otherwise as
    /// [`Roles::create`].
    pub async fn update(
        &self,
        permit: &InstancePermit<ManageRoles>,
        id: RoleId,
        change: &RoleChange,
    ) -> Result<Role, ServiceError> {
        let updated = self.changes.retry_on_conflict(async || -> Result<Role, ServiceError> {
            let before = self.find_own(id).await?;
            if change.kind.is_some_and(|kind| kind != before.kind) {
                let text = format!("The type of a role stays what it is: {}.", before.kind.as_str());
                return Err(ServiceError::field("type", Rule::named("role-type").says(text)));
            }
            let mut after = before.clone();
            after.name = change.name.clone().unwrap_or(after.name);
            after.description = change.description.clone().unwrap_or(after.description);
            after.permissions = change.permissions.clone().unwrap_or(after.permissions);
            check_permissions(after.kind, &after.permissions)?;
            if after == before {
                return Ok(after);
            }
            let event = self.changes.event(EventKind::RoleUpdated, &permit.initiator());
            let event = event.with_before(&before).with_after(&after);
            self.access.update_role(&before, &after, &event).await?;
            self.changes.after_commit(&event);
            Ok(after)
        });
        updated.await
    }

    /// Removes a role without holders.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] for a built-in one; [`ServiceError::Invalid`] for one that is held.
    pub async fn delete(&self, permit: &InstancePermit<ManageRoles>, id: RoleId) -> Result<(), ServiceError> {
        let role = self.find_own(id).await?;
        let event = self.changes.event(EventKind::RoleDeleted, &permit.initiator()).with_before(&role);
        self.access.delete_role(id, &event).await?;
        self.changes.after_commit(&event);
        Ok(())
    }

    async fn find(&self, id: RoleId) -> Result<Role, ServiceError> {
        Ok(self.access.find_role(id).await?.ok_or(Missing::Role)?)
    }

    async fn find_own(&self, id: RoleId) -> Result<Role, ServiceError> {
        let role = self.find(id).await?;
        if role.kind.is_built_in() {
            let text =
                format!("The role {} is built in and stays as it is: make one of your own.", role.name);
            return Err(ServiceError::NotPermitted(
                Rule::named("role-built-in").with("name", role.name).says(text),
            ));
        }
        Ok(role)
    }
}

fn check_permissions(kind: RoleKind, permissions: &BTreeSet<Permission>) -> Result<(), ServiceError> {
    let check = |permission: &Permission| kind.may_hold(*permission);
    permissions
        .iter()
        .try_for_each(check)
        .map_err(|fault| ServiceError::field("permissions", fault.rule().says(format!("{fault}."))))
}
