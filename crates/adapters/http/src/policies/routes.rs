//! `/api/admin/projects/{projectId}/policy`, and the tokens that break policies.

use actix_web::web::Data;
use latchkey_service::{InstancePermit, Permit, ReadInstanceTokens, ReadTokens, UpdateProject};

use super::body::{ProjectPolicyBody, SetPolicyBody, ViolationsBody, ViolationsQuery};
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Authorized, Body, Query},
    response::{ApiResult, ok},
};

const OF_PROJECT: &str = "/api/admin/projects/{projectId}/policy";
const VIOLATIONS_IN_PROJECT: &str = "/api/admin/projects/{projectId}/policy/violations";
const VIOLATIONS: &str = "/api/admin/policy/violations";

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    api.tag("Policies").private(operations![
        get_project_policy,
        set_project_policy,
        get_project_policy_violations,
        get_policy_violations
    ]);
}

/// Get the policy of a project.
///
/// Its own, that of the instance, and what holds for its tokens: the tighter of both in every point.
#[utoipa::path(get, path = OF_PROJECT, responses(
    (status = 200, description = "The policies.", body = ProjectPolicyBody),
))]
async fn get_project_policy(
    Authorized(permit): Authorized<Permit<ReadTokens>>,
    context: Data<Context>,
) -> ApiResult {
    ok(&ProjectPolicyBody::of(&context.use_cases.policies.of_project(&permit).await?))
}

/// Set the policy of a project.
///
/// In place of the one that it has; `{}` removes it. It cannot be looser than that of the instance. Tokens that break it stay as they
/// are and are listed as violations.
#[utoipa::path(put, path = OF_PROJECT, responses(
    (status = 200, description = "The policies then.", body = ProjectPolicyBody),
    (status = 400, description = "Or a member is looser than the policy of the instance."),
))]
async fn set_project_policy(
    Authorized(permit): Authorized<Permit<UpdateProject>>,
    body: Body<SetPolicyBody>,
    context: Data<Context>,
) -> ApiResult {
    let draft = body.read().await?.into();
    ok(&ProjectPolicyBody::of(&context.use_cases.policies.set(&permit, &draft).await?))
}

/// Get the tokens of a project that break its policy.
///
/// Tokens that name the project and break its policy or that of the instance, by creation. A page looks at 1,000 tokens and may be
/// empty; the next one begins at its `nextCursor`. Expired tokens are left out.
#[utoipa::path(get, path = VIOLATIONS_IN_PROJECT, responses(
    (status = 200, description = "The tokens, with the rules that they break.", body = ViolationsBody<'_>),
))]
async fn get_project_policy_violations(
    Authorized(permit): Authorized<Permit<ReadTokens>>,
    query: Query<ViolationsQuery>,
    context: Data<Context>,
) -> ApiResult {
    let after = query.read()?.cursor;
    ok(&ViolationsBody::of(&context.use_cases.policies.violations_in_project(&permit, after).await?))
}

/// Get all tokens that break a policy.
///
/// As `getProjectPolicyViolations`, for all tokens of the types that the caller may read, by the policies of all projects.
#[utoipa::path(get, path = VIOLATIONS, responses(
    (status = 200, description = "The tokens, with the rules that they break.", body = ViolationsBody<'_>),
))]
async fn get_policy_violations(
    Authorized(permit): Authorized<InstancePermit<ReadInstanceTokens>>,
    query: Query<ViolationsQuery>,
    context: Data<Context>,
) -> ApiResult {
    let after = query.read()?.cursor;
    ok(&ViolationsBody::of(&context.use_cases.policies.violations_in_instance(&permit, after).await?))
}
