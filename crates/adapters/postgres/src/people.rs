//! The port of users.

use async_trait::async_trait;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, dsl::exists, select, update};
use diesel_async::RunQueryDsl;
use futures_util::FutureExt;
use latchkey_domain::{AccountKind, EventId, Grants, NewEvent, NewUser, PasswordHash, User, UserId};
use latchkey_ports::{Account, Entity, Page, PasswordChange, StoreError, UserRepository};
use tracing::instrument;

use crate::{
    PostgresStore,
    access::grants,
    connection::Connection,
    errors::{Failure, stale, unavailable},
    page,
    people_changes::{create, remove, replace, set_password},
    people_queries::{by_login, named_with, of_kind},
    rows::{self, AccountRow, UserRow},
    schema::users,
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
            async move { create(connection, &user, password.as_ref(), event).await }.boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(user = %id))]
    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let mut connection = self.connection().await?;
        Ok(user(&mut connection, id).await?)
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
            .map_err(unavailable)?;
        Ok(rows::found(row)?)
    }

    #[instrument(level = "debug", skip_all)]
    async fn find_account_by_login(&self, login: &str) -> Result<Option<Account>, StoreError> {
        // PostgreSQL's text knows no NUL, so no login has one.
        if login.contains('\0') {
            return Ok(None);
        }
        let mut connection = self.connection().await?;
        let rows: Vec<AccountRow> =
            by_login(login, &login.to_lowercase()).load(&mut connection).await.map_err(unavailable)?;
        // At most two: one of this user name, and one of this address.
        let preferred = rows.into_iter().max_by_key(|row| row.has_username(login));
        Ok(rows::found(preferred)?)
    }

    #[instrument(level = "debug", skip_all, fields(kind = kind.as_str()))]
    async fn users(&self, kind: AccountKind, page: Page) -> Result<Vec<User>, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<UserRow> = of_kind(kind.as_str(), page::limit(page), page::offset(page))
            .load(&mut connection)
            .await
            .map_err(unavailable)?;
        Ok(rows::all(rows)?)
    }

    #[instrument(level = "debug", skip_all, fields(limit))]
    async fn search_users(&self, text: &str, limit: u32) -> Result<Vec<User>, StoreError> {
        if text.contains('\0') {
            return Ok(Vec::new());
        }
        let mut connection = self.connection().await?;
        let rows: Vec<UserRow> =
            named_with(text, limit.into()).load(&mut connection).await.map_err(unavailable)?;
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
            async move { replace(connection, &before, &after, &event).await }.boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(user = %id))]
    async fn delete_user(&self, id: UserId, event: &NewEvent) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| async move { remove(connection, id, &event).await }.boxed()).await
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
pub(crate) async fn user(connection: &mut Connection, id: UserId) -> Result<Option<User>, Failure> {
    let row: Option<UserRow> =
        users::table.find(id.0).select(UserRow::as_select()).first(connection).await.optional()?;
    Ok(rows::found(row)?)
}

/// The user of this id with all that the user may do.
pub(crate) async fn user_with_grants(
    connection: &mut Connection,
    id: UserId,
) -> Result<Option<(User, Grants)>, Failure> {
    let Some(user) = user(connection, id).await? else { return Ok(None) };
    let grants = grants(connection, id).await?;
    Ok(Some((user, grants)))
}

/// Whether there is a user of this id.
pub(crate) async fn user_exists(connection: &mut Connection, id: UserId) -> Result<bool, Failure> {
    Ok(select(exists(users::table.filter(users::id.eq(id.0)))).get_result(connection).await?)
}
