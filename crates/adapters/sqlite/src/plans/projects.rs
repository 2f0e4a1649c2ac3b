//! Plans of the statements on projects, environments and users.

use latchkey_domain::{AccountKind, ProjectId, ProjectVisibility};
use latchkey_ports::{Page, ProjectQuery};
use latchkey_sql::queries;

use super::{assert_plan, plan, plan_of_text, with_large_store};
use crate::projects::project_list;

const PROJECT_COUNTS: [&str; 10] = [
    "CORRELATED SCALAR SUBQUERY",
    "SEARCH project_member_counts USING PRIMARY KEY (project_id=?)",
    "CORRELATED SCALAR SUBQUERY",
    "SEARCH project_token_counts USING PRIMARY KEY (project_id=?)",
    "CORRELATED SCALAR SUBQUERY",
    "CO-ROUTINE list",
    "SEARCH project_environments USING PRIMARY KEY (project_id=?)",
    "SEARCH environments USING PRIMARY KEY (name=?)",
    "USE TEMP B-TREE FOR ORDER BY",
    "SCAN list",
];

#[test]
fn projects_are_listed_in_order_without_counting() {
    with_large_store(|connection| {
        let own: ProjectId = "project-7".parse().expect("an id");
        for visibility in [ProjectVisibility::All, ProjectVisibility::NotPrivateAnd([own].into())] {
            let query = ProjectQuery { visibility, archived: false, page: Page::first(100) };
            let found = plan(connection, &project_list(&query));
            assert_plan(&found, &[&["SCAN projects"][..], &PROJECT_COUNTS].concat());
            let archive = ProjectQuery { archived: true, ..query };
            let found = plan(connection, &project_list(&archive));
            assert_plan(
                &found,
                &[&["SCAN projects USING INDEX projects_archived"][..], &PROJECT_COUNTS].concat(),
            );
        }
        let found = plan(connection, &queries::project_overview("project-7"));
        assert_plan(&found, &[&["SEARCH projects USING PRIMARY KEY (id=?)"][..], &PROJECT_COUNTS].concat());
    });
}

#[test]
fn environments_are_listed_without_counting_tokens() {
    with_large_store(|connection| {
        let found = plan(connection, &queries::environment_overviews());
        assert_plan(
            &found,
            &[
                "SCAN environments",
                "CORRELATED SCALAR SUBQUERY",
                "SEARCH project_environments USING COVERING INDEX project_environments_by_environment (environment=?)",
                "CORRELATED SCALAR SUBQUERY",
                "SEARCH environment_token_counts USING PRIMARY KEY (environment=?)",
                "USE TEMP B-TREE FOR ORDER BY",
            ],
        );
    });
}

#[test]
fn users_are_found_by_indexes() {
    with_large_store(|connection| {
        assert_plan(
            &plan(connection, &queries::members_of("project-7")),
            &[
                "SEARCH memberships USING INDEX memberships_by_project (project_id=?)",
                "SEARCH users USING INTEGER PRIMARY KEY (rowid=?)",
            ],
        );
        assert_plan(
            &plan(connection, &queries::users_of_kind(AccountKind::Person.as_str(), 100, 0)),
            &["SEARCH users USING INDEX users_by_kind (account_kind=?)"],
        );
        assert_plan(
            &plan(connection, &queries::has_another_admin(7)),
            &[
                "SCAN CONSTANT ROW",
                "SCALAR SUBQUERY",
                "SEARCH users USING INDEX users_by_root_role (root_role_id=? AND account_kind=?)",
            ],
        );
    });
}

#[test]
fn rights_and_groups_are_found_by_indexes() {
    with_large_store(|connection| {
        // Statistics may turn the join with the few permissions of roles around.
        let is_large = |step: &&String| {
            step.starts_with("SCAN ") && !step.starts_with("SCAN held") && *step != "SCAN user_grants"
        };
        let grants = plan(connection, &queries::grants_of(7));
        assert_eq!(grants.iter().filter(is_large).collect::<Vec<_>>(), [] as [&String; 0], "{grants:#?}");
        assert_plan(
            &plan(connection, &queries::groups_in("project-7")),
            &[
                "SEARCH group_roles USING INDEX group_roles_by_project (project_id=?)",
                "SEARCH user_groups USING INTEGER PRIMARY KEY (rowid=?)",
            ],
        );
    });
}

#[test]
fn expired_rows_are_found_by_their_end() {
    with_large_store(|connection| {
        for (table, column) in
            [("sessions", "expires_at"), ("retired_secrets", "good_until"), ("login_failures", "last_at")]
        {
            let found = plan_of_text(connection, &format!("DELETE FROM {table} WHERE {column} < ?"));
            assert!(found.iter().any(|step| step.starts_with(&format!("SEARCH {table}"))), "{found:#?}");
        }
    });
}
