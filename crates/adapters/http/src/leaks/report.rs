//! `/api/admin/leaked-tokens`: reports of secrets that were found where they do not belong.

use actix_web::web::Data;
use deserr::Deserr;
use latchkey_domain::{EnvironmentName, LeakAction, TokenSecret};
use latchkey_service::{InstancePermit, LeakReport, LeakedToken, ReportLeaks};
use serde::Serialize;
use utoipa::ToSchema;

use super::counts::count;
use crate::{
    api::{Api, operations},
    context::Context,
    error_body::Detail,
    extract::{Authorized, Body, Problems, body::each_entry},
    response::{ApiResult, ok},
    tokens::ProjectArray,
};

/// The list in the body.
const TOKENS: &str = "tokens";
/// The type of a personal access token, beside those of API tokens.
const PERSONAL: &str = "personal";

pub(super) fn configure(api: &mut Api) {
    api.tag("Leaks").private(operations![report_leaked_tokens]);
}

/// Report leaked tokens.
///
/// Each live token gets an event, and `leaks.action` says what becomes of it. The response has the tokens in the order of the
/// report.
#[utoipa::path(post, path = "/api/admin/leaked-tokens", responses(
    (status = 200, description = "What the secrets belong to.", body = LeakedTokensBody<'_>),
))]
async fn report_leaked_tokens(
    Authorized(permit): Authorized<InstancePermit<ReportLeaks>>,
    body: Body<ReportLeakedTokensBody>,
    context: Data<Context>,
) -> ApiResult {
    let reports = ReportLeakedTokensBody::read(body).await?;
    let leaks = &context.use_cases.leaks;
    let leaked = leaks.report(&permit, &reports).await?;
    count(&leaked);
    let tokens = leaked.iter().map(|token| LeakedTokenBody::of(token.as_ref(), leaks.action())).collect();
    ok(&LeakedTokensBody { tokens })
}

/// Reports leaked tokens.
#[derive(ToSchema)]
#[schema(as = reportLeakedTokensSchema)]
struct ReportLeakedTokensBody {
    /// The secrets that were found: 1 to 1,000.
    #[schema(min_items = 1, max_items = 1000)]
    tokens: Vec<ReportedTokenBody>,
}

/// A secret that was found.
#[derive(Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = reportedTokenSchema)]
struct ReportedTokenBody {
    /// The secret.
    #[schema(example = "default:development.xyz")]
    token: String,
    /// Where it was found; secrets in it are masked in the event, and 2,048 characters are kept.
    #[deserr(default)]
    #[schema(example = "https://github.com/example/shop/blob/main/config.yml")]
    url: Option<String>,
    /// The kind of that place.
    #[deserr(default)]
    #[schema(example = "commit")]
    source: Option<String>,
}

impl ReportLeakedTokensBody {
    async fn read(body: Body<Self>) -> ApiResult<Vec<LeakReport>> {
        let Self { tokens } = Self { tokens: body.read_entries(TOKENS, &[]).await? };
        each_entry(TOKENS, tokens, |ReportedTokenBody { token, url, source }| {
            let secret = TokenSecret::parse(&token);
            let secret = secret.map_err(|error| Detail::of_field("token", format!("token: {error}.")))?;
            Ok(LeakReport { secret, url, source })
        })
    }
}

/// What the reported secrets belong to.
#[derive(Serialize, ToSchema)]
#[schema(as = leakedTokensSchema)]
struct LeakedTokensBody<'t> {
    /// In the order of the report.
    tokens: Vec<LeakedTokenBody<'t>>,
}

/// What a reported secret belongs to. Of one that is not live, only `live` is sent.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = leakedTokenSchema)]
#[serde(rename_all = "camelCase")]
struct LeakedTokenBody<'t> {
    /// Whether it was the valid secret of a token when it was reported.
    live: bool,
    /// The id of the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "01981f4e-7a4c-7c3e-8a55-0123456789ab")]
    id: Option<String>,
    /// The name of an API token, or the description of a personal access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "web shop")]
    name: Option<&'t str>,
    /// What the token is for: `client`, `frontend` or `admin`; `personal` for a personal access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "client")]
    r#type: Option<&'static str>,
    /// The projects of an API token; `["*"]` for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<String>, required = false, example = json!(["default"]))]
    projects: Option<ProjectArray<'t>>,
    /// The environment of an API token; `*` for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "development")]
    environment: Option<&'t str>,
    /// The id of the user whose personal access token it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false, example = 7)]
    user_id: Option<i64>,
    /// What became of the token: `nothing`, `disable` or `revoke`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "nothing")]
    action: Option<&'static str>,
}

impl<'t> LeakedTokenBody<'t> {
    fn of(token: Option<&'t LeakedToken>, action: LeakAction) -> Self {
        let action = Some(action.as_str());
        match token {
            None => Self::default(),
            Some(LeakedToken::Api(token)) => Self {
                live: true,
                id: Some(token.id.to_string()),
                name: Some(token.name.as_str()),
                r#type: Some(token.access.kind().as_str()),
                projects: Some(ProjectArray(token.access.projects())),
                environment: Some(token.access.environment().map_or("*", EnvironmentName::as_str)),
                user_id: None,
                action,
            },
            Some(LeakedToken::Personal(token)) => Self {
                live: true,
                id: Some(token.id.to_string()),
                name: Some(token.description.as_str()),
                r#type: Some(PERSONAL),
                user_id: Some(token.user.0),
                action,
                ..Self::default()
            },
        }
    }
}
