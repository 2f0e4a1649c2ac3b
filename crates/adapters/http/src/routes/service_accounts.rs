//! `/api/admin/service-account`: users that are programs, and their tokens.

use std::sync::Arc;

use actix_web::http::Method;
use latchkey_domain::{PersonalTokenId, UserId};
use latchkey_service::{InstancePermit, ManageServiceAccounts};
use utoipa::OpenApi;

use super::table::{Path, Table};
use crate::{
    answers::{Answer, created, created_nowhere, done, shown, tagged},
    call::Call,
    error_answers::{BodyErrors, CallerErrors},
    error_body::ErrorBody,
    failure::Failure,
    personal_token_body::{self, CreatePersonalTokenBody, IssuedPersonalTokenBody, PersonalTokensBody},
    service_account_body::{
        CreateServiceAccountBody, ServiceAccountBody, ServiceAccountsBody, UpdateServiceAccountBody, change,
        draft,
    },
};

const COLLECTION: &str = "/api/admin/service-account";
const ONE: &str = "/api/admin/service-account/{id}";
const TOKENS: &str = "/api/admin/service-account/{id}/token";
const TOKEN: &str = "/api/admin/service-account/{id}/token/{tokenId}";
/// About what one account takes in JSON, in bytes.
const ACCOUNT_BYTES: usize = 512;

/// This module's part of the document.
#[derive(OpenApi)]
#[openapi(
    paths(
        get_service_accounts,
        create_service_account,
        update_service_account,
        delete_service_account,
        get_service_account_tokens,
        create_service_account_token,
        delete_service_account_token
    ),
    components(schemas(
        CreateServiceAccountBody,
        UpdateServiceAccountBody,
        ServiceAccountBody<'_>,
        ServiceAccountsBody<'_>
    ))
)]
pub(crate) struct Document;

pub(super) fn routes(table: &mut Table) {
    Path::private(COLLECTION, "GET,HEAD,POST")
        .on(Method::GET, get_service_accounts)
        .on(Method::POST, create_service_account)
        .add(table);
    Path::private(ONE, "PUT,DELETE")
        .on(Method::PUT, update_service_account)
        .on(Method::DELETE, delete_service_account)
        .add(table);
    Path::private(TOKENS, "GET,HEAD,POST")
        .on(Method::GET, get_service_account_tokens)
        .on(Method::POST, create_service_account_token)
        .add(table);
    Path::private(TOKEN, "DELETE").on(Method::DELETE, delete_service_account_token).add(table);
}

async fn permit(call: &Call) -> Result<InstancePermit<ManageServiceAccounts>, Failure> {
    Ok(InstancePermit::request(&call.caller().await?)?)
}

fn account(call: &Call) -> Result<UserId, Failure> {
    call.id_parameter("id").map(UserId)
}

/// List service accounts.
///
/// With their tokens, and the roles that they can hold for the whole instance.
#[utoipa::path(
    get, path = COLLECTION, operation_id = "getServiceAccounts", tag = "Service accounts",
    params(
        ("limit" = Option<u32>, Query, description = "The most accounts to send."),
        ("offset" = Option<u64>, Query, description = "How many accounts to pass over."),
    ),
    responses(
        (status = 200, description = "The service accounts, by id.", body = ServiceAccountsBody<'_>),
        (status = 304, description = "The client has them already, as its If-None-Match says."),
        (status = 400, description = "The query cannot be read; every problem is listed.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
    )
)]
pub(crate) async fn get_service_accounts(call: Call) -> Answer {
    let permit = permit(&call).await?;
    let mut query = call.query()?;
    let page = query.page();
    let page = query.finish(page)?;
    let (directory, tokens) = call.context.use_cases.service_accounts.list(&permit, page).await?;
    let body = ServiceAccountsBody::of(&directory, &tokens);
    tagged(&call.request, &body, ACCOUNT_BYTES * (1 + directory.users.len()))
}

/// Make a service account.
///
/// It cannot sign in, and acts by the tokens that are created for it.
#[utoipa::path(
    post, path = COLLECTION, operation_id = "createServiceAccount", tag = "Service accounts",
    request_body = CreateServiceAccountBody,
    responses(
        (status = 201, description = "The service account.", body = ServiceAccountBody<'_>, headers(("Location" = String, description = "Its id."))),
        (status = 400, description = "The body is at fault (every problem is listed), the user name is in use, or there is no such role.", body = ErrorBody,
            example = json!({"id": "9c40958a-daac-400e-98fb-3bb438567008", "name": "BadDataError", "message": "Request validation failed: your request body or params contain invalid data: User already exists: this username or email is in use."})),
        CallerErrors,
        (status = 403, description = "The permission ADMIN is missing, or one that the role has; or another site had a browser ask.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn create_service_account(call: Call) -> Answer {
    let permit = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let draft = draft(call.json().await?)?;
    let account = context.use_cases.service_accounts.create(&permit, draft).await?;
    created(&account.id.to_string(), &ServiceAccountBody::of(&account, &[]))
}

/// Change a service account.
///
/// Its user name stays.
#[utoipa::path(
    put, path = ONE, operation_id = "updateServiceAccount", tag = "Service accounts",
    params(("id" = i64, Path, description = "The account's id.")),
    request_body = UpdateServiceAccountBody,
    responses(
        (status = 200, description = "The service account.", body = ServiceAccountBody<'_>),
        (status = 400, description = "The body is at fault (every problem is listed), there is no such role, or the id is no integer.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission ADMIN is missing, or one that the role has; or another site had a browser ask.", body = ErrorBody),
        (status = 404, description = "There is no such service account.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn update_service_account(call: Call) -> Answer {
    let permit = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let id = account(&call)?;
    let (name, root_role) = change(call.json().await?)?;
    let accounts = &context.use_cases.service_accounts;
    let account = accounts.update(&permit, id, name, root_role).await?;
    let tokens = accounts.tokens(&permit, id).await?;
    shown(&ServiceAccountBody::of(&account, &tokens))
}

/// Remove a service account.
///
/// With its tokens, which are refused from the answer on, and its roles.
#[utoipa::path(
    delete, path = ONE, operation_id = "deleteServiceAccount", tag = "Service accounts",
    params(("id" = i64, Path, description = "The account's id.")),
    responses(
        (status = 200, description = "The service account is gone."),
        (status = 400, description = "The id is no integer.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission ADMIN is missing, or another site had a browser ask.", body = ErrorBody),
        (status = 404, description = "There is no such service account.", body = ErrorBody),
    )
)]
pub(crate) async fn delete_service_account(call: Call) -> Answer {
    let permit = permit(&call).await?;
    call.context.use_cases.service_accounts.delete(&permit, account(&call)?).await?;
    Ok(done())
}

/// List the tokens of a service account.
///
/// Expired ones too, by id, and without their secrets.
#[utoipa::path(
    get, path = TOKENS, operation_id = "getServiceAccountTokens", tag = "Service accounts",
    params(("id" = i64, Path, description = "The account's id.")),
    responses(
        (status = 200, description = "The tokens.", body = PersonalTokensBody<'_>),
        (status = 304, description = "The client has them already, as its If-None-Match says."),
        (status = 400, description = "The id is no integer.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission ADMIN is missing.", body = ErrorBody),
        (status = 404, description = "There is no such service account.", body = ErrorBody),
    )
)]
pub(crate) async fn get_service_account_tokens(call: Call) -> Answer {
    let permit = permit(&call).await?;
    let tokens = call.context.use_cases.service_accounts.tokens(&permit, account(&call)?).await?;
    tagged(&call.request, &PersonalTokensBody::of(&tokens), ACCOUNT_BYTES * (1 + tokens.len()))
}

/// Create a token for a service account.
///
/// It acts with the account's permissions of the moment. The answer shows the secret, this once.
#[utoipa::path(
    post, path = TOKENS, operation_id = "createServiceAccountToken", tag = "Service accounts",
    params(("id" = i64, Path, description = "The account's id.")),
    request_body = CreatePersonalTokenBody,
    responses(
        (status = 201, description = "The token with its secret.", body = IssuedPersonalTokenBody<'_>),
        (status = 400, description = "The body is at fault (every problem is listed), or the id is no integer.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission ADMIN is missing; or the account has as many tokens as one may; or another site had a browser ask.", body = ErrorBody),
        (status = 404, description = "There is no such service account.", body = ErrorBody),
        (status = 409, description = "The account has a token of this description already.", body = ErrorBody),
        BodyErrors,
    )
)]
pub(crate) async fn create_service_account_token(call: Call) -> Answer {
    let permit = permit(&call).await?;
    let context = Arc::clone(&call.context);
    let id = account(&call)?;
    let draft = personal_token_body::draft(call.json().await?)?;
    let issued = context.use_cases.service_accounts.create_token(&permit, id, draft).await?;
    created_nowhere(&IssuedPersonalTokenBody::of(&issued))
}

/// Revoke a token of a service account.
///
/// It is refused from the answer on.
#[utoipa::path(
    delete, path = TOKEN, operation_id = "deleteServiceAccountToken", tag = "Service accounts",
    params(
        ("id" = i64, Path, description = "The account's id."),
        ("tokenId" = i64, Path, description = "The token's id."),
    ),
    responses(
        (status = 200, description = "The token is revoked."),
        (status = 400, description = "An id is no integer.", body = ErrorBody),
        CallerErrors,
        (status = 403, description = "The permission ADMIN is missing, or another site had a browser ask.", body = ErrorBody),
        (status = 404, description = "There is no such service account, or it has no such token.", body = ErrorBody),
    )
)]
pub(crate) async fn delete_service_account_token(call: Call) -> Answer {
    let permit = permit(&call).await?;
    let (id, token) = (account(&call)?, PersonalTokenId(call.id_parameter("tokenId")?));
    call.context.use_cases.service_accounts.delete_token(&permit, id, token).await?;
    Ok(done())
}
