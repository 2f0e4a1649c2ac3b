//! Where webhooks are.

use latchkey_domain::WebhookId;
use latchkey_http::pages::{ApiError, PathParameters};
use latchkey_service::{Missing, ServiceError};

/// Where all of them are.
pub(super) const ROOT: &str = path!("webhooks");

/// Returns the id in the path. No webhook has another text for its id.
pub(super) fn id_in(path: &PathParameters) -> Result<WebhookId, ApiError> {
    let id = WebhookId::parse(&path.text("webhookId")?);
    Ok(id.ok_or(ServiceError::NotFound(Missing::Webhook))?)
}
