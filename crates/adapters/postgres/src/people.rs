//! The port of users.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, dsl::exists, insert_into, select,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::FutureExt;
use latchkey_domain::{EventId, NewEvent, NewUser, User, UserId};
use latchkey_ports::{Entity, StoreError, UserRepository};
use tracing::instrument;

use crate::{
    PostgresStore,
    access::role_of_instance,
    errors::{Failure, not_found, taken, unavailable},
    events::record,
    rows::{NewUserRow, UserRow},
    schema::users,
};

#[async_trait]
impl UserRepository for PostgresStore {
    #[instrument(level = "debug", skip_all, fields(root_role = %user.root_role))]
    async fn create_user(&self, user: &NewUser, event: &NewEvent) -> Result<(UserId, EventId), StoreError> {
        let (user, event) = (user.clone(), event.clone());
        self.write(move |connection| {
            async move {
                if role_of_instance(connection, user.root_role).await? != Some(true) {
                    return Err(not_found(Entity::Role(user.root_role)));
                }
                let id: i64 = insert_into(users::table)
                    .values(NewUserRow::from(&user))
                    .returning(users::id)
                    .get_result(connection)
                    .await
                    .map_err(taken(|constraint| {
                        matches!(constraint, "users_username_unique" | "users_email_unique")
                            .then_some(Entity::UserIdentity)
                    }))?;
                let event = record(connection, &event.with_assigned_id(id)).await?;
                Ok((UserId(id), event))
            }
            .boxed()
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(user = %id))]
    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let mut connection = self.connection().await?;
        Ok(user(&mut connection, id).await?)
    }

    #[instrument(level = "debug", skip_all)]
    async fn find_user_by_login(&self, login: &str) -> Result<Option<User>, StoreError> {
        // PostgreSQL's text knows no NUL, so no login has one.
        if login.contains('\0') {
            return Ok(None);
        }
        let mut connection = self.connection().await?;
        let named = users::table
            .filter(users::username.eq(login))
            .select(UserRow::as_select())
            .first(&mut connection)
            .await
            .optional()
            .map_err(unavailable)?;
        let found = match named {
            Some(row) => Some(row),
            None => users::table
                .filter(users::email_key.eq(login.to_lowercase()))
                .select(UserRow::as_select())
                .first(&mut connection)
                .await
                .optional()
                .map_err(unavailable)?,
        };
        Ok(found.map(User::try_from).transpose()?)
    }
}

/// The user of this id.
pub(crate) async fn user(connection: &mut AsyncPgConnection, id: UserId) -> Result<Option<User>, Failure> {
    let row = users::table.find(id.0).select(UserRow::as_select()).first(connection).await.optional()?;
    Ok(row.map(User::try_from).transpose()?)
}

/// Whether there is a user of this id.
pub(crate) async fn user_exists(connection: &mut AsyncPgConnection, id: UserId) -> Result<bool, Failure> {
    Ok(select(exists(users::table.filter(users::id.eq(id.0)))).get_result(connection).await?)
}
