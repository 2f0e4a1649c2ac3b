//! The list of webhooks, which are few.

use askama::Template;
use latchkey_domain::Webhook;
use latchkey_http::pages::ApiResult;
use latchkey_service::ManageWebhooks;

use super::address::ROOT;
use crate::{
    frame::{Frame, Section},
    mark::Mark,
    visitor::Visitor,
};

/// A webhook in the list.
struct Row {
    webhook: Webhook,
    mark: Mark,
}

#[derive(Template)]
#[template(path = "webhooks/list.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
}

pub(super) async fn show(visitor: Visitor) -> ApiResult {
    let permit = visitor.may::<ManageWebhooks>()?;
    let webhooks = visitor.use_cases().webhooks.list(&permit).await?;
    let rows =
        webhooks.into_iter().map(|webhook| Row { mark: Mark::of_switch(webhook.target.enabled), webhook });
    visitor.browser.show(&ListPage { frame: visitor.frame(Section::Webhooks), rows: rows.collect() })
}
