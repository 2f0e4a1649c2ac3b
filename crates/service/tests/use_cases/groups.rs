//! Groups, and what their members may do at each moment, in this process and in others.
#![expect(clippy::indexing_slicing, reason = "the property makes the numbers for these lists")]

use std::collections::BTreeSet;

use latchkey_domain::{
    Description, EventKind, Grants, GroupDescription, GroupId, GroupName, ProjectId, Role, RoleId,
    SsoGroupName, UserId,
};
use latchkey_ports::{AccessRepository, Entity, GroupOverview};
use latchkey_service::{
    Caller, Field, GroupDraft, Missing, Permit, PersonalTokenDraft, Reveal, RoleReference, ServiceError,
    UpdateProject,
};
use proptest::prelude::*;

use crate::support::{TestEnv, holding, moment, permit, project_id, sealer, settings, system};

fn draft(name: &str, users: &[UserId]) -> GroupDraft {
    GroupDraft {
        name: GroupName::new(name).expect("a name"),
        description: GroupDescription::default(),
        sso_groups: vec![SsoGroupName::new("engineers").expect("a name")],
        root_role: None,
        users: users.to_vec(),
    }
}

fn of(project: &str) -> Permit<UpdateProject> {
    Permit::request(&Caller::system(), project_id(project)).expect("may do everything")
}

fn built_in(id: i64) -> Role {
    Role::built_in().into_iter().find(|role| role.id == RoleId(id)).expect("built in")
}

async fn create(env: &TestEnv, draft: &GroupDraft) -> GroupOverview {
    env.use_cases.groups.create(&system(), draft).await.expect("created")
}

async fn personal_token(env: &TestEnv, user: UserId) -> String {
    let draft = PersonalTokenDraft {
        description: Description::new("ci").expect("text"),
        expires_at: moment(1_800_000_000_000),
    };
    let issued = env.use_cases.personal_tokens.create_for(&system(), user, draft).await.expect("issued");
    issued.secret.reveal().to_owned()
}

async fn rights(env: &TestEnv, secret: &str) -> Grants {
    let principal = env.use_cases.authenticator.authenticate(secret, None).await.expect("accepted");
    principal.grants().clone()
}

#[tokio::test]
async fn a_group_is_created_replaced_and_deleted() {
    let env = TestEnv::new();
    let (ed, al) = (env.user("ed", "Viewer").await.id, env.user("al", "Viewer").await.id);
    let groups = &env.use_cases.groups;
    let made = create(&env, &draft("g", &[ed, ed])).await;
    assert_eq!(made.group.members.keys().copied().collect::<Vec<_>>(), [ed]);
    let id = made.group.id;
    env.clock.advance(std::time::Duration::from_secs(5));
    let both = groups.replace(&system(), id, &draft("g", &[al, ed])).await.expect("replaced");
    assert_eq!(both.group.members[&ed], made.group.members[&ed], "who stays keeps the time");
    assert!(both.group.members[&al] > made.group.members[&ed]);
    let same = groups.replace(&system(), id, &draft("g", &[ed, al])).await.expect("no change");
    assert_eq!(same, both);
    assert_eq!(groups.list(&system()).await.expect("listed"), [both]);
    groups.delete(&system(), id).await.expect("deleted");
    let gone = groups.get(&system(), id).await;
    assert!(matches!(gone, Err(ServiceError::NotFound(Missing::Group))), "{gone:?}");
    let kinds = [EventKind::GroupCreated, EventKind::GroupUpdated, EventKind::GroupDeleted];
    assert_eq!(env.kinds_since(2).await, kinds);
}

#[tokio::test]
async fn members_come_and_go_one_by_one() {
    let env = TestEnv::new();
    let (ed, al) = (env.user("ed", "Viewer").await.id, env.user("al", "Viewer").await.id);
    let groups = &env.use_cases.groups;
    let made = create(&env, &draft("g", &[ed])).await;
    let (id, name) = (made.group.id, made.group.name.clone());
    assert_eq!(groups.find_by_name(&system(), &name).await.expect("found"), made);
    env.clock.advance(std::time::Duration::from_secs(5));
    let both = groups.add_members(&system(), id, &[al, ed, al]).await.expect("added");
    assert_eq!(both.group.members[&ed], made.group.members[&ed], "who stays keeps the time");
    assert!(both.group.members[&al] > made.group.members[&ed]);
    assert_eq!(groups.add_members(&system(), id, &[ed]).await.expect("no change"), both);

    let refused = groups.add_members(&system(), id, &[UserId(99)]).await;
    assert!(
        matches!(refused, Err(ServiceError::Invalid { field: Some(Field::Body("users")), .. })),
        "{refused:?}"
    );
    let left = groups.remove_members(&system(), id, &[ed, ed]).await.expect("removed");
    assert_eq!(left.group.members.keys().copied().collect::<Vec<_>>(), [al]);
    let refused = groups.remove_members(&system(), id, &[al, ed]).await;
    assert!(
        matches!(refused, Err(ServiceError::Invalid { field: Some(Field::Body("users")), .. })),
        "{refused:?}"
    );
    assert_eq!(groups.get(&system(), id).await.expect("found"), left);
    let kinds = [EventKind::GroupCreated, EventKind::GroupUpdated, EventKind::GroupUpdated];
    assert_eq!(env.kinds_since(2).await, kinds);

    groups.delete(&system(), id).await.expect("deleted");
    let gone = groups.find_by_name(&system(), &name).await;
    assert!(matches!(gone, Err(ServiceError::NotFound(Missing::Group))), "{gone:?}");
}

#[tokio::test]
async fn what_is_not_there_is_told_and_nothing_is_made() {
    let env = TestEnv::new();
    let ed = env.user("ed", "Viewer").await.id;
    let groups = &env.use_cases.groups;
    let field = |outcome: Result<GroupOverview, ServiceError>| match outcome {
        Err(ServiceError::Invalid { field, .. }) => field,
        other => panic!("expected Invalid, got {other:?}"),
    };
    let unknown = draft("g", &[ed, UserId(99)]);
    assert_eq!(field(groups.create(&system(), &unknown).await), Some(Field::Body("users")));
    for role in [RoleReference::Name("Owner".to_owned()), RoleReference::Id(RoleId(99))] {
        let draft = GroupDraft { root_role: Some(role), ..draft("g", &[]) };
        assert_eq!(field(groups.create(&system(), &draft).await), Some(Field::Body("rootRole")));
    }
    let made = create(&env, &draft("g", &[ed])).await;
    assert_eq!(field(groups.replace(&system(), made.group.id, &unknown).await), Some(Field::Body("users")));
    let taken = groups.create(&system(), &draft("g", &[])).await;
    assert!(matches!(taken, Err(ServiceError::Exists(Entity::GroupName))), "{taken:?}");
    let elsewhere = groups.replace(&system(), GroupId(99), &draft("x", &[])).await;
    assert!(matches!(elsewhere, Err(ServiceError::NotFound(Missing::Group))), "{elsewhere:?}");
    assert_eq!(groups.list(&system()).await.expect("listed"), [made]);
}

#[tokio::test]
async fn only_permissions_that_one_holds_can_be_given_to_a_group() {
    let env = TestEnv::new();
    let made = create(&env, &draft("g", &[])).await.group.id;
    let poor = permit::<UpdateProject>("default");
    let owner = [RoleReference::Id(RoleId(4))];
    for refused in [
        env.use_cases.members.add(&poor, vec![], vec![made], &owner).await.map(drop),
        env.use_cases.members.replace(&poor, made.into(), &owner).await,
    ] {
        assert!(matches!(refused, Err(ServiceError::Denied(_))), "{refused:?}");
    }
    assert_eq!(env.use_cases.members.list(&of("default")).await.expect("listed").groups, []);
    // Only administrators get a permit to change groups.
    let admin = holding::<latchkey_service::ManageGroups>(&[latchkey_domain::Permission::Admin]);
    env.use_cases.groups.delete(&admin, made).await.expect("deleted");
}

#[tokio::test]
async fn another_process_sees_a_change_of_a_group_with_the_feed() {
    let keys = sealer();
    let here = TestEnv::new().beside(keys.clone(), settings(Reveal::Always));
    let there = here.beside(keys, settings(Reveal::Always));
    let ed = here.user("ed", "Viewer").await.id;
    let secret = personal_token(&here, ed).await;
    let viewer = Grants::of_roles(&built_in(3), []);
    there.use_cases.follow_changes().await.expect("followed");
    assert_eq!(rights(&there, &secret).await, viewer);

    let editors = GroupDraft { root_role: Some(RoleReference::Id(RoleId(2))), ..draft("g", &[ed]) };
    let id = create(&here, &editors).await.group.id;
    there.use_cases.follow_changes().await.expect("followed");
    let with_group = viewer.clone().with_group(Grants::of_roles(&built_in(2), []));
    assert_eq!(rights(&there, &secret).await, with_group);
    here.use_cases.groups.replace(&system(), id, &draft("g", &[ed])).await.expect("replaced");
    there.use_cases.follow_changes().await.expect("followed");
    assert_eq!(rights(&there, &secret).await, viewer);
    let member = [RoleReference::Id(RoleId(5))];
    here.use_cases.members.replace(&of("default"), id.into(), &member).await.expect("given");
    there.use_cases.follow_changes().await.expect("followed");
    let member = Grants::of_group(None, [(project_id("default"), &built_in(5))]);
    assert_eq!(rights(&there, &secret).await, viewer.clone().with_group(member));
    here.use_cases.groups.delete(&system(), id).await.expect("deleted");
    there.use_cases.follow_changes().await.expect("followed");
    assert_eq!(rights(&there, &secret).await, viewer);
}

/// A group as the property makes it: numbers of roles, of users, and of roles in projects.
#[derive(Debug, Clone)]
struct Planned {
    root: Option<i64>,
    members: BTreeSet<usize>,
    in_projects: Vec<(usize, i64)>,
}

const PROJECTS: [&str; 3] = ["default", "a", "b"];

fn planned() -> impl Strategy<Value = Planned> {
    let root = prop::option::of(1_i64..=3);
    let members = prop::collection::btree_set(0_usize..3, 0..=3);
    let in_projects = prop::collection::vec((0_usize..3, 4_i64..=5), 0..4);
    (root, members, in_projects).prop_map(|(root, members, in_projects)| Planned {
        root,
        members,
        in_projects,
    })
}

impl Planned {
    fn grants(&self) -> Grants {
        let roles: Vec<(ProjectId, Role)> = self
            .in_projects
            .iter()
            .map(|(project, role)| (project_id(PROJECTS[*project]), built_in(*role)))
            .collect();
        let root = self.root.map(built_in);
        Grants::of_group(root.as_ref(), roles.iter().map(|(project, role)| (project.clone(), role)))
    }

    async fn create(&self, env: &TestEnv, name: &str, users: &[(UserId, String)]) -> GroupId {
        let members: Vec<_> = self.members.iter().map(|member| users[*member].0).collect();
        let root_role = self.root.map(|role| RoleReference::Id(RoleId(role)));
        let made = create(env, &GroupDraft { root_role, ..draft(name, &members) }).await;
        for (project, role) in &self.in_projects {
            let (groups, roles) = (vec![made.group.id], [RoleReference::Id(RoleId(*role))]);
            env.use_cases.members.add(&of(PROJECTS[*project]), vec![], groups, &roles).await.expect("given");
        }
        made.group.id
    }
}

/// Each user has the union of their own rights and those of their groups, in the store and with a credential that was cached
/// before the last change.
async fn check_union(env: &TestEnv, users: &[(UserId, String)], groups: &[&Planned]) {
    for (number, (user, secret)) in users.iter().enumerate() {
        let own = Grants::of_roles(&built_in(3), [(project_id("a"), &built_in(5))]);
        let of_groups = groups.iter().filter(|group| group.members.contains(&number));
        let expected = of_groups.map(|group| group.grants()).fold(own, Grants::with_group);
        assert_eq!(
            env.store.grants_of(*user).await.expect("grants").as_ref(),
            Some(&expected),
            "user {number}"
        );
        assert_eq!(rights(env, secret).await, expected, "user {number}");
    }
}

async fn rights_are_the_union(planned: Vec<Planned>, removed: usize) {
    let env = TestEnv::new();
    for project in &PROJECTS[1..] {
        env.project(project).await;
    }
    let mut users = Vec::new();
    for name in ["ed", "al", "bo"] {
        let user = env.user(name, "Viewer").await.id;
        let member = [RoleReference::Id(RoleId(5))];
        env.use_cases.members.add(&of("a"), vec![user], vec![], &member).await.expect("given");
        users.push((user, personal_token(&env, user).await));
    }
    let mut ids = Vec::new();
    for number in 0..planned.len() {
        ids.push(planned[number].create(&env, &format!("g{number}"), &users).await);
        check_union(&env, &users, &planned[..=number].iter().collect::<Vec<_>>()).await;
    }
    let removed = removed % planned.len();
    env.use_cases.groups.delete(&system(), ids[removed]).await.expect("deleted");
    let rest: Vec<_> =
        planned.iter().enumerate().filter(|(number, _)| *number != removed).map(|(_, group)| group).collect();
    check_union(&env, &users, &rest).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Removing a group removes exactly what it alone gave.
    #[test]
    fn rights_with_groups_are_the_union_of_the_parts(
        planned in prop::collection::vec(planned(), 1..4),
        removed in 0_usize..4,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(rights_are_the_union(planned, removed));
    }
}
