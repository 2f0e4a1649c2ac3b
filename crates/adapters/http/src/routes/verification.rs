//! Whether tokens are good, and for what: `/edge/validate` for Unleash's Edge and its like, `/auth/verify` for gateways,
//! `/oauth2/introspect` (RFC 7662) for everybody else.

use std::{borrow::Cow, sync::Arc};

use actix_web::{
    HttpResponse,
    http::{
        Method, StatusCode,
        header::{self, HeaderValue},
    },
};
use latchkey_domain::{Principal, VerifiedToken};
use latchkey_service::AuthenticationError;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use utoipa::OpenApi;

use super::table::{Path, Table};
use crate::{
    answers::{Answer, shown},
    call::Call,
    error_body::{Detail, ErrorBody},
    failure::Failure,
    requirements::{RequiredByHeaders, RequiredByQuery},
    verified_body::{
        AskedBody, IntrospectedToken, IntrospectionBody, IntrospectionForm, ValidatedBody, ValidatedToken,
        verified_headers,
    },
};

/// The most tokens that one request may ask about.
const MAX_TOKENS: usize = 1_000;
const VERIFY: &str = "/auth/verify";
/// Envoy asks with the method, path and query of the request that it asks about.
const VERIFY_ANYTHING: &str = "/auth/verify/{*original}";

/// This module's part of the document.
#[derive(OpenApi)]
#[openapi(
    paths(validate, verify, verify_by_post, introspect),
    components(schemas(
        AskedBody, ValidatedBody<'_>, ValidatedToken<'_>, IntrospectionForm, IntrospectionBody<'_>, IntrospectedToken<'_>
    ))
)]
pub(crate) struct Document;

pub(super) fn routes(table: &mut Table) {
    Path::public("/edge/validate", "POST").on(Method::POST, validate).quiet().add(table);
    // Whatever the method, it is a question: an answer to OPTIONS of another kind would be taken for a good token.
    Path::whatever_method(VERIFY, verify).on(Method::POST, verify_by_post).quiet().add(table);
    Path::whatever_method(VERIFY_ANYTHING, verify_anything).quiet().add_exact(table);
    Path::public("/oauth2/introspect", "POST").on(Method::POST, introspect).add(table);
}

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    tokens: Vec<Cow<'a, str>>,
}

/// Which of these tokens are good.
///
/// Unknown, expired and revoked ones are left out, and so are personal access tokens. Needs no credentials: whoever has a
/// secret may know whether it is good.
#[utoipa::path(
    post, path = "/edge/validate", operation_id = "getValidTokens", tag = "Verification", security(()),
    request_body = AskedBody,
    responses(
        (status = 200, description = "The good ones, in the order asked.", body = ValidatedBody<'_>),
        (status = 400, description = "`tokens` is absent, no list of strings, or too long.", body = ErrorBody),
        (status = 413, description = "The body is larger than 1 MiB.", body = ErrorBody),
        (status = 415, description = "The body is not declared as JSON.", body = ErrorBody),
        (status = 503, description = "The database would have to be asked, and does not answer.", body = ErrorBody),
    )
)]
pub(crate) async fn validate(call: Call) -> Answer {
    let (context, client) = (Arc::clone(&call.context), call.client_address());
    let body = call.json_bytes().await?;
    // Straight into a list: on the way of most requests, no tree is built. Only for one that cannot be read this way it is
    // found out, slowly, what is wrong with it.
    let Ok(Asked { tokens }) = serde_json::from_slice(&body) else { return Err(not_a_list(&body)) };
    if tokens.len() > MAX_TOKENS {
        let message = format!(
            "Ask about at most {MAX_TOKENS} tokens at once, not {}: send the rest in further requests.",
            tokens.len()
        );
        return Err(Failure::BadInput(vec![Detail::of_field("tokens", message)]));
    }
    let secrets: Vec<&str> = tokens.iter().map(AsRef::as_ref).collect();
    let found = context.use_cases.verification.verify_all(&secrets, client).await?;
    let good = secrets
        .iter()
        .zip(&found)
        .filter_map(|(secret, found)| Some(ValidatedToken::of(secret, found.as_ref()?.verified_token()?)));
    shown(&ValidatedBody { tokens: good.collect() })
}

fn not_a_list(body: &[u8]) -> Failure {
    let problem = match serde_json::from_slice::<serde_json::Value>(body) {
        Err(error) => Detail::of_body(format!("The body is not valid JSON: {error}.")),
        Ok(serde_json::Value::Object(members)) if !members.contains_key("tokens") => {
            Detail::of_field("tokens", "tokens is required.")
        }
        Ok(serde_json::Value::Object(members)) => Detail::of_field("tokens", bad_tokens(&members)),
        Ok(_) => Detail::of_body("The body must be a JSON object."),
    };
    Failure::BadInput(vec![problem])
}

/// A tree has the last of several members of a name.
fn bad_tokens(members: &serde_json::Map<String, serde_json::Value>) -> &'static str {
    let tokens = members.get("tokens").and_then(serde_json::Value::as_array);
    if tokens.is_some_and(|tokens| tokens.iter().all(serde_json::Value::is_string)) {
        return "tokens must be sent once.";
    }
    "tokens must be a list of strings."
}

/// Whether the caller's token is good: forward authentication for nginx, Traefik, Caddy and Envoy.
///
/// The token comes in `Authorization` (bare or Bearer). What it has to be good for may be said in the query, and in
/// `X-Latchkey-Require-Project`, `-Environment` and `-Type`; it has to be good for all that is said. Any method will do.
/// With more path behind it (`/auth/verify/request/…`, as Envoy asks), the query is passed over: it is the client's. Where
/// the first part of that path is empty, the answer is 404.
#[utoipa::path(
    get, path = VERIFY, operation_id = "verifyToken", tag = "Verification", security(("apiKey" = [])),
    params(RequiredByQuery, RequiredByHeaders),
    responses(
        (status = 200, description = "It is good.", headers(
            ("X-Latchkey-Token-Name" = String, description = "Its name; what is no visible ASCII is percent-encoded."),
            ("X-Latchkey-Token-Type" = String, description = "client, frontend or admin."),
            ("X-Latchkey-Token-Projects" = String, description = "Its projects, joined by commas, or `*`."),
            ("X-Latchkey-Token-Environment" = String, description = "Its environment, or `*`."),
        )),
        (status = 400, description = "The requirement cannot be read, or its name is misspelt.", body = ErrorBody),
        (status = 401, description = "No token, or one that is unknown, revoked or expired.", body = ErrorBody),
        (status = 403, description = "It is good, but not for this.", body = ErrorBody),
        (status = 503, description = "The database would have to be asked, and does not answer.", body = ErrorBody),
    )
)]
pub(crate) async fn verify(call: Call) -> Answer {
    let principal = call.presented_token().await?;
    let (by_query, by_headers) = (call.required_by_query()?, call.required_by_headers()?);
    let verification = &call.context.use_cases.verification;
    verification.check(&principal, &by_query)?;
    Ok(good(verification.check(&principal, &by_headers)?))
}

/// As [`verify`], for a request that stands behind the prefix with its own path and query. Its client writes those, so they
/// say nothing here: headers alone say what is required. Where no path stands there, as in `/auth/verify//?project=shop`, a
/// gateway wrote the query, and to pass that over would let the wrong tokens in.
async fn verify_anything(call: Call) -> Answer {
    let path = call.request.uri().path();
    let first = path.split('/').nth(VERIFY.split('/').count()).unwrap_or_default();
    let mut told =
        percent_decode_str(first).skip_while(|byte| matches!(byte, 0..=b' ' | b'.' | b'/' | b'\\'));
    if told.next().is_none_or(|byte| byte == b'?') {
        return Err(Failure::UnknownPath(call.request.path().to_owned()));
    }
    let principal = call.presented_token().await?;
    let by_headers = call.required_by_headers()?;
    Ok(good(call.context.use_cases.verification.check(&principal, &by_headers)?))
}

fn good(token: VerifiedToken<'_>) -> HttpResponse {
    let mut answer = HttpResponse::new(StatusCode::OK);
    let headers = answer.headers_mut();
    for (name, value) in verified_headers(token) {
        headers.insert(name, value);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// As `GET /auth/verify`, for gateways that ask by POST.
#[utoipa::path(
    post, path = VERIFY, operation_id = "verifyTokenByPost", tag = "Verification", security(("apiKey" = [])),
    params(RequiredByQuery, RequiredByHeaders),
    responses(
        (status = 200, description = "It is good; headers as for GET."),
        (status = 400, description = "The requirement cannot be read, or its name is misspelt.", body = ErrorBody),
        (status = 401, description = "No token, or one that is unknown, revoked or expired.", body = ErrorBody),
        (status = 403, description = "It is good, but not for this.", body = ErrorBody),
        (status = 503, description = "The database would have to be asked, and does not answer.", body = ErrorBody),
    )
)]
pub(crate) async fn verify_by_post(call: Call) -> Answer {
    verify(call).await
}

/// What a token is good for (RFC 7662).
///
/// The caller authenticates as everywhere; frontend tokens, which browsers have, may not ask. Whatever is not good is
/// `{"active": false}`.
#[utoipa::path(
    post, path = "/oauth2/introspect", operation_id = "introspectToken", tag = "Verification",
    request_body(content = IntrospectionForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What the token is good for, or that it is not.", body = IntrospectionBody<'_>),
        (status = 400, description = "There is no parameter `token`.", body = ErrorBody),
        (status = 401, description = "No credentials, or none that are good.", body = ErrorBody),
        (status = 403, description = "A frontend token may not ask.", body = ErrorBody),
        (status = 413, description = "The body is larger than 1 MiB.", body = ErrorBody),
        (status = 415, description = "The body is no form.", body = ErrorBody),
        (status = 503, description = "The database would have to be asked, and does not answer.", body = ErrorBody),
    )
)]
pub(crate) async fn introspect(call: Call) -> Answer {
    let caller = call.asker().await?;
    call.context.use_cases.verification.authorize_introspection(&caller)?;
    let (context, client) = (Arc::clone(&call.context), call.client_address());
    let form = call.form().await?;
    let token = asked_token(form)?;
    let found: Option<Arc<Principal>> = match context.use_cases.verification.verify(&token, client).await {
        Ok(principal) => Some(principal),
        Err(AuthenticationError::Unknown) => None,
        Err(error) => return Err(error.into()),
    };
    shown(&IntrospectionBody::of(found.as_deref().and_then(Principal::verified_token)))
}

/// The one parameter `token`; one that comes twice is an error (RFC 6749, section 3.2).
fn asked_token(form: Vec<(String, String)>) -> Result<String, Failure> {
    let bad = |message: &str| Failure::BadInput(vec![Detail::of_field("token", message)]);
    let mut tokens = form.into_iter().filter(|(name, _)| name == "token").map(|(_, token)| token);
    match (tokens.next().filter(|token| !token.is_empty()), tokens.next()) {
        (_, Some(_)) => Err(bad("token must be sent once.")),
        (Some(token), None) => Ok(token),
        (None, None) => Err(bad("token is required: the secret to ask about.")),
    }
}
