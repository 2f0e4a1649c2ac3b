//! The errors in the OpenAPI document: their schema, and an example for every status.

use actix_web::http::StatusCode;
use latchkey_domain::{Denied, Permission, Place, ProjectId};
use latchkey_service::{Missing, ServiceError};
use utoipa::openapi::{ContentBuilder, Ref, Response};
use uuid::Uuid;

use crate::{error::ApiError, error_body::Detail, extract::problems::required, response::JSON};

/// The id of the examples.
const EXAMPLE_ID: Uuid = Uuid::from_u128(0x9c40_958a_daac_400e_98fb_3bb4_3856_7008);

/// Adds to an error the schema of its body, and as an example an error object that the service sends.
pub(crate) fn complete(status: &str, response: &mut Response) {
    if let Some(example) = example(status) {
        let schema = Ref::from_schema_name("errorSchema");
        let content = ContentBuilder::new().schema(Some(schema)).example(Some(example)).build();
        response.content.insert(JSON.to_owned(), content.into());
    }
}

/// Returns the body of a typical error of this status.
fn example(status: &str) -> Option<serde_json::Value> {
    let error = match StatusCode::from_bytes(status.as_bytes()).ok()? {
        StatusCode::BAD_REQUEST => {
            ApiError::BadInput(vec![Detail::of_field("tokenName", required("tokenName"))])
        }
        StatusCode::UNAUTHORIZED => ApiError::NoCredentials,
        StatusCode::FORBIDDEN => ServiceError::Denied(Denied {
            any_of: vec![Permission::ReadProjectApiToken],
            place: Place::Project(ProjectId::new("default").ok()?),
        })
        .into(),
        StatusCode::NOT_FOUND => ServiceError::NotFound(Missing::Project("nope".to_owned())).into(),
        StatusCode::CONFLICT => ServiceError::Exists(latchkey_ports::Entity::Secret).into(),
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge(1024 * 1024),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ApiError::ContentType(
            "We do not accept this content type: send application/json, in UTF-8.".to_owned(),
        ),
        StatusCode::UNPROCESSABLE_ENTITY => ServiceError::KeyReused.into(),
        StatusCode::TOO_MANY_REQUESTS => {
            ServiceError::TooManyAttempts(std::time::Duration::from_secs(2)).into()
        }
        StatusCode::SERVICE_UNAVAILABLE => ApiError::Busy,
        _ => return None,
    };
    serde_json::to_value(error.body(EXAMPLE_ID)).ok()
}
