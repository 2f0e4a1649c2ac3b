//! The identity and the permissions of the caller.

use std::sync::Arc;

use latchkey_domain::{Grants, Principal, ProjectId, Role, TokenName, User, UserId};
use latchkey_ports::{AccessRepository, UserRepository};

use crate::{Caller, Missing, ServiceError, SignedIn};

/// The caller's own identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Myself {
    User { user: User, grants: Grants },
    AdminToken { name: TokenName },
}

/// The use cases of this module.
pub struct WhoAmI {
    users: Arc<dyn UserRepository>,
    access: Arc<dyn AccessRepository>,
}

impl WhoAmI {
    pub(crate) fn new(users: Arc<dyn UserRepository>, access: Arc<dyn AccessRepository>) -> Self {
        Self { users, access }
    }

    /// Returns the identity of the caller.
    pub async fn myself(&self, caller: &Caller) -> Result<Myself, ServiceError> {
        match caller.principal() {
            Some(Principal::User { id, grants, .. }) => {
                let user = self.users.find_user(*id).await?.ok_or(Missing::User)?;
                Ok(Myself::User { user, grants: grants.clone() })
            }
            Some(Principal::ApiToken { name, .. }) => Ok(Myself::AdminToken { name: name.clone() }),
            None => Err(Missing::User.into()),
        }
    }

    /// Returns the caller's roles in a project: the root role, then those that are held there.
    pub async fn roles_in(&self, user: &SignedIn, project: &ProjectId) -> Result<Vec<Role>, ServiceError> {
        let mut roles = vec![self.root_role(user).await?];
        roles.extend(held_in(&*self.access, user.user(), project).await?);
        Ok(roles)
    }

    /// Returns the caller's root role.
    pub async fn root_role(&self, user: &SignedIn) -> Result<Role, ServiceError> {
        let user = self.users.find_user(user.user()).await?.ok_or(Missing::User)?;
        Ok(self.access.find_role(user.root_role).await?.ok_or(Missing::Role)?)
    }
}

/// Returns the roles that a user holds in a project, by id.
pub(crate) async fn held_in(
    access: &dyn AccessRepository,
    user: UserId,
    project: &ProjectId,
) -> Result<Vec<Role>, ServiceError> {
    let held = access.roles_in_project(user.into(), project).await?;
    let mut roles = access.roles().await?;
    roles.retain(|role| held.contains(&role.id));
    Ok(roles)
}
