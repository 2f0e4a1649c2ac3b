//! The tokens of all projects that a caller may read.

use latchkey_domain::{
    Grant, Grants, Permission as P, Place, ProjectScope, ProjectSet, TokenAccess, TokenId,
};
use latchkey_service::{
    Caller, Missing, ProjectsPermit, ReadTokens, ServiceError, TokenFilter, TokenReference, UpdateTokens,
};

use crate::support::{TestEnv, client_of, project_id, user, user_with};

fn caller(grants: &[(P, &str)]) -> Caller {
    let grant = |(permission, project): &(P, &str)| Grant {
        permission: *permission,
        place: Place::Project(project_id(project)),
    };
    user(grants.iter().map(grant).collect())
}

fn reader(projects: &[&str]) -> ProjectsPermit<ReadTokens> {
    let grants: Vec<_> = projects.iter().map(|project| (P::ReadProjectApiToken, *project)).collect();
    ProjectsPermit::request(&caller(&grants)).expect("allowed")
}

/// Tokens of `a`; of `b` and `c`; of `c`; of all projects; and an admin token.
async fn env_with_tokens() -> (TestEnv, [TokenId; 5]) {
    let env = TestEnv::new();
    for project in ["a", "b", "c"] {
        env.project(project).await;
    }
    let of = |projects: &[&str]| {
        let set = ProjectSet::new(projects.iter().map(|id| project_id(id))).expect("some");
        client_of(ProjectScope::Only(set))
    };
    let accesses =
        [of(&["a"]), of(&["b", "c"]), of(&["c"]), client_of(ProjectScope::All), TokenAccess::Admin];
    let mut ids = Vec::new();
    for access in accesses {
        env.clock.advance(std::time::Duration::from_millis(1));
        ids.push(env.token(access).await.token.id);
    }
    (env, ids.try_into().expect("five"))
}

async fn listed(env: &TestEnv, permit: &ProjectsPermit<ReadTokens>, filter: TokenFilter) -> Vec<TokenId> {
    let page = env.use_cases.project_tokens.search_all(permit, filter).await.expect("listed");
    page.tokens.iter().map(|token| token.token.id).collect()
}

#[tokio::test]
async fn the_grants_say_which_tokens_are_listed() {
    let (env, [a, bc, c, ..]) = env_with_tokens().await;
    let everywhere = Grant { permission: P::ReadProjectApiToken, place: Place::Instance };
    let of_any = ProjectsPermit::request(&user(Grants::from_iter([everywhere]))).expect("allowed");
    let of_system = ProjectsPermit::request(&Caller::system()).expect("allowed");
    for (permit, expected) in [
        (reader(&["a"]), vec![a]),
        (reader(&["b"]), vec![bc]),
        (reader(&["a", "b"]), vec![a, bc]),
        (reader(&["b", "c"]), vec![bc, c]),
        (reader(&["default"]), vec![]),
        (of_any, vec![a, bc, c]),
        (of_system, vec![a, bc, c]),
    ] {
        assert_eq!(listed(&env, &permit, TokenFilter::default()).await, expected, "{permit:?}");
    }
}

#[tokio::test]
async fn a_filter_does_not_widen_a_permit() {
    let (env, [a, bc, ..]) = env_with_tokens().await;
    let permit = reader(&["a", "b"]);
    let project = |id: &str| TokenFilter { project: Some(project_id(id)), ..TokenFilter::default() };
    assert_eq!(listed(&env, &permit, project("a")).await, [a]);
    assert_eq!(listed(&env, &permit, project("b")).await, [bc]);
    // Of the tokens of a project that the caller may not read, those that name another that the caller may.
    assert_eq!(listed(&env, &permit, project("c")).await, [bc]);
    assert_eq!(listed(&env, &permit, project("nosuch")).await, []);
    let of_all_projects = TokenFilter { of_all_projects: true, ..TokenFilter::default() };
    assert_eq!(listed(&env, &permit, of_all_projects).await, []);
}

#[tokio::test]
async fn one_token_is_found_if_it_names_a_project_that_may_be_read() {
    let (env, [a, bc, c, wide, admin]) = env_with_tokens().await;
    let permit = reader(&["a", "b"]);
    let tokens = &env.use_cases.project_tokens;
    for id in [a, bc] {
        let found = tokens.get_in_any(&permit, &TokenReference::Id(id)).await.expect("found");
        assert_eq!(found.id, id);
    }
    for id in [c, wide, admin] {
        let refused = tokens.get_in_any(&permit, &TokenReference::Id(id)).await.expect_err("refused");
        assert!(matches!(refused, ServiceError::NotFound(Missing::Token)), "{refused:?}");
    }
}

#[test]
fn a_permit_needs_every_permission_in_some_project() {
    let denied = |caller: &Caller| match ProjectsPermit::<UpdateTokens>::request(caller) {
        Err(ServiceError::Denied(denied)) => denied.any_of,
        other => panic!("{other:?}"),
    };
    assert_eq!(denied(&caller(&[])), [P::CreateProjectApiToken]);
    assert_eq!(denied(&user_with::<ReadTokens>("a")), [P::CreateProjectApiToken]);
    assert_eq!(denied(&caller(&[(P::CreateProjectApiToken, "a")])), [P::DeleteProjectApiToken]);
    let apart = caller(&[(P::CreateProjectApiToken, "a"), (P::DeleteProjectApiToken, "b")]);
    assert_eq!(denied(&apart), [P::DeleteProjectApiToken]);

    let permit = ProjectsPermit::<UpdateTokens>::request(&user_with::<UpdateTokens>("a")).expect("allowed");
    assert!(permit.covers(&project_id("a")) && !permit.covers(&project_id("b")));
}
