//! Projects and environments, and what becomes of tokens when one goes.

use latchkey_domain::{
    EnvironmentKind, EnvironmentName, EventKind, ProjectMode, ProjectName, ProjectScope, ProjectSet, RoleId,
};
use latchkey_ports::Page;
use latchkey_service::{
    Caller, DeleteProject, EnvironmentChange, EnvironmentDraft, Field, InstancePermit, Missing, Permit,
    ProjectChange, RoleReference, ServiceError, UpdateProject,
};

use crate::support::{TestEnv, client_of, project_draft, project_id, system};

fn name(text: &str) -> ProjectName {
    ProjectName::new(text).expect("a name")
}

fn environment(text: &str) -> EnvironmentName {
    EnvironmentName::new(text).expect("a name")
}

fn on<A: latchkey_service::ProjectAction>(project: &str) -> Permit<A> {
    Permit::request(&Caller::system(), project_id(project)).expect("may do everything")
}

async fn listed(env: &TestEnv, caller: &Caller, archived: bool) -> Vec<String> {
    let projects = env.use_cases.projects.list(caller, archived, Page::default()).await.expect("listed");
    projects.iter().map(|overview| overview.project.id.to_string()).collect()
}

#[tokio::test]
async fn a_project_has_an_id_of_its_name_the_enabled_environments_and_its_maker_as_owner() {
    let env = TestEnv::new();
    env.user("ed", "Editor").await;
    let off = EnvironmentChange { enabled: Some(false), ..EnvironmentChange::default() };
    env.use_cases.environments.update(&system(), "production", off).await.expect("switched off");
    let permit = InstancePermit::request(&env.signed_in("ed").await).expect("an editor");
    let made = env.use_cases.projects.create(&permit, project_draft(name("My Proj"), None)).await;
    let made = made.expect("created");
    assert_eq!((made.project.id.as_str(), made.members), ("my-proj", 1));
    assert_eq!(made.environments, [environment("development")]);
    let access = env.use_cases.members.list(&on("my-proj")).await.expect("listed");
    assert_eq!(access.members[0].roles, [RoleId(4)]);
    let found = env.use_cases.projects.get(&Caller::system(), "my-proj").await.expect("found");
    assert_eq!(found, made);

    let nameless = env.use_cases.projects.create(&system(), project_draft(name("日本語"), None)).await;
    assert!(
        matches!(nameless, Err(ServiceError::Invalid { field: Some(Field::Body("id")), .. })),
        "{nameless:?}"
    );
    let taken = env.use_cases.projects.create(&system(), project_draft(name("my proj"), None)).await;
    assert!(matches!(taken, Err(ServiceError::Exists(_))), "{taken:?}");
}

#[tokio::test]
async fn a_private_project_is_seen_by_its_members() {
    let env = TestEnv::new();
    env.project("secret").await;
    let change = ProjectChange { mode: Some(ProjectMode::Private), ..ProjectChange::default() };
    env.use_cases.projects.update(&on("secret"), &change).await.expect("changed");
    let member = env.user("member", "Viewer").await;
    env.user("viewer", "Viewer").await;
    env.user("editor", "Editor").await;
    let role = [RoleReference::Id(RoleId(5))];
    env.use_cases.members.add(&on("secret"), vec![member.id], vec![], &role).await.expect("given");
    for (who, sees) in [("member", true), ("viewer", false), ("editor", true)] {
        let caller = env.signed_in(who).await;
        assert_eq!(listed(&env, &caller, false).await.contains(&"secret".to_owned()), sees, "{who}");
        let found = env.use_cases.projects.get(&caller, "secret").await;
        assert_eq!(found.is_ok(), sees, "{who}");
        assert!(sees || matches!(found, Err(ServiceError::NotFound(Missing::Project(_)))));
    }
}

#[tokio::test]
async fn an_archived_project_leaves_the_list_and_comes_back() {
    let env = TestEnv::new();
    env.project("old").await;
    let projects = &env.use_cases.projects;
    projects.archive(&on("old")).await.expect("archived");
    projects.archive(&on("old")).await.expect("archived already: no event");
    assert_eq!(listed(&env, &Caller::system(), false).await, ["default"]);
    assert_eq!(listed(&env, &Caller::system(), true).await, ["old"]);
    projects.revive(&on("old")).await.expect("revived");
    assert_eq!(listed(&env, &Caller::system(), false).await, ["default", "old"]);
    assert_eq!(env.kinds_since(1).await, [EventKind::ProjectArchived, EventKind::ProjectRevived]);
    for refused in [projects.archive(&on("default")).await, projects.delete(&on("default")).await] {
        assert!(matches!(refused, Err(ServiceError::NotPermitted(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn tokens_go_with_their_project_or_lose_just_it() {
    let env = TestEnv::new();
    env.project("gone").await;
    let both = ProjectSet::new(["default", "gone"].map(project_id)).expect("two");
    let own = env.token(client_of(ProjectScope::one(project_id("gone")))).await;
    let shared = env.token(client_of(ProjectScope::Only(both))).await;
    let wide = env.token(client_of(ProjectScope::All)).await;
    let secrets =
        [&own, &shared, &wide].map(|token| token.secret.as_ref().expect("shown").reveal().to_owned());
    let before = env.events().await.len();
    env.use_cases.projects.delete(&on::<DeleteProject>("gone")).await.expect("deleted");

    let mut kinds = env.kinds_since(before).await;
    assert_eq!(kinds.pop(), Some(EventKind::ProjectDeleted), "the removal's own event is the last");
    kinds.sort_by_key(|kind| kind.as_str());
    assert_eq!(kinds, [EventKind::ApiTokenDeleted, EventKind::ApiTokenUpdated]);
    let authenticator = &env.use_cases.authenticator;
    assert!(authenticator.authenticate(&secrets[0], None).await.is_err());
    authenticator.authenticate(&secrets[2], None).await.expect("a token of all projects is not concerned");
    let rest = authenticator.authenticate(&secrets[1], None).await.expect("accepted");
    let latchkey_domain::Principal::ApiToken { access, .. } = &*rest else { panic!("an API token") };
    assert_eq!(access.projects(), &ProjectScope::one(project_id("default")));
    let again = env.use_cases.projects.delete(&on("gone")).await;
    assert!(matches!(again, Err(ServiceError::NotFound(Missing::Project(_)))), "{again:?}");
}

#[tokio::test]
async fn an_environment_is_made_last_changed_sorted_and_deleted_with_its_tokens() {
    let env = TestEnv::new();
    let environments = &env.use_cases.environments;
    let draft = EnvironmentDraft {
        name: environment("staging"),
        kind: EnvironmentKind::Test,
        enabled: true,
        sort_order: None,
    };
    let made = environments.create(&system(), draft.clone()).await.expect("created");
    assert_eq!(made.sort_order, 4);
    assert!(matches!(environments.create(&system(), draft).await, Err(ServiceError::Exists(_))));
    let kind = Some(EnvironmentKind::PreProduction);
    let changed =
        environments.update(&system(), "staging", EnvironmentChange { kind, ..Default::default() }).await;
    assert_eq!(changed.expect("changed").kind, EnvironmentKind::PreProduction);
    environments.sort(&system(), &[(environment("staging"), 0)]).await.expect("sorted");
    let unknown =
        environments.sort(&system(), &[(environment("staging"), 9), (environment("nope"), 1)]).await;
    assert!(matches!(unknown, Err(ServiceError::NotFound(Missing::Environment(_)))), "{unknown:?}");
    let first = &environments.list(&Caller::system()).await.expect("listed")[0];
    assert_eq!((first.environment.name.as_str(), first.environment.sort_order), ("staging", 0));

    let token = env.token(client_of(ProjectScope::one(project_id("default")))).await;
    let before = env.events().await.len();
    environments.delete(&system(), "development").await.expect("deleted");
    assert_eq!(env.kinds_since(before).await, [EventKind::ApiTokenDeleted, EventKind::EnvironmentDeleted]);
    let secret = token.secret.expect("shown");
    assert!(env.use_cases.authenticator.authenticate(secret.reveal(), None).await.is_err());
    let gone = environments.delete(&system(), "development").await;
    assert!(matches!(gone, Err(ServiceError::NotFound(Missing::Environment(_)))), "{gone:?}");
}

#[tokio::test]
async fn environments_come_and_go_in_a_project() {
    let env = TestEnv::new();
    let projects = &env.use_cases.projects;
    let permit = on::<UpdateProject>("default");
    let development = environment("development");
    assert!(matches!(projects.add_environment(&permit, &development).await, Err(ServiceError::Exists(_))));
    projects.remove_environment(&permit, "development").await.expect("removed");
    projects.remove_environment(&permit, "development").await.expect("not there: no event");
    projects.remove_environment(&permit, "not/a name").await.expect("not there: no event");
    projects.add_environment(&permit, &development).await.expect("added");
    let unknown = projects.add_environment(&permit, &environment("nope")).await;
    assert!(
        matches!(unknown, Err(ServiceError::Invalid { field: Some(Field::Body("environment")), .. })),
        "{unknown:?}"
    );
    let nowhere = projects.remove_environment(&on("nope"), "development").await;
    assert!(matches!(nowhere, Err(ServiceError::NotFound(Missing::Project(_)))), "{nowhere:?}");
    let expected = [EventKind::ProjectEnvironmentRemoved, EventKind::ProjectEnvironmentAdded];
    assert_eq!(env.kinds_since(0).await, expected);
}
