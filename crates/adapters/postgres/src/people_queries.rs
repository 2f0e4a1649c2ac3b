//! The statements that find users. Each is made in one function, which the test of query plans calls as well.

#![expect(
    clippy::elidable_lifetime_names,
    reason = "`auto_type` writes the lifetime into the type that it makes"
)]

use diesel::{
    BoolExpressionMethods, ExpressionMethods, QueryDsl, SelectableHelper,
    dsl::{AsSelect, auto_type},
    pg::Pg,
    sql_types::{Nullable, Text},
};

use crate::{
    rows::{AccountRow, MembershipRow, UserRow},
    schema::{memberships, users},
};

diesel::define_sql_function! {
    /// Whether a text contains another in any case of letters.
    fn contains_in_any_case(whole: Nullable<Text>, part: Text) -> Nullable<diesel::sql_types::Bool>;
}

type ShownAccount = AsSelect<AccountRow, Pg>;
type ShownMembership = AsSelect<MembershipRow, Pg>;
type ShownUser = AsSelect<UserRow, Pg>;

/// The accounts of this user name, or of the address that reads so in lower case.
#[auto_type]
pub(crate) fn by_login<'a>(login: &'a str, key: &'a str) -> _ {
    let row: ShownAccount = AccountRow::as_select();
    users::table.filter(users::username.eq(login).or(users::email_key.eq(key))).select(row)
}

/// A page of the users of a kind, by id.
#[auto_type]
pub(crate) fn of_kind<'a>(kind: &'a str, limit: i64, offset: i64) -> _ {
    let row: ShownUser = UserRow::as_select();
    let users = users::table.filter(users::account_kind.eq(kind)).order(users::id);
    users.limit(limit).offset(offset).select(row)
}

/// The users of whose names one contains this text, by id.
#[auto_type]
pub(crate) fn named_with<'a>(text: &'a str, limit: i64) -> _ {
    let row: ShownUser = UserRow::as_select();
    users::table
        .filter(
            contains_in_any_case(users::name, text)
                .or(contains_in_any_case(users::username, text))
                .or(contains_in_any_case(users::email, text)),
        )
        .order(users::id)
        .limit(limit)
        .select(row)
}

/// Those who hold roles in a project, by user, then role.
#[auto_type]
pub(crate) fn members_of<'a>(project: &'a str) -> _ {
    let row: ShownMembership = MembershipRow::as_select();
    memberships::table
        .inner_join(users::table)
        .filter(memberships::project_id.eq(project))
        .order((memberships::user_id, memberships::role_id))
        .select(row)
}
