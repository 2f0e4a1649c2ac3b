//! Lists of projects: visibility, order, pages, and the counts of each project.

use std::{collections::BTreeSet, sync::Arc};

use latchkey_domain::{EventKind, Project, ProjectMode, ProjectVisibility};
use latchkey_ports::{Page, ProjectOverview, ProjectQuery, Store};

use crate::{
    harness::all_projects,
    samples::{
        AMPLE_QUOTA, MEMBER, OWNER, admin_token, ending, environment, environment_removal, event, frontend,
        moment, project, project_created, project_id, project_removal, token, token_deleted,
        token_of_all_projects, user_named, working_in,
    },
    setup,
};

fn visible(visibility: ProjectVisibility) -> ProjectQuery {
    ProjectQuery { visibility, archived: false, page: Page::default() }
}

fn public_and(own: &[&str]) -> ProjectVisibility {
    ProjectVisibility::NotPrivateAnd(own.iter().map(|id| project_id(id)).collect())
}

async fn ids(store: &dyn Store, query: &ProjectQuery) -> Vec<String> {
    let projects = store.projects(query).await.expect("projects");
    projects.into_iter().map(|listed| listed.project.id.to_string()).collect()
}

async fn create(store: &dyn Store, project: Project) {
    let event = project_created(&project);
    store.create_project(&project, &[], None, &event).await.expect("created");
}

async fn create_one_of_each_mode(store: &dyn Store) {
    for (id, mode) in [
        ("b-private", ProjectMode::Private),
        ("protected", ProjectMode::Protected),
        ("a-private", ProjectMode::Private),
        ("open", ProjectMode::Open),
    ] {
        create(store, Project { mode, ..project(id) }).await;
        let archived = Project { mode, archived_at: Some(moment(9)), ..project(&format!("old-{id}")) };
        create(store, archived).await;
    }
}

/// A list has all projects, or those that are not private and the given private ones.
pub async fn projects_are_filtered_by_visibility(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    create_one_of_each_mode(store).await;
    let public = ["default", "open", "protected"];
    assert_eq!(
        ids(store, &visible(ProjectVisibility::All)).await,
        ["a-private", "b-private", "default", "open", "protected"]
    );
    assert_eq!(ids(store, &visible(public_and(&[]))).await, public);
    assert_eq!(
        ids(store, &visible(public_and(&["b-private"]))).await,
        ["b-private", "default", "open", "protected"]
    );
    // Public projects are listed once; unknown and archived ones are not listed; ids are case-sensitive.
    let odd = public_and(&["open", "nope", "A-PRIVATE", "old-a-private", "b_private"]);
    assert_eq!(ids(store, &visible(odd)).await, public);
}

/// Archived projects have a list of their own, with the same visibility rules.
pub async fn archived_projects_are_listed_separately(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let archive = |visibility| ProjectQuery { archived: true, ..visible(visibility) };
    assert_eq!(ids(store, &archive(ProjectVisibility::All)).await, [""; 0]);
    create_one_of_each_mode(store).await;
    let all = ["old-a-private", "old-b-private", "old-open", "old-protected"];
    assert_eq!(ids(store, &archive(ProjectVisibility::All)).await, all);
    assert_eq!(ids(store, &archive(public_and(&[]))).await, ["old-open", "old-protected"]);
    let own = archive(public_and(&["old-a-private", "b-private"]));
    assert_eq!(ids(store, &own).await, ["old-a-private", "old-open", "old-protected"]);
}

/// A project moves from list to list as it is archived and restored.
pub async fn archiving_moves_a_project_between_the_lists(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    let (lively, archived) = (project("a"), Project { archived_at: Some(moment(9)), ..project("a") });
    let archive = ProjectQuery { archived: true, ..visible(ProjectVisibility::All) };
    for (before, after) in [(&lively, &archived), (&archived, &lively)] {
        let event = event(EventKind::ProjectArchived);
        store.update_project(before, after, &event).await.expect("changed");
        let (in_archive, in_use) =
            (ids(store, &archive).await, ids(store, &visible(ProjectVisibility::All)).await);
        let expected = if after == &archived { (1, 1) } else { (0, 2) };
        assert_eq!((in_archive.len(), in_use.len()), expected);
    }
}

/// No project is missing or repeated across pages, in the order of ids, for every visibility.
pub async fn project_lists_are_paged(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for (number, id) in ["b", "~", "a", "B", "_a", "a-b", "ab", "A", ".", "10", "9"].into_iter().enumerate() {
        let mode = if number % 3 == 0 { ProjectMode::Private } else { ProjectMode::Open };
        create(store, Project { mode, ..project(id) }).await;
    }
    for visibility in [ProjectVisibility::All, public_and(&[]), public_and(&["b", "9"])] {
        let complete_list = ids(store, &visible(visibility.clone())).await;
        assert!(complete_list.is_sorted(), "{complete_list:?}");
        for size in [1, 3, 100] {
            let mut read = Vec::new();
            loop {
                let page = Page { limit: Some(size), offset: u64::try_from(read.len()).expect("small") };
                let entries = ids(store, &ProjectQuery { page, ..visible(visibility.clone()) }).await;
                assert!(entries.len() <= usize::try_from(size).expect("small"));
                if entries.is_empty() {
                    break;
                }
                read.extend(entries);
            }
            assert_eq!(read, complete_list, "in pages of {size}");
        }
        let rest = Page { limit: None, offset: 2 };
        assert_eq!(
            ids(store, &ProjectQuery { page: rest, ..visible(visibility.clone()) }).await,
            complete_list[2..]
        );
        for (limit, offset) in [(Some(0), 0), (Some(5), u64::MAX), (None, 100)] {
            let query = ProjectQuery { page: Page { limit, offset }, ..visible(visibility.clone()) };
            assert_eq!(ids(store, &query).await, [""; 0]);
        }
    }
}

/// Returns the numbers of members and tokens, which must be the same in lists and lookups.
async fn counts(store: &dyn Store, id: &str) -> (u64, u64) {
    let overview = store.project_overview(&project_id(id)).await.expect("a lookup").expect("the project");
    let listed = all_projects(store).await;
    assert!(listed.contains(&overview), "{overview:?} is not in {listed:?}");
    (overview.members, overview.tokens)
}

/// An unknown project has no overview; ids are case-sensitive.
pub async fn an_unknown_project_has_no_overview(store: &Arc<dyn Store>) {
    for unknown in ["nope", "DEFAULT", "defaul_"] {
        assert_eq!(store.project_overview(&project_id(unknown)).await.expect("a lookup"), None);
    }
}

/// A user with several roles in a project counts once; roles elsewhere and root roles do not count.
pub async fn the_members_of_a_project_are_counted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    let ids = ["x", "y", "z"].map(user_named);
    let mut users = Vec::new();
    for user in &ids {
        users.push(setup::user(store, user).await);
    }
    let (a, default) = (project_id("a"), project_id("default"));
    assert_eq!(counts(store, "a").await, (0, 0));
    setup::membership(store, users[0], &a, MEMBER).await;
    setup::membership(store, users[0], &a, OWNER).await;
    setup::membership(store, users[1], &a, OWNER).await;
    setup::membership(store, users[2], &default, MEMBER).await;
    assert_eq!((counts(store, "a").await, counts(store, "default").await), ((2, 0), (1, 0)));
    store.delete_user(users[0], &event(EventKind::UserDeleted)).await.expect("removed");
    assert_eq!((counts(store, "a").await, counts(store, "default").await), ((1, 0), (1, 0)));
}

/// The count of tokens is exact after each creation, deletion, narrowing and error. Expired tokens count,
/// tokens of all projects do not.
pub async fn the_tokens_of_a_project_are_counted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b", "c"]).await;
    let tokens = [
        token(1, &["a"]),
        frontend(token(2, &["a", "b"])),
        working_in("production", ending(Some(moment(1)), token(3, &["c", "a"]))),
        token_of_all_projects(4),
        admin_token(5),
        working_in("production", token(6, &["b", "c"])),
    ];
    setup::tokens(store, &tokens).await;
    let all = async || {
        let mut counted = Vec::new();
        for id in ["a", "b", "c", "default"] {
            counted.push(counts(store, id).await.1);
        }
        counted
    };
    assert_eq!(all().await, [3, 2, 2, 0]);
    let again = token_deleted(&tokens[0]);
    store.create_token(&tokens[0], AMPLE_QUOTA, &again).await.expect_err("the same again");
    assert_eq!(all().await, [3, 2, 2, 0]);
    store.delete_token(tokens[0].token.id, &token_deleted(&tokens[0])).await.expect("removed");
    assert_eq!(all().await, [2, 2, 2, 0]);
    store.delete_project(&project_removal("b")).await.expect("removed");
    let counted = [counts(store, "a").await.1, counts(store, "c").await.1];
    assert_eq!(counted, [2, 2], "two tokens were narrowed and none was revoked");
    store.delete_environment(&environment_removal("production")).await.expect("removed");
    assert_eq!([counts(store, "a").await.1, counts(store, "c").await.1], [1, 0]);
    store.delete_project(&project_removal("a")).await.expect("removed");
    setup::projects(store, &["a", "b"]).await;
    assert_eq!(all().await, [0, 0, 0, 0]);
}

/// Each listed project has its own environments, by sort order and name, also with many projects.
pub async fn listed_projects_have_their_own_environments_and_counts(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::environments(store, &["b", "B", "a"]).await;
    let ed = setup::user(store, &user_named("ed")).await;
    let mut expected = Vec::new();
    for number in 0..6_usize {
        let id = format!("p{number}");
        let names = &["b", "production", "a", "B", "development"][..number.min(5)];
        setup::projects(store, &[&id]).await;
        setup::project_environments(store, &id, names).await;
        for token_number in 0..number {
            let token_number = u64::try_from(10 * number + token_number).expect("small");
            setup::token(store, &token(token_number, &[&id])).await;
        }
        if number % 2 == 0 {
            setup::membership(store, ed, &project_id(&id), MEMBER).await;
        }
        let names: BTreeSet<&str> = names.iter().copied().collect();
        let in_order = ["development", "production", "B", "a", "b"].into_iter();
        expected.push(ProjectOverview {
            project: project(&id),
            members: u64::from(number % 2 == 0),
            tokens: u64::try_from(number).expect("small"),
            environments: in_order.filter(|name| names.contains(name)).map(environment).collect(),
        });
    }
    let listed = store.projects(&visible(ProjectVisibility::All)).await.expect("projects");
    assert_eq!(listed[1..], expected);
    let page = ProjectQuery { page: Page { limit: Some(2), offset: 3 }, ..visible(ProjectVisibility::All) };
    assert_eq!(store.projects(&page).await.expect("projects"), expected[2..4]);
}
