//! Lists of projects and environments, with their counts.

use latchkey_domain::{ProjectId, ProjectVisibility};
use latchkey_ports::{Page, ProjectQuery};
use latchkey_sql::queries;

use super::{large_store, plan, uses};
use crate::projects::project_list;

const OF_EACH: [&str; 3] = ["project_token_parts_pkey", "project_member_counts_pkey", "project_environments"];

#[tokio::test(flavor = "multi_thread")]
async fn projects_are_listed_without_reading_tokens_or_members() {
    let (mut connection, _database) = large_store().await;
    let connection = &mut connection;
    let own = ["project-7", "project-8"].map(|id| ProjectId::new(id).expect("an id"));
    for visibility in [ProjectVisibility::All, ProjectVisibility::NotPrivateAnd(own.into())] {
        for (archived, index) in [(false, "projects_in_use"), (true, "projects_in_archive")] {
            for offset in [0, 100] {
                let page = Page { offset, ..Page::first(100) };
                let query = ProjectQuery { visibility: visibility.clone(), archived, page };
                let plan = plan(connection, project_list(&query)).await;
                uses(&plan, &[&OF_EACH[..], &[index]].concat());
                assert!(!plan.contains("api_token"), "tokens are counted:\n{plan}");
                assert!(!plan.contains("memberships"), "members are counted:\n{plan}");
            }
        }
    }

    let one = queries::project_overview("project-7");
    uses(&plan(connection, one).await, &[&OF_EACH[..], &["projects_pkey"]].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn environments_are_listed_without_reading_tokens() {
    let (mut connection, _database) = large_store().await;
    let plan = plan(&mut connection, queries::environment_overviews()).await;
    assert!(!plan.contains("api_token"), "tokens are counted:\n{plan}");
}
