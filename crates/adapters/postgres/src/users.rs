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
use futures_util::FutureExt;
use latchkey_domain::{
    AccountKind, EventId, Grants, NewEvent, NewUser, PasswordHash, Role, RoleId, User, UserId,
};
use latchkey_ports::{Account, Entity, Page, PasswordChange, StoreError, UserRepository};
use latchkey_sql::{
    errors::{DbError, conflict_of, not_found, stale, store_error},
    rows::{self, AccountRow, ChangedUserRow, NewUserRow, UserRow},
    schema::{personal_tokens, sessions, users},
};
use tracing::instrument;

use crate::{
    connection::Connection,
    events::record,
    locks::{ADMINS, lock, lock_event_log, lock_roles},
    memberships::grants,
    paging::{page_limit, page_offset},
    store::PostgresStore,
};

#[async_trait]
impl UserRepository for PostgresStore {
    #[instrument(level = "debug", skip_all, fields(root_role = %user.root_role))]
    async fn create_user(
        &self,
        user: &NewUser,
        password: Option<PasswordHash>,
        event: &NewEvent,
    ) -> Result<(UserId, EventId), StoreError> {
        let (user, event) = (user.clone(), event.clone());
        self.write(move |connection| {
            async move { create_user(connection, &user, password.as_ref(), event).await }.boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(user = %id))]
    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let mut connection = self.connection().await?;
        Ok(find_user(&mut connection, id).await?)
    }

    #[instrument(level = "debug", skip_all, fields(user = %id))]
    async fn find_account(&self, id: UserId) -> Result<Option<Account>, StoreError> {
        let mut connection = self.connection().await?;
        let row: Option<AccountRow> = users::table
            .find(id.0)
            .select(AccountRow::as_select())
            .first(&mut connection)
            .await
            .optional()
            .map_err(store_error)?;
        Ok(rows::optional(row)?)
    }

    #[instrument(level = "debug", skip_all)]
    async fn find_account_by_login(&self, login: &str) -> Result<Option<Account>, StoreError> {
        // PostgreSQL's text knows no NUL, so no login has one.
        if login.contains('\0') {
            return Ok(None);
        }
        let mut connection = self.connection().await?;
        let rows: Vec<AccountRow> = account_by_login(login, &login.to_lowercase())
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        // At most two: one of this user name, and one of this address.
        let preferred = rows.into_iter().max_by_key(|row| row.has_username(login));
        Ok(rows::optional(preferred)?)
    }

    #[instrument(level = "debug", skip_all, fields(kind = kind.as_str()))]
    async fn users(&self, kind: AccountKind, page: Page) -> Result<Vec<User>, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<UserRow> = users_of_kind(kind.as_str(), page_limit(page), page_offset(page))
            .load(&mut connection)
            .await
            .map_err(store_error)?;
        Ok(rows::all(rows)?)
    }

    #[instrument(level = "debug", skip_all, fields(limit))]
    async fn search_users(&self, text: &str, limit: u32) -> Result<Vec<User>, StoreError> {
        if text.contains('\0') {
            return Ok(Vec::new());
        }
        let mut connection = self.connection().await?;
        let rows: Vec<UserRow> =
            users_with_text(text, limit.into()).load(&mut connection).await.map_err(store_error)?;
        Ok(rows::all(rows)?)
    }

    #[instrument(level = "debug", skip_all, fields(user = %before.id))]
    async fn update_user(
        &self,
        before: &User,
        after: &User,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let (before, after, event) = (before.clone(), after.clone(), event.clone());
        self.write(move |connection| {
            async move { replace_user(connection, &before, &after, &event).await }.boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(user = %id))]
    async fn delete_user(&self, id: UserId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| async move { remove_user(connection, id, &event).await }.boxed()).await
    }

    #[instrument(level = "debug", skip_all, fields(user = %change.user))]
    async fn set_password(&self, change: &PasswordChange, event: &NewEvent) -> Result<EventId, StoreError> {
        let (change, event) = (change.clone(), event.clone());
        self.write(move |connection| async move { set_password(connection, &change, &event).await }.boxed())
            .await
    }

    #[instrument(level = "debug", skip_all, fields(%user))]
    async fn upgrade_password_hash(
        &self,
        user: UserId,
        before: &PasswordHash,
        after: &PasswordHash,
    ) -> Result<(), StoreError> {
        let (before, after) = (before.clone(), after.clone());
        self.write(move |connection| {
            async move {
                let row = users::table.find(user.0).filter(users::password_hash.eq(&*before.0));
                let rows = update(row).set(users::password_hash.eq(&*after.0)).execute(connection).await?;
                if rows == 0 { Err(stale(Entity::User(user))) } else { Ok(()) }
            }
            .boxed()
        })
        .await
    }
}

/// The user of this id.
pub(crate) async fn find_user(connection: &mut Connection, id: UserId) -> Result<Option<User>, DbError> {
    let row: Option<UserRow> =
        users::table.find(id.0).select(UserRow::as_select()).first(connection).await.optional()?;
    Ok(rows::optional(row)?)
}

/// The user of this id with all that the user may do.
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

/// Keeps a new user.
pub(crate) async fn create_user(
    connection: &mut Connection,
    user: &NewUser,
    password: Option<&PasswordHash>,
    event: NewEvent,
) -> Result<(UserId, EventId), DbError> {
    if !lock_root_role(connection, user.root_role).await? {
        return Err(not_found(Entity::Role(user.root_role)));
    }
    let writing = lock_event_log(connection).await?;
    let id: i64 = insert_into(users::table)
        .values(NewUserRow::new(user, password))
        .returning(users::id)
        .get_result(connection)
        .await
        .map_err(conflict_of(identity_conflict))?;
    let event = record(connection, &writing, &event.with_assigned_id(id)).await?;
    Ok((UserId(id), event))
}

fn identity_conflict(constraint: &str) -> Option<Entity> {
    matches!(constraint, "users_username_unique" | "users_email_unique" | "login_names_unique")
        .then_some(Entity::UserIdentity)
}

/// Whether there is such a role, held for the whole instance. It then stays until the transaction ends.
async fn lock_root_role(connection: &mut Connection, role: RoleId) -> Result<bool, DbError> {
    let held = lock_roles(connection, &[role]).await?;
    Ok(held.iter().any(|(_, kind)| kind.is_root()))
}

/// Puts identity, name and root role of the second in the place of those of the first, if those are still kept.
pub(crate) async fn replace_user(
    connection: &mut Connection,
    before: &User,
    after: &User,
    event: &NewEvent,
) -> Result<EventId, DbError> {
    lock(connection, ADMINS).await?;
    let role_exists = lock_root_role(connection, after.root_role).await?;
    let Some(kept) = lock_user(connection, before.id).await? else {
        return Err(not_found(Entity::User(before.id)));
    };
    if !role_exists {
        return Err(not_found(Entity::Role(after.root_role)));
    }
    let changeable = |user: &User| (user.identity.clone(), user.name.clone(), user.root_role);
    if changeable(&kept) != changeable(before) {
        return Err(stale(Entity::User(before.id)));
    }
    if after.root_role != Role::ADMIN {
        check_another_admin(connection, &kept).await?;
    }
    let writing = lock_event_log(connection).await?;
    update(users::table.find(before.id.0))
        .set(ChangedUserRow::from(after))
        .execute(connection)
        .await
        .map_err(conflict_of(identity_conflict))?;
    record(connection, &writing, event).await
}

/// Removes a user with all that is the user's.
pub(crate) async fn remove_user(
    connection: &mut Connection,
    id: UserId,
    event: &NewEvent,
) -> Result<EventId, DbError> {
    lock(connection, ADMINS).await?;
    let Some(kept) = lock_user(connection, id).await? else { return Err(not_found(Entity::User(id))) };
    check_another_admin(connection, &kept).await?;
    // They go with the user, under the numbering, and notes of use may be about to be written to them.
    let tokens = personal_tokens::table
        .filter(personal_tokens::user_id.eq(id.0))
        .order(personal_tokens::id)
        .select(personal_tokens::id);
    tokens.for_update().load::<i64>(connection).await?;
    let writing = lock_event_log(connection).await?;
    delete(users::table.find(id.0)).execute(connection).await?;
    record(connection, &writing, event).await
}

async fn lock_user(connection: &mut Connection, id: UserId) -> Result<Option<User>, DbError> {
    let user = users::table.find(id.0).select(UserRow::as_select());
    let row: Option<UserRow> = user.for_update().first(connection).await.optional()?;
    Ok(rows::optional(row)?)
}

/// Refuses to let the last Admin go. [`ADMINS`] is held, so the others stay what they are until the transaction ends.
async fn check_another_admin(connection: &mut Connection, leaving: &User) -> Result<(), DbError> {
    if leaving.kind != AccountKind::Person || leaving.root_role != Role::ADMIN {
        return Ok(());
    }
    let others = users::table
        .filter(users::root_role_id.eq(Role::ADMIN.0))
        .filter(users::account_kind.eq(AccountKind::Person.as_str()))
        .filter(users::id.ne(leaving.id.0));
    if select(exists(others)).get_result(connection).await? {
        Ok(())
    } else {
        Err(DbError::Answer(StoreError::LastAdmin))
    }
}

/// Locks a person and returns the password hash, if there is one. Until the transaction ends, neither changes and no other
/// transaction can begin a session for the person.
pub(crate) async fn lock_person(
    connection: &mut Connection,
    id: UserId,
) -> Result<Option<PasswordHash>, DbError> {
    let person = users::table
        .filter(users::id.eq(id.0))
        .filter(users::account_kind.eq(AccountKind::Person.as_str()))
        .select(users::password_hash);
    let kept: Option<Option<String>> = person.for_no_key_update().first(connection).await.optional()?;
    let password = kept.ok_or_else(|| not_found(Entity::User(id)))?;
    Ok(password.map(|hash| PasswordHash(hash.into())))
}

/// Sets a password and ends all sessions.
pub(crate) async fn set_password(
    connection: &mut Connection,
    change: &PasswordChange,
    event: &NewEvent,
) -> Result<EventId, DbError> {
    let PasswordChange { user, before, after } = change;
    let kept = lock_person(connection, *user).await?;
    if before.is_some() {
        StoreError::unless_kept(Some(&kept), before, Entity::User(*user))?;
    }
    let writing = lock_event_log(connection).await?;
    update(users::table.find(user.0))
        .set(users::password_hash.eq(after.0.as_ref()))
        .execute(connection)
        .await?;
    delete(sessions::table.filter(sessions::user_id.eq(user.0))).execute(connection).await?;
    record(connection, &writing, event).await
}

diesel::define_sql_function! {
    /// Whether a text contains another in any case of letters.
    fn contains_in_any_case(whole: Nullable<Text>, part: Text) -> Nullable<diesel::sql_types::Bool>;
}

type ShownAccount = AsSelect<AccountRow, Pg>;
type ShownUser = AsSelect<UserRow, Pg>;

/// The accounts of this user name, or of the address that reads so in lower case.
#[auto_type]
pub(crate) fn account_by_login<'a>(login: &'a str, key: &'a str) -> _ {
    let row: ShownAccount = AccountRow::as_select();
    users::table.filter(users::username.eq(login).or(users::email_key.eq(key))).select(row)
}

/// A page of the users of a kind, by id.
#[auto_type]
pub(crate) fn users_of_kind<'a>(kind: &'a str, limit: i64, offset: i64) -> _ {
    let row: ShownUser = UserRow::as_select();
    let users = users::table.filter(users::account_kind.eq(kind)).order(users::id);
    users.limit(limit).offset(offset).select(row)
}

/// The users of whose names one contains this text, by id.
#[auto_type]
pub(crate) fn users_with_text<'a>(text: &'a str, limit: i64) -> _ {
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
