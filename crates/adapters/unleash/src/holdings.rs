//! The roles that users and groups hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

use latchkey_domain::{NewRole, ProjectId, RoleDescription, RoleName, Timestamp};
use latchkey_ports::{Finding, IncomingMembership, RowKind};

use crate::{
    error::UnleashError,
    places::{ALL, Places, time},
    records::HeldRole,
    roles::{DEFAULT_PROJECT, KnownRole},
};

/// What becomes of roles of the instance that work in the project `default` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditorChoice {
    /// They are divided, and their holders keep what they have.
    Default,
    /// They work in every project, as here.
    Everywhere,
}

impl FromStr for EditorChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "default" => Ok(Self::Default),
            "everywhere" => Ok(Self::Everywhere),
            _ => Err("write default or everywhere"),
        }
    }
}

/// What a user or a group holds here.
pub(crate) struct Holding {
    /// The role of the instance.
    pub(crate) root: Option<RoleName>,
    pub(crate) memberships: Vec<IncomingMembership>,
}

/// Whose roles these are.
pub(crate) struct Holder<'h> {
    pub(crate) kind: RowKind,
    pub(crate) label: &'h str,
    pub(crate) created_at: Timestamp,
}

/// Decides what the roles of users and groups are here.
pub(crate) struct Holdings<'p> {
    roles: BTreeMap<i32, KnownRole>,
    places: &'p Places,
    editor: Option<EditorChoice>,
    now: Timestamp,
    /// The parts of roles of the instance that work in one project.
    divided: BTreeMap<RoleName, [KnownRole; 2]>,
    /// How many users and groups hold such a role.
    narrower: Narrower,
}

#[derive(Default)]
struct Narrower {
    users: usize,
    groups: usize,
}

impl<'p> Holdings<'p> {
    pub(crate) fn new(
        roles: BTreeMap<i32, KnownRole>,
        places: &'p Places,
        editor: Option<EditorChoice>,
        now: Timestamp,
    ) -> Self {
        Self { roles, places, editor, now, divided: BTreeMap::new(), narrower: Narrower::default() }
    }

    /// Returns what a user or a group holds.
    pub(crate) fn of(
        &mut self,
        holder: &Holder<'_>,
        held: &[HeldRole],
        findings: &mut Vec<Finding>,
    ) -> Holding {
        let Holder { label, .. } = holder;
        let mut root: Option<(KnownRole, &str)> = None;
        let (mut memberships, mut given) = (Vec::new(), BTreeSet::new());
        for one in held {
            let mut left_out = |name: String, why: &str| {
                findings.push(Finding::left_out(RowKind::Membership, name, why));
            };
            let Some(role) = self.roles.get(&one.role) else {
                left_out(format!("{label} as role {}", one.role), "the role did not come");
                continue;
            };
            let project = one.project.as_deref().unwrap_or(DEFAULT_PROJECT);
            if role.kind.is_root() {
                match &root {
                    // Of several, Unleash takes any.
                    None => root = Some((role.clone(), project)),
                    Some((kept, _)) if kept.implies(role) => {}
                    Some(_) => {
                        let why = "a user has one role of the instance here, and has another: make a role that has the permissions \
                                   of both, or a group that has this one";
                        left_out(format!("{label} as {}", role.name), why);
                    }
                }
                continue;
            }
            let Some(project) = self.places.projects.get(project) else {
                let name = format!("{label} as {} in {project}", role.name);
                left_out(name, "the project does not exist there any more");
                continue;
            };
            if given.insert((project.clone(), role.name.clone())) {
                let added_at = one.since.map_or(self.now, time);
                let (project, role) = (project.clone(), role.name.clone());
                memberships.push(IncomingMembership { project, role, added_at });
            }
        }
        let root = root.map(|(role, project)| self.root(role, project, holder, &mut memberships, findings));
        Holding { root, memberships }
    }

    /// Returns the name of a role of the instance whose permissions for projects count in this one. If it is divided, the other
    /// part is added to the roles in projects.
    fn root(
        &mut self,
        role: KnownRole,
        project: &str,
        holder: &Holder<'_>,
        memberships: &mut Vec<IncomingMembership>,
        findings: &mut Vec<Finding>,
    ) -> RoleName {
        if project == ALL || !role.is_wider_here() {
            return role.name;
        }
        match holder.kind {
            RowKind::Group => self.narrower.groups += 1,
            _ => self.narrower.users += 1,
        }
        if self.editor != Some(EditorChoice::Default) {
            return role.name;
        }
        let (of_instance, of_project) = role.parts();
        let why = match self.places.projects.get(project) {
            Some(project) => {
                let (project, role) = (project.clone(), of_project.name.clone());
                memberships.push(IncomingMembership { project, role, added_at: holder.created_at });
                "so that it works in one project as before"
            }
            None => {
                "and its part in a project is left out, because the project does not exist there any more"
            }
        };
        let why = format!("its role {:?} is divided, {why}", role.name.as_str());
        findings.push(Finding::changed(holder.kind, holder.label, why));
        let root = of_instance.name.clone();
        self.divided.insert(role.name, [of_instance, of_project]);
        root
    }

    /// Returns the parts of divided roles, which are to be created.
    ///
    /// # Errors
    /// [`UnleashError::EditorUndecided`] if a role would work in more projects than there.
    pub(crate) fn finish(self) -> Result<Vec<NewRole>, UnleashError> {
        let Narrower { users, groups } = self.narrower;
        let is_elsewhere = |id: &ProjectId| id.as_str() != DEFAULT_PROJECT;
        if users + groups > 0 && self.editor.is_none() && self.places.projects.values().any(is_elsewhere) {
            let projects = self.places.projects.len();
            return Err(UnleashError::EditorUndecided { users, groups, projects });
        }
        let description = RoleDescription::default();
        Ok(self.divided.values().flatten().map(|role| role.to_new(description.clone())).collect())
    }
}
