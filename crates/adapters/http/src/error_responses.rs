//! The errors in the OpenAPI document: those that many operations share, and an example for every status.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use latchkey_domain::{Denied, Permission, Place, ProjectId};
use latchkey_service::{Missing, ServiceError};
use utoipa::{
    IntoResponses,
    openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder},
};
use uuid::Uuid;

use crate::{error::ApiError, error_body::Detail};

/// The id of the examples.
const EXAMPLE_ID: Uuid = Uuid::from_u128(0x9c40_958a_daac_400e_98fb_3bb4_3856_7008);

/// The errors of every operation that authenticates its caller.
pub(crate) struct CallerErrors;

impl IntoResponses for CallerErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        errors([
            (401, "The credentials are missing or not valid."),
            (
                503,
                "The database does not answer, or another request changed the same thing at the same time.",
            ),
        ])
    }
}

/// The errors of every operation that reads a body.
pub(crate) struct BodyErrors;

impl IntoResponses for BodyErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        errors([
            (413, "The body is larger than 1 MiB."),
            (415, "The content type of the body is not accepted."),
        ])
    }
}

fn errors<const N: usize>(errors: [(u16, &str); N]) -> BTreeMap<String, RefOr<Response>> {
    let response = |description: &str| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("errorSchema"))).build();
        ResponseBuilder::new().description(description).content("application/json", content).build()
    };
    errors.map(|(status, description)| (status.to_string(), response(description).into())).into()
}

/// Adds to every error in the document an example, which is the error object that the service sends.
pub(crate) fn add_examples(document: &mut OpenApi) {
    let operations = document.paths.paths.values_mut().flat_map(|item| {
        [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch]
            .into_iter()
            .flatten()
    });
    for (status, response) in operations.flat_map(|operation| operation.responses.responses.iter_mut()) {
        let (RefOr::T(response), Some(example)) = (response, example(status)) else { continue };
        for content in response.content.values_mut() {
            if let RefOr::T(content) = content {
                content.example = Some(example.clone());
            }
        }
    }
}

/// Returns the body of a typical error of this status.
fn example(status: &str) -> Option<serde_json::Value> {
    let error = match StatusCode::from_bytes(status.as_bytes()).ok()? {
        StatusCode::BAD_REQUEST => {
            ApiError::BadInput(vec![Detail::of_field("tokenName", "tokenName is required.")])
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
        StatusCode::TOO_MANY_REQUESTS => {
            ServiceError::TooManyAttempts(std::time::Duration::from_secs(2)).into()
        }
        StatusCode::SERVICE_UNAVAILABLE => ApiError::Busy,
        _ => return None,
    };
    serde_json::to_value(error.body(EXAMPLE_ID)).ok()
}
