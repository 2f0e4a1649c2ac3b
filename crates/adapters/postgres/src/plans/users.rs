//! Users, their sessions and personal access tokens.

use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use latchkey_sql::{queries, rows::PersonalTokenRow, schema::personal_tokens};

use super::{large_store, plan, uses};

#[tokio::test(flavor = "multi_thread")]
async fn users_are_found_by_indexes() {
    let (mut connection, _database) = large_store().await;
    let connection = &mut connection;

    uses(&plan(connection, queries::users_of_kind("service", 100, 0)).await, &["users_by_kind"]);
    uses(
        &plan(connection, queries::accounts_by_login("user-7", "user-7")).await,
        &["users_username_unique", "users_email_unique"],
    );
    let members = queries::members_of("project-7");
    uses(&plan(connection, members).await, &["memberships_by_project", "users_pkey"]);
    let grants = plan(connection, queries::grants_of(7)).await;
    uses(
        &grants,
        &[
            "users_pkey",
            "memberships_unique",
            "group_members_by_user",
            "user_groups_pkey",
            "group_roles_unique",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_found_by_indexes() {
    let (mut connection, _database) = large_store().await;
    let connection = &mut connection;

    let groups = plan(connection, queries::groups_in("project-7")).await;
    uses(&groups, &["group_roles_by_project", "user_groups_pkey"]);
    let members = plan(connection, queries::members_of_groups(&[7, 8])).await;
    uses(&members, &["group_members_unique", "users_pkey"]);
    uses(&plan(connection, queries::projects_of_groups(&[7, 8])).await, &["group_roles_unique"]);
    let held = plan(connection, queries::role_is_held(100)).await;
    uses(&held, &["user_groups_by_root_role", "group_roles_by_role"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_of_users_are_found_by_indexes() {
    let (mut connection, _database) = large_store().await;
    let connection = &mut connection;

    let tokens = personal_tokens::table
        .filter(personal_tokens::user_id.eq_any([7_i64, 8]))
        .order(personal_tokens::id)
        .select(PersonalTokenRow::as_select());
    uses(&plan(connection, tokens).await, &["personal_tokens_description_unique"]);
    uses(&plan(connection, queries::sessions_of(7)).await, &["sessions_by_user"]);
}
