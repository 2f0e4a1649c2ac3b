//! Roles: those that are built in here, and custom ones made of the permissions that both have.

use std::collections::{BTreeMap, BTreeSet};

use latchkey_domain::{NewRole, Permission, PermissionKind, Role, RoleDescription, RoleKind, RoleName};
use latchkey_ports::{Finding, RowKind};

use crate::{records::RoleRecord, text::fit};

/// The name of the built-in role without rights, which users without a role of the instance have.
pub(crate) const VIEWER: &str = "Viewer";
/// The project in which the rights of roles of the instance count, unless a row says otherwise.
pub(crate) const DEFAULT_PROJECT: &str = "default";

/// A role of Unleash, as it is here.
#[derive(Debug, Clone)]
pub(crate) struct KnownRole {
    pub(crate) name: RoleName,
    pub(crate) kind: RoleKind,
    pub(crate) permissions: BTreeSet<Permission>,
}

impl KnownRole {
    /// Whether it is the built-in role of this name.
    pub(crate) fn is_built_in(&self, name: &str) -> bool {
        self.kind.is_built_in() && self.name.as_str() == name
    }

    /// Whether it permits everything that the other one does.
    pub(crate) fn implies(&self, other: &Self) -> bool {
        self.is_built_in("Admin") || other.permissions.is_subset(&self.permissions)
    }

    /// Whether it is for the whole instance and has permissions for projects, which count in every project here and in one
    /// there.
    pub(crate) fn is_wider_here(&self) -> bool {
        let is_of_projects = |permission: &Permission| permission.kind() == PermissionKind::Project;
        self.kind.is_root() && self.permissions.iter().any(is_of_projects)
    }

    /// Returns the part of the role that is for the whole instance there, and the part that is for one project.
    pub(crate) fn parts(&self) -> (Self, Self) {
        let (of_projects, of_instance) = self
            .permissions
            .iter()
            .copied()
            .partition::<BTreeSet<Permission>, _>(|one| one.kind() == PermissionKind::Project);
        let part = |suffix: &str, kind, permissions| {
            let room = RoleName::MAX_CHARACTERS.saturating_sub(suffix.len());
            let short: String = self.name.as_str().chars().take(room).collect();
            let name =
                RoleName::new(&format!("{}{suffix}", short.trim_end())).unwrap_or_else(|_| self.name.clone());
            Self { name, kind, permissions }
        };
        (
            part(" of the instance", RoleKind::RootCustom, of_instance),
            part(" in one project", RoleKind::Custom, of_projects),
        )
    }

    /// Returns the role as one that is to be created.
    pub(crate) fn to_new(&self, description: RoleDescription) -> NewRole {
        let Self { name, kind, permissions } = self.clone();
        NewRole { name, kind, description, permissions }
    }
}

/// The roles by their ids in Unleash, and the custom ones to be created.
pub(crate) fn roles(
    records: Vec<RoleRecord>,
    findings: &mut Vec<Finding>,
) -> (BTreeMap<i32, KnownRole>, Vec<NewRole>) {
    let built_in = Role::built_in();
    let mut known = BTreeMap::new();
    let mut new: Vec<NewRole> = Vec::new();
    for record in records {
        let kind = if matches!(record.kind.as_str(), "root" | "root-custom") {
            RoleKind::RootCustom
        } else {
            RoleKind::Custom
        };
        let is_same = |role: &&Role| role.kind.as_str() == record.kind && role.name.as_str() == record.name;
        if let Some(Role { name, kind, permissions, .. }) = built_in.iter().find(is_same).cloned() {
            known.insert(record.id, KnownRole { name, kind, permissions });
            continue;
        }
        let taken: Vec<_> =
            built_in.iter().map(|role| &role.name).chain(new.iter().map(|role| &role.name)).collect();
        let Some(name) = free_name(&record.name, &taken) else {
            findings.push(Finding::left_out(RowKind::Role, &record.name, "it has no name that can be used"));
            continue;
        };
        if name.as_str() != record.name {
            let why = format!("it is {:?} here, because its name is taken or cannot be used", name.as_str());
            findings.push(Finding::changed(RowKind::Role, &record.name, why));
        }
        let (permissions, dropped) = permissions(&record.permissions, kind);
        if !dropped.is_empty() {
            let why = format!("permissions without a counterpart here are left out: {}", dropped.join(", "));
            findings.push(Finding::changed(RowKind::Role, &name, why));
        }
        let text = record.description.as_deref().unwrap_or_default();
        let description = fit(text, RoleDescription::MAX_CHARACTERS, "", RoleDescription::new);
        let role = KnownRole { name, kind, permissions };
        new.push(role.to_new(description.map(|text| text.value).unwrap_or_default()));
        known.insert(record.id, role);
    }
    (known, new)
}

/// Returns the permissions that a role of this kind may hold here, and the names of the others.
fn permissions(names: &[String], kind: RoleKind) -> (BTreeSet<Permission>, Vec<&str>) {
    let (mut permissions, mut dropped) = (BTreeSet::new(), Vec::new());
    for name in names {
        let parsed: Vec<Permission> = match name.parse() {
            Ok(permission) => vec![permission],
            Err(_) => formerly(name).to_vec(),
        };
        let before = permissions.len();
        permissions.extend(parsed.iter().filter(|one| kind.may_hold(**one).is_ok()).copied());
        if permissions.len() == before && !parsed.iter().any(|one| permissions.contains(one)) {
            dropped.push(name.as_str());
        }
    }
    (permissions, dropped)
}

/// Returns what a permission of versions before 5.3 is today.
fn formerly(name: &str) -> &'static [Permission] {
    use Permission as P;
    match name {
        "CREATE_API_TOKEN" => &[P::CreateClientApiToken, P::CreateFrontendApiToken],
        "READ_API_TOKEN" => &[P::ReadClientApiToken, P::ReadFrontendApiToken],
        "UPDATE_API_TOKEN" => &[P::UpdateClientApiToken, P::UpdateFrontendApiToken],
        "DELETE_API_TOKEN" => &[P::DeleteClientApiToken, P::DeleteFrontendApiToken],
        _ => &[],
    }
}

fn free_name(wanted: &str, taken: &[&RoleName]) -> Option<RoleName> {
    let first = fit(wanted, RoleName::MAX_CHARACTERS, "unnamed role", RoleName::new)?.value;
    let numbered = (2..1_000).filter_map(|number| {
        let suffix = format!(" ({number})");
        let room = RoleName::MAX_CHARACTERS - suffix.len();
        let short: String = first.as_str().chars().take(room).collect();
        RoleName::new(&format!("{short}{suffix}")).ok()
    });
    std::iter::once(first.clone()).chain(numbered).find(|name| !taken.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: i32, name: &str, kind: &str, permissions: &[&str]) -> RoleRecord {
        let permissions = permissions.iter().map(ToString::to_string).collect();
        RoleRecord { id, name: name.to_owned(), description: None, kind: kind.to_owned(), permissions }
    }

    #[test]
    fn built_in_roles_keep_their_names_and_custom_ones_lose_what_is_unknown() {
        let mut findings = Vec::new();
        let (known, new) = roles(
            vec![
                record(7, "Admin", "root", &["ADMIN"]),
                record(9, "Reader", "project", &[]),
                record(11, "Tokens", "root-custom", &["ADMIN", "READ_API_TOKEN", "CREATE_ADDON"]),
                record(12, "Editor", "custom", &["CREATE_PROJECT", "READ_PROJECT_API_TOKEN"]),
            ],
            &mut findings,
        );
        assert!(known.get(&7).expect("Admin").is_built_in("Admin"));
        let new: Vec<_> =
            new.iter().map(|role| (role.name.as_str(), role.kind, role.permissions.len())).collect();
        assert_eq!(
            new,
            [
                ("Reader", RoleKind::Custom, 0),
                ("Tokens", RoleKind::RootCustom, 2),
                ("Editor (2)", RoleKind::Custom, 1)
            ]
        );
        let dropped: Vec<_> = findings.iter().map(|found| found.why.as_str()).collect();
        assert!(
            dropped.iter().any(|why| why.contains("ADMIN") && why.contains("CREATE_ADDON")),
            "{dropped:?}"
        );
        assert!(dropped.iter().any(|why| why.contains("CREATE_PROJECT")), "{dropped:?}");
    }

    #[test]
    fn a_role_of_the_instance_is_divided_without_a_new_right() {
        let editor =
            Role::built_in().into_iter().find(|role| role.name.as_str() == "Editor").expect("Editor");
        let Role { name, kind, permissions, .. } = editor;
        let editor = KnownRole { name, kind, permissions };
        assert!(editor.is_wider_here() && editor.is_built_in("Editor"));
        let (of_instance, of_projects) = editor.parts();
        assert!(!of_instance.is_wider_here() && !of_projects.kind.is_root());
        let both: BTreeSet<_> = of_instance.permissions.union(&of_projects.permissions).copied().collect();
        assert_eq!(both, editor.permissions);
        assert!(of_instance.permissions.is_disjoint(&of_projects.permissions));
    }
}
