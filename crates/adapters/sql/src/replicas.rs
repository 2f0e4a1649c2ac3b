//! Replicas: the statements that both stores run.

#![expect(
    missing_docs,
    clippy::must_use_candidate,
    reason = "`auto_type` makes a type alias, and a statement must be used anyway"
)]

use diesel::{
    ExpressionMethods, QueryDsl, SelectableHelper,
    backend::Backend,
    dsl::{AsSelect, auto_type},
};

use crate::{columns::DbTime, rows::ReplicaRow, schema::replicas};

/// Selects the replicas that were seen between these moments, by their start.
#[auto_type]
pub fn replicas_seen<DB: Backend>(first: DbTime, last: DbTime) -> _ {
    let row: AsSelect<ReplicaRow, DB> = ReplicaRow::as_select();
    replicas::table
        .filter(replicas::seen_at.ge(first))
        .filter(replicas::seen_at.le(last))
        .order((replicas::started_at, replicas::id))
        .select(row)
}
