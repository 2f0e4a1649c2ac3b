//! The port of users and their passwords.

#![expect(clippy::elidable_lifetime_names, reason = "`auto_type` needs names for its types")]

use async_trait::async_trait;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper,
    SqliteConnection, delete,
    dsl::{AsSelect, auto_type},
    insert_into,
    sqlite::Sqlite,
    update,
};
use latchkey_domain::{AccountKind, EventId, Grants, NewEvent, NewUser, PasswordHash, Role, User, UserId};
use latchkey_ports::{Account, Entity, Page, PasswordChange, StoreError, UserRepository};
use latchkey_sql::{
    errors::{DbError, conflict_of, not_found, stale, user_conflict},
    queries::{self, page_limit, page_offset},
    rows::{self, AccountRow, ChangedUserRow, NewUserRow, UserRow},
    schema::{sessions, users},
};

use crate::{
    events::record,
    existence::check_role,
    memberships::grants,
    paging::{instr, lower},
    store::SqliteStore,
};

#[async_trait]
impl UserRepository for SqliteStore {
    async fn create_user(
        &self,
        user: &NewUser,
        password: Option<PasswordHash>,
        event: &NewEvent,
    ) -> Result<(UserId, EventId), StoreError> {
        let (user, event) = (user.clone(), event.clone());
        self.write(move |connection| {
            check_role(connection, user.root_role, true)?;
            let id: i64 = insert_into(users::table)
                .values(NewUserRow::new(&user, password.as_ref()))
                .returning(users::id)
                .get_result(connection)
                .map_err(conflict_of(user_conflict))?;
            let event = record(connection, &event.with_assigned_id(id))?;
            Ok((UserId(id), event))
        })
        .await
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(move |connection| find_user(connection, id)).await
    }

    async fn find_account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        self.read(move |connection| {
            let row: Option<AccountRow> = queries::account(id.0).first(connection).optional()?;
            Ok(rows::optional(row)?)
        })
        .await
    }

    async fn find_account_by_login(&self, login: &str) -> Result<Option<Account>, StoreError> {
        let login = login.to_owned();
        self.read(move |connection| {
            let accounts = queries::accounts_by_login(&login, &login.to_lowercase()).load(connection)?;
            Ok(rows::account_of_login(accounts, &login)?)
        })
        .await
    }

    async fn users(&self, kind: AccountKind, page: Page) -> Result<Vec<User>, StoreError> {
        self.read(move |connection| {
            let users = queries::users_of_kind(kind.as_str(), page_limit(page), page_offset(page));
            Ok(rows::all::<UserRow, _>(users.load(connection)?)?)
        })
        .await
    }

    async fn search_users(&self, text: &str, limit: u32) -> Result<Vec<User>, StoreError> {
        let text = text.to_owned();
        self.read(move |connection| {
            let users = users_with_text(&text, limit.into());
            Ok(rows::all::<UserRow, _>(users.load(connection)?)?)
        })
        .await
    }

    async fn update_user(
        &self,
        before: &User,
        after: &User,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (before, after, event) = (before.clone(), after.clone(), event.clone());
        self.write(move |connection| {
            let entity = || Entity::User(before.id);
            let kept = find_user(connection, before.id)?.ok_or_else(|| not_found(entity()))?;
            check_role(connection, after.root_role, true)?;
            if (&kept.identity, &kept.name, kept.root_role)
                != (&before.identity, &before.name, before.root_role)
            {
                return Err(stale(entity()));
            }
            if after.root_role != Role::ADMIN {
                check_another_admin(connection, &kept)?;
            }
            update(users::table.find(before.id.0))
                .set(ChangedUserRow::from(&after))
                .execute(connection)
                .map_err(conflict_of(user_conflict))?;
            record(connection, &event)
        })
        .await
    }

    async fn delete_user(&self, id: UserId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| {
            let kept = find_user(connection, id)?.ok_or_else(|| not_found(Entity::User(id)))?;
            check_another_admin(connection, &kept)?;
            delete(users::table.find(id.0)).execute(connection)?;
            record(connection, &event)
        })
        .await
    }

    async fn set_password(&self, change: &PasswordChange, event: &NewEvent) -> Result<EventId, StoreError> {
        let (PasswordChange { user, before, after }, event) = (change.clone(), event.clone());
        self.write(move |connection| {
            let kept = person_password(connection, user)?;
            if before.is_some() {
                StoreError::check_unchanged(Some(&kept), &before, Entity::User(user))?;
            }
            let row = update(users::table.find(user.0));
            row.set(users::password_hash.eq(&*after.0)).execute(connection)?;
            delete(sessions::table.filter(sessions::user_id.eq(user.0))).execute(connection)?;
            record(connection, &event)
        })
        .await
    }

    async fn upgrade_password_hash(
        &self,
        user: UserId,
        before: &PasswordHash,
        after: &PasswordHash,
    ) -> Result<(), StoreError> {
        let (before, after) = (before.clone(), after.clone());
        self.write(move |connection| {
            let kept = queries::user_with_password(user.0, &before.0);
            let rows = update(kept).set(users::password_hash.eq(&*after.0)).execute(connection)?;
            if rows == 0 { Err(stale(Entity::User(user))) } else { Ok(()) }
        })
        .await
    }
}

/// Returns the user with this id.
pub(crate) fn find_user(connection: &mut SqliteConnection, id: UserId) -> Result<Option<User>, DbError> {
    let row: Option<UserRow> = queries::user(id.0).first(connection).optional()?;
    Ok(rows::optional(row)?)
}

/// Returns the user with this id and the user's grants.
pub(crate) fn user_with_grants(
    connection: &mut SqliteConnection,
    id: UserId,
) -> Result<Option<(User, Grants)>, DbError> {
    let Some(user) = find_user(connection, id)? else { return Ok(None) };
    let grants = grants(connection, id)?;
    Ok(Some((user, grants)))
}

/// Returns the password hash of a person, if they have one.
pub(crate) fn person_password(
    connection: &mut SqliteConnection,
    id: UserId,
) -> Result<Option<PasswordHash>, DbError> {
    let kept: Option<Option<String>> = queries::password_of_person(id.0).first(connection).optional()?;
    let password = kept.ok_or_else(|| not_found(Entity::User(id)))?;
    Ok(password.map(|hash| PasswordHash(hash.into())))
}

/// Fails if this is the last person with the role Admin. There is one writer, so of two removals at once the second fails.
fn check_another_admin(connection: &mut SqliteConnection, user: &User) -> Result<(), DbError> {
    let is_admin = user.kind == AccountKind::Person && user.root_role == Role::ADMIN;
    if is_admin && !queries::has_another_admin(user.id.0).get_result(connection)? {
        return Err(StoreError::LastAdmin.into());
    }
    Ok(())
}

/// Selects the first users whose name, user name or address contains this text, in any case.
#[auto_type]
pub(crate) fn users_with_text<'a>(text: &'a str, limit: i64) -> _ {
    let row: AsSelect<UserRow, Sqlite> = UserRow::as_select();
    let has_name = instr(lower(users::name), lower(text)).gt(0_i32);
    let has_username = instr(lower(users::username), lower(text)).gt(0_i32);
    let has_email = instr(lower(users::email), lower(text)).gt(0_i32);
    users::table.filter(has_name.or(has_username).or(has_email)).order(users::id).limit(limit).select(row)
}
