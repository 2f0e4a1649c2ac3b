//! Projects that change: name, description, mode, and whether they are archived.

use std::sync::Arc;

use latchkey_domain::{EventId, EventKind, Project, ProjectDescription, ProjectMode, ProjectName};
use latchkey_ports::{Entity, Store, StoreError};

use crate::{
    at_once::one_wins,
    given,
    observed::{ServiceError, all_projects, leaves, refusal},
    samples::{
        MEMBER, event, extreme_moments, moment, project, project_id, project_removal, token, user_named,
    },
};

async fn change(store: &dyn Store, before: &Project, after: &Project) -> Result<EventId, StoreError> {
    store.update_project(before, after, &event(EventKind::ProjectUpdated)).await
}

/// Changes it, and expects to find what was put there, and the event.
async fn changes(store: &dyn Store, before: &Project, after: &Project) {
    leaves(store, &event(EventKind::ProjectUpdated), change(store, before, after)).await;
    assert_eq!(store.find_project(&after.id).await.expect("a look-up").as_ref(), Some(after));
    let overview = store.project_overview(&after.id).await.expect("a look-up").expect("the project");
    assert_eq!(overview.project, *after);
    assert!(all_projects(store).await.contains(&overview));
}

/// Other values for everything that can change.
fn variants(of: &Project) -> Vec<Project> {
    let of = || of.clone();
    vec![
        Project { name: ProjectName::new("Another").expect("a name"), ..of() },
        Project { description: ProjectDescription::new("").expect("empty"), ..of() },
        Project { mode: ProjectMode::Private, ..of() },
        Project { mode: ProjectMode::Protected, ..of() },
        Project { archived_at: Some(moment(9)), ..of() },
        Project { updated_at: moment(1), ..of() },
    ]
}

/// Each of them changes, there and back, alone and all together, up to the longest; another project stays as it is.
pub async fn everything_changes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a", "b"]).await;
    let was = project("a");
    for changed in variants(&was) {
        changes(store, &was, &changed).await;
        changes(store, &changed, &was).await;
    }
    let longest = Project {
        name: ProjectName::new(&"🎉".repeat(255)).expect("a name"),
        description: ProjectDescription::new(&"日本語 שלום\n\t'\"\\%_".repeat(125)).expect("a description"),
        mode: ProjectMode::Private,
        updated_at: moment(7),
        archived_at: Some(moment(7)),
        ..was.clone()
    };
    changes(store, &was, &longest).await;
    assert_eq!(store.find_project(&project_id("b")).await.expect("a look-up"), Some(project("b")));
}

/// The project that was always there changes like any other.
pub async fn the_first_project_changes(store: &Arc<dyn Store>) {
    let before = store.find_project(&project_id(Project::DEFAULT)).await.expect("a look-up");
    let before = before.expect("the project");
    for after in variants(&before) {
        changes(store.as_ref(), &before, &after).await;
        changes(store.as_ref(), &after, &before).await;
    }
}

/// Moments of all years are kept.
pub async fn moments_of_all_years(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a"]).await;
    let mut before = project("a");
    for at in extreme_moments() {
        let after = Project { updated_at: at, archived_at: Some(at), ..before.clone() };
        changes(store, &before, &after).await;
        before = after;
    }
}

/// What is in a project stays when it is archived and when it comes back: tokens, members, environments.
pub async fn an_archived_project_keeps_what_is_in_it(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a"]).await;
    given::project_environments(store, "a", &["production"]).await;
    given::token(store, &token(1, &["a"])).await;
    let ed = given::user(store, &user_named("ed")).await;
    given::membership(store, ed, &project_id("a"), MEMBER).await;
    let before = store.project_overview(&project_id("a")).await.expect("a look-up").expect("the project");
    let members = store.members(&project_id("a")).await.expect("members");

    let archived = Project { archived_at: Some(moment(9)), ..project("a") };
    changes(store, &project("a"), &archived).await;
    let now = store.project_overview(&project_id("a")).await.expect("a look-up").expect("the project");
    assert_eq!((now.members, now.tokens, &now.environments), (1, 1, &before.environments));
    assert_eq!(store.members(&project_id("a")).await.expect("members"), members);
    assert_eq!(store.tokens_of_project(&project_id("a")).await.expect("tokens"), [token(1, &["a"])]);
    given::token(store, &token(2, &["a"])).await;

    changes(store, &archived, &project("a")).await;
    let now = store.project_overview(&project_id("a")).await.expect("a look-up").expect("the project");
    assert_eq!((now.members, now.tokens, now.environments), (1, 2, before.environments));
}

/// Where anything is not as the caller saw it, nothing changes.
pub async fn a_project_that_changed_meanwhile(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a"]).await;
    let after = Project { mode: ProjectMode::Private, updated_at: moment(20), ..project("a") };
    let stale = ServiceError::Stale(Entity::Project(project_id("a")));
    for seen in variants(&project("a")) {
        assert_eq!(refusal(store, change(store, &seen, &after)).await, stale, "{seen:?}");
    }
    // The same where the project has what the caller lacks.
    let archived = Project { archived_at: Some(moment(9)), ..project("a") };
    changes(store, &project("a"), &archived).await;
    for seen in [project("a"), Project { archived_at: Some(moment(10)), ..project("a") }] {
        assert_eq!(refusal(store, change(store, &seen, &after)).await, stale, "{seen:?}");
    }
}

/// A project that is not there, or not any more, does not change and does not come back; case matters.
pub async fn a_project_that_is_not_there(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["gone", "a"]).await;
    store.delete_project(&project_removal("gone")).await.expect("removed");
    for id in ["gone", "nope", "A"] {
        let after = Project { mode: ProjectMode::Private, ..project(id) };
        let refused = refusal(store, change(store, &project(id), &after)).await;
        assert_eq!(refused, ServiceError::NotFound(Entity::Project(project_id(id))));
    }
}

/// Of two, and of 30, that saw the same and change it at once, one is done, whole.
pub async fn one_change_wins(store: &Arc<dyn Store>) {
    for (id, calls) in [("a", 2), ("b", 30)] {
        given::projects(store.as_ref(), &[id]).await;
        let calls = (0..calls).map(|call| {
            let store = Arc::clone(store);
            let name = ProjectName::new(&format!("by {call}")).expect("a name");
            let description = ProjectDescription::new(&format!("by {call}")).expect("a description");
            let after = Project { name, description, updated_at: moment(100 + call), ..project(id) };
            async move { change(store.as_ref(), &project(id), &after).await.map(|_| after) }
        });
        let stale = ServiceError::Stale(Entity::Project(project_id(id)));
        let winner = one_wins(store.as_ref(), stale, calls).await;
        assert_eq!(store.find_project(&project_id(id)).await.expect("a look-up"), Some(winner));
    }
}
