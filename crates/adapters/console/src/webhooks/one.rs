//! One webhook, and what became of each event that was sent to it.

use askama::Template;
use latchkey_domain::{DeliveryId, DeliveryState, EventId, Webhook};
use latchkey_http::pages::{ApiResult, DeliveriesQuery, PathParameters, Query, RawBody};
use latchkey_ports::Delivery;
use latchkey_service::{DeliveryPage, ManageWebhooks};

use super::address::{ROOT, id_in};
use crate::{
    form::Form,
    frame::{Frame, Section},
    mark::Mark,
    page::see_other,
    paging::{Paging, SHOWN},
    paths::with_query,
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "webhooks/one.html")]
struct OnePage {
    frame: Frame,
    webhook: Webhook,
    mark: Mark,
    rows: Vec<Row>,
    tabs: Vec<Tab>,
    is_filtered: bool,
    /// The address of the first page, if this is a later one.
    newest: Option<String>,
    /// The address of the next page.
    next: Option<String>,
}

/// A delivery in the list.
struct Row {
    delivery: Delivery,
    mark: Mark,
}

/// A choice of the deliveries that are shown.
struct Tab {
    address: String,
    /// The key of its name.
    key: String,
    is_here: bool,
}

/// Returns the choices: all deliveries, and those in each state.
fn tabs(webhook: &Webhook, here: Option<DeliveryState>) -> Vec<Tab> {
    let states = DeliveryState::ALL.iter().copied().map(Some);
    let tabs = std::iter::once(None).chain(states).map(|state| Tab {
        address: address(webhook, state, None),
        key: state.map_or("deliveries-all".to_owned(), |state| format!("state-{state}")),
        is_here: state == here,
    });
    tabs.collect()
}

fn address(webhook: &Webhook, state: Option<DeliveryState>, before: Option<EventId>) -> String {
    let state = state.map(|state| ("state", state.to_string()));
    let before = before.map(|before| ("before", before.0.to_string()));
    with_query(&format!("{ROOT}/{}", webhook.id), state.into_iter().chain(before))
}

pub(super) async fn show(visitor: Visitor, path: PathParameters, query: Query<DeliveriesQuery>) -> ApiResult {
    let permit = visitor.may::<ManageWebhooks>()?;
    let id = id_in(&path)?;
    let page: DeliveryPage = query.read()?.into();
    let webhooks = &visitor.use_cases().webhooks;
    let webhook = webhooks.get(&permit, id).await?;
    // One more than is shown says whether there are more.
    let asked = DeliveryPage { limit: SHOWN + 1, ..page };
    let mut deliveries = webhooks.deliveries(&permit, id, asked).await?;
    let paging = Paging::cut(&mut deliveries, 0);
    let last = deliveries.last().filter(|_| paging.has_more).map(|delivery| delivery.id.event);
    let next = last.map(|last| address(&webhook, page.state, Some(last)));
    let rows =
        deliveries.into_iter().map(|delivery| Row { mark: Mark::of_delivery(delivery.state), delivery });
    visitor.browser.show(&OnePage {
        frame: visitor.frame(Section::Webhooks),
        mark: Mark::of_switch(webhook.target.enabled),
        rows: rows.collect(),
        tabs: tabs(&webhook, page.state),
        is_filtered: page.state.is_some() || page.below.is_some(),
        newest: page.below.map(|_| address(&webhook, page.state, None)),
        next,
        webhook,
    })
}

/// Sends an event again.
pub(super) async fn redeliver(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageWebhooks>()?;
    Form::read(body).await?;
    let webhook = id_in(&path)?;
    let id = DeliveryId { webhook, event: EventId(path.id("eventId")?) };
    visitor.use_cases().webhooks.redeliver(&permit, id).await?;
    Ok(see_other(&format!("{ROOT}/{webhook}?done=webhook-redelivered")))
}
