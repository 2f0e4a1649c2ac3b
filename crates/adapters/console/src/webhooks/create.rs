//! A new webhook: the form, and the page that shows its secret, once.

use askama::Template;
use latchkey_domain::{EventKind, Webhook};
use latchkey_http::pages::{ApiResult, RawBody};
use latchkey_service::{ManageWebhooks, ServiceError};

use super::{address::ROOT, fields};
use crate::{
    form::Form,
    frame::{Frame, Section},
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "webhooks/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    kinds: &'static [EventKind],
    projects: Vec<String>,
}

#[derive(Template)]
#[template(path = "webhooks/secret.html")]
struct SecretPage {
    frame: Frame,
    webhook: Webhook,
    secret: String,
}

pub(super) async fn show(visitor: Visitor) -> ApiResult {
    visitor.may::<ManageWebhooks>()?;
    let page = page(&visitor, fields::new()).await?;
    visitor.browser.show(&page)
}

async fn page(visitor: &Visitor, form: Form) -> Result<NewPage, ServiceError> {
    let projects = fields::projects(visitor, &form).await?;
    Ok(NewPage { frame: visitor.frame(Section::Webhooks), form, kinds: fields::kinds(), projects })
}

pub(super) async fn create(visitor: Visitor, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageWebhooks>()?;
    let form = Form::read(body).await?;
    let created = async { Ok(visitor.use_cases().webhooks.create(&permit, fields::read(&form)?).await?) };
    match created.await {
        Ok(created) => {
            let secret = created.secret.reveal().to_owned();
            let frame = visitor.frame(Section::Webhooks);
            visitor.browser.show_secret(&SecretPage { frame, webhook: created.webhook, secret })
        }
        Err(error) => {
            let (status, form) = form.with_problems(visitor.browser.words, error)?;
            let page = page(&visitor, form).await?;
            visitor.browser.show_with(status, &page)
        }
    }
}
