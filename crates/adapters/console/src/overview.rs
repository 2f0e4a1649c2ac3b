//! The overview: what needs attention.

use actix_web::web::{self, ServiceConfig};
use latchkey_http::pages::ApiResult;

use crate::{ROOT, page::see_other, visitor::Visitor};

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.route(ROOT, web::get().to(show));
}

async fn show(_: Visitor) -> ApiResult {
    Ok(see_other(path!("tokens")))
}
