//! The routes of verification.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Data},
};
use latchkey_domain::{Principal, VerifiedToken};
use latchkey_service::{Checked, Unspent};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{
    body::{
        IntrospectionBody, IntrospectionForm, MAX_TOKENS, ValidateBody, ValidatedBody, ValidatedToken,
        insert_verified_headers,
    },
    questions,
    requirement::{RequirementHeaders, RequirementQuery},
    usage,
};
use crate::{
    api::{Api, operations},
    context::Context,
    error::ApiError,
    error_body::Detail,
    extract::{Client, body::RawBody},
    memory::Sender,
    paths::{INTROSPECT, VALIDATE, VERIFY},
    rate_headers,
    response::{ApiResult, ok},
};

/// Envoy appends the path and query of the original request, and uses its method.
const VERIFY_ORIGINAL: &str = "/auth/verify/{original:.*}";

/// Registers the operations.
pub(crate) fn configure(api: &mut Api) {
    api.tag("Verification").public(operations![validate]);
    // Every method verifies: a gateway would take a response of another kind, such as to OPTIONS, for a valid token.
    api.tag("Verification").any_method(operations![verify, verify_by_post], || web::to(verify));
    api.any_method_page(VERIFY_ORIGINAL, web::to(verify_original));
    api.tag("Verification").public(operations![introspect]);
    questions::configure(api);
    usage::configure(api);
}

/// Check which tokens are valid.
///
/// Unknown, expired and revoked ones are left out, and so are personal access tokens. Needs no credentials: a client that
/// has a secret may know whether it is valid.
#[utoipa::path(post, path = VALIDATE, operation_id = "getValidTokens", security(()),
    request_body = ValidateBody<'_>, responses(
    (status = 200, description = "The valid ones, in the order sent.", body = ValidatedBody<'_>),
    (status = 403, description = "A client certificate is demanded and missing."),
    (status = 503, description = "A token is not in the cache, and the database does not answer."),
))]
pub(crate) async fn validate(context: Data<Context>, body: RawBody) -> ApiResult {
    body.client().check_certificate()?;
    let client = body.client().address();
    let body = body.json_bytes(Sender::Anyone).await?;
    // Parsed into borrowed strings, without a tree of JSON values. Only a body that fails is parsed again, to find out why.
    let Ok(ValidateBody { tokens }) = serde_json::from_slice(&body) else { return Err(malformed(&body)) };
    if tokens.len() > MAX_TOKENS {
        let message = format!(
            "Ask about at most {MAX_TOKENS} tokens at once, not {}: send the rest in further requests.",
            tokens.len()
        );
        return Err(ApiError::BadInput(vec![Detail::of_field("tokens", message)]));
    }
    let secrets: Vec<&str> = tokens.iter().map(AsRef::as_ref).collect();
    let found = context.use_cases.verification.verify_all(&secrets, client).await?;
    let valid = secrets
        .iter()
        .zip(&found)
        .filter_map(|(secret, found)| Some(ValidatedToken::of(secret, found.as_ref()?.verified_token()?)));
    ok(&ValidatedBody { tokens: valid.collect() })
}

fn malformed(body: &[u8]) -> ApiError {
    let problem = match serde_json::from_slice::<Value>(body) {
        Err(error) => Detail::of_body(format!("The body is not valid JSON: {error}.")),
        Ok(Value::Object(members)) => {
            let message = match members.get("tokens") {
                None => "tokens is required.",
                // A JSON tree keeps the last of several members of one name.
                Some(Value::Array(tokens)) if tokens.iter().all(Value::is_string) => {
                    "tokens must be sent once."
                }
                Some(_) => "tokens must be a list of strings.",
            };
            Detail::of_field("tokens", message)
        }
        Ok(_) => Detail::of_body("The body must be a JSON object."),
    };
    ApiError::BadInput(vec![problem])
}

/// Verify the caller's token: forward authentication for nginx, Traefik, Caddy and Envoy.
///
/// The token is in `Authorization` (bare or Bearer). The query and the headers `X-Latchkey-Require-Project`, `-Environment`,
/// `-Type` and `-Scope` may require something; the token has to meet every requirement. Any method works. With a path appended
/// (`/auth/verify/request/…`, as Envoy does), the query is ignored, because the client wrote it. If the first part of that
/// path is empty, the response is 404.
#[utoipa::path(get, path = VERIFY, operation_id = "verifyToken", security(("apiKey" = [])),
    params(RequirementQuery, RequirementHeaders), responses(
    (status = 200, description = "The token is valid.", headers(
        ("X-Latchkey-Token-Name" = String, description = "Its name; characters other than visible ASCII are percent-encoded."),
        ("X-Latchkey-Token-Type" = String, description = "client, frontend or admin."),
        ("X-Latchkey-Token-Projects" = String, description = "Its projects, joined by commas, or `*`."),
        ("X-Latchkey-Token-Environment" = String, description = "Its environment, or `*`."),
        ("X-Latchkey-Token-Id" = String, description = "Its id."),
        ("X-Latchkey-Token-Scopes" = String, description = "Its scopes, separated by blanks; absent if it has none."),
        ("X-Latchkey-Token-Owner" = String, description = "Its owner, percent-encoded as the name; absent if none is named."),
        ("RateLimit-Limit" = u32, description = "The requests of a window; only of a token with `rateLimit`, as the next two."),
        ("RateLimit-Remaining" = u64, description = "How many of them are left, as far as this server knows."),
        ("RateLimit-Reset" = u64, description = "The seconds until the next window."),
    )),
    (status = 400, description = "The requirement is malformed, or its name is misspelled."),
    (status = 401, description = "No token, or one that is unknown, revoked, expired or disabled; `X-Latchkey-Reason` says which."),
    (status = 403, description = "The token is bound to other networks, does not meet a requirement or has no uses left, as `X-Latchkey-Reason` says, or a client certificate is demanded and missing."),
    (status = 429, description = "The token was used in this window as often as its `rateLimit` allows; `Retry-After` says when the next one begins."),
    (status = 503, description = "A token is not in the cache or has limits, and the database does not answer."),
))]
pub(crate) async fn verify(request: HttpRequest, context: Data<Context>) -> ApiResult {
    verify_request(&request, &context).await
}

/// Verifies the caller's token, as [`verify`].
///
/// # Errors
/// [`ApiError`] if the token is not valid or does not meet a requirement, or if a requirement is malformed.
pub(crate) async fn verify_request(request: &HttpRequest, context: &Context) -> ApiResult {
    let client = Client::new(request, context);
    client.check_certificate()?;
    let address = client.address();
    let principal = client.presented_token(address).await?;
    let by_query = RequirementQuery::read(request)?;
    let by_headers = RequirementHeaders::read(request.headers())?;
    let requirements = [&by_query, &by_headers];
    answer(context, context.use_cases.verification.check(&principal, &requirements, address)?).await
}

/// As [`verify`], with the path and query of the original request appended. The client wrote those, so only headers can
/// require something. If no path is appended, as in `/auth/verify//?project=shop`, the gateway wrote the query, and
/// ignoring it would accept the wrong tokens.
async fn verify_original(request: HttpRequest, context: Data<Context>) -> ApiResult {
    let path = request.uri().path();
    let first = path.split('/').nth(VERIFY.split('/').count()).unwrap_or_default();
    let mut name =
        percent_decode_str(first).skip_while(|byte| matches!(byte, 0..=b' ' | b'.' | b'/' | b'\\'));
    if name.next().is_none_or(|byte| byte == b'?') {
        return Err(ApiError::UnknownPath(path.to_owned()));
    }
    let client = Client::new(&request, &context);
    client.check_certificate()?;
    let address = client.address();
    let principal = client.presented_token(address).await?;
    let by_headers = RequirementHeaders::read(request.headers())?;
    answer(&context, context.use_cases.verification.check(&principal, &[&by_headers], address)?).await
}

async fn answer(context: &Context, checked: Checked<'_>) -> ApiResult {
    match checked {
        Checked::Good(token) => Ok(valid(token)),
        // Boxed, so that the future of all others stays small.
        Checked::Limited(unspent) => Box::pin(spend(context, unspent)).await,
    }
}

/// Counts a use of a token with limits.
async fn spend(context: &Context, unspent: Unspent<'_>) -> ApiResult {
    let (token, allowance) = context.use_cases.verification.spend(unspent, 1).await?;
    let mut response = valid(token);
    for (name, value) in allowance.rate.iter().flat_map(rate_headers::of) {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

fn valid(token: VerifiedToken<'_>) -> HttpResponse {
    let mut response = HttpResponse::new(StatusCode::OK);
    insert_verified_headers(response.headers_mut(), token);
    response
}

/// Verify the caller's token, for gateways that send POST.
///
/// As `GET`. A body is not read.
#[utoipa::path(post, path = VERIFY, operation_id = "verifyTokenByPost", security(("apiKey" = [])),
    params(RequirementQuery, RequirementHeaders), responses(
    (status = 200, description = "The token is valid; headers as for GET."),
    (status = 400, description = "The requirement is malformed, or its name is misspelled."),
    (status = 401, description = "No token, or one that is unknown, revoked, expired or disabled; `X-Latchkey-Reason` says which."),
    (status = 403, description = "The token is bound to other networks, does not meet a requirement or has no uses left, as `X-Latchkey-Reason` says, or a client certificate is demanded and missing."),
    (status = 429, description = "The token was used in this window as often as its `rateLimit` allows; `Retry-After` says when the next one begins."),
    (status = 503, description = "A token is not in the cache or has limits, and the database does not answer."),
))]
pub(crate) async fn verify_by_post(request: HttpRequest, context: Data<Context>) -> ApiResult {
    verify_request(&request, &context).await
}

/// Introspect a token (RFC 7662).
///
/// The caller authenticates as everywhere else. Frontend tokens, which browsers hold, may not introspect. The response for
/// a token that is not valid is `{"active": false}`.
#[utoipa::path(post, path = INTROSPECT, operation_id = "introspectToken",
    request_body(content = IntrospectionForm, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 200, description = "The scope of the token, or that it is not valid.", body = IntrospectionBody<'_>),
    (status = 401, description = "The credentials are missing or not valid."),
    (status = 403, description = "A frontend token may not introspect, or a client certificate is demanded and missing."),
    (status = 503, description = "A token is not in the cache, and the database does not answer."),
))]
pub(crate) async fn introspect(request: HttpRequest, body: RawBody, context: Data<Context>) -> ApiResult {
    let verification = &context.use_cases.verification;
    let client = Client::new(&request, &context);
    client.check_certificate()?;
    verification.authorize_introspection(&*client.introspection_client().await?)?;
    let form = IntrospectionForm::read(body.form(Sender::Authenticated).await?)?;
    let found: Option<Arc<Principal>> = match verification.inquire(&form.token, client.address()).await {
        Ok(principal) => Some(principal),
        Err(error) if error.reason().is_some() => None,
        Err(error) => return Err(error.into()),
    };
    let token = found.as_deref().and_then(Principal::verified_token);
    let uses_left = match token {
        Some(token) => context.use_cases.uses_left(token).await?,
        None => None,
    };
    ok(&IntrospectionBody::of(token, uses_left))
}
