//! `/api/client/metrics/bulk` and `/edge/metrics`: which tokens were used at Unleash Edge, which verifies them from its cache.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use deserr::{Deserr, IntoValue, Sequence as _, Value, ValuePointerRef as Location};
use utoipa::ToSchema;

use super::body::MAX_TOKENS;
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{Client, Problems, body::RawBody, problems::name},
    memory::Sender,
    response::ApiResult,
};

pub(super) fn configure(api: &mut Api) {
    api.tag("Verification").private(operations![record_seen_tokens]);
    api.tag("Verification").public(operations![record_edge_metrics]);
}

/// Report which tokens were used.
///
/// Unleash Edge sends the tokens that its clients used, with metrics of feature flags, which are ignored. Of each token that is
/// valid, `seenAt` becomes now; others are ignored.
#[utoipa::path(post, path = "/api/client/metrics/bulk", request_body = BulkMetricsBody, responses(
    (status = 202, description = "The uses are recorded."),
    (status = 401, description = "The credentials are missing or not valid."),
    (status = 403, description = "A frontend token may not report, or a client certificate is demanded and missing."),
    (status = 503, description = "A token is not in the cache, and the database does not answer."),
))]
async fn record_seen_tokens(request: HttpRequest, body: RawBody, context: Data<Context>) -> ApiResult {
    let client = Client::new(&request, &context);
    client.check_certificate()?;
    let verification = &context.use_cases.verification;
    verification.authorize_introspection(&*client.introspection_client().await?)?;
    let BulkMetricsBody { seen_tokens } = body.read_as_sent(Sender::Authenticated).await?;
    if let Some(SeenTokens(secrets)) = seen_tokens {
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        verification.verify_all(&secrets, client.address()).await?;
    }
    Ok(HttpResponse::new(StatusCode::ACCEPTED))
}

/// Report which tokens were used, at the path of older versions of Unleash Edge.
///
/// As `recordSeenTokens`.
#[utoipa::path(post, path = "/edge/metrics", request_body = BulkMetricsBody, responses(
    (status = 202, description = "The uses are recorded."),
    (status = 401, description = "The credentials are missing or not valid."),
    (status = 403, description = "A frontend token may not report, or a client certificate is demanded and missing."),
    (status = 503, description = "A token is not in the cache, and the database does not answer."),
))]
async fn record_edge_metrics(request: HttpRequest, body: RawBody, context: Data<Context>) -> ApiResult {
    record_seen_tokens(request, body, context).await
}

/// What Unleash Edge reports. Its other members are about feature flags.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = bulkMetricsSchema, rename_all = "camelCase")]
struct BulkMetricsBody {
    /// The secrets of the tokens that were used since the last report, at most 10,000.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<String>>, example = json!(["default:development.xyz"]), max_items = 10000)]
    seen_tokens: Option<SeenTokens>,
}

/// The secrets in a report.
#[derive(Debug)]
struct SeenTokens(Vec<String>);

impl Deserr<Problems> for SeenTokens {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        let refused = || Problems::at(place, format!("{} must be a list of strings.", name(place)));
        let Value::Sequence(entries) = value else { return Err(refused()) };
        if entries.len() > MAX_TOKENS {
            let message = format!("{} may have at most {MAX_TOKENS} entries.", name(place));
            return Err(Problems::at(place, message));
        }
        let secret = |entry: V| match entry.into_value() {
            Value::String(secret) => Ok(secret),
            _ => Err(refused()),
        };
        entries.into_iter().map(secret).collect::<Result<_, _>>().map(Self)
    }
}
