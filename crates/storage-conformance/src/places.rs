//! Projects: kept, found and listed.

use std::sync::Arc;

use latchkey_domain::{Project, ProjectDescription, ProjectName};
use latchkey_ports::{Entity, Store};

use crate::{
    given,
    observed::{Refusal, all_projects, refusal},
    samples::{extreme_moments, moment, project, project_created, project_id, token},
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
    for project in [project("a"), longest, shortest] {
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

/// An id is taken once, also by a project that differs in everything else; the first one stays.
pub async fn an_id_is_unique(store: &Arc<dyn Store>) {
    is_read_back(store.as_ref(), &project("a")).await;
    let other = Project { name: project("b").name, created_at: moment(99), ..project("a") };
    let event = project_created(&other);
    let refused = refusal(store.as_ref(), store.create_project(&other, &[], None, &event)).await;
    assert_eq!(refused, Refusal::Conflict(Entity::Project(other.id)));
}

/// The archived keep their ids too, and so does the project that was always there.
pub async fn no_id_is_given_again(store: &Arc<dyn Store>) {
    is_read_back(store.as_ref(), &Project { archived_at: Some(moment(9)), ..project("old") }).await;
    for id in ["old", "default"] {
        let again = project(id);
        let event = project_created(&again);
        let refused = refusal(store.as_ref(), store.create_project(&again, &[], None, &event)).await;
        assert_eq!(refused, Refusal::Conflict(Entity::Project(again.id)));
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
