//! How users come, change and go.

use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, delete, dsl::exists, insert_into,
    select, update,
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{AccountKind, EventId, NewEvent, NewUser, PasswordHash, Role, RoleId, User, UserId};
use latchkey_ports::{Entity, PasswordChange, StoreError};

use crate::{
    connection::Connection,
    errors::{Failure, not_found, stale, taken},
    events::record,
    locks::{ADMINS, lock, number},
    memberships::hold_roles,
    rows::{self, ChangedUserRow, NewUserRow, UserRow},
    schema::{personal_tokens, sessions, users},
};

/// Keeps a new user.
pub(crate) async fn create(
    connection: &mut Connection,
    user: &NewUser,
    password: Option<&PasswordHash>,
    event: NewEvent,
) -> Result<(UserId, EventId), Failure> {
    if !hold_root_role(connection, user.root_role).await? {
        return Err(not_found(Entity::Role(user.root_role)));
    }
    let writing = number(connection).await?;
    let id: i64 = insert_into(users::table)
        .values(NewUserRow::new(user, password))
        .returning(users::id)
        .get_result(connection)
        .await
        .map_err(taken(identity_taken))?;
    let event = record(connection, &writing, &event.with_assigned_id(id)).await?;
    Ok((UserId(id), event))
}

fn identity_taken(constraint: &str) -> Option<Entity> {
    matches!(constraint, "users_username_unique" | "users_email_unique").then_some(Entity::UserIdentity)
}

/// Whether there is such a role, held for the whole instance. It then stays until the transaction ends.
async fn hold_root_role(connection: &mut Connection, role: RoleId) -> Result<bool, Failure> {
    let held = hold_roles(connection, &[role]).await?;
    Ok(held.iter().any(|(_, kind)| kind.is_root()))
}

/// Puts identity, name and root role of the second in the place of those of the first, if those are still kept.
pub(crate) async fn replace(
    connection: &mut Connection,
    before: &User,
    after: &User,
    event: &NewEvent,
) -> Result<EventId, Failure> {
    lock(connection, ADMINS).await?;
    let role_exists = hold_root_role(connection, after.root_role).await?;
    let Some(kept) = hold(connection, before.id).await? else {
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
        spare_last_admin(connection, &kept).await?;
    }
    let writing = number(connection).await?;
    update(users::table.find(before.id.0))
        .set(ChangedUserRow::from(after))
        .execute(connection)
        .await
        .map_err(taken(identity_taken))?;
    record(connection, &writing, event).await
}

/// Removes a user with all that is the user's.
pub(crate) async fn remove(
    connection: &mut Connection,
    id: UserId,
    event: &NewEvent,
) -> Result<EventId, Failure> {
    lock(connection, ADMINS).await?;
    let Some(kept) = hold(connection, id).await? else { return Err(not_found(Entity::User(id))) };
    spare_last_admin(connection, &kept).await?;
    // They go with the user, under the numbering, and notes of use may be about to be written to them.
    let tokens = personal_tokens::table
        .filter(personal_tokens::user_id.eq(id.0))
        .order(personal_tokens::id)
        .select(personal_tokens::id);
    tokens.for_update().load::<i64>(connection).await?;
    let writing = number(connection).await?;
    delete(users::table.find(id.0)).execute(connection).await?;
    record(connection, &writing, event).await
}

async fn hold(connection: &mut Connection, id: UserId) -> Result<Option<User>, Failure> {
    let user = users::table.find(id.0).select(UserRow::as_select());
    let row: Option<UserRow> = user.for_update().first(connection).await.optional()?;
    Ok(rows::found(row)?)
}

/// Refuses to let the last Admin go. [`ADMINS`] is held, so the others stay what they are until the transaction ends.
async fn spare_last_admin(connection: &mut Connection, leaving: &User) -> Result<(), Failure> {
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
        Err(Failure::Answer(StoreError::LastAdmin))
    }
}

/// The password of a person, if they have one. Until the transaction ends the person and the password stay, and nobody else
/// can begin a session for them.
pub(crate) async fn hold_person(
    connection: &mut Connection,
    id: UserId,
) -> Result<Option<PasswordHash>, Failure> {
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
) -> Result<EventId, Failure> {
    let PasswordChange { user, before, after } = change;
    let kept = hold_person(connection, *user).await?;
    if before.is_some() {
        StoreError::unless_kept(Some(&kept), before, Entity::User(*user))?;
    }
    let writing = number(connection).await?;
    update(users::table.find(user.0))
        .set(users::password_hash.eq(after.0.as_ref()))
        .execute(connection)
        .await?;
    delete(sessions::table.filter(sessions::user_id.eq(user.0))).execute(connection).await?;
    record(connection, &writing, event).await
}
