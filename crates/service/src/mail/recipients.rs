//! Who is told of an event.

use std::collections::BTreeMap;

use latchkey_domain::{
    AccountKind, Email, Event, EventKind, ProjectId, ProjectScope, Role, RoleId, Snapshot, Subject, User,
    UserId,
};
use latchkey_ports::StoreError;

use super::ports::MailPorts;

/// Addresses by how they are compared.
type Addresses = BTreeMap<String, Email>;

/// Finds who is told of events, each project once.
pub(super) struct Recipients<'p> {
    ports: &'p MailPorts,
    contact: Option<&'p Email>,
    owners: BTreeMap<ProjectId, Vec<Email>>,
}

impl<'p> Recipients<'p> {
    pub(super) fn new(ports: &'p MailPorts, contact: Option<&'p Email>) -> Self {
        Self { ports, contact, owners: BTreeMap::new() }
    }

    /// Returns the contact of the instance, and who looks after the token that the event is about: of an API token its owner, if that is
    /// an address, and the owners of the projects that it names; of a personal access token its user.
    pub(super) async fn of(&mut self, event: &Event) -> Result<Addresses, StoreError> {
        let mut found: Vec<Email> = self.contact.cloned().into_iter().collect();
        let record = &event.record;
        let said = record.said();
        if let Some(Subject::Token(_)) = record.subject {
            let owner = said.and_then(|said| said.text("owner"));
            found.extend(owner.and_then(|owner| Email::new(owner).ok()));
            if let Some(ProjectScope::Only(projects)) = &record.projects {
                for project in projects.as_slice() {
                    found.extend_from_slice(self.owners_of(project).await?);
                }
            }
        } else if record.kind == EventKind::PersonalTokenLeaked {
            let user = said.and_then(user_in);
            let user = match user {
                Some(id) => self.ports.users.find_user(id).await?,
                None => None,
            };
            found.extend(user.as_ref().and_then(address_of));
        }
        Ok(found.into_iter().map(|address| (address.key(), address)).collect())
    }

    /// Returns the addresses of the people with the role Owner in a project, their own or that of a group. A project that is gone has none.
    async fn owners_of(&mut self, project: &ProjectId) -> Result<&[Email], StoreError> {
        if !self.owners.contains_key(project) {
            let owners = match self.read_owners(project).await {
                Err(StoreError::NotFound(_)) => Vec::new(),
                owners => owners?,
            };
            self.owners.insert(project.clone(), owners);
        }
        Ok(self.owners.get(project).map(Vec::as_slice).unwrap_or_default())
    }

    async fn read_owners(&self, project: &ProjectId) -> Result<Vec<Email>, StoreError> {
        let owns = |roles: &[RoleId]| roles.contains(&Role::OWNER);
        let members = self.ports.access.members(project).await?;
        let members = members.iter().filter(|member| owns(&member.roles)).map(|member| &member.user);
        let groups = self.ports.groups.member_groups(project).await?;
        let of_groups =
            groups.iter().filter(|group| owns(&group.roles)).flat_map(|group| &group.overview.users);
        Ok(members.chain(of_groups).filter_map(address_of).collect())
    }
}

/// Returns the user that a snapshot of a personal access token names.
fn user_in(said: &Snapshot) -> Option<UserId> {
    said.members().get("userId")?.as_i64().map(UserId)
}

/// Programs read no mail.
fn address_of(user: &User) -> Option<Email> {
    user.identity.email().filter(|_| user.kind == AccountKind::Person).cloned()
}
