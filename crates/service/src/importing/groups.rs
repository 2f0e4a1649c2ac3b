//! Groups, with their members and roles.

use std::collections::{BTreeSet, HashMap};

use latchkey_domain::{EventKind, GroupName, ProjectId, RoleId, RoleName};
use latchkey_ports::{
    Finding, GroupOverview, ImportedGroup, IncomingGroup, IncomingMembership, Reference, RowKind,
};

use super::{Given, ImportPlan, Importer, RolesByName, people::UsersByName};
use crate::{Initiator, ServiceError};

impl Importer {
    /// Plans to add groups. Their roles in projects are added to those that are given.
    pub(super) async fn plan_groups(
        &self,
        plan: &mut ImportPlan,
        incoming: Vec<IncomingGroup>,
        roles: &RolesByName,
        users: &UsersByName,
        given: &mut Given,
        by: &Initiator,
    ) -> Result<(), ServiceError> {
        if incoming.is_empty() {
            return Ok(());
        }
        let known = self.store.groups().await?.into_iter();
        let known: HashMap<GroupName, GroupOverview> =
            known.map(|overview| (overview.group.name.clone(), overview)).collect();
        for group in incoming {
            let label = group.name.as_str().to_owned();
            if let Some(here) = known.get(&group.name) {
                let why = self.differences(&group, here, roles, users).await?;
                plan.findings.push(Finding::present(RowKind::Group, label, why));
                continue;
            }
            let members: Vec<_> =
                group.members.iter().filter_map(|(user, since)| Some((users.get(user)?, *since))).collect();
            let root_role = group.root_role.as_ref().map(|role| (role, roles.0.get(role).copied()));
            if let Some((role, None)) = &root_role {
                let why = format!("its role {:?} did not come", RoleName::as_str(role));
                plan.findings.push(Finding::changed(RowKind::Group, &label, why));
            }
            let missing = group.members.len() - members.len();
            if missing > 0 {
                let why = format!("{missing} of its members did not come, as the report says of each");
                plan.findings.push(Finding::changed(RowKind::Group, &label, why));
            }
            plan.findings.push(Finding::came(RowKind::Group, &label));
            let place = plan.import.groups.len();
            for IncomingMembership { project, role, added_at } in group.memberships {
                let name = format!("the group {label} as {role} in {project}");
                plan.findings.push(match roles.0.get(&role) {
                    Some(role) => {
                        given.entry((project, *role)).or_default().groups.push((place, added_at));
                        Finding::came(RowKind::Membership, name)
                    }
                    None => Finding::left_out(RowKind::Membership, name, "the role did not come"),
                });
            }
            plan.import.groups.push(ImportedGroup {
                name: group.name,
                description: group.description,
                sso_groups: group.sso_groups,
                root_role: root_role.and_then(|(_, role)| role),
                members,
                created_at: group.created_at,
                event: self.event(EventKind::GroupCreated, None, by),
            });
        }
        Ok(())
    }

    /// Says what stays as it is here although it is different there.
    async fn differences(
        &self,
        there: &IncomingGroup,
        here: &GroupOverview,
        roles: &RolesByName,
        users: &UsersByName,
    ) -> Result<String, ServiceError> {
        let mut differences = Vec::new();
        let root_role = there.root_role.as_ref().map(|role| roles.0.get(role).copied());
        if root_role != here.group.root_role.map(|role| Some(Reference::Existing(role))) {
            let role = there.root_role.as_ref().map_or("none", RoleName::as_str);
            differences.push(format!("has the root role {role:?} there"));
        }
        let members: BTreeSet<_> = there.members.iter().map(|(user, _)| users.get(user)).collect();
        let known: BTreeSet<_> =
            here.group.members.keys().map(|user| Some(Reference::Existing(*user))).collect();
        let unknown = members.difference(&known).count();
        let others = known.difference(&members).count();
        if unknown > 0 {
            differences.push(format!("{unknown} members there are none here: add them if that is meant"));
        }
        if others > 0 {
            differences.push(format!("{others} members here are none there"));
        }
        let missing = self.roles_only_there(there, here, roles).await?;
        if !missing.is_empty() {
            differences.push(format!("is not {} here", missing.join(", ")));
        }
        Ok(differences.join("; "))
    }

    /// Returns the roles in projects that the group has there alone.
    async fn roles_only_there(
        &self,
        there: &IncomingGroup,
        here: &GroupOverview,
        roles: &RolesByName,
    ) -> Result<Vec<String>, ServiceError> {
        let mut held: HashMap<&ProjectId, Vec<RoleId>> = HashMap::new();
        for project in &here.projects {
            let own = self.store.roles_in_project(here.group.id.into(), project).await?;
            held.insert(project, own);
        }
        let is_held = |one: &&IncomingMembership| match roles.0.get(&one.role) {
            Some(Reference::Existing(role)) => held.get(&one.project).is_some_and(|held| held.contains(role)),
            _ => false,
        };
        let missing = there.memberships.iter().filter(|one| !is_held(one));
        Ok(missing.map(|one| format!("{} in {}", one.role, one.project)).collect())
    }
}
