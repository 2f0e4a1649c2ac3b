//! The port of the audit trail, and how the other ports write it.

use async_trait::async_trait;
use diesel::{
    ExpressionMethods, QueryDsl, SelectableHelper, dsl::max, insert_into, select, sql_types::BigInt,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use latchkey_domain::{Event, EventId, NewEvent, ProjectScope};
use latchkey_ports::{EventRepository, StoreError};
use tracing::instrument;

use crate::{
    PostgresStore,
    errors::{Failure, unavailable},
    rows::{EventProjectRow, EventRow, NewEventRow, events as events_of},
    schema::{event_projects, events},
};

/// Held from the drawing of an event's number to the end of the commit: "latchevt" in ASCII.
const NUMBERING: i64 = 0x6c61_7463_6865_7674;

diesel::define_sql_function! {
    /// Waits for a lock that ends with the transaction.
    fn pg_advisory_xact_lock(key: BigInt) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

/// Waits for a lock that is held until the transaction ends. `IS NULL` makes an answer of a function that has none.
pub(crate) async fn lock(connection: &mut AsyncPgConnection, key: i64) -> Result<(), Failure> {
    let _: bool = select(pg_advisory_xact_lock(key).is_null()).get_result(connection).await?;
    Ok(())
}

#[async_trait]
impl EventRepository for PostgresStore {
    #[instrument(level = "debug", skip_all)]
    async fn latest_event(&self) -> Result<EventId, StoreError> {
        let mut connection = self.connection().await?;
        let newest: Option<i64> =
            events::table.select(max(events::id)).first(&mut connection).await.map_err(unavailable)?;
        Ok(EventId(newest.unwrap_or(0)))
    }

    #[instrument(level = "debug", skip_all, fields(after = after.0, limit))]
    async fn events_after(&self, after: EventId, limit: u32) -> Result<Vec<Event>, StoreError> {
        let mut connection = self.connection().await?;
        let rows: Vec<EventRow> = events::table
            .filter(events::id.gt(after.0))
            .order(events::id)
            .limit(limit.into())
            .select(EventRow::as_select())
            .load(&mut connection)
            .await
            .map_err(unavailable)?;
        let ids = rows.iter().map(|row| row.id);
        let (Some(first), Some(last)) = (ids.clone().min(), ids.max()) else {
            return Ok(Vec::new());
        };
        // An event never changes, so the second statement sees what the first one saw.
        let projects = event_projects::table
            .filter(event_projects::event_id.between(first, last))
            .order((event_projects::event_id, event_projects::position))
            .select(EventProjectRow::as_select())
            .load(&mut connection)
            .await
            .map_err(unavailable)?;
        Ok(events_of(rows, projects)?)
    }
}

/// Records an event, as the last step in the transaction of the change that it speaks of: its number is drawn under a
/// lock that ends with the commit, so numbers appear in rising order.
pub(crate) async fn record(connection: &mut AsyncPgConnection, event: &NewEvent) -> Result<EventId, Failure> {
    lock(connection, NUMBERING).await?;
    let id: i64 = insert_into(events::table)
        .values(NewEventRow::from(event))
        .returning(events::id)
        .get_result(connection)
        .await?;
    let named = event.projects.as_ref().map_or(&[][..], ProjectScope::named);
    let links: Vec<_> = (0_i32..)
        .zip(named)
        .map(|(position, project)| {
            (
                event_projects::project_id.eq(project.as_str()),
                event_projects::event_id.eq(id),
                event_projects::position.eq(position),
            )
        })
        .collect();
    if !links.is_empty() {
        insert_into(event_projects::table).values(links).execute(connection).await?;
    }
    Ok(EventId(id))
}
