//! `/api/admin/webhooks`: where events are sent as they happen.

use actix_web::web::Data;
use latchkey_domain::WebhookId;
use latchkey_service::{InstancePermit, ManageWebhooks, Missing, ServiceError};

use super::{
    body::{CreatedWebhookBody, WebhookBody, WebhookDraftBody, WebhooksBody},
    delivery_body::PingBody,
};
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, Body, PathParameters},
    response::{ApiResult, Tagged, created_at, empty, ok, tagged},
};

const COLLECTION: &str = "/api/admin/webhooks";
const ONE: &str = "/api/admin/webhooks/{webhookId}";
/// About how large one webhook is in JSON, in bytes.
const WEBHOOK_BYTES: usize = 512;

pub(super) fn configure(api: &mut Api) {
    api.tag("Webhooks").private(operations![
        get_webhooks,
        create_webhook,
        get_webhook,
        update_webhook,
        delete_webhook,
        ping_webhook
    ]);
}

/// Returns the id in the path. No webhook has another text for its id.
pub(super) fn webhook_id(path: &PathParameters) -> ApiResult<WebhookId> {
    let id = WebhookId::parse(&path.text("webhookId")?);
    Ok(id.ok_or(ServiceError::NotFound(Missing::Webhook))?)
}

/// Get all webhooks.
///
/// By creation, without the secrets of their signatures.
#[utoipa::path(get, path = COLLECTION, responses(
    (status = 200, description = "The webhooks, by creation, without their secrets.", body = WebhooksBody<'_>),
))]
async fn get_webhooks(
    Authorized(permit): Authorized<InstancePermit<ManageWebhooks>>,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let webhooks = context.use_cases.webhooks.list(&permit).await?;
    tagged(&WebhooksBody::of(&webhooks), WEBHOOK_BYTES * webhooks.len())
}

/// Create a webhook.
///
/// Events from then on are sent to it by POST, signed as Standard Webhooks has it: at least once, those of one token in order. The
/// response shows the secret of the signatures, which is never shown again.
#[utoipa::path(post, path = COLLECTION, responses(
    (status = 201, description = "The webhook with its secret.", body = CreatedWebhookBody<'_>,
        headers(("Location" = String, description = "The URL of the webhook, relative to this one."))),
))]
async fn create_webhook(
    Authorized(permit): Authorized<InstancePermit<ManageWebhooks>>,
    body: Body<WebhookDraftBody>,
    context: Data<Context>,
) -> ApiResult {
    let target = body.read().await?.into();
    let created = context.use_cases.webhooks.create(&permit, target).await?;
    created_at(&format!("webhooks/{}", created.webhook.id), &CreatedWebhookBody::of(&created))
}

/// Get a webhook.
///
/// Without the secret of its signatures.
#[utoipa::path(get, path = ONE, responses(
    (status = 200, description = "The webhook, without its secret.", body = WebhookBody<'_>),
    (status = 404, description = "There is no such webhook."),
))]
async fn get_webhook(
    Authorized(permit): Authorized<InstancePermit<ManageWebhooks>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult<Tagged> {
    let found = context.use_cases.webhooks.get(&permit, webhook_id(&path)?).await?;
    tagged(&WebhookBody::of(&found), WEBHOOK_BYTES)
}

/// Update a webhook.
///
/// The body replaces all but the secret. What waits is sent to the new URL.
#[utoipa::path(put, path = ONE, responses(
    (status = 200, description = "The updated webhook, without its secret.", body = WebhookBody<'_>),
    (status = 404, description = "There is no such webhook."),
))]
async fn update_webhook(
    Authorized(permit): Authorized<InstancePermit<ManageWebhooks>>,
    path: PathParameters,
    body: Body<WebhookDraftBody>,
    context: Data<Context>,
) -> ApiResult {
    let target = body.read().await?.into();
    let id = webhook_id(&path)?;
    ok(&WebhookBody::of(&context.use_cases.webhooks.replace(&permit, id, &target).await?))
}

/// Delete a webhook.
///
/// What waits is not sent any more.
#[utoipa::path(delete, path = ONE, responses(
    (status = 200, description = "The webhook is deleted, with its deliveries."),
    (status = 404, description = "There is no such webhook."),
))]
async fn delete_webhook(
    Authorized(permit): Authorized<InstancePermit<ManageWebhooks>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    context.use_cases.webhooks.delete(&permit, webhook_id(&path)?).await?;
    Ok(empty())
}

/// Send a test to a webhook.
///
/// At once, also to one that is disabled. It is sent once, and is no delivery.
#[utoipa::path(post, path = "/api/admin/webhooks/{webhookId}/ping", responses(
    (status = 200, description = "What became of it.", body = PingBody),
    (status = 404, description = "There is no such webhook."),
))]
async fn ping_webhook(
    Authorized(permit): Authorized<InstancePermit<ManageWebhooks>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult {
    let sent = context.use_cases.webhooks.ping(&permit, webhook_id(&path)?).await?;
    ok(&PingBody::of(sent))
}
