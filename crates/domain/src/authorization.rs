//! Authorization: the one function that decides what a principal may do.

use std::{collections::BTreeSet, fmt};

use crate::{Permission, PermissionKind, ProjectId, ProjectVisibility, Role};

/// Where an action takes place, or a permission is held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The instance as a whole; a grant here applies to every project.
    Instance,
    Project(ProjectId),
}

/// One permission at one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    pub permission: Permission,
    pub place: Place,
}

/// All that a principal is allowed to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants(BTreeSet<Grant>);

impl Grants {
    /// Returns the grants of an admin: everything.
    pub fn admin() -> Self {
        Self(BTreeSet::from([Grant { permission: Permission::Admin, place: Place::Instance }]))
    }

    /// Returns the grants of a user with this root role and these roles in projects.
    pub fn of_roles<'r>(
        root: &'r Role,
        in_projects: impl IntoIterator<Item = (ProjectId, &'r Role)>,
    ) -> Self {
        Self::of_group(Some(root), in_projects)
    }

    /// Returns the grants that a group with this root role and these roles in projects gives to each member.
    pub fn of_group<'r>(
        root: Option<&'r Role>,
        in_projects: impl IntoIterator<Item = (ProjectId, &'r Role)>,
    ) -> Self {
        let mut grants = Self::default();
        if let Some(root) = root {
            grants.add_role(root, &Place::Instance);
        }
        for (project, role) in in_projects {
            grants.add_role(role, &Place::Project(project));
        }
        grants
    }

    /// Returns the union of these grants and those of a group.
    #[must_use]
    pub fn with_group(mut self, group: Self) -> Self {
        self.0.extend(group.0);
        self
    }

    fn add_role(&mut self, role: &Role, place: &Place) {
        let grant = |permission: &Permission| Grant { permission: *permission, place: place.clone() };
        self.0.extend(role.permissions.iter().map(grant));
    }

    /// The grants, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Grant> {
        self.0.iter()
    }

    /// Returns the projects that the holder sees: all if some project permission is held for the instance, otherwise
    /// those that are not private and those in which some permission is held.
    pub fn visibility(&self) -> ProjectVisibility {
        match self.projects_where(|_| true) {
            None => ProjectVisibility::All,
            Some(own) => ProjectVisibility::NotPrivateAnd(own),
        }
    }

    /// Returns the projects in which this permission is held; `None` for every project.
    pub fn projects_with(&self, permission: Permission) -> Option<BTreeSet<ProjectId>> {
        self.projects_where(|held| held == permission)
    }

    fn projects_where(&self, fits: impl Fn(Permission) -> bool) -> Option<BTreeSet<ProjectId>> {
        let mut projects = BTreeSet::new();
        for Grant { permission, place } in &self.0 {
            match place {
                Place::Instance if *permission == Permission::Admin => return None,
                Place::Instance if permission.kind() == PermissionKind::Project && fits(*permission) => {
                    return None;
                }
                Place::Project(project) if fits(*permission) => {
                    projects.insert(project.clone());
                }
                Place::Instance | Place::Project(_) => {}
            }
        }
        Some(projects)
    }

    fn holds(&self, permission: Permission, place: &Place) -> bool {
        self.0.contains(&Grant { permission, place: place.clone() })
    }
}

impl FromIterator<Grant> for Grants {
    fn from_iter<I: IntoIterator<Item = Grant>>(grants: I) -> Self {
        Self(grants.into_iter().collect())
    }
}

/// The permission that is missing, and where. `Display` is the message on the wire, in Unleash's form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Denied {
    /// Any one of these would have been enough.
    pub any_of: Vec<Permission>,
    pub place: Place,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.any_of.as_slice() {
            [one] => write!(f, "You need the \"{one}\" permission to perform this action"),
            several => {
                let names: Vec<_> = several.iter().map(|permission| format!("\"{permission}\"")).collect();
                write!(f, "You need one of the permissions {} to perform this action", names.join(", "))
            }
        }?;
        match &self.place {
            Place::Instance => f.write_str("."),
            Place::Project(project) => write!(f, " in the \"{project}\" project."),
        }
    }
}

/// Checks that the grants include one of the permissions at this place.
///
/// A grant for the instance applies to every project, and `ADMIN` for the instance implies every permission. Adding a
/// grant never removes a right.
pub fn authorize(grants: &Grants, any_of: &[Permission], place: &Place) -> Result<(), Denied> {
    let allowed = grants.holds(Permission::Admin, &Place::Instance)
        || any_of.iter().any(|permission| {
            grants.holds(*permission, &Place::Instance) || grants.holds(*permission, place)
        });
    if allowed { Ok(()) } else { Err(Denied { any_of: any_of.to_vec(), place: place.clone() }) }
}

/// Checks that a holder of these grants may assign this role at this place: only permissions that one holds can be
/// given.
///
/// # Errors
/// [`Denied`], which names the first permission that is missing.
pub fn authorize_granting(grants: &Grants, role: &Role, place: &Place) -> Result<(), Denied> {
    role.permissions.iter().try_for_each(|permission| authorize(grants, &[*permission], place))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn project(id: &str) -> ProjectId {
        ProjectId::new(id).expect("id")
    }

    fn role(name: &str) -> Role {
        Role::built_in().into_iter().find(|role| role.name.as_str() == name).expect("built in")
    }

    /// The permissions of the built-in roles, column by column: may a holder (read tokens of a, create in a, delete in
    /// a, read in b, list client tokens of the instance, create a client token of the instance, update a)?
    #[test]
    fn the_table_of_built_in_roles() {
        use Permission as P;
        let a = Place::Project(project("a"));
        let b = Place::Project(project("b"));
        let asked = [
            (P::ReadProjectApiToken, &a),
            (P::CreateProjectApiToken, &a),
            (P::DeleteProjectApiToken, &a),
            (P::ReadProjectApiToken, &b),
            (P::ReadClientApiToken, &Place::Instance),
            (P::CreateClientApiToken, &Place::Instance),
            (P::UpdateProject, &a),
        ];
        let table = [
            ("Admin", None, "yes yes yes yes yes yes yes"),
            ("Editor", None, "yes yes yes yes yes no yes"),
            ("Viewer", None, "no no no no no no no"),
            ("Viewer", Some("Owner"), "yes yes yes no no no yes"),
            ("Viewer", Some("Member"), "yes yes yes no no no no"),
            ("Admin", Some("Member"), "yes yes yes yes yes yes yes"),
        ];
        for (root, in_a, expected) in table {
            let in_a = in_a.map(role);
            let grants = Grants::of_roles(&role(root), in_a.iter().map(|role| (project("a"), role)));
            let answers: Vec<_> = asked
                .iter()
                .map(
                    |(permission, place)| {
                        if authorize(&grants, &[*permission], place).is_ok() { "yes" } else { "no" }
                    },
                )
                .collect();
            assert_eq!(answers.join(" "), expected, "{root} with {in_a:?} in a");
        }
    }

    #[test]
    fn projects_are_seen_by_grants() {
        let owner = role("Owner");
        let seen = |root: &str, in_a: Option<&Role>| {
            Grants::of_roles(&role(root), in_a.map(|role| (project("a"), role))).visibility()
        };
        assert_eq!(seen("Admin", None), ProjectVisibility::All);
        assert_eq!(seen("Editor", None), ProjectVisibility::All);
        assert_eq!(seen("Viewer", None), ProjectVisibility::NotPrivateAnd(BTreeSet::new()));
        assert_eq!(
            seen("Viewer", Some(&owner)),
            ProjectVisibility::NotPrivateAnd(BTreeSet::from([project("a")]))
        );
    }

    #[test]
    fn only_permissions_that_one_holds_can_be_given() {
        let a = Place::Project(project("a"));
        let owner = role("Owner");
        let member = role("Member");
        let of = |held: &Role| Grants::of_roles(&role("Viewer"), [(project("a"), held)]);
        assert_eq!(authorize_granting(&of(&owner), &member, &a), Ok(()));
        assert_eq!(authorize_granting(&of(&owner), &owner, &a), Ok(()));
        let denied = authorize_granting(&of(&member), &owner, &a).expect_err("more than is held");
        assert!([Permission::UpdateProject, Permission::DeleteProject].contains(&denied.any_of[0]));
        assert!(authorize_granting(&of(&owner), &member, &Place::Project(project("b"))).is_err());
        assert!(authorize_granting(&of(&owner), &role("Admin"), &Place::Instance).is_err());
        assert_eq!(authorize_granting(&Grants::admin(), &owner, &a), Ok(()));
    }

    #[test]
    fn admin_in_a_project_is_not_admin_of_anything() {
        let place = Place::Project(project("a"));
        let grants = Grants::from_iter([Grant { permission: Permission::Admin, place: place.clone() }]);
        assert!(authorize(&grants, &[Permission::ReadProjectApiToken], &place).is_err());
        assert!(authorize(&grants, &[Permission::CreateProject], &Place::Instance).is_err());
    }

    #[test]
    fn a_refusal_reads_as_the_seed_has_it() {
        let place = Place::Project(project("default"));
        let denied = authorize(&Grants::default(), &[Permission::ReadProjectApiToken], &place)
            .expect_err("nothing held");
        assert_eq!(
            denied.to_string(),
            "You need the \"READ_PROJECT_API_TOKEN\" permission to perform this action in the \"default\" project."
        );
        let either = [Permission::Admin, Permission::ReadClientApiToken];
        let denied = authorize(&Grants::default(), &either, &Place::Instance).expect_err("nothing held");
        assert_eq!(
            denied.to_string(),
            "You need one of the permissions \"ADMIN\", \"READ_CLIENT_API_TOKEN\" to perform this action."
        );
    }

    fn permission() -> impl Strategy<Value = Permission> {
        prop::sample::select(Permission::ALL)
    }

    fn place() -> impl Strategy<Value = Place> {
        prop_oneof![Just(Place::Instance), "[ab]".prop_map(|id| Place::Project(project(&id)))]
    }

    fn grant() -> impl Strategy<Value = Grant> {
        (permission(), place()).prop_map(|(permission, place)| Grant { permission, place })
    }

    proptest! {
        #[test]
        fn more_grants_never_allow_less(
            some in prop::collection::vec(grant(), 0..6),
            more in prop::collection::vec(grant(), 0..6),
            any_of in prop::collection::vec(permission(), 1..3),
            place in place(),
        ) {
            let few: Grants = some.iter().cloned().collect();
            let many: Grants = some.into_iter().chain(more).collect();
            if authorize(&few, &any_of, &place).is_ok() {
                prop_assert!(authorize(&many, &any_of, &place).is_ok());
            }
        }

        #[test]
        fn a_group_adds_its_grants_and_nothing_else(
            own in prop::collection::vec(grant(), 0..6),
            group in prop::collection::vec(grant(), 0..6),
            asked in permission(),
            place in place(),
        ) {
            let allowed = |grants: &Grants| authorize(grants, &[asked], &place).is_ok();
            let (own, group): (Grants, Grants) = (own.into_iter().collect(), group.into_iter().collect());
            let either = allowed(&own) || allowed(&group);
            prop_assert_eq!(allowed(&own.with_group(group)), either);
        }

        #[test]
        fn a_grant_elsewhere_allows_nothing_here(permission in permission(), asked in permission()) {
            let elsewhere: Grants = [Grant { permission, place: Place::Project(project("b")) }].into_iter().collect();
            prop_assert!(authorize(&elsewhere, &[asked], &Place::Project(project("a"))).is_err());
            prop_assert!(authorize(&elsewhere, &[asked], &Place::Instance).is_err());
        }
    }
}
