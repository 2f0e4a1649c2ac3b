//! The bodies that say what became of what was sent.

use std::time::Duration;

use latchkey_ports::{Delivery, Sent};
use serde::Serialize;
use utoipa::ToSchema;

use crate::wire_time::WireTime;

/// What became of a test.
#[derive(Serialize, ToSchema)]
#[schema(as = webhookPingSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PingBody {
    /// Whether the receiver answered with a status of 2xx.
    #[schema(example = true)]
    delivered: bool,
    /// The status of the response; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u16, required = false, example = 204)]
    status: Option<u16>,
    /// How long it took, in milliseconds.
    #[schema(example = 35)]
    duration_ms: u64,
    /// Why it was not delivered; absent if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "the receiver answered 500")]
    error: Option<String>,
}

impl PingBody {
    pub(super) fn of(Sent { status, duration, error }: Sent) -> Self {
        Self { delivered: error.is_none(), status, duration_ms: millis(duration), error }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What became of an event that is sent to a webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = webhookDeliverySchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryBody<'d> {
    /// The id of the event.
    #[schema(example = 899)]
    event_id: i64,
    /// The type of the event.
    #[schema(value_type = String, example = "api-token-created")]
    r#type: &'static str,
    /// When the event happened.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    created_at: WireTime,
    /// `waiting`: it is on its way or will be tried again. `delivered`. `failed`: it was given up.
    #[schema(value_type = String, example = "delivered")]
    state: &'static str,
    /// How often it was sent.
    #[schema(example = 1)]
    attempts: u32,
    /// When it is sent next, unless the attempt that is on its way ends before; absent if it is not, or after earlier events of its token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false, example = "2023-04-19T08:15:19.000Z")]
    next_attempt_at: Option<WireTime>,
    /// When it was delivered or given up; absent while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false, example = "2023-04-19T08:15:15.000Z")]
    ended_at: Option<WireTime>,
    /// The status of the last response; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u16, required = false, example = 204)]
    status: Option<u16>,
    /// How long the last attempt took, in milliseconds; absent before the first has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false, example = 35)]
    duration_ms: Option<u64>,
    /// Why the last attempt failed; absent if it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "the receiver answered 500")]
    error: Option<&'d str>,
}

impl<'d> DeliveryBody<'d> {
    pub(super) fn of(delivery: &'d Delivery) -> Self {
        Self {
            event_id: delivery.id.event.0,
            r#type: delivery.kind.as_str(),
            created_at: WireTime(delivery.at),
            state: delivery.state.as_str(),
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_at.map(WireTime),
            ended_at: delivery.ended_at.map(WireTime),
            status: delivery.status,
            duration_ms: delivery.duration.map(millis),
            error: delivery.error.as_deref(),
        }
    }
}

/// A list of deliveries.
#[derive(Serialize, ToSchema)]
#[schema(as = webhookDeliveriesSchema)]
pub(super) struct DeliveriesBody<'d> {
    /// The deliveries, newest event first.
    deliveries: Vec<DeliveryBody<'d>>,
}

impl<'d> DeliveriesBody<'d> {
    pub(super) fn of(deliveries: &'d [Delivery]) -> Self {
        Self { deliveries: deliveries.iter().map(DeliveryBody::of).collect() }
    }
}
