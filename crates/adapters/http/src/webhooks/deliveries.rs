//! `/api/admin/webhooks/{webhookId}/deliveries`: what became of each event.

use actix_web::web::Data;
use deserr::Deserr;
use latchkey_domain::{DeliveryId, DeliveryState, EventId, UnknownDeliveryState};
use latchkey_service::{DeliveryPage, InstancePermit, ManageWebhooks, Message, sentence};
use utoipa::IntoParams;

use super::{
    delivery_body::{DeliveriesBody, DeliveryBody},
    routes::webhook_id,
};
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{
        Authorized, PathParameters, Problems, Query,
        text::{FromText, Parsed, text_members},
    },
    response::{ApiResult, Tagged, ok, tagged},
    tokens::Limit,
};

/// How many deliveries a list returns by default.
const DEFAULT_LIST: u32 = 100;
/// About how large one delivery is in JSON, in bytes.
const DELIVERY_BYTES: usize = 320;

pub(super) fn configure(api: &mut Api) {
    api.tag("Webhooks").private(operations![get_webhook_deliveries, redeliver_webhook_event]);
}

/// The filter and the page of a list of deliveries.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems)]
#[into_params(parameter_in = Query)]
pub struct DeliveriesQuery {
    /// Only deliveries in this state: `waiting`, `delivered` or `failed`.
    #[deserr(default)]
    #[param(value_type = Option<String>, pattern = "^(waiting|delivered|failed)$")]
    state: Option<DeliveryState>,
    /// Only deliveries of events below this id: the last one of the page before.
    #[deserr(default)]
    #[param(value_type = Option<u64>, format = "uint64")]
    before: Option<Parsed<u64>>,
    /// The maximum number of deliveries to return: 100 by default, at most 1,000.
    #[deserr(default)]
    #[param(value_type = Option<u32>, example = 20, minimum = 1, maximum = 1000)]
    limit: Option<Limit>,
}

impl FromText for DeliveryState {
    fn from_text(text: &str, _: &str) -> Result<Self, Message> {
        text.parse().map_err(|error: UnknownDeliveryState| sentence(&error).into())
    }
}

text_members!(DeliveryState);

impl From<DeliveriesQuery> for DeliveryPage {
    fn from(DeliveriesQuery { state, before, limit }: DeliveriesQuery) -> Self {
        // No event has a number that does not fit.
        let below = before.map(|Parsed(before)| EventId(i64::try_from(before).unwrap_or(i64::MAX)));
        let limit = limit.map_or(DEFAULT_LIST, |Limit(limit)| limit);
        Self { state, below, limit }
    }
}

/// Get the deliveries of a webhook.
///
/// One for each event, newest first, with the status and the duration of the last attempt. Those that were received are kept for a week,
/// those that were given up for a month.
#[utoipa::path(get, path = "/api/admin/webhooks/{webhookId}/deliveries", responses(
    (status = 200, description = "The deliveries.", body = DeliveriesBody<'_>),
    (status = 404, description = "There is no such webhook."),
))]
async fn get_webhook_deliveries(
    Authorized(permit): Authorized<InstancePermit<ManageWebhooks>>,
    path: PathParameters,
    query: Query<DeliveriesQuery>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let page = query.read()?.into();
    let id = webhook_id(&path)?;
    let found = context.use_cases.webhooks.deliveries(&permit, id, page).await?;
    tagged(&DeliveriesBody::of(&found), DELIVERY_BYTES * found.len())
}

/// Send an event to a webhook again.
///
/// Soon, and outside of the order of its token; if it fails, it is tried as long as any other. A delivery that waits is left as it is.
#[utoipa::path(post, path = "/api/admin/webhooks/{webhookId}/deliveries/{eventId}/redeliver", responses(
    (status = 200, description = "The delivery, which waits.", body = DeliveryBody<'_>),
    (status = 404, description = "There is no such webhook, or no delivery of this event to it."),
))]
async fn redeliver_webhook_event(
    Authorized(permit): Authorized<InstancePermit<ManageWebhooks>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    let event = EventId(path.id("eventId")?);
    let id = DeliveryId { webhook: webhook_id(&path)?, event };
    ok(&DeliveryBody::of(&context.use_cases.webhooks.redeliver(&permit, id).await?))
}
