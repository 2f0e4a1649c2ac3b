//! Users, and what is theirs.

use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use latchkey_sql::{
    rows::{GrantRow, PersonalTokenRow, SessionRow},
    schema::{personal_tokens, sessions, user_grants},
};

use super::{goes_by, much, plan};
use crate::{
    memberships::members_of,
    users::{account_by_login, users_of_kind},
};

#[tokio::test(flavor = "multi_thread")]
async fn users_are_found_by_keys_alone() {
    let (mut connection, _database) = much().await;
    let connection = &mut connection;

    goes_by(&plan(connection, users_of_kind("service", 100, 0)).await, &["users_by_kind"]);
    goes_by(
        &plan(connection, account_by_login("user-7", "user-7")).await,
        &["users_username_unique", "users_email_unique"],
    );
    goes_by(&plan(connection, members_of("project-7")).await, &["memberships_by_project", "users_pkey"]);
    let grants = user_grants::table.filter(user_grants::user_id.eq(7)).select(GrantRow::as_select());
    goes_by(&plan(connection, grants).await, &["users_pkey", "memberships_unique"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_theirs_is_found_by_keys_alone() {
    let (mut connection, _database) = much().await;
    let connection = &mut connection;

    let theirs = personal_tokens::table
        .filter(personal_tokens::user_id.eq_any([7_i64, 8]))
        .order(personal_tokens::id)
        .select(PersonalTokenRow::as_select());
    goes_by(&plan(connection, theirs).await, &["personal_tokens_description_unique"]);
    let theirs = sessions::table
        .filter(sessions::user_id.eq(7))
        .order((sessions::created_at, sessions::id))
        .select(SessionRow::as_select());
    goes_by(&plan(connection, theirs).await, &["sessions_by_user"]);
}
