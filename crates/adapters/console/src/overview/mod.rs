//! The overview: what needs attention, how much is verified, and what happened lately.

mod address;
mod concern;
mod lists;
mod show;
mod tiles;

use actix_web::web::{self, ServiceConfig};

use self::address::{EXPIRED_IN_USE, LEAKED, VIOLATIONS};
use crate::paths::ROOT;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .route(ROOT, web::get().to(show::show))
        .route(LEAKED, web::get().to(lists::leaked))
        .route(EXPIRED_IN_USE, web::get().to(lists::expired_in_use))
        .route(VIOLATIONS, web::get().to(lists::violations));
}
