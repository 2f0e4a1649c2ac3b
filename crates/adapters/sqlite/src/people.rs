//! The port of users.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper, SqliteConnection,
    dsl::exists, insert_into, select,
};
use latchkey_domain::{EventId, NewEvent, NewUser, User, UserId};
use latchkey_ports::{Entity, StoreError, UserRepository};
use tracing::instrument;

use crate::{
    SqliteStore,
    access::role_of_instance,
    errors::{Failure, not_found, taken},
    events::record,
    rows::{NewUserRow, UserRow},
    schema::users,
};

#[async_trait]
impl UserRepository for SqliteStore {
    #[instrument(level = "debug", skip_all, fields(root_role = %user.root_role))]
    async fn create_user(&self, user: &NewUser, event: &NewEvent) -> Result<(UserId, EventId), StoreError> {
        let (user, event) = (user.clone(), event.clone());
        self.write(move |connection| {
            if role_of_instance(connection, user.root_role)? != Some(true) {
                return Err(not_found(Entity::Role(user.root_role)));
            }
            let id: i64 = insert_into(users::table)
                .values(NewUserRow::from(&user))
                .returning(users::id)
                .get_result(connection)
                .map_err(taken(|columns| {
                    matches!(columns, "users.username" | "users.email_key").then_some(Entity::UserIdentity)
                }))?;
            let event = record(connection, &event.with_assigned_id(id))?;
            Ok((UserId(id), event))
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(user = %id))]
    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.read(move |connection| user(connection, id)).await
    }

    #[instrument(level = "debug", skip_all)]
    async fn find_user_by_login(&self, login: &str) -> Result<Option<User>, StoreError> {
        let login = login.to_owned();
        self.read_snapshot(move |connection| {
            let named = users::table
                .filter(users::username.eq(&login))
                .select(UserRow::as_select())
                .first(connection)
                .optional()?;
            let found = match named {
                Some(row) => Some(row),
                None => users::table
                    .filter(users::email_key.eq(login.to_lowercase()))
                    .select(UserRow::as_select())
                    .first(connection)
                    .optional()?,
            };
            Ok(found.map(User::try_from).transpose()?)
        })
        .await
    }
}

/// The user of this id.
pub(crate) fn user(connection: &mut SqliteConnection, id: UserId) -> Result<Option<User>, Failure> {
    let row = users::table.find(id.0).select(UserRow::as_select()).first(connection).optional()?;
    Ok(row.map(User::try_from).transpose()?)
}

/// Whether there is a user of this id.
pub(crate) fn user_exists(connection: &mut SqliteConnection, id: UserId) -> Result<bool, Failure> {
    Ok(select(exists(users::table.filter(users::id.eq(id.0)))).get_result(connection)?)
}
