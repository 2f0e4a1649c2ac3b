//! Lists of projects: who sees which, in which order, and what lists say about each.

use std::{collections::BTreeSet, sync::Arc};

use latchkey_domain::{EventKind, Project, ProjectMode, ProjectVisibility};
use latchkey_ports::{Page, ProjectOverview, ProjectQuery, Store};

use crate::{
    given,
    observed::all_projects,
    samples::{
        MEMBER, OWNER, ROOM_ENOUGH, admin_token, ending, environment, environment_removal, event, frontend,
        moment, project, project_created, project_id, project_removal, token, token_deleted,
        token_of_all_projects, user_named, working_in,
    },
};

fn of(visibility: ProjectVisibility) -> ProjectQuery {
    ProjectQuery { visibility, archived: false, page: Page::default() }
}

fn not_private_and(own: &[&str]) -> ProjectVisibility {
    ProjectVisibility::NotPrivateAnd(own.iter().map(|id| project_id(id)).collect())
}

async fn ids(store: &dyn Store, query: &ProjectQuery) -> Vec<String> {
    let projects = store.projects(query).await.expect("projects");
    projects.into_iter().map(|listed| listed.project.id.to_string()).collect()
}

async fn kept(store: &dyn Store, project: Project) {
    let event = project_created(&project);
    store.create_project(&project, &[], None, &event).await.expect("created");
}

async fn of_all_modes(store: &dyn Store) {
    for (id, mode) in [
        ("b-private", ProjectMode::Private),
        ("protected", ProjectMode::Protected),
        ("a-private", ProjectMode::Private),
        ("open", ProjectMode::Open),
    ] {
        kept(store, Project { mode, ..project(id) }).await;
        let archived = Project { mode, archived_at: Some(moment(9)), ..project(&format!("old-{id}")) };
        kept(store, archived).await;
    }
}

/// Whoever sees all sees all; others see what is not private, and of the private ones those that they may.
pub async fn by_visibility(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    of_all_modes(store).await;
    let everybodys = ["default", "open", "protected"];
    assert_eq!(
        ids(store, &of(ProjectVisibility::All)).await,
        ["a-private", "b-private", "default", "open", "protected"]
    );
    assert_eq!(ids(store, &of(not_private_and(&[]))).await, everybodys);
    assert_eq!(
        ids(store, &of(not_private_and(&["b-private"]))).await,
        ["b-private", "default", "open", "protected"]
    );
    // What is seen anyway comes once, what is not there or archived comes not at all, and case matters.
    let odd = not_private_and(&["open", "nope", "A-PRIVATE", "old-a-private", "b_private"]);
    assert_eq!(ids(store, &of(odd)).await, everybodys);
}

/// The archive is a list of its own, for the same eyes.
pub async fn the_archive(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let archive = |visibility| ProjectQuery { archived: true, ..of(visibility) };
    assert_eq!(ids(store, &archive(ProjectVisibility::All)).await, [""; 0]);
    of_all_modes(store).await;
    let all = ["old-a-private", "old-b-private", "old-open", "old-protected"];
    assert_eq!(ids(store, &archive(ProjectVisibility::All)).await, all);
    assert_eq!(ids(store, &archive(not_private_and(&[]))).await, ["old-open", "old-protected"]);
    let own = archive(not_private_and(&["old-a-private", "b-private"]));
    assert_eq!(ids(store, &own).await, ["old-a-private", "old-open", "old-protected"]);
}

/// A project goes from list to list as it is archived and comes back.
pub async fn there_and_back(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a"]).await;
    let (lively, archived) = (project("a"), Project { archived_at: Some(moment(9)), ..project("a") });
    let archive = ProjectQuery { archived: true, ..of(ProjectVisibility::All) };
    for (before, after) in [(&lively, &archived), (&archived, &lively)] {
        let event = event(EventKind::ProjectArchived);
        store.update_project(before, after, &event).await.expect("changed");
        let (in_archive, in_use) =
            (ids(store, &archive).await, ids(store, &of(ProjectVisibility::All)).await);
        let expected = if after == &archived { (1, 1) } else { (0, 2) };
        assert_eq!((in_archive.len(), in_use.len()), expected);
    }
}

/// Page by page, in the order of ids, byte by byte, nothing is missed and nothing comes twice, whoever sees what.
pub async fn pages(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for (number, id) in ["b", "~", "a", "B", "_a", "a-b", "ab", "A", ".", "10", "9"].into_iter().enumerate() {
        let mode = if number % 3 == 0 { ProjectMode::Private } else { ProjectMode::Open };
        kept(store, Project { mode, ..project(id) }).await;
    }
    for visibility in [ProjectVisibility::All, not_private_and(&[]), not_private_and(&["b", "9"])] {
        let whole = ids(store, &of(visibility.clone())).await;
        assert!(whole.is_sorted(), "{whole:?}");
        for size in [1, 3, 100] {
            let mut read = Vec::new();
            loop {
                let page = Page { limit: Some(size), offset: u64::try_from(read.len()).expect("small") };
                let entries = ids(store, &ProjectQuery { page, ..of(visibility.clone()) }).await;
                assert!(entries.len() <= usize::try_from(size).expect("small"));
                if entries.is_empty() {
                    break;
                }
                read.extend(entries);
            }
            assert_eq!(read, whole, "in pages of {size}");
        }
        let rest = Page { limit: None, offset: 2 };
        assert_eq!(ids(store, &ProjectQuery { page: rest, ..of(visibility.clone()) }).await, whole[2..]);
        for (limit, offset) in [(Some(0), 0), (Some(5), u64::MAX), (None, 100)] {
            let query = ProjectQuery { page: Page { limit, offset }, ..of(visibility.clone()) };
            assert_eq!(ids(store, &query).await, [""; 0]);
        }
    }
}

/// Members, tokens: what a list says, and what a look-up says of the project alone.
async fn counts(store: &dyn Store, id: &str) -> (u64, u64) {
    let overview = store.project_overview(&project_id(id)).await.expect("a look-up").expect("the project");
    let listed = all_projects(store).await;
    assert!(listed.contains(&overview), "{overview:?} is not in {listed:?}");
    (overview.members, overview.tokens)
}

/// Of a project that is not there, there is no overview; case matters.
pub async fn no_overview_of_nothing(store: &Arc<dyn Store>) {
    for unknown in ["nope", "DEFAULT", "defaul_"] {
        assert_eq!(store.project_overview(&project_id(unknown)).await.expect("a look-up"), None);
    }
}

/// A user with several roles in a project is one member; roles elsewhere and root roles do not count.
pub async fn members_are_counted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a"]).await;
    let ids = ["x", "y", "z"].map(user_named);
    let mut users = Vec::new();
    for user in &ids {
        users.push(given::user(store, user).await);
    }
    let (a, default) = (project_id("a"), project_id("default"));
    assert_eq!(counts(store, "a").await, (0, 0));
    given::membership(store, users[0], &a, MEMBER).await;
    given::membership(store, users[0], &a, OWNER).await;
    given::membership(store, users[1], &a, OWNER).await;
    given::membership(store, users[2], &default, MEMBER).await;
    assert_eq!((counts(store, "a").await, counts(store, "default").await), ((2, 0), (1, 0)));
    store.delete_user(users[0], &event(EventKind::UserDeleted)).await.expect("removed");
    assert_eq!((counts(store, "a").await, counts(store, "default").await), ((1, 0), (1, 0)));
}

/// The tokens that name a project are counted, exactly, after each creation, removal, and narrowing, and refusal;
/// expired ones count, those of all projects do not.
pub async fn tokens_are_counted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::projects(store, &["a", "b", "c"]).await;
    let tokens = [
        token(1, &["a"]),
        frontend(token(2, &["a", "b"])),
        working_in("production", ending(Some(moment(1)), token(3, &["c", "a"]))),
        token_of_all_projects(4),
        admin_token(5),
        working_in("production", token(6, &["b", "c"])),
    ];
    given::tokens(store, &tokens).await;
    let all = async || {
        let mut counted = Vec::new();
        for id in ["a", "b", "c", "default"] {
            counted.push(counts(store, id).await.1);
        }
        counted
    };
    assert_eq!(all().await, [3, 2, 2, 0]);
    let again = token_deleted(&tokens[0]);
    store.create_token(&tokens[0], ROOM_ENOUGH, &again).await.expect_err("the same again");
    assert_eq!(all().await, [3, 2, 2, 0]);
    store.delete_token(tokens[0].token.id, &token_deleted(&tokens[0])).await.expect("removed");
    assert_eq!(all().await, [2, 2, 2, 0]);
    store.delete_project(&project_removal("b")).await.expect("removed");
    let counted = [counts(store, "a").await.1, counts(store, "c").await.1];
    assert_eq!(counted, [2, 2], "two tokens were narrowed and none was revoked");
    store.delete_environment(&environment_removal("production")).await.expect("removed");
    assert_eq!([counts(store, "a").await.1, counts(store, "c").await.1], [1, 0]);
    store.delete_project(&project_removal("a")).await.expect("removed");
    given::projects(store, &["a", "b"]).await;
    assert_eq!(all().await, [0, 0, 0, 0]);
}

/// A list says of each project its environments, by sort order, then name; many projects with much in them are told apart.
pub async fn each_projects_own(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    given::environments(store, &["b", "B", "a"]).await;
    let ed = given::user(store, &user_named("ed")).await;
    let mut expected = Vec::new();
    for number in 0..6_usize {
        let id = format!("p{number}");
        let names = &["b", "production", "a", "B", "development"][..number.min(5)];
        given::projects(store, &[&id]).await;
        given::project_environments(store, &id, names).await;
        for token_number in 0..number {
            let token_number = u64::try_from(10 * number + token_number).expect("small");
            given::token(store, &token(token_number, &[&id])).await;
        }
        if number % 2 == 0 {
            given::membership(store, ed, &project_id(&id), MEMBER).await;
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
    let listed = store.projects(&of(ProjectVisibility::All)).await.expect("projects");
    assert_eq!(listed[1..], expected);
    let page = ProjectQuery { page: Page { limit: Some(2), offset: 3 }, ..of(ProjectVisibility::All) };
    assert_eq!(store.projects(&page).await.expect("projects"), expected[2..4]);
}
