//! Tokens that need attention: because of what events say of them, or because they break the policy.

use latchkey_domain::TokenId;
use latchkey_service::{
    Concern, ConcernedTokens, PolicyViolations, ReadInstanceTokens, ReadTokens, ServiceError,
};

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

/// Returns the tokens after this one that break the policy, of those that the visitor may read.
pub(super) async fn violations(
    visitor: &Visitor,
    reach: &Reach,
    after: Option<TokenId>,
) -> Result<PolicyViolations, ServiceError> {
    let policies = &visitor.use_cases().policies;
    match reach {
        Reach::Project(project) => {
            policies.violations_in_project(&visitor.may_in::<ReadTokens>(project)?, after).await
        }
        Reach::Instance => {
            policies.violations_in_instance(&visitor.may::<ReadInstanceTokens>()?, after).await
        }
    }
}
