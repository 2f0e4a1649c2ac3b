//! Webhooks: which there are, and what became of each event that was sent to one.

mod address;
mod change;
mod create;
mod delete;
mod fields;
mod list;
mod one;
mod ping;

use actix_web::web::{self, ServiceConfig};

use self::address::ROOT;

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
