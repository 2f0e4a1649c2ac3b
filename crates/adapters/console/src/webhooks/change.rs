//! Changing a webhook. Its secret stays.

use askama::Template;
use latchkey_domain::{EventKind, Webhook};
use latchkey_http::pages::{ApiResult, PathParameters, RawBody};
use latchkey_service::{ManageWebhooks, ServiceError};

use super::{
    address::{ROOT, id_in},
    fields,
};
use crate::{
    form::Form,
    frame::{Frame, Section},
    page::see_other,
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "webhooks/edit.html")]
struct EditPage {
    frame: Frame,
    webhook: Webhook,
    form: Form,
    kinds: &'static [EventKind],
    projects: Vec<String>,
}

pub(super) async fn show(visitor: Visitor, path: PathParameters) -> ApiResult {
    let permit = visitor.may::<ManageWebhooks>()?;
    let webhook = visitor.use_cases().webhooks.get(&permit, id_in(&path)?).await?;
    let form = fields::of(&webhook);
    let page = page(&visitor, webhook, form).await?;
    visitor.browser.show(&page)
}

async fn page(visitor: &Visitor, webhook: Webhook, form: Form) -> Result<EditPage, ServiceError> {
    let projects = fields::projects(visitor, &form).await?;
    let frame = visitor.frame(Section::Webhooks);
    Ok(EditPage { frame, webhook, form, kinds: fields::kinds(), projects })
}

pub(super) async fn change(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageWebhooks>()?;
    let form = Form::read(body).await?;
    let id = id_in(&path)?;
    let webhooks = &visitor.use_cases().webhooks;
    let webhook = webhooks.get(&permit, id).await?;
    let changed = async { Ok(webhooks.replace(&permit, id, &fields::read(&form)?).await?) };
    match changed.await {
        Ok(_) => Ok(see_other(&format!("{ROOT}/{id}?done=webhook-changed"))),
        Err(error) => {
            let (status, form) = form.with_problems(visitor.browser.words, error)?;
            let page = page(&visitor, webhook, form).await?;
            visitor.browser.show_with(status, &page)
        }
    }
}
