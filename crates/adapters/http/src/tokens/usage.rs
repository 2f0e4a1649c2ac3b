//! How often tokens are used: `…/api-tokens/{token}/usage`, and the sums of a project and of the instance.

use std::{collections::BTreeMap, net::IpAddr};

use actix_web::{HttpResponse, web::Data};
use deserr::Deserr;
use latchkey_domain::{ApiToken, Timestamp};
use latchkey_ports::{SeenAddress, UsedToken};
use latchkey_service::{
    InstancePermit, Message, Permit, ReadInstanceTokens, ReadTokens, UsageInterval, UsagePoint, UsageQuery,
    UsageReport, UsageSummary,
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::project_routes::reference;
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{
        Authorized, PathParameters, Problems, Query,
        text::{FromText, text_members},
    },
    response::{ApiResult, ok},
    wire_time::WireTime,
};

const OF_PROJECT_TOKEN: &str = "/api/admin/projects/{projectId}/api-tokens/{token}/usage";
const OF_TOKEN: &str = "/api/admin/api-tokens/{token}/usage";
const OF_PROJECT: &str = "/api/admin/projects/{projectId}/usage";
const OF_INSTANCE: &str = "/api/admin/usage";

pub(super) fn configure(api: &mut Api) {
    api.tag("Usage").private(operations![
        get_project_api_token_usage,
        get_api_token_usage,
        get_project_usage,
        get_usage
    ]);
}

/// Get the usage of a project's token.
///
/// How often it was verified, and refused for which reason, in each hour or day of UTC in which it was used; and the last five addresses
/// from which it was used, unless `usage.addresses` is off. Counts are written once a minute.
#[utoipa::path(get, path = OF_PROJECT_TOKEN, responses(
    (status = 200, description = "The usage of the token.", body = TokenUsageBody),
    (status = 404, description = "Or there is no such token in the project."),
))]
async fn get_project_api_token_usage(
    Authorized(permit): Authorized<Permit<ReadTokens>>,
    path: PathParameters,
    query: Query<UsageParameters>,
    context: Data<Context>,
) -> ApiResult {
    let token = context.use_cases.project_tokens.get(&permit, &reference(&path)?).await?.token;
    of_token(&token, &query, &context).await
}

/// Get the usage of a token.
///
/// As `getProjectApiTokenUsage`.
#[utoipa::path(get, path = OF_TOKEN, responses(
    (status = 200, description = "The usage of the token.", body = TokenUsageBody),
    (status = 403, description = "Or the caller has only the one for tokens of another type."),
    (status = 404, description = "There is no such token."),
))]
async fn get_api_token_usage(
    Authorized(permit): Authorized<InstancePermit<ReadInstanceTokens>>,
    path: PathParameters,
    query: Query<UsageParameters>,
    context: Data<Context>,
) -> ApiResult {
    let token = context.use_cases.instance_tokens.get(&permit, &reference(&path)?).await?;
    of_token(&token, &query, &context).await
}

/// Get the usage of a project's tokens.
///
/// Summed over the tokens that name the project; and those that were used most, and those that were not used at all.
#[utoipa::path(get, path = OF_PROJECT, responses(
    (status = 200, description = "The usage of the tokens.", body = UsageSummaryBody<'_>),
))]
async fn get_project_usage(
    Authorized(permit): Authorized<Permit<ReadTokens>>,
    query: Query<UsageParameters>,
    context: Data<Context>,
) -> ApiResult {
    let summary = context.use_cases.usage_reports.of_project(&permit, query.read()?.into()).await?;
    ok(&UsageSummaryBody::of(&summary))
}

/// Get the usage of all tokens.
///
/// As `getProjectUsage`, for the tokens of the types that the caller may read.
#[utoipa::path(get, path = OF_INSTANCE, responses(
    (status = 200, description = "The usage of the tokens.", body = UsageSummaryBody<'_>),
))]
async fn get_usage(
    Authorized(permit): Authorized<InstancePermit<ReadInstanceTokens>>,
    query: Query<UsageParameters>,
    context: Data<Context>,
) -> ApiResult {
    let summary = context.use_cases.usage_reports.of_instance(&permit, query.read()?.into()).await?;
    ok(&UsageSummaryBody::of(&summary))
}

async fn of_token(
    token: &ApiToken,
    query: &Query<UsageParameters>,
    context: &Context,
) -> ApiResult<HttpResponse> {
    let (report, addresses) = context.use_cases.usage_reports.of_token(token, query.read()?.into()).await?;
    ok(&TokenUsageBody {
        report: ReportBody::of(&report),
        last_used_at: token.last_used_at.map(WireTime),
        addresses: addresses.iter().map(AddressBody::of).collect(),
    })
}

/// What a report is about.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems)]
#[into_params(parameter_in = Query)]
struct UsageParameters {
    /// From the interval of this time on, as in RFC 3339; by default the last 24 hours, or the last 30 days.
    #[deserr(default)]
    #[param(value_type = Option<String>, format = DateTime, example = "2023-04-19T00:00:00.000Z")]
    from: Option<Timestamp>,
    /// Before this time, as in RFC 3339; by default until now. The interval that it is in is included.
    #[deserr(default)]
    #[param(value_type = Option<String>, format = DateTime, example = "2023-04-20T00:00:00.000Z")]
    to: Option<Timestamp>,
    /// The length of the intervals: `hour` (the default) or `day`. A report has at most 2,232 of them.
    #[deserr(default)]
    #[param(value_type = Option<String>, example = "hour", pattern = "^(hour|day)$")]
    per: Option<UsageInterval>,
}

text_members!(UsageInterval);

impl FromText for UsageInterval {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        match text {
            "hour" => Ok(Self::Hour),
            "day" => Ok(Self::Day),
            _ => Err(format!("{name} must be hour or day.").into()),
        }
    }
}

impl From<UsageParameters> for UsageQuery {
    fn from(UsageParameters { from, to, per }: UsageParameters) -> Self {
        Self { from, to, per: per.unwrap_or_default() }
    }
}

/// How often a token was used.
#[derive(Serialize, ToSchema)]
#[schema(as = tokenUsageSchema)]
#[serde(rename_all = "camelCase")]
struct TokenUsageBody {
    #[serde(flatten)]
    report: ReportBody,
    /// When the token last authenticated; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false, example = "2023-04-19T08:15:14.000Z")]
    last_used_at: Option<WireTime>,
    /// The last addresses from which it was used, the latest first: at most five.
    addresses: Vec<AddressBody>,
}

/// How often tokens were used.
#[derive(Serialize, ToSchema)]
struct ReportBody {
    /// The beginning of the first interval.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T00:00:00.000Z")]
    from: WireTime,
    /// The end of the last interval.
    #[schema(value_type = String, format = DateTime, example = "2023-04-20T00:00:00.000Z")]
    to: WireTime,
    /// `hour` or `day`.
    #[schema(value_type = String, example = "hour")]
    per: &'static str,
    /// The intervals in which they were used, in order.
    usage: Vec<PointBody>,
}

/// How often tokens were used in one interval.
#[derive(Serialize, ToSchema)]
#[schema(as = usageIntervalSchema)]
struct PointBody {
    /// The beginning of the interval.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:00:00.000Z")]
    at: WireTime,
    /// How often they were good for what was required of them.
    #[schema(example = 1342)]
    verified: u64,
    /// How often they were refused, by reason.
    #[schema(value_type = Object, example = json!({ "expired": 3 }))]
    refused: BTreeMap<&'static str, u64>,
}

/// An address from which a token was used.
#[derive(Serialize, ToSchema)]
#[schema(as = seenAddressSchema)]
#[serde(rename_all = "camelCase")]
struct AddressBody {
    /// The address.
    #[schema(value_type = String, example = "192.0.2.7")]
    address: IpAddr,
    /// When the token was last used from there.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:15:14.000Z")]
    seen_at: WireTime,
}

/// How often several tokens were used together.
#[derive(Serialize, ToSchema)]
#[schema(as = usageSummarySchema)]
struct UsageSummaryBody<'t> {
    #[serde(flatten)]
    report: ReportBody,
    /// The tokens that were used most, most used first: at most 20.
    top: Vec<UsedTokenBody<'t>>,
    /// Tokens that were created before `from` and not used since, the longest unused first: at most 20.
    unused: Vec<UnusedTokenBody<'t>>,
}

/// How often one of several tokens was used.
#[derive(Serialize, ToSchema)]
#[schema(as = usedTokenSchema)]
#[serde(rename_all = "camelCase")]
struct UsedTokenBody<'t> {
    /// The id of the token.
    #[schema(value_type = String, example = "01981f4e-7a4c-7c3e-8a55-0123456789ab")]
    id: Uuid,
    /// The name of the token.
    #[schema(value_type = String, example = "web shop")]
    token_name: &'t str,
    /// How often it was verified.
    #[schema(example = 1342)]
    verified: u64,
    /// How often it was refused.
    #[schema(example = 3)]
    refused: u64,
}

/// A token that was not used.
#[derive(Serialize, ToSchema)]
#[schema(as = unusedTokenSchema)]
#[serde(rename_all = "camelCase")]
struct UnusedTokenBody<'t> {
    /// The id of the token.
    #[schema(value_type = String, example = "01981f4e-7a4c-7c3e-8a55-0123456789ab")]
    id: Uuid,
    /// The name of the token.
    #[schema(value_type = String, example = "web shop")]
    token_name: &'t str,
    /// When it last authenticated; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = DateTime, required = false, example = "2023-01-19T08:15:14.000Z")]
    last_used_at: Option<WireTime>,
}

impl ReportBody {
    fn of(report: &UsageReport) -> Self {
        Self {
            from: WireTime(report.from),
            to: WireTime(report.to),
            per: match report.per {
                UsageInterval::Hour => "hour",
                UsageInterval::Day => "day",
            },
            usage: report.points.iter().map(PointBody::of).collect(),
        }
    }
}

impl PointBody {
    fn of(UsagePoint { at, verified, refused }: &UsagePoint) -> Self {
        let refused = refused.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
        Self { at: WireTime(*at), verified: *verified, refused }
    }
}

impl AddressBody {
    fn of(SeenAddress { address, seen_at }: &SeenAddress) -> Self {
        Self { address: *address, seen_at: WireTime(*seen_at) }
    }
}

impl<'t> UsageSummaryBody<'t> {
    fn of(summary: &'t UsageSummary) -> Self {
        let used = |UsedToken { id, name, verified, refused }: &'t UsedToken| UsedTokenBody {
            id: id.as_uuid(),
            token_name: name.as_str(),
            verified: *verified,
            refused: *refused,
        };
        let unused = |token: &'t ApiToken| UnusedTokenBody {
            id: token.id.as_uuid(),
            token_name: token.name.as_str(),
            last_used_at: token.last_used_at.map(WireTime),
        };
        Self {
            report: ReportBody::of(&summary.report),
            top: summary.top.iter().map(used).collect(),
            unused: summary.unused.iter().map(unused).collect(),
        }
    }
}
