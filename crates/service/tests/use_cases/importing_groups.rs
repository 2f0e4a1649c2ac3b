//! Planning groups of another system: they come once, with what of their members and roles comes.

use latchkey_domain::{
    AccountKind, EventKind, GroupDescription, GroupName, Permission, RoleName, UserIdentity, Username,
};
use latchkey_ports::{
    AccessRepository, Finding, GroupRepository, Incoming, IncomingGroup, IncomingMembership, IncomingUser,
    Outcome, RowKind,
};
use latchkey_service::Initiator;

use crate::support::{TestEnv, moment, project_id};

fn role(name: &str) -> RoleName {
    RoleName::new(name).expect("a name")
}

fn identity(name: &str) -> UserIdentity {
    UserIdentity::new(Username::new(name).ok(), None).expect("a name")
}

fn user(name: &str) -> IncomingUser {
    IncomingUser {
        identity: identity(name),
        name: None,
        kind: AccountKind::Person,
        root_role: role("Viewer"),
        created_at: moment(1),
        last_seen_at: None,
        password: None,
        memberships: Vec::new(),
        personal_tokens: Vec::new(),
    }
}

fn group(root_role: Option<&str>, members: &[&str], roles: &[&str]) -> IncomingGroup {
    let project = || project_id("default");
    let membership =
        |name: &&str| IncomingMembership { project: project(), role: role(name), added_at: moment(3) };
    IncomingGroup {
        name: GroupName::new("shop").expect("a name"),
        description: GroupDescription::default(),
        sso_groups: Vec::new(),
        root_role: root_role.map(role),
        created_at: moment(2),
        members: members.iter().map(|name| (identity(name), moment(4))).collect(),
        memberships: roles.iter().map(membership).collect(),
    }
}

/// Imports two users and this group, and returns what became of the group and its roles.
async fn import(env: &TestEnv, group: IncomingGroup) -> Vec<(RowKind, Outcome, String)> {
    let (users, groups) = (vec![user("ada"), user("bob")], vec![group]);
    let incoming = Incoming { users, groups, ..Incoming::default() };
    let importer = &env.use_cases.importer;
    let plan = importer.plan(incoming, &Initiator::system()).await.expect("planned");
    let of_groups = |one: &&Finding| matches!(one.kind, RowKind::Group | RowKind::Membership);
    let findings = plan.findings.iter().filter(of_groups);
    let said = findings.map(|one| (one.kind, one.outcome, one.why.clone())).collect();
    importer.carry_out(plan).await.expect("imported");
    said
}

#[tokio::test]
async fn a_group_comes_once_and_its_members_hold_nothing_themselves() {
    let env = TestEnv::new();
    let before = env.events().await.len();
    let shop = || group(Some("Admin"), &["ada", "bob"], &["Member"]);
    let (came, present) = (Outcome::Came, Outcome::Present);
    let said = import(&env, shop()).await;
    assert_eq!(said, [(RowKind::Group, came, String::new()), (RowKind::Membership, came, String::new())]);
    assert_eq!(
        env.kinds_since(before).await,
        [
            EventKind::UserCreated,
            EventKind::UserCreated,
            EventKind::GroupCreated,
            EventKind::ProjectAccessAdded
        ]
    );
    let made = env.store.groups().await.expect("groups").remove(0);
    assert_eq!((made.group.members.len(), made.projects.clone()), (2, vec![project_id("default")]));
    for member in made.users {
        assert_eq!(member.root_role.0, 3, "Viewer");
        let own = env.store.roles_in_project(member.id.into(), &project_id("default")).await.expect("roles");
        assert_eq!(own, []);
        let grants = env.store.grants_of(member.id).await.expect("grants").expect("the user");
        assert!(grants.iter().any(|grant| grant.permission == Permission::Admin), "by the group");
    }
    assert_eq!(import(&env, shop()).await, [(RowKind::Group, present, String::new())]);
    assert_eq!(env.events().await.len(), before + 4);
}

#[tokio::test]
async fn a_group_that_is_here_stays_as_it_is_and_the_difference_is_said() {
    let env = TestEnv::new();
    import(&env, group(None, &["ada"], &["Member"])).await;
    for (there, expected) in [
        (group(Some("Admin"), &["ada"], &["Member"]), "has the root role \"Admin\" there"),
        (
            group(None, &["ada", "bob"], &["Member"]),
            "1 members there are none here: add them if that is meant",
        ),
        (group(None, &[], &["Member"]), "1 members here are none there"),
        (group(None, &["ada"], &["Member", "Owner"]), "is not Owner in default here"),
        (group(None, &["ada"], &[]), ""),
    ] {
        let before = env.store.groups().await.expect("groups");
        let said = import(&env, there).await;
        assert_eq!(said, [(RowKind::Group, Outcome::Present, expected.to_owned())]);
        assert_eq!(env.store.groups().await.expect("groups"), before);
    }
}

#[tokio::test]
async fn what_does_not_come_is_left_out_of_the_group_and_named() {
    let env = TestEnv::new();
    let said = import(&env, group(Some("Lost"), &["ada", "nobody"], &["Lost", "Member"])).await;
    let expected = [
        (RowKind::Group, Outcome::Changed, "its role \"Lost\" did not come"),
        (RowKind::Group, Outcome::Changed, "1 of its members did not come, as the report says of each"),
        (RowKind::Group, Outcome::Came, ""),
        (RowKind::Membership, Outcome::LeftOut, "the role did not come"),
        (RowKind::Membership, Outcome::Came, ""),
    ];
    assert_eq!(said, expected.map(|(kind, outcome, why)| (kind, outcome, why.to_owned())));
    let made = env.store.groups().await.expect("groups").remove(0);
    assert_eq!((made.group.root_role, made.users.len()), (None, 1));
}
