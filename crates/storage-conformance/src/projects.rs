//! Projects: created, found, listed and changed.

use std::sync::Arc;

use latchkey_domain::{
    EnvironmentName, EventId, EventKind, Grants, Project, ProjectDescription, ProjectMode, ProjectName,
    UserId,
};
use latchkey_ports::{Entity, Member, ProjectOverview, Store, StoreError, TokenQuery};

use crate::{
    harness::{ErrorKind, all_projects, exactly_one_succeeds, expect_error, expect_event},
    samples::{
        MEMBER, OWNER, VIEWER, built_in_role, environment, event, extreme_moments, moment, project,
        project_created, project_id, project_removal, token, user_named,
    },
    setup,
};

async fn assert_project_round_trips(store: &dyn Store, project: &Project) {
    store.create_project(project, &[], None, &project_created(project)).await.expect("created");
    assert_eq!(store.find_project(&project.id).await.expect("a lookup").as_ref(), Some(project));
    assert!(all_projects(store).await.iter().any(|listed| listed.project == *project));
}

/// Projects with the shortest and the longest values are read back.
pub async fn a_project_round_trips(store: &Arc<dyn Store>) {
    let longest = Project {
        name: ProjectName::new(&"🎉".repeat(255)).expect("a name"),
        description: ProjectDescription::new(&"日本語 שלום\n\t'\"\\%_".repeat(125)).expect("a description"),
        ..project(&"x".repeat(100))
    };
    let shortest = Project { description: ProjectDescription::new("").expect("empty"), ..project("-") };
    // New projects may not have the last two names, but stored ones with them must still be readable.
    for project in [project("a"), longest, shortest, project(".."), project("archive")] {
        assert_project_round_trips(store.as_ref(), &project).await;
    }
}

/// An archived project and its tokens are found and listed like any other.
pub async fn an_archived_project_round_trips(store: &Arc<dyn Store>) {
    let archived = Project { archived_at: Some(moment(9)), ..project("old") };
    assert_project_round_trips(store.as_ref(), &archived).await;
    setup::token(store.as_ref(), &token(1, &["old"])).await;
    let listed = store.tokens(&TokenQuery::of_project(archived.id.clone())).await.expect("tokens");
    assert_eq!(listed, [token(1, &["old"])]);
}

/// Times from year 0000 to year 9999 keep their milliseconds.
pub async fn project_times_of_all_years_round_trip(store: &Arc<dyn Store>) {
    for (number, at) in (0..).zip(extreme_moments()) {
        let project = Project {
            created_at: at,
            updated_at: at,
            archived_at: Some(at),
            ..project(&format!("p{number}"))
        };
        assert_project_round_trips(store.as_ref(), &project).await;
    }
}

/// The list is ordered by id, byte by byte in every locale, whatever the order of creation.
pub async fn projects_are_listed_by_id(store: &Arc<dyn Store>) {
    let mut ids = ["b", "~", "a", "B", "_a", "a-b", "ab", "A", ".", "a.b", "-", "10", "9", "a_b", "aB"];
    setup::projects(store.as_ref(), &ids).await;
    ids.sort_unstable();
    let listed = all_projects(store.as_ref()).await;
    let listed: Vec<_> =
        listed.iter().map(|listed| listed.project.id.as_str()).filter(|id| *id != "default").collect();
    assert_eq!(listed, ids);
}

/// Projects of every mode are read back.
pub async fn project_modes_round_trip(store: &Arc<dyn Store>) {
    for (id, mode) in [("a", ProjectMode::Open), ("b", ProjectMode::Protected), ("c", ProjectMode::Private)] {
        let changed = Project { mode, updated_at: moment(3), ..project(id) };
        assert_project_round_trips(store.as_ref(), &changed).await;
    }
}

/// A new project has the given environments, each once, in list order; without any it has none.
pub async fn a_project_is_created_with_its_environments(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::environments(store, &["b", "a"]).await;
    let cases: [(&str, &[&str], &[&str]); 4] = [
        ("none", &[], &[]),
        ("one", &["production"], &["production"]),
        ("all", &["b", "production", "a", "development"], &["development", "production", "a", "b"]),
        ("twice", &["a", "a"], &["a"]),
    ];
    for (id, named, expected) in cases {
        let named: Vec<_> = named.iter().map(|name| environment(name)).collect();
        let (project, event) = (project(id), project_created(&project(id)));
        expect_event(store, &event, store.create_project(&project, &named, None, &event)).await;
        let overview = store.project_overview(&project.id).await.expect("a lookup").expect("the project");
        let expected: Vec<_> = expected.iter().map(|name| environment(name)).collect();
        assert_eq!(overview, ProjectOverview { project, members: 0, tokens: 0, environments: expected });
    }
}

/// The owner has the Owner role in the new project since its creation, and no other role; one event records
/// both.
pub async fn a_project_is_created_with_its_owner(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::stored_user(store, &user_named("ed")).await;
    let (project, event) = (project("a"), project_created(&project("a")));
    expect_event(store, &event, store.create_project(&project, &[], Some(ed.id), &event)).await;
    let members = store.members(&project.id).await.expect("members");
    let owner = Member { user: ed.clone(), roles: vec![OWNER], added_at: project.created_at };
    assert_eq!(members, [owner]);
    let held = Grants::of_roles(&built_in_role(VIEWER), [(project.id.clone(), &built_in_role(OWNER))]);
    assert_eq!(store.grants_of(ed.id).await.expect("grants"), Some(held));
    assert_eq!(store.members(&project_id("default")).await.expect("members"), []);
}

/// An id conflict is reported first, then the first unknown environment, then the unknown owner; nothing is
/// stored.
pub async fn project_creation_errors_have_a_fixed_order(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let unknown = UserId(i64::MAX);
    let names = ["production", "nope", "none"].map(environment);
    let refused = async |id: &str, environments: &[EnvironmentName]| {
        let (project, event) = (project(id), project_created(&project(id)));
        expect_error(store, store.create_project(&project, environments, Some(unknown), &event)).await
    };
    let conflicting = refused("default", &names).await;
    assert_eq!(conflicting, ErrorKind::Conflict(Entity::Project(project_id("default"))));
    let then_environment = refused("a", &names).await;
    assert_eq!(then_environment, ErrorKind::NotFound(Entity::Environment(environment("nope"))));
    let then_owner = refused("a", &names[..1]).await;
    assert_eq!(then_owner, ErrorKind::NotFound(Entity::User(unknown)));
    assert_eq!(store.find_project(&project_id("a")).await.expect("a lookup"), None);
    assert_eq!(store.project_overview(&project_id("a")).await.expect("a lookup"), None);
}

/// An id is used once, whatever else differs; the first project stays.
pub async fn a_project_id_is_unique(store: &Arc<dyn Store>) {
    assert_project_round_trips(store.as_ref(), &project("a")).await;
    let other = Project { name: project("b").name, created_at: moment(99), ..project("a") };
    let event = project_created(&other);
    let refused = expect_error(store.as_ref(), store.create_project(&other, &[], None, &event)).await;
    assert_eq!(refused, ErrorKind::Conflict(Entity::Project(other.id)));
}

/// The ids of archived projects and of the default project cannot be used again.
pub async fn an_archived_project_keeps_its_id(store: &Arc<dyn Store>) {
    assert_project_round_trips(store.as_ref(), &Project { archived_at: Some(moment(9)), ..project("old") })
        .await;
    for id in ["old", "default"] {
        let again = project(id);
        let event = project_created(&again);
        let refused = expect_error(store.as_ref(), store.create_project(&again, &[], None, &event)).await;
        assert_eq!(refused, ErrorKind::Conflict(Entity::Project(again.id)));
    }
}

/// Ids that differ only in case are different; names need not be unique.
pub async fn project_ids_are_case_sensitive(store: &Arc<dyn Store>) {
    for id in ["a", "A"] {
        assert_project_round_trips(store.as_ref(), &Project { name: project("x").name, ..project(id) }).await;
    }
    for unknown in ["b", "DEFAULT", "_", "default."] {
        assert_eq!(store.find_project(&project_id(unknown)).await.expect("a lookup"), None);
    }
}

async fn change(store: &dyn Store, before: &Project, after: &Project) -> Result<EventId, StoreError> {
    store.update_project(before, after, &event(EventKind::ProjectUpdated)).await
}

/// Changes the project and expects the new state and the event.
async fn assert_change(store: &dyn Store, before: &Project, after: &Project) {
    expect_event(store, &event(EventKind::ProjectUpdated), change(store, before, after)).await;
    assert_eq!(store.find_project(&after.id).await.expect("a lookup").as_ref(), Some(after));
    let overview = store.project_overview(&after.id).await.expect("a lookup").expect("the project");
    assert_eq!(overview.project, *after);
    assert!(all_projects(store).await.contains(&overview));
}

/// Returns copies that each differ in one field.
fn changed_copies(of: &Project) -> Vec<Project> {
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

/// Each field changes, alone and with all others, up to the longest values; other projects stay.
pub async fn every_field_of_a_project_changes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b"]).await;
    let was = project("a");
    for changed in changed_copies(&was) {
        assert_change(store, &was, &changed).await;
        assert_change(store, &changed, &was).await;
    }
    let longest = Project {
        name: ProjectName::new(&"🎉".repeat(255)).expect("a name"),
        description: ProjectDescription::new(&"日本語 שלום\n\t'\"\\%_".repeat(125)).expect("a description"),
        mode: ProjectMode::Private,
        updated_at: moment(7),
        archived_at: Some(moment(7)),
        ..was.clone()
    };
    assert_change(store, &was, &longest).await;
    assert_eq!(store.find_project(&project_id("b")).await.expect("a lookup"), Some(project("b")));
}

/// The default project can be changed like any other.
pub async fn the_default_project_changes(store: &Arc<dyn Store>) {
    let before = store.find_project(&project_id(Project::DEFAULT)).await.expect("a lookup");
    let before = before.expect("the project");
    for after in changed_copies(&before) {
        assert_change(store.as_ref(), &before, &after).await;
        assert_change(store.as_ref(), &after, &before).await;
    }
}

/// Times of all years are stored.
pub async fn project_updates_of_all_years_round_trip(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    let mut before = project("a");
    for at in extreme_moments() {
        let after = Project { updated_at: at, archived_at: Some(at), ..before.clone() };
        assert_change(store, &before, &after).await;
        before = after;
    }
}

/// Tokens, members and environments stay when a project is archived and when it is restored.
pub async fn archiving_a_project_keeps_its_contents(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    setup::project_environments(store, "a", &["production"]).await;
    setup::token(store, &token(1, &["a"])).await;
    let ed = setup::user(store, &user_named("ed")).await;
    setup::membership(store, ed, &project_id("a"), MEMBER).await;
    let before = store.project_overview(&project_id("a")).await.expect("a lookup").expect("the project");
    let members = store.members(&project_id("a")).await.expect("members");

    let archived = Project { archived_at: Some(moment(9)), ..project("a") };
    assert_change(store, &project("a"), &archived).await;
    let now = store.project_overview(&project_id("a")).await.expect("a lookup").expect("the project");
    assert_eq!((now.members, now.tokens, &now.environments), (1, 1, &before.environments));
    assert_eq!(store.members(&project_id("a")).await.expect("members"), members);
    assert_eq!(
        store.tokens(&TokenQuery::of_project(project_id("a"))).await.expect("tokens"),
        [token(1, &["a"])]
    );
    setup::token(store, &token(2, &["a"])).await;

    assert_change(store, &archived, &project("a")).await;
    let now = store.project_overview(&project_id("a")).await.expect("a lookup").expect("the project");
    assert_eq!((now.members, now.tokens, now.environments), (1, 2, before.environments));
}

/// If any field differs from the expected one, nothing changes.
pub async fn a_stale_project_update_is_rejected(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    let after = Project { mode: ProjectMode::Private, updated_at: moment(20), ..project("a") };
    let stale = ErrorKind::Stale(Entity::Project(project_id("a")));
    for seen in changed_copies(&project("a")) {
        assert_eq!(expect_error(store, change(store, &seen, &after)).await, stale, "{seen:?}");
    }
    // The expected state lacks a value that the stored one has.
    let archived = Project { archived_at: Some(moment(9)), ..project("a") };
    assert_change(store, &project("a"), &archived).await;
    for seen in [project("a"), Project { archived_at: Some(moment(10)), ..project("a") }] {
        assert_eq!(expect_error(store, change(store, &seen, &after)).await, stale, "{seen:?}");
    }
}

/// A project that does not exist, or no longer exists, is neither changed nor recreated; ids are
/// case-sensitive.
pub async fn updating_an_unknown_project_fails(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["gone", "a"]).await;
    store.delete_project(&project_removal("gone")).await.expect("removed");
    for id in ["gone", "nope", "A"] {
        let after = Project { mode: ProjectMode::Private, ..project(id) };
        let refused = expect_error(store, change(store, &project(id), &after)).await;
        assert_eq!(refused, ErrorKind::NotFound(Entity::Project(project_id(id))));
    }
}

/// Of 2 and of 30 concurrent updates of the same state, one succeeds, completely.
pub async fn one_of_concurrent_project_updates_succeeds(store: &Arc<dyn Store>) {
    for (id, calls) in [("a", 2), ("b", 30)] {
        setup::projects(store.as_ref(), &[id]).await;
        let calls = (0..calls).map(|call| {
            let store = Arc::clone(store);
            let name = ProjectName::new(&format!("by {call}")).expect("a name");
            let description = ProjectDescription::new(&format!("by {call}")).expect("a description");
            let after = Project { name, description, updated_at: moment(100 + call), ..project(id) };
            async move { change(store.as_ref(), &project(id), &after).await.map(|_| after) }
        });
        let stale = ErrorKind::Stale(Entity::Project(project_id(id)));
        let winner = exactly_one_succeeds(store.as_ref(), stale, calls).await;
        assert_eq!(store.find_project(&project_id(id)).await.expect("a lookup"), Some(winner));
    }
}
