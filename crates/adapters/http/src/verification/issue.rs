//! `/edge/issue-token`: the tokens of Unleash Enterprise Edge, which asks for them itself with signed requests.

use actix_web::web::Data;
use latchkey_domain::{EnvironmentName, ProjectId, ProjectScope, ProjectSet, Scope};
use latchkey_service::{Message, RevealedToken, is_replay};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::signature::Signed;
use crate::{
    api::{Api, operations},
    context::Context,
    error::{ApiError, TOKENS},
    error_body::Detail,
    extract::{
        Problems,
        body::{RawBody, each_entry},
        text::FromText,
    },
    memory::Sender,
    response::{ApiResult, ok},
    tokens::ProjectArray,
};

const PATH: &str = "/edge/issue-token";
/// The most tokens of one request.
const MAX_TOKENS: usize = 100;

/// Registers the operation.
pub(crate) fn configure(api: &mut Api) {
    api.tag("Verification").public(operations![issue_edge_tokens]);
}

/// Issue tokens to Unleash Enterprise Edge.
///
/// The request is signed with the secret in `EDGE_CLIENT_SECRET`: `Authorization: HMAC enterprise-edge:<signature>`, with
/// `X-Timestamp`, `X-Nonce` and `Content-SHA256`. Each request gets new tokens, and none is answered twice.
#[utoipa::path(post, path = PATH, security(()), request_body = IssueTokensBody, responses(
    (status = 200, description = "The tokens, in the order of the request.", body = IssuedTokensBody<'_>),
    (status = 400, description = "Or there is no such environment or project, or there is no room for the tokens."),
    (status = 401, description = "The signature is missing or wrong, the request is old or was answered before, or its body is not the one that was signed."),
    (status = 503, description = "The database does not answer."),
))]
async fn issue_edge_tokens(context: Data<Context>, body: RawBody) -> ApiResult {
    let client = context.settings.edge_client.as_ref();
    let signed = Signed::verify(body.client(), PATH, client, context.use_cases.now())?;
    let bytes = body.json_bytes(Sender::Authenticated).await?;
    let malformed =
        |error| ApiError::BadInput(vec![Detail::of_body(format!("The body cannot be read: {error}."))]);
    let asked: IssueTokensBody = serde_json::from_slice(&bytes).map_err(malformed)?;
    signed.check_body(&bytes, &serde_json::to_vec(&asked).map_err(ApiError::internal)?)?;
    let issued = context.use_cases.edge_tokens.issue(&signed.request, asked.into_scopes()?).await;
    match issued {
        Err(error) if is_replay(&error) => Err(ApiError::BadSignature("Replay detected")),
        issued => ok(&IssuedTokensBody::of(&issued?)),
    }
}

/// The tokens that Edge needs.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = edgeTokensRequestSchema)]
struct IssueTokensBody {
    /// One entry for each token, at most 100.
    #[schema(min_items = 1, max_items = 100)]
    tokens: Vec<IssueTokenBody>,
}

/// A token that Edge needs.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[schema(as = edgeTokenRequestSchema)]
struct IssueTokenBody {
    /// The environment that the token works in.
    #[schema(example = "development")]
    environment: String,
    /// The projects that the token works in; `["*"]` for all.
    #[schema(example = json!(["web-shop"]))]
    projects: Vec<String>,
}

impl IssueTokensBody {
    fn into_scopes(self) -> Result<Vec<Scope>, ApiError> {
        let count = self.tokens.len();
        if !(1..=MAX_TOKENS).contains(&count) {
            let message = format!("tokens must have 1 to {MAX_TOKENS} entries, not {count}.");
            return Err(ApiError::BadInput(vec![Detail::of_field(TOKENS, message)]));
        }
        each_entry(TOKENS, self.tokens, IssueTokenBody::into_scope)
    }
}

impl IssueTokenBody {
    fn into_scope(self) -> Result<Scope, Problems> {
        let at =
            |field: &'static str| move |message: Message| Problems::from(Detail::of_field(field, message));
        let environment =
            EnvironmentName::from_text(&self.environment, "environment").map_err(at("environment"))?;
        if self.projects.iter().any(|project| project == "*") {
            return Ok(Scope { projects: ProjectScope::All, environment });
        }
        let projects = self.projects.iter().map(|project| ProjectId::from_text(project, "projects"));
        let projects = projects.collect::<Result<Vec<_>, _>>().map_err(at("projects"))?;
        let none =
            |_| at("projects")("projects must name at least one project: send [\"*\"] for all.".into());
        Ok(Scope { projects: ProjectScope::Only(ProjectSet::new(projects).map_err(none)?), environment })
    }
}

/// The tokens that were issued.
#[derive(Serialize, ToSchema)]
#[schema(as = edgeTokensSchema)]
struct IssuedTokensBody<'t> {
    /// The tokens, in the order of the request.
    tokens: Vec<IssuedTokenBody<'t>>,
}

/// A token that was issued to Edge.
#[derive(Serialize, ToSchema)]
#[schema(as = issuedEdgeTokenSchema)]
struct IssuedTokenBody<'t> {
    /// The secret.
    #[schema(value_type = String, example = "web-shop:development.xyz")]
    token: Option<&'t str>,
    /// What Edge calls a client token.
    #[schema(example = "backend")]
    r#type: &'static str,
    /// The environment that the token works in.
    #[schema(value_type = String, example = "development")]
    environment: Option<&'t str>,
    /// The projects that the token works in; `["*"]` for all.
    #[schema(value_type = Vec<String>, example = json!(["web-shop"]))]
    projects: ProjectArray<'t>,
}

impl<'t> IssuedTokensBody<'t> {
    fn of(issued: &'t [RevealedToken]) -> Self {
        let shown = |RevealedToken { token, secret, .. }: &'t RevealedToken| IssuedTokenBody {
            token: secret.as_ref().map(latchkey_domain::TokenSecret::reveal),
            r#type: "backend",
            environment: token.access.environment().map(EnvironmentName::as_str),
            projects: ProjectArray(token.access.projects()),
        };
        Self { tokens: issued.iter().map(shown).collect() }
    }
}
