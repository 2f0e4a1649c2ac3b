//! Webhooks: the statements that both stores run.

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
use latchkey_domain::DeliveryState;

use crate::{
    columns::{DbId, DbInt},
    rows::{DeliveryRow, WebhookRow},
    schema::{webhook_deliveries, webhooks},
};

/// The number of deliveries that are deleted at once, so that others can write in between.
pub const FORGOTTEN_AT_ONCE: i64 = 5_000;

/// Makes the first delivery that waits in the lane `$3` of the webhook `$2` due at `$1`, unless it is.
pub const FREE_LANE: &str = "\
    UPDATE webhook_deliveries SET next_at = $1 \
    WHERE webhook_id = $2 AND next_at IS NULL AND event_id = (\
        SELECT event_id FROM webhook_deliveries WHERE webhook_id = $2 AND lane = $3 AND state = 'waiting' \
        ORDER BY event_id LIMIT 1)";

/// Selects all webhooks, by creation.
#[auto_type]
pub fn all_webhooks<DB: Backend>() -> _ {
    let row: AsSelect<WebhookRow, DB> = WebhookRow::as_select();
    webhooks::table.order((webhooks::created_at, webhooks::id)).select(row)
}

/// Selects a webhook.
#[auto_type]
pub fn webhook<DB: Backend>(id: DbId) -> _ {
    let row: AsSelect<WebhookRow, DB> = WebhookRow::as_select();
    webhooks::table.find(id).select(row)
}

/// Selects a delivery.
#[auto_type]
pub fn delivery<DB: Backend>(webhook: DbId, event: i64) -> _ {
    let row: AsSelect<DeliveryRow, DB> = DeliveryRow::as_select();
    webhook_deliveries::table.find((webhook, event)).select(row)
}

/// Finds a waiting delivery whose last attempt has this number.
#[auto_type]
pub fn attempted(webhook: DbId, event: i64, number: DbInt) -> _ {
    let waiting: &'static str = DeliveryState::Waiting.as_str();
    webhook_deliveries::table
        .find((webhook, event))
        .filter(webhook_deliveries::state.eq(waiting))
        .filter(webhook_deliveries::attempts.eq(number))
}

/// Selects deliveries of a webhook below an event, newest first.
#[macro_export]
macro_rules! matching_deliveries {
    ($query:expr) => {{
        let DeliveryQuery { webhook, state, below, limit } = $query;
        let deliveries = webhook_deliveries::table
            .filter(webhook_deliveries::webhook_id.eq(DbId(webhook.0)))
            .filter(webhook_deliveries::event_id.lt(below.map_or(i64::MAX, |below| below.0)))
            .order(webhook_deliveries::event_id.desc())
            .limit(limit.into())
            .select(DeliveryRow::as_select())
            .into_boxed();
        match state {
            Some(state) => deliveries.filter(webhook_deliveries::state.eq(state.as_str())),
            None => deliveries,
        }
    }};
}
