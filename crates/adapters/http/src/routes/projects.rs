//! `/api/admin/projects`.

use std::sync::Arc;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;

use crate::context::Context;

/// This module's part of the document.
#[derive(OpenApi)]
#[openapi(paths())]
pub(crate) struct Document;

pub(super) fn routes(_config: &mut ServiceConfig, _context: &Arc<Context>) {}
