//! Webhooks: which there are, and what became of each event that was sent to one.

mod change;
mod create;
mod delete;
mod fields;
mod list;
mod mark;
mod one;
mod ping;

use actix_web::web::{self, ServiceConfig};
use latchkey_domain::WebhookId;
use latchkey_http::pages::{ApiError, PathParameters};
use latchkey_service::{Missing, ServiceError};

/// Where all of them are.
const ROOT: &str = path!("webhooks");

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(
        web::scope(ROOT)
            .route("", web::get().to(list::show))
            .service(web::resource("/new").get(create::show).post(create::create))
            .route("/{webhookId}", web::get().to(one::show))
            .service(web::resource("/{webhookId}/edit").get(change::show).post(change::change))
            .service(web::resource("/{webhookId}/delete").get(delete::show).post(delete::delete))
            .service(web::resource("/{webhookId}/ping").get(ping::show).post(ping::ping))
            .route("/{webhookId}/deliveries/{eventId}/redeliver", web::post().to(one::redeliver)),
    );
}

/// Returns the id in the path. No webhook has another text for its id.
fn id_in(path: &PathParameters) -> Result<WebhookId, ApiError> {
    let id = WebhookId::parse(&path.text("webhookId")?);
    Ok(id.ok_or(ServiceError::NotFound(Missing::Webhook))?)
}
