//! Projects: kept, found and listed.

use std::sync::Arc;

use latchkey_domain::{
    EnvironmentName, Grants, Project, ProjectDescription, ProjectMode, ProjectName, UserId,
};
use latchkey_ports::{Entity, Member, ProjectOverview, Store};

use crate::{
    given,
    observed::{ServiceError, all_projects, leaves, refusal},
    samples::{
        OWNER, VIEWER, built_in_role, environment, extreme_moments, moment, project, project_created,
        project_id, token, user_named,
    },
};

async fn is_read_back(store: &dyn Store, project: &Project) {
    store.create_project(project, &[], None, &project_created(project)).await.expect("created");
    assert_eq!(store.find_project(&project.id).await.expect("a look-up").as_ref(), Some(project));
    assert!(all_projects(store).await.iter().any(|listed| listed.project == *project));
}

/// Projects with the shortest and the longest of everything are read back equal.
pub async fn a_project_is_read_back(store: &Arc<dyn Store>) {
    let longest = Project {
        name: ProjectName::new(&"🎉".repeat(255)).expect("a name"),
        description: ProjectDescription::new(&"日本語 שלום\n\t'\"\\%_".repeat(125)).expect("a description"),
        ..project(&"x".repeat(100))
    };
    let shortest = Project { description: ProjectDescription::new("").expect("empty"), ..project("-") };
    // No new one may be called as the last two; those that are from before are read all the same.
    for project in [project("a"), longest, shortest, project(".."), project("archive")] {
        is_read_back(store.as_ref(), &project).await;
    }
}

/// An archived project is found and listed like any other, and its tokens too.
pub async fn an_archived_project_is_read_back(store: &Arc<dyn Store>) {
    let archived = Project { archived_at: Some(moment(9)), ..project("old") };
    is_read_back(store.as_ref(), &archived).await;
    given::token(store.as_ref(), &token(1, &["old"])).await;
    let listed = store.tokens_of_project(&archived.id).await.expect("tokens");
    assert_eq!(listed, [token(1, &["old"])]);
}

/// Moments from the year 0000 to the year 9999 are kept to the millisecond.
pub async fn moments_of_all_years_are_read_back(store: &Arc<dyn Store>) {
    for (number, at) in (0..).zip(extreme_moments()) {
        let project = Project {
            created_at: at,
            updated_at: at,
            archived_at: Some(at),
            ..project(&format!("p{number}"))
        };
        is_read_back(store.as_ref(), &project).await;
    }
}

/// A list is in the order of ids, byte by byte in every locale, whatever the order of creation.
pub async fn projects_are_listed_by_id(store: &Arc<dyn Store>) {
    let mut ids = ["b", "~", "a", "B", "_a", "a-b", "ab", "A", ".", "a.b", "-", "10", "9", "a_b", "aB"];
    given::projects(store.as_ref(), &ids).await;
    ids.sort_unstable();
    let listed = all_projects(store.as_ref()).await;
    let listed: Vec<_> =
        listed.iter().map(|listed| listed.project.id.as_str()).filter(|id| *id != "default").collect();
    assert_eq!(listed, ids);
}

/// Projects of every mode are read back equal.
pub async fn modes_are_read_back(store: &Arc<dyn Store>) {
    for (id, mode) in [("a", ProjectMode::Open), ("b", ProjectMode::Protected), ("c", ProjectMode::Private)] {
        let changed = Project { mode, updated_at: moment(3), ..project(id) };
        is_read_back(store.as_ref(), &changed).await;
    }
}

/// A new project has the environments named, each once, in the order of lists; without any it has none.
pub async fn a_project_has_its_environments(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::environments(store, &["b", "a"]).await;
    let cases: [(&str, &[&str], &[&str]); 4] = [
        ("none", &[], &[]),
        ("one", &["production"], &["production"]),
        ("all", &["b", "production", "a", "development"], &["development", "production", "a", "b"]),
        ("twice", &["a", "a"], &["a"]),
    ];
    for (id, named, expected) in cases {
        let named: Vec<_> = named.iter().map(|name| environment(name)).collect();
        let (project, event) = (project(id), project_created(&project(id)));
        leaves(store, &event, store.create_project(&project, &named, None, &event)).await;
        let overview = store.project_overview(&project.id).await.expect("a look-up").expect("the project");
        let expected: Vec<_> = expected.iter().map(|name| environment(name)).collect();
        assert_eq!(overview, ProjectOverview { project, members: 0, tokens: 0, environments: expected });
    }
}

/// The owner holds the role Owner in the new project, since it was created, and nothing elsewhere; one event says it all.
pub async fn a_project_has_its_owner(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = given::whole_user(store, &user_named("ed")).await;
    let (project, event) = (project("a"), project_created(&project("a")));
    leaves(store, &event, store.create_project(&project, &[], Some(ed.id), &event)).await;
    let members = store.members(&project.id).await.expect("members");
    let owner = Member { user: ed.clone(), roles: vec![OWNER], added_at: project.created_at };
    assert_eq!(members, [owner]);
    let held = Grants::of_roles(&built_in_role(VIEWER), [(project.id.clone(), &built_in_role(OWNER))]);
    assert_eq!(store.grants_of(ed.id).await.expect("grants"), Some(held));
    assert_eq!(store.members(&project_id("default")).await.expect("members"), []);
}

/// Of all that can be wrong, the id that is taken is named first, then the first unknown environment, then the owner;
/// and nothing is kept of the project.
pub async fn the_order_of_refusals(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let nobody = UserId(i64::MAX);
    let names = ["production", "nope", "none"].map(environment);
    let refused = async |id: &str, environments: &[EnvironmentName]| {
        let (project, event) = (project(id), project_created(&project(id)));
        refusal(store, store.create_project(&project, environments, Some(nobody), &event)).await
    };
    let taken = refused("default", &names).await;
    assert_eq!(taken, ServiceError::Conflict(Entity::Project(project_id("default"))));
    let then_environment = refused("a", &names).await;
    assert_eq!(then_environment, ServiceError::NotFound(Entity::Environment(environment("nope"))));
    let then_owner = refused("a", &names[..1]).await;
    assert_eq!(then_owner, ServiceError::NotFound(Entity::User(nobody)));
    assert_eq!(store.find_project(&project_id("a")).await.expect("a look-up"), None);
    assert_eq!(store.project_overview(&project_id("a")).await.expect("a look-up"), None);
}

/// An id is taken once, also by a project that differs in everything else; the first one stays.
pub async fn an_id_is_unique(store: &Arc<dyn Store>) {
    is_read_back(store.as_ref(), &project("a")).await;
    let other = Project { name: project("b").name, created_at: moment(99), ..project("a") };
    let event = project_created(&other);
    let refused = refusal(store.as_ref(), store.create_project(&other, &[], None, &event)).await;
    assert_eq!(refused, ServiceError::Conflict(Entity::Project(other.id)));
}

/// The archived keep their ids too, and so does the project that was always there.
pub async fn no_id_is_given_again(store: &Arc<dyn Store>) {
    is_read_back(store.as_ref(), &Project { archived_at: Some(moment(9)), ..project("old") }).await;
    for id in ["old", "default"] {
        let again = project(id);
        let event = project_created(&again);
        let refused = refusal(store.as_ref(), store.create_project(&again, &[], None, &event)).await;
        assert_eq!(refused, ServiceError::Conflict(Entity::Project(again.id)));
    }
}

/// Ids that differ in case differ; names need not.
pub async fn case_matters(store: &Arc<dyn Store>) {
    for id in ["a", "A"] {
        is_read_back(store.as_ref(), &Project { name: project("x").name, ..project(id) }).await;
    }
    for unknown in ["b", "DEFAULT", "_", "default."] {
        assert_eq!(store.find_project(&project_id(unknown)).await.expect("a look-up"), None);
    }
}
