//! The port of users and their passwords.

#![expect(
    clippy::elidable_lifetime_names,
    reason = "`auto_type` writes the lifetime into the type that it makes"
)]

use async_trait::async_trait;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, delete,
    dsl::{AsSelect, auto_type, exists},
    insert_into,
    pg::Pg,
    select,
    sql_types::{Nullable, Text},
    update,
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{
    AccountKind, EventId, Grants, NewEvent, NewUser, PasswordHash, Role, RoleId, User, UserId,
};
use latchkey_ports::{Account, Entity, Page, PasswordChange, StoreError, UserRepository};
use latchkey_sql::{
    errors::{DbError, conflict_of, not_found, stale, store_error, user_conflict},
    queries::{self, page_limit, page_offset},
    rows::{self, AccountRow, ChangedUserRow, NewUserRow, UserRow},
    schema::{personal_tokens, sessions, users},
};

use crate::{
    connection::Connection,
    events::record,
    locks::{ADMINS, lock, lock_event_log, lock_roles},
    memberships::grants,
    store::PostgresStore,
};

#[async_trait]
impl UserRepository for PostgresStore {
    async fn create_user(
        &self,
        user: &NewUser,
        password: Option<PasswordHash>,
        event: &NewEvent,
    ) -> Result<(UserId, EventId), StoreError> {
        let (user, event) = (user.clone(), event.clone());
        self.write(async move |connection| {
            if !lock_root_role(connection, user.root_role).await? {
                return Err(not_found(Entity::Role(user.root_role)));
            }
            let lock = lock_event_log(connection).await?;
            let id: i64 = insert_into(users::table)
                .values(NewUserRow::new(&user, password.as_ref()))
                .returning(users::id)
                .get_result(connection)
                .await
                .map_err(conflict_of(user_conflict))?;
            let event = record(connection, &lock, &event.with_assigned_id(id)).await?;
            Ok((UserId(id), event))
        })
        .await
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let mut connection = self.connection().await?;
        Ok(find_user(&mut connection, id).await?)
    }

    async fn find_account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        self.load_optional::<AccountRow, _>(queries::account(id.0)).await
    }

    async fn find_account_by_login(&self, login: &str) -> Result<Option<Account>, StoreError> {
        // Text in PostgreSQL cannot contain NUL, so no login does.
        if login.contains('\0') {
            return Ok(None);
        }
        let mut connection = self.connection().await?;
        let accounts = queries::accounts_by_login(login, &login.to_lowercase())
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        Ok(rows::account_of_login(accounts, login)?)
    }

    async fn users(&self, kind: AccountKind, page: Page) -> Result<Vec<User>, StoreError> {
        let users = queries::users_of_kind(kind.as_str(), page_limit(page), page_offset(page));
        self.load_all::<UserRow, _>(users).await
    }

    async fn search_users(&self, text: &str, limit: u32) -> Result<Vec<User>, StoreError> {
        if text.contains('\0') {
            return Ok(Vec::new());
        }
        self.load_all::<UserRow, _>(users_with_text(text, limit.into())).await
    }

    async fn update_user(
        &self,
        before: &User,
        after: &User,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (before, after, event) = (before.clone(), after.clone(), event.clone());
        self.write(async move |connection| {
            lock(connection, ADMINS).await?;
            let role_exists = lock_root_role(connection, after.root_role).await?;
            let Some(kept) = lock_user(connection, before.id).await? else {
                return Err(not_found(Entity::User(before.id)));
            };
            if !role_exists {
                return Err(not_found(Entity::Role(after.root_role)));
            }
            let changeable = |user: &User| (user.identity.clone(), user.name.clone(), user.root_role);
            if changeable(&kept) != changeable(&before) {
                return Err(stale(Entity::User(before.id)));
            }
            if after.root_role != Role::ADMIN {
                check_another_admin(connection, &kept).await?;
            }
            let lock = lock_event_log(connection).await?;
            update(users::table.find(before.id.0))
                .set(ChangedUserRow::from(&after))
                .execute(connection)
                .await
                .map_err(conflict_of(user_conflict))?;
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn delete_user(&self, id: UserId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(async move |connection| {
            lock(connection, ADMINS).await?;
            let Some(kept) = lock_user(connection, id).await? else {
                return Err(not_found(Entity::User(id)));
            };
            check_another_admin(connection, &kept).await?;
            // They are deleted with the user, under the event-log lock, and a record of use may be about to lock them.
            let tokens = personal_tokens::table
                .filter(personal_tokens::user_id.eq(id.0))
                .order(personal_tokens::id)
                .select(personal_tokens::id);
            tokens.for_update().load::<i64>(connection).await?;
            let lock = lock_event_log(connection).await?;
            delete(users::table.find(id.0)).execute(connection).await?;
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn set_password(&self, change: &PasswordChange, event: &NewEvent) -> Result<EventId, StoreError> {
        let (change, event) = (change.clone(), event.clone());
        self.write(async move |connection| {
            let PasswordChange { user, before, after } = change;
            let kept = lock_person(connection, user).await?;
            if before.is_some() {
                StoreError::check_unchanged(Some(&kept), &before, Entity::User(user))?;
            }
            let lock = lock_event_log(connection).await?;
            update(users::table.find(user.0))
                .set(users::password_hash.eq(after.0.as_ref()))
                .execute(connection)
                .await?;
            delete(sessions::table.filter(sessions::user_id.eq(user.0))).execute(connection).await?;
            record(connection, &lock, &event).await
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
        self.write(async move |connection| {
            let kept = queries::user_with_password(user.0, &before.0);
            let rows = update(kept).set(users::password_hash.eq(&*after.0)).execute(connection).await?;
            if rows == 0 { Err(stale(Entity::User(user))) } else { Ok(()) }
        })
        .await
    }
}

/// Returns the user with this id.
pub(crate) async fn find_user(connection: &mut Connection, id: UserId) -> Result<Option<User>, DbError> {
    let row: Option<UserRow> = queries::user(id.0).first(connection).await.optional()?;
    Ok(rows::optional(row)?)
}

/// Returns the user with this id and the user's grants.
pub(crate) async fn user_with_grants(
    connection: &mut Connection,
    id: UserId,
) -> Result<Option<(User, Grants)>, DbError> {
    let Some(user) = find_user(connection, id).await? else { return Ok(None) };
    let grants = grants(connection, id).await?;
    Ok(Some((user, grants)))
}

/// Whether there is a user of this id.
pub(crate) async fn user_exists(connection: &mut Connection, id: UserId) -> Result<bool, DbError> {
    Ok(select(exists(users::table.filter(users::id.eq(id.0)))).get_result(connection).await?)
}

/// Returns whether the role exists and is for the instance, and keeps it until the transaction ends.
pub(crate) async fn lock_root_role(connection: &mut Connection, role: RoleId) -> Result<bool, DbError> {
    let held = lock_roles(connection, &[role]).await?;
    Ok(held.iter().any(|(_, kind)| kind.is_root()))
}

async fn lock_user(connection: &mut Connection, id: UserId) -> Result<Option<User>, DbError> {
    let row: Option<UserRow> = queries::user(id.0).for_update().first(connection).await.optional()?;
    Ok(rows::optional(row)?)
}

/// Fails if this is the last person with the role Admin. [`ADMINS`] is locked, so the others stay as they are until the
/// transaction ends.
async fn check_another_admin(connection: &mut Connection, user: &User) -> Result<(), DbError> {
    let is_admin = user.kind == AccountKind::Person && user.root_role == Role::ADMIN;
    if is_admin && !queries::has_another_admin(user.id.0).get_result(connection).await? {
        return Err(StoreError::LastAdmin.into());
    }
    Ok(())
}

/// Locks a person and returns the password hash, if there is one. Until the transaction ends, neither changes and no other
/// transaction can begin a session for the person.
pub(crate) async fn lock_person(
    connection: &mut Connection,
    id: UserId,
) -> Result<Option<PasswordHash>, DbError> {
    let person = queries::password_of_person(id.0).for_no_key_update();
    let kept: Option<Option<String>> = person.first(connection).await.optional()?;
    let password = kept.ok_or_else(|| not_found(Entity::User(id)))?;
    Ok(password.map(|hash| PasswordHash(hash.into())))
}

diesel::define_sql_function! {
    /// Returns whether a text contains another, in any case.
    fn contains_in_any_case(whole: Nullable<Text>, part: Text) -> Nullable<diesel::sql_types::Bool>;
}

/// Selects the first users whose name, user name or address contains this text, in any case.
#[auto_type]
pub(crate) fn users_with_text<'a>(text: &'a str, limit: i64) -> _ {
    let row: AsSelect<UserRow, Pg> = UserRow::as_select();
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
