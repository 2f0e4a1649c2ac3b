//! What becomes of groups: their rights, their members and their names.

use latchkey_domain::{EnvironmentName, ProjectId, RoleName};
use latchkey_ports::Outcome;

use super::*;
use crate::{
    error::UnleashError,
    holdings::EditorChoice,
    people::{Everyone, People, people},
    places::Places,
    records::{RoleRecord, UserRecord, UserRoleRecord},
};

const NOW: i64 = 1_800_000_000_000;
const EDITOR: i32 = 2;
const MEMBER: i32 = 5;

fn places(projects: &[&str]) -> Places {
    let id = |text: &&str| ((*text).to_owned(), ProjectId::new(text).expect("an id"));
    let environments = ["development"].map(|name| EnvironmentName::new(name).expect("a name"));
    Places { projects: projects.iter().map(id).collect(), environments: environments.into() }
}

fn role(id: i32, name: &str, kind: &str) -> RoleRecord {
    RoleRecord {
        id,
        name: name.to_owned(),
        description: None,
        kind: kind.to_owned(),
        permissions: Vec::new(),
    }
}

fn user(id: i32, name: &str) -> UserRecord {
    UserRecord {
        id,
        name: None,
        username: Some(name.to_owned()),
        email: None,
        password_hash: None,
        created: Some(NOW - 9),
        seen: None,
        is_deleted: name == "deleted",
        is_service: name == "bot",
        is_system: id < 0,
    }
}

fn record(id: i32, name: &str, root_role: Option<i32>) -> GroupRecord {
    let (description, sso_groups) = (None, None);
    GroupRecord { id, name: name.to_owned(), description, sso_groups, root_role, created: Some(NOW - 5) }
}

fn held(holder: i32, role: i32, project: &str) -> HeldRole {
    HeldRole { holder, role, project: Some(project.to_owned()), since: Some(NOW - 3) }
}

/// Groups of ada and bot, a deleted user and the system, with some roles.
fn rows(groups: Vec<GroupRecord>, roles: Vec<HeldRole>) -> People {
    let users = [(1, "ada"), (3, "bot"), (4, "deleted"), (-1337, "system")];
    let members = groups.iter().flat_map(|group| {
        users.map(|(user, _)| GroupMemberRecord { group: group.id, user, since: Some(NOW - 4) })
    });
    People {
        roles: vec![
            role(1, "Admin", "root"),
            role(EDITOR, "Editor", "root"),
            role(3, "Viewer", "root"),
            role(MEMBER, "Member", "project"),
        ],
        users: users.iter().map(|(id, name)| user(*id, name)).collect(),
        held: vec![UserRoleRecord(held(1, 3, "default"))],
        groups: GroupRows {
            members: members.collect(),
            groups,
            roles: roles.into_iter().map(GroupRoleRecord).collect(),
        },
        personal_tokens: Vec::new(),
    }
}

fn read(
    people_there: People,
    projects: &[&str],
    editor: Option<EditorChoice>,
) -> (Result<Everyone, UnleashError>, Vec<Finding>) {
    let mut findings = Vec::new();
    let read = people(people_there, &places(projects), editor, time(NOW), &mut findings);
    (read, findings)
}

fn reasons(findings: &[Finding], kind: RowKind, outcome: Outcome) -> Vec<&str> {
    let all = findings.iter().filter(|one| (one.kind, one.outcome) == (kind, outcome));
    all.map(|one| one.why.as_str()).collect()
}

fn shown(group: &IncomingGroup) -> (Option<&str>, Vec<String>) {
    let held = group.memberships.iter().map(|one| format!("{} in {}", one.role, one.project));
    (group.root_role.as_ref().map(RoleName::as_str), held.collect())
}

#[test]
fn a_group_comes_with_those_members_who_come_and_gives_them_nothing_else() {
    let groups = vec![record(1, "Chiefs", Some(1)), record(2, "Shop", None)];
    let roles =
        vec![held(2, MEMBER, "shop"), held(2, MEMBER, "shop"), held(2, MEMBER, "gone"), held(2, 99, "shop")];
    let (read, findings) = read(rows(groups, roles), &["default", "shop"], None);
    let Everyone { users, groups, .. } = read.expect("read");
    let [chiefs, shop] = groups.as_slice() else { panic!("{groups:?}") };
    assert_eq!(shown(chiefs), (Some("Admin"), vec![]));
    assert_eq!(shown(shop), (None, vec!["Member in shop".to_owned()]));
    let names: Vec<_> = chiefs.members.iter().map(|(user, since)| (user.label(), since.millis())).collect();
    assert_eq!(names, [("ada", NOW - 4), ("bot", NOW - 4)]);
    assert_eq!(reasons(&findings, RowKind::Group, Outcome::Changed), ["2 of its members did not come"; 2]);
    let left_out = reasons(&findings, RowKind::Membership, Outcome::LeftOut);
    assert_eq!(left_out, ["the project does not exist there any more", "the role did not come"]);
    assert!(users.iter().all(|user| user.root_role.as_str() == "Viewer" && user.memberships.is_empty()));
}

#[test]
fn a_role_that_is_wider_here_is_divided_or_whole_or_asked_for() {
    let groups = || vec![record(1, "Editors", Some(EDITOR))];
    let all = ["default", "shop"];
    let (divided, findings) = read(rows(groups(), vec![]), &all, Some(EditorChoice::Default));
    let divided = divided.expect("read");
    let parts: Vec<_> = divided.roles.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(parts, ["Editor of the instance", "Editor in one project"]);
    let in_default = vec!["Editor in one project in default".to_owned()];
    assert_eq!(shown(&divided.groups[0]), (Some("Editor of the instance"), in_default));
    assert!(reasons(&findings, RowKind::Group, Outcome::Changed).iter().any(|why| why.contains("divided")));

    let (whole, _) = read(rows(groups(), vec![]), &all, Some(EditorChoice::Everywhere));
    assert_eq!(shown(&whole.expect("read").groups[0]), (Some("Editor"), vec![]));
    let (alone, _) = read(rows(groups(), vec![]), &["default"], None);
    assert_eq!(shown(&alone.expect("read").groups[0]), (Some("Editor"), vec![]));

    let mut two = rows(groups(), vec![]);
    two.held.push(UserRoleRecord(held(3, EDITOR, "default")));
    let (undecided, _) = read(two, &all, None);
    let Err(error) = undecided else { panic!("it is to be decided") };
    assert!(matches!(error, UnleashError::EditorUndecided { users: 1, groups: 1, projects: 2 }), "{error}");
    assert!(error.to_string().starts_with("1 users and 1 groups have the role Editor"), "{error}");
}

#[test]
fn the_part_for_a_project_that_is_gone_is_left_out() {
    let groups = || vec![record(1, "Editors", Some(EDITOR))];
    let (read_so, findings) = read(rows(groups(), vec![]), &["shop"], Some(EditorChoice::Default));
    assert_eq!(shown(&read_so.expect("read").groups[0]), (Some("Editor of the instance"), vec![]));
    let why = reasons(&findings, RowKind::Group, Outcome::Changed);
    assert!(why.iter().any(|why| why.contains("does not exist there any more")), "{why:?}");
    let (undecided, _) = read(rows(groups(), vec![]), &["shop"], None);
    assert!(undecided.is_err(), "it would be wider");
}

#[test]
fn names_are_made_to_fit_and_given_once() {
    let of_sso = |json: &str| GroupRecord { sso_groups: Some(json.to_owned()), ..record(3, "third", None) };
    let long = "é".repeat(300);
    let groups = vec![record(1, "twice", None), record(2, "twice", Some(1)), record(4, &long, None)];
    let (read_so, findings) = read(rows(groups, vec![]), &["default"], None);
    let names: Vec<_> = read_so.expect("read").groups.into_iter().map(|group| group.name).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(names[1].as_str().chars().count(), GroupName::MAX_CHARACTERS);
    assert_eq!(reasons(&findings, RowKind::Group, Outcome::LeftOut).len(), 1);
    for (json, expected, all_fit) in [
        (r#"["a", "b", "a"]"#, &["a", "b"][..], true),
        ("null", &[], true),
        (r#"["a", 5, ""]"#, &["a"], false),
        (r#"{"a": 1}"#, &[], false),
        ("[", &[], false),
    ] {
        let (read_so, findings) = read(rows(vec![of_sso(json)], vec![]), &["default"], None);
        let group = read_so.expect("read").groups.remove(0);
        let names: Vec<_> = group.sso_groups.iter().map(SsoGroupName::as_str).collect();
        assert_eq!(names, expected, "{json}");
        let said = reasons(&findings, RowKind::Group, Outcome::Changed);
        assert_eq!(!said.iter().any(|why| why.contains("single sign-on")), all_fit, "{json}: {said:?}");
    }
}
