//! The port of sessions.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper, delete, insert_into, sql_query, update,
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{EventId, NewEvent, Session, SessionId, Timestamp, UserId};
use latchkey_ports::{Entity, SecretDigest, SessionHolder, SessionRepository, SessionStart, StoreError};
use latchkey_sql::{
    columns::{DbId, DbTime, UtcTime},
    errors::{conflict_of, not_found, session_conflict, store_error},
    queries,
    rows::{self, NewSessionRow, SessionRow},
    schema::{sessions, users},
};

use crate::{
    PostgresStore,
    events::record,
    locks::lock_event_log,
    users::{lock_person, user_with_grants},
};

/// Deletes what has expired. A row that another transaction has locked is skipped until the next sweep.
const SWEEP_SESSIONS: &str = "\
    WITH ended AS (SELECT id FROM sessions WHERE expires_at < $1 FOR UPDATE SKIP LOCKED) \
    DELETE FROM sessions USING ended WHERE sessions.id = ended.id";
const SWEEP_SECRETS: &str = "\
    WITH ended AS (SELECT secret_digest FROM retired_secrets WHERE good_until < $1 FOR UPDATE SKIP LOCKED) \
    DELETE FROM retired_secrets USING ended WHERE retired_secrets.secret_digest = ended.secret_digest";
const SWEEP_FAILURES: &str = "\
    WITH ended AS (SELECT kind, key FROM login_failures WHERE last_at <= $1 FOR UPDATE SKIP LOCKED) \
    DELETE FROM login_failures AS failures USING ended \
    WHERE failures.kind = ended.kind AND failures.key = ended.key";
const SWEEP_ANSWERS: &str = "\
    WITH ended AS (SELECT digest FROM idempotency_keys WHERE at <= $1 FOR UPDATE SKIP LOCKED) \
    DELETE FROM idempotency_keys USING ended WHERE idempotency_keys.digest = ended.digest";

#[async_trait]
impl SessionRepository for PostgresStore {
    async fn start_session(&self, start: &SessionStart, event: &NewEvent) -> Result<u64, StoreError> {
        let (start, event) = (start.clone(), event.clone());
        self.write(async move |connection| {
            let SessionStart { session, secret, password, max_per_user } = start;
            let kept = lock_person(connection, session.user).await?;
            StoreError::check_unchanged(Some(&kept), &password, Entity::User(session.user))?;
            let lock = lock_event_log(connection).await?;
            insert_into(sessions::table)
                .values(NewSessionRow::new(&session, &secret))
                .execute(connection)
                .await
                .map_err(conflict_of(|constraint| session_conflict(session.id, constraint)))?;
            let (user, begun) = (session.user.0, DbTime::from(session.created_at));
            let newest = max_per_user.saturating_sub(1).into();
            let oldest: Vec<DbId> =
                queries::other_sessions_beyond(user, DbId(session.id.0), newest).load(connection).await?;
            let ended =
                delete(sessions::table.filter(sessions::id.eq_any(oldest))).execute(connection).await?;
            update(queries::user_last_seen_before(user, begun))
                .set(users::seen_at.eq(begun))
                .execute(connection)
                .await?;
            record(connection, &lock, &event).await?;
            Ok(u64::try_from(ended).unwrap_or(0))
        })
        .await
    }

    async fn find_session_by_digest(
        &self,
        digests: &[SecretDigest],
    ) -> Result<Option<SessionHolder>, StoreError> {
        let mut connection = self.connection().await?;
        self.replica.check_followed(&connection)?;
        let bytes: Vec<&[u8]> = digests.iter().map(|digest| digest.0.as_slice()).collect();
        let row: Option<(SessionRow, Vec<u8>)> = sessions::table
            .filter(sessions::secret_digest.eq_any(bytes))
            .select((SessionRow::as_select(), sessions::secret_digest))
            .first(&mut connection)
            .await
            .optional()
            .map_err(store_error)?;
        let Some((row, digest)) = row else { return Ok(None) };
        let session = Session::try_from(row)?;
        let found_by = digests.iter().find(|asked| asked.0.as_slice() == digest).copied();
        // If the user was deleted since the last statement, so was the session.
        let holder = user_with_grants(&mut connection, session.user).await?;
        let found = holder.zip(found_by);
        Ok(found.map(|((user, grants), found_by)| SessionHolder { session, user, grants, found_by }))
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.load_all::<SessionRow, _>(queries::sessions_of(user.0)).await
    }

    async fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        event: &NewEvent,
    ) -> Result<EventId, StoreError> {
        let event = event.clone();
        self.write(async move |connection| {
            let lock = lock_event_log(connection).await?;
            let session_row = queries::session_of(user.0, DbId(session.0));
            if delete(session_row).execute(connection).await? == 0 {
                return Err(not_found(Entity::Session(session)));
            }
            record(connection, &lock, &event).await
        })
        .await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        let sweeps = [
            (SWEEP_SESSIONS, DbTime::from(now)),
            (SWEEP_SECRETS, DbTime::from(now)),
            (SWEEP_FAILURES, rows::login_failures_forgotten(now)),
            (SWEEP_ANSWERS, rows::answers_kept_since(now)),
        ];
        let mut rows = 0;
        for (statement, end) in sweeps {
            rows += self.execute(sql_query(statement).bind::<UtcTime, _>(end)).await?;
        }
        Ok(rows)
    }
}
