//! The audit trail: what happened, by whom, and what it changed. New events appear while one looks.

mod changes;
mod entry;
mod filters;
mod list;
mod news;

use actix_web::web::{self, ServiceConfig};

use self::filters::ROOT;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(
        web::scope(ROOT).route("", web::get().to(list::show)).route("/new", web::get().to(news::show)),
    );
}
