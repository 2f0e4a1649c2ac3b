//! `/api/admin/api-tokens`: tokens of any scope.

use actix_web::web::Data;
use latchkey_service::{
    CreateInstanceTokens, DeleteInstanceTokens, Existed, InstancePermit, Missing, ReadInstanceTokens,
    ServiceError, TokenReference, UpdateInstanceTokens,
};

use super::{
    answer::{self, Shown, answer, created},
    body::{CreateTokenBody, CreateTokensBody, PatchTokenBody, RotateTokenBody, UpdateTokenBody},
    list::{TokenList, TokensBody, list_response},
    query::TokenQuery,
    token_body::TokenBody,
};
use crate::{
    api::{Api, operations},
    context::Context,
    error::ApiError,
    extract::{Authorized, Body, IdempotencyKey, PathParameters, Query},
    response::{ApiResult, empty, ok},
    warnings::{Warning, Warnings},
};

const COLLECTION: &str = "/api/admin/api-tokens";
const ONE: &str = "/api/admin/api-tokens/{token}";

pub(super) fn configure(api: &mut Api) {
    api.tag("API tokens").private(operations![
        get_all_api_tokens,
        create_api_token,
        get_api_tokens_by_name,
        update_api_token,
        patch_api_token,
        delete_api_token,
        rotate_api_token
    ]);
    let [batch] = operations![create_api_tokens];
    // `batch` can also be a token's name.
    api.private_beside_parameter(batch, ONE);
}

/// Returns the reference to the token that the path names; `None` for text that can name no token.
fn reference(path: &PathParameters) -> Result<Option<TokenReference>, ApiError> {
    Ok(TokenReference::parse(&path.text("token")?))
}

/// Get all api tokens.
///
/// The tokens of the types that the caller may read, in the order of creation: with `ADMIN` all, with
/// `READ_CLIENT_API_TOKEN` those of clients, with `READ_FRONTEND_API_TOKEN` those of frontends. `metadata.<name>=<value>` selects those
/// whose metadata has this text, number, boolean or null in that member.
#[utoipa::path(get, path = COLLECTION, responses(
    (status = 200, description = "The tokens.", body = TokensBody<'_>),
))]
pub(crate) async fn get_all_api_tokens(
    Authorized(permit): Authorized<InstancePermit<ReadInstanceTokens>>,
    query: Query<TokenQuery>,
    context: Data<Context>,
) -> ApiResult<TokenList> {
    let (filter, has_cursor) = TokenQuery::read(&query)?;
    let page = context.use_cases.instance_tokens.search(&permit, filter).await?;
    list_response(page, has_cursor, context).await
}

/// Get api tokens by name.
///
/// All tokens of this name that the caller may read, possibly none. If no token has the name, the token with this id.
#[utoipa::path(get, path = ONE,
    params(("token" = String, Path, description = "The tokens' name, or a token's id.")), responses(
    (status = 200, description = "The tokens.", body = TokensBody<'_>),
))]
pub(crate) async fn get_api_tokens_by_name(
    Authorized(permit): Authorized<InstancePermit<ReadInstanceTokens>>,
    path: PathParameters,
    context: Data<Context>,
) -> ApiResult<TokenList> {
    let page = context.use_cases.instance_tokens.named(&permit, &path.text("token")?).await?;
    list_response(page, false, context).await
}

/// Create a token of any scope.
///
/// The response shows the secret, which `tokens.reveal = "once"` never shows again.
#[utoipa::path(post, path = COLLECTION, responses(
    (status = 201, description = "The token.", body = TokenBody<'_>,
        headers(("Location" = String, description = "Where tokens are listed."))),
    (status = 400, description = "Or there is the maximum number of tokens."),
    (status = 403, description = "Or the caller has only the one for tokens of another type. Or it is an admin token, and `tokens.allow_admin` is off."),
))]
pub(crate) async fn create_api_token(
    Authorized(permit): Authorized<InstancePermit<CreateInstanceTokens>>,
    body: Body<CreateTokenBody>,
    key: IdempotencyKey,
    warnings: Warnings,
    context: Data<Context>,
) -> ApiResult {
    let (request, kind) = CreateTokenBody::of_instance(body).await?;
    let is_expired = request.is_expired_at(context.use_cases.now());
    let caller = (&key, permit.caller().principal());
    let answer = answer(&context, caller, Shown::Created(kind), async |keeper| {
        let tokens = context.use_cases.instance_tokens.keeping(keeper);
        Ok(vec![tokens.create(&permit, request).await?])
    });
    let answer = answer.await?;
    warnings.add_if(is_expired, Warning::AlreadyExpired);
    Ok(created(answer))
}

/// Create tokens of any scope.
///
/// All or none of up to 1,000, in one transaction, with an event each. The response has them in the same order, with their
/// secrets, which `tokens.reveal = "once"` never shows again. A problem is reported at its entry: `/body/tokens/3/expiresAt`.
#[utoipa::path(post, path = "/api/admin/api-tokens/batch", responses(
    (status = 201, description = "The tokens.", body = TokensBody<'_>,
        headers(("Location" = String, description = "Where tokens are listed."))),
    (status = 400, description = "Or there is no room for all of them."),
    (status = 403, description = "Or the caller has only the one for tokens of another type. Or one is an admin token, and `tokens.allow_admin` is off."),
))]
pub(crate) async fn create_api_tokens(
    Authorized(permit): Authorized<InstancePermit<CreateInstanceTokens>>,
    body: Body<CreateTokensBody>,
    key: IdempotencyKey,
    warnings: Warnings,
    context: Data<Context>,
) -> ApiResult {
    let requests = CreateTokensBody::of_instance(body).await?;
    let now = context.use_cases.now();
    let is_any_expired = requests.iter().any(|request| request.is_expired_at(now));
    let caller = (&key, permit.caller().principal());
    let answer = answer(&context, caller, Shown::Several, async |keeper| {
        context.use_cases.instance_tokens.keeping(keeper).create_all(&permit, requests).await
    });
    let answer = answer.await?;
    warnings.add_if(is_any_expired, Warning::AlreadyExpired);
    Ok(created(answer))
}

/// Update a token.
///
/// Succeeds also if there is no such token, with a warning.
#[utoipa::path(put, path = ONE, responses(
    (status = 200, description = "The token is updated, or there is no such token."),
    (status = 403, description = "Or the caller has only the one for tokens of another type."),
))]
pub(crate) async fn update_api_token(
    Authorized(permit): Authorized<InstancePermit<UpdateInstanceTokens>>,
    path: PathParameters,
    body: Body<UpdateTokenBody>,
    warnings: Warnings,
    context: Data<Context>,
) -> ApiResult {
    let reference = reference(&path)?;
    let UpdateTokenBody { expires_at } = body.read().await?;
    let existed = match reference {
        Some(reference) => {
            context.use_cases.instance_tokens.change_expiry(&permit, &reference, Some(expires_at)).await?
        }
        None => Existed::No,
    };
    match existed {
        Existed::Yes => warnings.add_if(expires_at <= context.use_cases.now(), Warning::AlreadyExpired),
        Existed::No => warnings.add(Warning::NoSuchToken),
    }
    Ok(empty())
}

/// Change a token.
///
/// A merge patch (RFC 7396): absent members stay as they are.
#[utoipa::path(patch, path = ONE,
    request_body(content = PatchTokenBody, content_type = "application/merge-patch+json"), responses(
    (status = 200, description = "The changed token.", body = TokenBody<'_>),
    (status = 400, description = "Or the secret was replaced."),
    (status = 403, description = "Or the caller has only the one for tokens of another type."),
    (status = 404, description = "There is no such token."),
))]
pub(crate) async fn patch_api_token(
    Authorized(permit): Authorized<InstancePermit<UpdateInstanceTokens>>,
    path: PathParameters,
    body: Body<PatchTokenBody>,
    context: Data<Context>,
) -> ApiResult {
    let reference = reference(&path)?;
    let change = body.read_patch().await?.into();
    let reference = reference.ok_or(ServiceError::NotFound(Missing::Token))?;
    let token = context.use_cases.instance_tokens.update(&permit, &reference, &change).await?;
    ok(&TokenBody::of(&token))
}

/// Give a token a new secret.
///
/// Its name, scope and id stay the same. The old secret is valid beside the new one until the overlap ends.
#[utoipa::path(post, path = "/api/admin/api-tokens/{token}/rotate",
    request_body(content = Option<RotateTokenBody>, content_type = "application/json"), responses(
    (status = 200, description = "The token with its new secret, which `tokens.reveal = \"once\"` never shows again.", body = TokenBody<'_>),
    (status = 403, description = "Or the caller has only the one for tokens of another type."),
    (status = 404, description = "There is no such token."),
))]
pub(crate) async fn rotate_api_token(
    Authorized(permit): Authorized<InstancePermit<UpdateInstanceTokens>>,
    path: PathParameters,
    body: Body<RotateTokenBody>,
    key: IdempotencyKey,
    context: Data<Context>,
) -> ApiResult {
    let reference = reference(&path)?;
    let overlap = body.read_optional().await?.overlap()?;
    let caller = (&key, permit.caller().principal());
    let answer = answer(&context, caller, Shown::Rotated, async |keeper| {
        let reference = reference.ok_or(ServiceError::NotFound(Missing::Token))?;
        let tokens = context.use_cases.instance_tokens.keeping(keeper);
        Ok(vec![tokens.rotate(&permit, &reference, overlap).await?])
    });
    Ok(answer::ok(answer.await?))
}

/// Revoke a token.
///
/// It is refused from the response on. Succeeds also if there is no such token, with a warning.
#[utoipa::path(delete, path = ONE, responses(
    (status = 200, description = "The token is revoked, or there is no such token."),
    (status = 400, description = "Or the secret was replaced."),
    (status = 403, description = "Or the caller has only the one for tokens of another type."),
))]
pub(crate) async fn delete_api_token(
    Authorized(permit): Authorized<InstancePermit<DeleteInstanceTokens>>,
    path: PathParameters,
    warnings: Warnings,
    context: Data<Context>,
) -> ApiResult {
    let existed = match reference(&path)? {
        Some(reference) => context.use_cases.instance_tokens.delete(&permit, &reference).await?,
        None => Existed::No,
    };
    warnings.add_if(existed == Existed::No, Warning::NoSuchToken);
    Ok(empty())
}
