//! Events of another system, under ids that this database does not give.

use diesel::{
    sql_query,
    sql_types::{Array, BigInt, Nullable, Text},
};
use diesel_async::RunQueryDsl;
use latchkey_domain::{Event, NewEvent};
use latchkey_sql::{
    columns::{DbTime, Int, Json, UtcTime},
    errors::DbError,
    rows::{NewEventProjectRow, NewEventRow, NewSnapshot, event_projects},
};

use crate::{connection::Connection, insertion::ROWS_AT_ONCE};

/// Inserts events, and lists those that were not there under their projects. Arrays, because diesel has no words for an id in
/// place of a generated one.
const INSERT: &str = "\
    WITH inserted AS (\
        INSERT INTO events (id, kind, actor_name, actor_user_id, address, user_agent, at, concerns, environment, subject, \
            before, after) \
        OVERRIDING SYSTEM VALUE SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
        ON CONFLICT (id) DO NOTHING RETURNING id) \
    INSERT INTO event_projects (event_id, project_id, position) \
    SELECT named.event, named.project, named.position \
    FROM unnest($13, $14, $15) AS named (event, project, position) INNER JOIN inserted ON inserted.id = named.event";

/// The columns of rows of `events`.
#[derive(Default)]
struct Columns<'e> {
    id: Vec<i64>,
    kind: Vec<&'e str>,
    actor_name: Vec<&'e str>,
    actor_user_id: Vec<i64>,
    address: Vec<Option<String>>,
    user_agent: Vec<Option<&'e str>>,
    at: Vec<DbTime>,
    concerns: Vec<&'e str>,
    environment: Vec<Option<&'e str>>,
    subject: Vec<Option<String>>,
    before: Vec<Option<NewSnapshot<'e>>>,
    after: Vec<Option<NewSnapshot<'e>>>,
}

/// Inserts events of another system, unless their ids are there.
pub(crate) async fn insert_events(connection: &mut Connection, all: &[Event]) -> Result<(), DbError> {
    for some in all.chunks(ROWS_AT_ONCE) {
        let mut columns = Columns::default();
        for Event { id, record } in some {
            let row = NewEventRow::from(record);
            columns.id.push(id.0);
            columns.kind.push(row.kind);
            columns.actor_name.push(row.actor_name);
            columns.actor_user_id.push(row.actor_user_id);
            columns.address.push(row.address);
            columns.user_agent.push(row.user_agent);
            columns.at.push(row.at);
            columns.concerns.push(row.concerns);
            columns.environment.push(row.environment);
            columns.subject.push(row.subject);
            columns.before.push(row.before);
            columns.after.push(row.after);
        }
        let records: Vec<&NewEvent> = some.iter().map(|event| &event.record).collect();
        let (mut owners, mut projects, mut positions) = (Vec::new(), Vec::new(), Vec::new());
        for NewEventProjectRow { event_id, project_id, position } in event_projects(&columns.id, &records) {
            owners.push(event_id);
            projects.push(project_id);
            positions.push(position);
        }
        sql_query(INSERT)
            .bind::<Array<BigInt>, _>(columns.id)
            .bind::<Array<Text>, _>(columns.kind)
            .bind::<Array<Text>, _>(columns.actor_name)
            .bind::<Array<BigInt>, _>(columns.actor_user_id)
            .bind::<Array<Nullable<Text>>, _>(columns.address)
            .bind::<Array<Nullable<Text>>, _>(columns.user_agent)
            .bind::<Array<UtcTime>, _>(columns.at)
            .bind::<Array<Text>, _>(columns.concerns)
            .bind::<Array<Nullable<Text>>, _>(columns.environment)
            .bind::<Array<Nullable<Text>>, _>(columns.subject)
            .bind::<Array<Nullable<Json>>, _>(columns.before)
            .bind::<Array<Nullable<Json>>, _>(columns.after)
            .bind::<Array<BigInt>, _>(owners)
            .bind::<Array<Text>, _>(projects)
            .bind::<Array<Int>, _>(positions)
            .execute(connection)
            .await?;
    }
    Ok(())
}
