//! The port of sessions.

use async_trait::async_trait;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper,
    SqliteConnection, delete, insert_into, update,
};
use latchkey_domain::{EventId, NewEvent, Session, SessionId, Timestamp, UserId};
use latchkey_ports::{Entity, SecretDigest, SessionHolder, SessionRepository, SessionStart, StoreError};
use latchkey_sql::{
    columns::{DbId, DbTime},
    errors::{DbError, conflict_of, not_found},
    rows::{self, NewSessionRow, SessionRow},
    schema::{retired_secrets, sessions, users},
};
use tracing::instrument;

use crate::{
    SqliteStore,
    events::record,
    login_failures::forget_old,
    memberships::grants,
    paging::row_count,
    users::{find_user, person_password},
};

#[async_trait]
impl SessionRepository for SqliteStore {
    #[instrument(level = "debug", skip_all, fields(user = %start.session.user, session = %start.session.id))]
    async fn start_session(&self, start: &SessionStart, event: &NewEvent) -> Result<u64, StoreError> {
        let (SessionStart { session, secret, password, max_per_user }, event) =
            (start.clone(), event.clone());
        self.write(move |connection| {
            let kept = person_password(connection, session.user)?;
            StoreError::unless_kept(Some(&kept), &password, Entity::User(session.user))?;
            let row = NewSessionRow::new(&session, &secret);
            insert_into(sessions::table).values(row).execute(connection).map_err(conflict_of(|columns| {
                match columns {
                    "sessions.secret_digest" => Some(Entity::Secret),
                    "sessions.id" => Some(Entity::Session(session.id)),
                    _ => None,
                }
            }))?;
            let gone = end_oldest(connection, &session, max_per_user.saturating_sub(1))?;
            note_seen(connection, session.user, session.created_at)?;
            record(connection, &event)?;
            Ok(gone)
        })
        .await
    }

    #[instrument(level = "debug", skip_all)]
    async fn find_session_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<SessionHolder>, StoreError> {
        let digests = digests.to_vec();
        self.read_snapshot(move |connection| {
            for digest in &digests {
                let row: Option<SessionRow> = sessions::table
                    .filter(sessions::secret_digest.eq(digest.0.as_slice()))
                    .select(SessionRow::as_select())
                    .first(connection)
                    .optional()?;
                if let Some(row) = row {
                    return holder(connection, row, *digest).map(Some);
                }
            }
            Ok(None)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(%user))]
    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.read(move |connection| {
            let rows: Vec<SessionRow> = sessions::table
                .filter(sessions::user_id.eq(user.0))
                .order((sessions::created_at, sessions::id))
                .select(SessionRow::as_select())
                .load(connection)?;
            Ok(rows::all(rows)?)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(%user, %session))]
    async fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| {
            let own =
                sessions::table.filter(sessions::id.eq(DbId(session.0))).filter(sessions::user_id.eq(user.0));
            if delete(own).execute(connection)? == 0 {
                return Err(not_found(Entity::Session(session)));
            }
            record(connection, &event)
        })
        .await
    }

    #[instrument(level = "debug", skip_all, fields(%now))]
    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(move |connection| {
            let ended = sessions::table.filter(sessions::expires_at.lt(DbTime::from(now)));
            let retired = retired_secrets::table.filter(retired_secrets::good_until.lt(DbTime::from(now)));
            let ended = delete(ended).execute(connection)?;
            let retired = delete(retired).execute(connection)?;
            Ok(row_count(ended + retired + forget_old(connection, now)?))
        })
        .await
    }
}

/// Ends the other sessions of a user but for so many, the newest, and says how many ended.
fn end_oldest(connection: &mut SqliteConnection, session: &Session, stay: u32) -> Result<u64, DbError> {
    let oldest: Vec<DbId> = sessions::table
        .filter(sessions::user_id.eq(session.user.0))
        .filter(sessions::id.ne(DbId(session.id.0)))
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .offset(stay.into())
        .select(sessions::id)
        .load(connection)?;
    for id in &oldest {
        delete(sessions::table.find(*id)).execute(connection)?;
    }
    Ok(row_count(oldest.len()))
}

fn note_seen(connection: &mut SqliteConnection, user: UserId, at: Timestamp) -> Result<(), DbError> {
    let seen_earlier = users::seen_at.is_null().or(users::seen_at.lt(DbTime::from(at)));
    update(users::table.find(user.0).filter(seen_earlier))
        .set(users::seen_at.eq(DbTime::from(at)))
        .execute(connection)?;
    Ok(())
}

fn holder(
    connection: &mut SqliteConnection,
    row: SessionRow,
    found_by: SecretDigest,
) -> Result<SessionHolder, DbError> {
    let session = Session::try_from(row)?;
    // The foreign key makes sure of the user, unless somebody wrote without it.
    let user = find_user(connection, session.user)?
        .ok_or_else(|| rows::inconsistency("sessions", "user_id", session.id, "the user does not exist"))?;
    let grants = grants(connection, user.id)?;
    Ok(SessionHolder { session, user, grants, found_by })
}
