//! How places, and the people in them, are found.

use latchkey_domain::{AccountKind, ProjectId, ProjectVisibility, Role};
use latchkey_ports::{Page, ProjectQuery};

use super::{assert_plan, plan, plan_of_text, with_much};
use crate::{
    environments::environment_overviews,
    memberships::members_of,
    projects::{project_list, project_overview},
    users::{count_users_with_role, users_of_kind},
};

const PROJECT_COUNTS: [&str; 4] = [
    "CORRELATED SCALAR SUBQUERY",
    "SEARCH project_member_counts USING PRIMARY KEY (project_id=?)",
    "CORRELATED SCALAR SUBQUERY",
    "SEARCH project_token_counts USING PRIMARY KEY (project_id=?)",
];

#[test]
fn projects_are_listed_in_order_and_nothing_is_counted() {
    with_much(|connection| {
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
        let found = plan(connection, &project_overview("project-7"));
        assert_plan(&found, &[&["SEARCH projects USING PRIMARY KEY (id=?)"][..], &PROJECT_COUNTS].concat());
    });
}

#[test]
fn environments_are_listed_and_no_token_is_counted() {
    with_much(|connection| {
        let found = plan(connection, &environment_overviews());
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
fn people_are_found_by_keys_alone() {
    with_much(|connection| {
        assert_plan(
            &plan(connection, &members_of("project-7")),
            &[
                "SEARCH memberships USING INDEX memberships_by_project (project_id=?)",
                "SEARCH users USING INTEGER PRIMARY KEY (rowid=?)",
            ],
        );
        assert_plan(
            &plan(connection, &users_of_kind(AccountKind::Person, Page::first(100))),
            &["SEARCH users USING INDEX users_by_kind (account_kind=?)"],
        );
        assert_plan(
            &plan(connection, &count_users_with_role(AccountKind::Person.as_str(), Role::ADMIN.0)),
            &["SEARCH users USING COVERING INDEX users_by_root_role (root_role_id=? AND account_kind=?)"],
        );
    });
}

#[test]
fn what_has_ended_is_found_by_its_end() {
    with_much(|connection| {
        for (table, column) in
            [("sessions", "expires_at"), ("retired_secrets", "good_until"), ("login_failures", "last_at")]
        {
            let found = plan_of_text(connection, &format!("DELETE FROM {table} WHERE {column} < ?"));
            assert!(found.iter().any(|step| step.starts_with(&format!("SEARCH {table}"))), "{found:#?}");
        }
    });
}
