//! The statements that list and count users.

#![expect(clippy::elidable_lifetime_names, reason = "`auto_type` needs names for its types")]

use diesel::{
    BoolExpressionMethods, ExpressionMethods, QueryDsl, SelectableHelper,
    dsl::{AsSelect, IntoBoxed, auto_type, count_star},
    sqlite::Sqlite,
};
use latchkey_domain::AccountKind;
use latchkey_ports::Page;

use crate::{
    paging::paged,
    rows::UserRow,
    schema::users,
    text_functions::{instr, lower},
};

type ShownUser = AsSelect<UserRow, Sqlite>;

#[auto_type]
fn every() -> _ {
    let row: ShownUser = UserRow::as_select();
    users::table.order(users::id).select(row)
}

/// A page of the users of a kind, by id.
pub(crate) fn of_kind(kind: AccountKind, page: Page) -> IntoBoxed<'static, every, Sqlite> {
    paged(every().into_boxed().filter(users::account_kind.eq(kind.as_str())), page)
}

/// The first users whose name, user name or address has this text in it, in any case.
#[auto_type]
pub(crate) fn with_text<'a>(text: &'a str, limit: i64) -> _ {
    let named = instr(lower(users::name), lower(text)).gt(0_i32);
    let known = instr(lower(users::username), lower(text)).gt(0_i32);
    let written = instr(lower(users::email), lower(text)).gt(0_i32);
    every().filter(named.or(known).or(written)).limit(limit)
}

/// How many users of a kind have a role as their root role.
#[auto_type]
pub(crate) fn number_with_role(kind: &'static str, role: i64) -> _ {
    users::table
        .filter(users::root_role_id.eq(role))
        .filter(users::account_kind.eq(kind))
        .select(count_star())
}
