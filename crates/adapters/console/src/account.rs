//! The visitor's own account: password, sessions, personal access tokens.

use actix_web::web::ServiceConfig;

pub(crate) fn configure(_config: &mut ServiceConfig) {}
