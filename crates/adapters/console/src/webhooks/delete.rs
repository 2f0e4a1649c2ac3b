//! Deleting a webhook, after a question.

use askama::Template;
use latchkey_domain::Webhook;
use latchkey_http::pages::{ApiResult, PathParameters, RawBody};
use latchkey_service::ManageWebhooks;

use super::address::{ROOT, id_in};
use crate::{
    form::Form,
    frame::{Frame, Section},
    page::see_other,
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "webhooks/delete.html")]
struct DeletePage {
    frame: Frame,
    webhook: Webhook,
}

pub(super) async fn show(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may::<ManageWebhooks>()?;
    let webhook = visitor.use_cases().webhooks.get(&permit, id_in(&path)?).await?;
    visitor.browser.show(&DeletePage { frame: visitor.frame(Section::Webhooks), webhook })
}

pub(super) async fn delete(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageWebhooks>()?;
    Form::read(body).await?;
    visitor.use_cases().webhooks.delete(&permit, id_in(&path)?).await?;
    Ok(see_other(&format!("{ROOT}?done=webhook-deleted")))
}
