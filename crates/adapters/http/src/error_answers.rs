//! For the document: the errors that many routes answer in the same words.

use utoipa::IntoResponses;

use crate::error_body::ErrorBody;

/// What every route may answer that has to know who calls.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers for the document")]
pub(crate) enum CallerErrors {
    /// No credentials, or none that are good.
    #[response(
        status = 401,
        example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "AuthenticationRequired", "message": "You must log in to use Latchkey. Your request had no authorization header, so we could not authorize you. Try logging in at /auth/simple/login."})
    )]
    Unknown(ErrorBody),
    /// The database does not answer; or, where something is changed, somebody else changed it at the same moment.
    #[response(status = 503)]
    Unavailable(ErrorBody),
}

/// What every route may answer that reads a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers for the document")]
pub(crate) enum BodyErrors {
    /// The body is larger than 1 MiB.
    #[response(status = 413)]
    TooLarge(ErrorBody),
    /// The body is not declared as JSON.
    #[response(status = 415)]
    NotJson(ErrorBody),
}
