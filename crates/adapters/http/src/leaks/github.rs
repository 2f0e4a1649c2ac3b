//! `/leaks/github`: reports of GitHub's secret scanning, which it signs.

use actix_web::web::Data;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use latchkey_domain::TokenSecret;
use latchkey_service::LeakReport;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::counts::count;
use crate::{
    api::{Api, operations},
    context::Context,
    error::ApiError,
    error_body::Detail,
    extract::{body::RawBody, problems::MAX_ENTRIES},
    memory::Sender,
    response::{ApiResult, ok},
};

const PATH: &str = "/leaks/github";
/// The header with the id of the key.
const KEY: &str = "github-public-key-identifier";
/// The header with the signature of the body.
const SIGNATURE: &str = "github-public-key-signature";

pub(super) fn configure(api: &mut Api) {
    api.tag("Leaks").public(operations![report_leaks_of_github]);
}

/// Report secrets that GitHub has found.
///
/// As a partner of GitHub's secret scanning. The body is signed with one of the keys in `leaks.github_keys`:
/// `Github-Public-Key-Identifier` names the key, and `Github-Public-Key-Signature` has the signature (ECDSA on P-256 with SHA-256). What
/// follows is as for `reportLeakedTokens`.
#[utoipa::path(post, path = PATH, security(()), request_body = Vec<GithubSecretBody>, responses(
    (status = 200, description = "For each secret, whether it was a live token's, in the order of the request.", body = Vec<GithubVerdictBody<'_>>),
    (status = 401, description = "The signature is missing or wrong, or its key is not known."),
    (status = 404, description = "There are no `leaks.github_keys`."),
    (status = 503, description = "The database does not answer."),
))]
async fn report_leaks_of_github(context: Data<Context>, body: RawBody) -> ApiResult {
    let keys = &context.settings.report_keys;
    if keys.is_empty() {
        return Err(ApiError::UnknownPath(PATH.to_owned()));
    }
    let client = body.client();
    let header = |name: &str| client.request.headers().get(name).and_then(|value| value.to_str().ok());
    let (Some(id), Some(signature)) = (header(KEY), header(SIGNATURE)) else {
        return Err(ApiError::BadSignature("Missing signature headers"));
    };
    let key = keys.iter().find(|key| key.id() == id).ok_or(ApiError::BadSignature("Unknown key"))?;
    let (signature, origin) = (STANDARD.decode(signature).unwrap_or_default(), client.origin());
    let bytes = body.json_bytes(Sender::Anyone).await?;
    if !key.has_signed(&bytes, &signature) {
        return Err(ApiError::BadSignature("Signature mismatch"));
    }
    let secrets = read(&bytes)?;
    // A text that cannot be a secret is reported as false.
    let parsed: Vec<_> = secrets.iter().map(|secret| TokenSecret::parse(&secret.token).ok()).collect();
    let reports: Vec<LeakReport> = secrets
        .iter()
        .zip(&parsed)
        .filter_map(|(GithubSecretBody { url, source, .. }, secret)| {
            Some(LeakReport { secret: secret.clone()?, url: url.clone(), source: source.clone() })
        })
        .collect();
    let leaked = context.use_cases.leaks.report_signed(origin, &reports).await?;
    count(&leaked);
    let mut leaked = leaked.iter();
    let verdicts = secrets.iter().zip(&parsed).map(|(GithubSecretBody { token, r#type, .. }, secret)| {
        let is_live = secret.is_some() && leaked.next().is_some_and(Option::is_some);
        let label = if is_live { "true_positive" } else { "false_positive" };
        GithubVerdictBody { token_raw: token, token_type: r#type, label }
    });
    ok(&verdicts.collect::<Vec<_>>())
}

fn read(bytes: &[u8]) -> Result<Vec<GithubSecretBody>, ApiError> {
    let bad = |message: String| ApiError::BadInput(vec![Detail::of_body(message)]);
    let secrets: Vec<GithubSecretBody> =
        serde_json::from_slice(bytes).map_err(|error| bad(format!("The body cannot be read: {error}.")))?;
    if secrets.len() > MAX_ENTRIES {
        let count = secrets.len();
        return Err(bad(format!("The body may have at most {MAX_ENTRIES} entries, not {count}.")));
    }
    Ok(secrets)
}

/// A secret that GitHub has found.
#[derive(Deserialize, ToSchema)]
#[schema(as = githubSecretSchema)]
struct GithubSecretBody {
    /// The secret.
    #[schema(example = "default:development.xyz")]
    token: String,
    /// The name of the pattern that it matches.
    #[schema(example = "latchkey_token")]
    r#type: String,
    /// Where it was found.
    #[schema(example = "https://github.com/example/shop/blob/main/config.yml")]
    url: Option<String>,
    /// The kind of that place.
    #[schema(example = "commit")]
    source: Option<String>,
}

/// Whether a secret that GitHub has found is one.
#[derive(Serialize, ToSchema)]
#[schema(as = githubVerdictSchema)]
struct GithubVerdictBody<'t> {
    /// The secret, as it was sent.
    #[schema(value_type = String, example = "default:development.xyz")]
    token_raw: &'t str,
    /// The name of the pattern, as it was sent.
    #[schema(value_type = String, example = "latchkey_token")]
    token_type: &'t str,
    /// `true_positive` for the secret of a live token, otherwise `false_positive`.
    #[schema(value_type = String, example = "true_positive")]
    label: &'static str,
}
