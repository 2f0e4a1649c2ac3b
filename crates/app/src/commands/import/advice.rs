//! What to do when an import fails.

use latchkey_service::ServiceError;

/// Says what to do about an error.
pub(super) fn explained(error: ServiceError) -> anyhow::Error {
    let advice = match &error {
        ServiceError::Exists(_) | ServiceError::Overtaken => {
            "something was changed here at the same time, and this part of the import was not made: run the same command again"
        }
        _ => "the import was not finished: run the same command again when the cause is gone",
    };
    anyhow::Error::new(error).context(advice)
}
