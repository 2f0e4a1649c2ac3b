//! Members of projects, and the permission to change them.

use latchkey_domain::{EventKind, RoleId, UserId};
use latchkey_service::{Caller, Field, Missing, Permit, RoleReference, ServiceError, UpdateProject};

use crate::support::{TestEnv, permit, project_id};

const OWNER: RoleReference = RoleReference::Id(RoleId(4));
const MEMBER: RoleReference = RoleReference::Id(RoleId(5));

fn all() -> Permit<UpdateProject> {
    Permit::request(&Caller::system(), project_id("default")).expect("may do everything")
}

async fn roles_of(env: &TestEnv, user: UserId) -> Vec<RoleId> {
    let access = env.use_cases.members.list(&all()).await.expect("listed");
    let found = access.members.into_iter().find(|member| member.user.id == user);
    found.map(|member| member.roles).unwrap_or_default()
}

#[tokio::test]
async fn roles_are_added_replaced_and_taken_away() {
    let env = TestEnv::new();
    let ed = env.user("ed", "Viewer").await.id;
    let members = &env.use_cases.members;
    members.add(&all(), vec![ed], vec![], &[MEMBER]).await.expect("added");
    members.add(&all(), vec![ed], vec![], &[MEMBER]).await.expect("held already: no event");
    members.add(&all(), vec![ed], vec![], &[OWNER, OWNER]).await.expect("added");
    assert_eq!(roles_of(&env, ed).await, [RoleId(4), RoleId(5)]);
    members.replace(&all(), ed.into(), &[MEMBER]).await.expect("replaced");
    assert_eq!(roles_of(&env, ed).await, [RoleId(5)]);
    members.remove(&all(), ed.into()).await.expect("removed");
    assert_eq!(roles_of(&env, ed).await, []);
    let again = members.remove(&all(), ed.into()).await;
    assert!(matches!(again, Err(ServiceError::NotFound(Missing::User))), "{again:?}");
    let expected = [
        EventKind::ProjectAccessAdded,
        EventKind::ProjectAccessAdded,
        EventKind::ProjectAccessUpdated,
        EventKind::ProjectAccessRemoved,
    ];
    assert_eq!(env.kinds_since(1).await, expected);
}

#[tokio::test]
async fn only_permissions_that_one_holds_can_be_given() {
    let env = TestEnv::new();
    let ed = env.user("ed", "Viewer").await.id;
    let poor = permit::<UpdateProject>("default");
    for given in [MEMBER, OWNER] {
        for refused in [
            env.use_cases.members.add(&poor, vec![ed], vec![], std::slice::from_ref(&given)).await.map(drop),
            env.use_cases.members.replace(&poor, ed.into(), &[given]).await,
        ] {
            assert!(matches!(refused, Err(ServiceError::Denied(_))), "{refused:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_and_nothing_is_given() {
    let env = TestEnv::new();
    let ed = env.user("ed", "Viewer").await.id;
    let members = &env.use_cases.members;
    let field = |outcome: Result<Vec<latchkey_domain::Role>, ServiceError>| match outcome {
        Err(ServiceError::Invalid { field, .. }) => field,
        other => panic!("expected Invalid, got {other:?}"),
    };
    assert_eq!(field(members.add(&all(), vec![], vec![], &[MEMBER]).await), Some(Field::Body("users")));
    assert_eq!(field(members.add(&all(), vec![ed], vec![], &[]).await), Some(Field::Body("roles")));
    let root = RoleReference::Name("Admin".to_owned());
    assert_eq!(field(members.add(&all(), vec![ed], vec![], &[root]).await), Some(Field::Body("roles")));
    assert_eq!(
        field(members.add(&all(), vec![ed, UserId(99)], vec![], &[MEMBER]).await),
        Some(Field::Body("users"))
    );
    let nowhere = Permit::request(&Caller::system(), project_id("nope")).expect("may do everything");
    let refused = members.add(&nowhere, vec![ed], vec![], &[MEMBER]).await;
    assert!(matches!(refused, Err(ServiceError::NotFound(Missing::Project(_)))), "{refused:?}");
    assert!(matches!(members.list(&nowhere).await, Err(ServiceError::NotFound(Missing::Project(_)))));
    assert!(matches!(
        members.remove(&nowhere, ed.into()).await,
        Err(ServiceError::NotFound(Missing::Project(_)))
    ));
    assert_eq!(roles_of(&env, ed).await, []);
}

#[tokio::test]
async fn a_user_named_twice_is_one_user() {
    let env = TestEnv::new();
    let (ed, vi) = (env.user("ed", "Viewer").await.id, env.user("vi", "Viewer").await.id);
    env.use_cases.members.add(&all(), vec![vi, ed, vi], vec![], &[MEMBER]).await.expect("added");
    let event = env.events().await.pop().expect("an event");
    let named = event.record.after.expect("what is now").to_json();
    assert_eq!(named["roles"][0]["userIds"].as_array().map(Vec::len), Some(2), "{named}");
}
