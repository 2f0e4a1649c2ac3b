//! A test of a webhook, which is sent once, and what became of it.

use askama::Template;
use latchkey_domain::Webhook;
use latchkey_http::pages::{ApiResult, PathParameters, RawBody};
use latchkey_ports::Sent;
use latchkey_service::ManageWebhooks;

use super::address::{ROOT, id_in};
use crate::{
    form::Form,
    frame::{Frame, Section},
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "webhooks/ping.html")]
struct PingPage {
    frame: Frame,
    webhook: Webhook,
    /// What became of the test; `None` before it is sent.
    sent: Option<Sent>,
}

pub(super) async fn show(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may::<ManageWebhooks>()?;
    let webhook = visitor.use_cases().webhooks.get(&permit, id_in(&path)?).await?;
    visitor.browser.show(&PingPage { frame: visitor.frame(Section::Webhooks), webhook, sent: None })
}

/// Sends the test. What became of it is kept nowhere, so this page shows it and leads to no other.
pub(super) async fn ping(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageWebhooks>()?;
    Form::read(body).await?;
    let id = id_in(&path)?;
    let webhooks = &visitor.use_cases().webhooks;
    let webhook = webhooks.get(&permit, id).await?;
    let sent = Some(webhooks.ping(&permit, id).await?);
    visitor.browser.show(&PingPage { frame: visitor.frame(Section::Webhooks), webhook, sent })
}
