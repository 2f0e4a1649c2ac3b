//! The body that rotates a token.

use std::time::Duration;

use latchkey_service::Overlap;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{durations, error_body::Detail, failure::Failure, fields::Fields};

/// How long the old secret lives on where nobody says.
const DEFAULT_OVERLAP: Duration = Duration::from_secs(86_400);

/// A body that gives a token a new secret. It may be left out.
#[derive(ToSchema)]
#[schema(as = rotateApiTokenSchema)]
#[expect(dead_code, reason = "it describes the body for the document; `overlap` reads it")]
pub(crate) struct RotateTokenBody {
    /// How long the old secret is good beside the new one: a duration of ISO 8601 in whole weeks, or in days, hours,
    /// minutes and seconds, at most a year. `PT0S`: it is refused at once.
    #[schema(example = "PT24H", default = "PT24H")]
    overlap: Option<String>,
}

/// Reads the body.
///
/// # Errors
/// [`Failure::BadInput`] for an overlap that is no duration, or too long.
pub(crate) fn overlap(body: Value) -> Result<Overlap, Failure> {
    let mut fields = Fields::of(body)?;
    let asked = fields.optional("overlap", |text| {
        durations::read(text).ok_or_else(|| {
            "overlap must be a duration as ISO 8601 writes it, such as PT24H, P7D or PT0S.".to_owned()
        })
    });
    let overlap = Overlap::new(asked.unwrap_or(DEFAULT_OVERLAP));
    let overlap =
        overlap.map_err(|error| fields.problem(Detail::of_field("overlap", error.to_string()))).ok();
    fields.finish(overlap)
}
