//! The port of sessions.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl, SelectableHelper, SqliteConnection, delete,
    insert_into, update,
};
use latchkey_domain::{EventId, NewEvent, Session, SessionId, Timestamp, UserId};
use latchkey_ports::{Entity, SecretDigest, SessionHolder, SessionRepository, SessionStart, StoreError};
use latchkey_sql::{
    columns::{DbId, DbTime},
    errors::{DbError, conflict_of, not_found, session_conflict},
    queries,
    rows::{self, NewSessionRow, SessionRow},
    schema::{idempotency_keys, login_failures, retired_secrets, sessions, users},
};

use crate::{
    SqliteStore,
    events::record,
    paging::row_count,
    users::{person_password, user_with_grants},
};

#[async_trait]
impl SessionRepository for SqliteStore {
    async fn start_session(&self, start: &SessionStart, event: &NewEvent) -> Result<u64, StoreError> {
        let (SessionStart { session, secret, password, max_per_user }, event) =
            (start.clone(), event.clone());
        self.write(move |connection| {
            let kept = person_password(connection, session.user)?;
            StoreError::check_unchanged(Some(&kept), &password, Entity::User(session.user))?;
            let row = NewSessionRow::new(&session, &secret);
            insert_into(sessions::table)
                .values(row)
                .execute(connection)
                .map_err(conflict_of(|columns| session_conflict(session.id, columns)))?;
            let (user, begun) = (session.user.0, DbTime::from(session.created_at));
            let newest = max_per_user.saturating_sub(1).into();
            let oldest: Vec<DbId> =
                queries::other_sessions_beyond(user, DbId(session.id.0), newest).load(connection)?;
            for id in &oldest {
                delete(sessions::table.find(*id)).execute(connection)?;
            }
            update(queries::user_last_seen_before(user, begun))
                .set(users::seen_at.eq(begun))
                .execute(connection)?;
            record(connection, &event)?;
            Ok(row_count(oldest.len()))
        })
        .await
    }

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

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.read(move |connection| {
            let rows: Vec<SessionRow> = queries::sessions_of(user.0).load(connection)?;
            Ok(rows::all(rows)?)
        })
        .await
    }

    async fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(move |connection| {
            if delete(queries::session_of(user.0, DbId(session.0))).execute(connection)? == 0 {
                return Err(not_found(Entity::Session(session)));
            }
            record(connection, &event)
        })
        .await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.write(move |connection| {
            let ended = sessions::table.filter(sessions::expires_at.lt(DbTime::from(now)));
            let retired = retired_secrets::table.filter(retired_secrets::good_until.lt(DbTime::from(now)));
            let failures =
                login_failures::table.filter(login_failures::last_at.le(rows::login_failures_forgotten(now)));
            let answers =
                idempotency_keys::table.filter(idempotency_keys::at.le(rows::answers_kept_since(now)));
            let ended = delete(ended).execute(connection)?;
            let retired = delete(retired).execute(connection)?;
            let failures = delete(failures).execute(connection)?;
            Ok(row_count(ended + retired + failures + delete(answers).execute(connection)?))
        })
        .await
    }
}

fn holder(
    connection: &mut SqliteConnection,
    row: SessionRow,
    found_by: SecretDigest,
) -> Result<SessionHolder, DbError> {
    let session = Session::try_from(row)?;
    // The foreign key ensures this, unless another program wrote without it.
    let (user, grants) = user_with_grants(connection, session.user)?
        .ok_or_else(|| rows::inconsistency("sessions", "user_id", session.id, "the user does not exist"))?;
    Ok(SessionHolder { session, user, grants, found_by })
}
