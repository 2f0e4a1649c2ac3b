//! Groups: users who hold roles together.

use std::collections::BTreeMap;

use latchkey_domain::{
    EventKind, Group, GroupDescription, GroupId, GroupName, NewGroup, SsoGroupName, Timestamp, UserId,
};
use latchkey_ports::{Entity, GroupOverview, StoreError};

use crate::{
    Caller, InstancePermit, ManageGroups, Missing, RoleReference, Rule, ServiceError, accounts::Accounts,
};

/// A group to be created, or the new state of a group as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDraft {
    /// Its unique name.
    pub name: GroupName,
    pub description: GroupDescription,
    /// The groups of a single sign-on provider whose members are to be members of this one.
    pub sso_groups: Vec<SsoGroupName>,
    /// The role that members hold for the whole instance, besides their own; `None` = none.
    pub root_role: Option<RoleReference>,
    /// The members.
    pub users: Vec<UserId>,
}

/// The use cases of this module.
pub struct Groups {
    accounts: Accounts,
}

type Managing = InstancePermit<ManageGroups>;

impl Groups {
    pub(crate) fn new(accounts: Accounts) -> Self {
        Self { accounts }
    }

    /// Returns every group with its members, by id.
    pub async fn list(&self, _: &Managing) -> Result<Vec<GroupOverview>, ServiceError> {
        Ok(self.accounts.groups.groups().await?)
    }

    /// Returns every group, by id. Open to all callers of the administrative routes, because owners of projects choose
    /// groups.
    pub async fn all(&self, _: &Caller) -> Result<Vec<Group>, ServiceError> {
        let groups = self.accounts.groups.groups().await?;
        Ok(groups.into_iter().map(|overview| overview.group).collect())
    }

    /// Returns the group of this id.
    pub async fn get(&self, _: &Managing, id: GroupId) -> Result<GroupOverview, ServiceError> {
        self.find(id).await
    }

    /// Returns the group of this name, for the command line.
    pub async fn find_by_name(&self, _: &Managing, name: &GroupName) -> Result<GroupOverview, ServiceError> {
        let groups = self.accounts.groups.groups().await?;
        let found = groups.into_iter().find(|overview| overview.group.name == *name);
        Ok(found.ok_or(Missing::Group)?)
    }

    /// Creates a group.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a role that is not a root role, and for an unknown user; [`ServiceError::Exists`]
    /// for a name in use.
    pub async fn create(&self, permit: &Managing, draft: &GroupDraft) -> Result<GroupOverview, ServiceError> {
        let changes = &self.accounts.changes;
        let now = changes.now();
        let state = self.state(permit, draft, &BTreeMap::new(), now).await?;
        let event = changes.event(EventKind::GroupCreated, &permit.initiator()).with_after(&state);
        let created = self.accounts.groups.create_group(&state, &event).await;
        let (id, _) = created.map_err(unknown_member)?;
        changes.after_commit(&event);
        self.find(id).await
    }

    /// Replaces a group with this state and returns the result. The change applies to its members at once, old and new.
    /// If it changes nothing, there is no event.
    ///
    /// # Errors
    /// As [`Groups::create`].
    pub async fn replace(
        &self,
        permit: &Managing,
        id: GroupId,
        draft: &GroupDraft,
    ) -> Result<GroupOverview, ServiceError> {
        let replacement = async |before: &Group| -> Result<Group, ServiceError> {
            let state = self.state(permit, draft, &before.members, before.created_at).await?;
            Ok(state.with_id(id))
        };
        self.update(permit, id, replacement).await
    }

    /// Makes these users members of the group, besides those that it has, and returns the result.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for an unknown user.
    pub async fn add_members(
        &self,
        permit: &Managing,
        id: GroupId,
        users: &[UserId],
    ) -> Result<GroupOverview, ServiceError> {
        let now = self.accounts.changes.now();
        let with_members = async |before: &Group| -> Result<Group, ServiceError> {
            let mut after = before.clone();
            for user in users {
                after.members.entry(*user).or_insert(now);
            }
            Ok(after)
        };
        self.update(permit, id, with_members).await
    }

    /// Takes these users out of the group and returns the result. They stay users, with their own roles.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a user who is not a member.
    pub async fn remove_members(
        &self,
        permit: &Managing,
        id: GroupId,
        users: &[UserId],
    ) -> Result<GroupOverview, ServiceError> {
        let without_members = async |before: &Group| -> Result<Group, ServiceError> {
            if let Some(user) = users.iter().find(|user| !before.members.contains_key(user)) {
                let text = format!("User {user} is not a member of this group.");
                return Err(ServiceError::field("users", Rule::named("not-a-member").says(text)));
            }
            let mut after = before.clone();
            after.members.retain(|member, _| !users.contains(member));
            Ok(after)
        };
        self.update(permit, id, without_members).await
    }

    /// Changes a group and returns the result. If it changes nothing, there is no event.
    async fn update(
        &self,
        permit: &Managing,
        id: GroupId,
        change: impl AsyncFn(&Group) -> Result<Group, ServiceError>,
    ) -> Result<GroupOverview, ServiceError> {
        let changes = &self.accounts.changes;
        let updated = changes.retry_on_conflict(async || -> Result<(), ServiceError> {
            let before = self.find(id).await?.group;
            let after = change(&before).await?;
            if after == before {
                return Ok(());
            }
            let event = changes.event(EventKind::GroupUpdated, &permit.initiator());
            let event = event.with_before(&before).with_after(&after);
            let updated = self.accounts.groups.update_group(&before, &after, &event).await;
            updated.map_err(unknown_member)?;
            changes.after_commit(&event);
            Ok(())
        });
        updated.await?;
        self.find(id).await
    }

    /// Removes a group with all its roles. Its members stay users, with their own roles.
    pub async fn delete(&self, permit: &Managing, id: GroupId) -> Result<(), ServiceError> {
        let changes = &self.accounts.changes;
        let group = self.find(id).await?.group;
        let event = changes.event(EventKind::GroupDeleted, &permit.initiator()).with_before(&group);
        self.accounts.groups.delete_group(id, &event).await?;
        changes.after_commit(&event);
        Ok(())
    }

    async fn find(&self, id: GroupId) -> Result<GroupOverview, ServiceError> {
        Ok(self.accounts.groups.find_group(id).await?.ok_or(Missing::Group)?)
    }

    /// Returns the state that a draft describes, if the caller may assign its role. Present members keep their times.
    async fn state(
        &self,
        permit: &Managing,
        draft: &GroupDraft,
        present: &BTreeMap<UserId, Timestamp>,
        created_at: Timestamp,
    ) -> Result<NewGroup, ServiceError> {
        let GroupDraft { name, description, sso_groups, root_role, users } = draft.clone();
        let root_role = match &root_role {
            Some(role) => Some(self.accounts.root_role(permit.caller(), role).await?),
            None => None,
        };
        let now = self.accounts.changes.now();
        let since = |user: UserId| (user, present.get(&user).copied().unwrap_or(now));
        let members = users.into_iter().map(since).collect();
        Ok(NewGroup { name, description, sso_groups, root_role, members, created_at })
    }
}

/// Maps the error of a user that is part of the body, not of the path.
fn unknown_member(error: StoreError) -> ServiceError {
    match error {
        StoreError::NotFound(Entity::User(id)) => ServiceError::no_user("users", id),
        other => other.into(),
    }
}
