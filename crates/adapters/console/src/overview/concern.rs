//! Tokens that events say something of.

use latchkey_service::{Concern, ConcernedTokens, ReadInstanceTokens, ReadTokens, ServiceError};

use crate::{tokens::Reach, visitor::Visitor};

/// Returns the tokens that the visitor may read and that need attention.
pub(super) async fn tokens(
    visitor: &Visitor,
    reach: &Reach,
    concern: Concern,
) -> Result<ConcernedTokens, ServiceError> {
    let attention = &visitor.use_cases().attention;
    match reach {
        Reach::Project(project) => {
            attention.in_project(&visitor.may_in::<ReadTokens>(project)?, concern).await
        }
        Reach::Instance => attention.in_instance(&visitor.may::<ReadInstanceTokens>()?, concern).await,
    }
}
