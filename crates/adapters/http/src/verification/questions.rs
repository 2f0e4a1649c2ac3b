//! `/api/verify`: whether tokens are good for something, and what is known about them, for programs that verify the tokens of their
//! own clients.

use std::net::IpAddr;

use actix_web::{HttpRequest, web::Data};
use deserr::{Deserr, IntoValue, Value, ValuePointerRef as Location};
use latchkey_domain::{
    EnvironmentName, Principal, ProjectId, Reason, ScopeSet, TokenKind, TokenOwner, TokenScope, VerifiedToken,
};
use latchkey_service::{Allowance, Message, Question, RateLeft, Requirement, Verdict};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::body::environment;
use crate::{
    api::{Api, operations},
    context::Context,
    extract::{
        Body, Client, Problems,
        body::OneOrMany,
        problems::name,
        text::{FromText, text_members},
    },
    paths::VERIFY_TOKENS,
    response::{ApiResult, ok},
    tokens::ProjectArray,
    wire_time::WireTime,
};

/// The list of several questions, and of their answers.
const TOKENS: &str = "tokens";

pub(super) fn configure(api: &mut Api) {
    api.tag("Verification").public(operations![verify_tokens]);
}

/// Verify tokens for a program.
///
/// Asks about one token, or, with `{"tokens": [...]}`, about up to 1,000. The caller authenticates as everywhere else; frontend
/// tokens, which browsers hold, may not ask. A refused token is no error of the request: the answer says why, and what is known
/// of the token.
#[utoipa::path(post, path = VERIFY_TOKENS, operation_id = "verifyTokens", responses(
    (status = 200, description = "The answer; for several tokens `{\"tokens\": [...]}` with one for each, in the same order.", body = AnswersBody<'_>),
    (status = 401, description = "The credentials are missing or not valid."),
    (status = 403, description = "A frontend token may not ask, or a client certificate is demanded and missing."),
    (status = 503, description = "A token is not in the cache, and the database does not answer."),
))]
async fn verify_tokens(request: HttpRequest, body: Body<QuestionsBody>, context: Data<Context>) -> ApiResult {
    let verification = &context.use_cases.verification;
    let client = Client::new(&request, &context);
    client.check_certificate()?;
    verification.authorize_introspection(&*client.introspection_client().await?)?;
    let (questions, is_one) = match QuestionsBody::read(body).await? {
        QuestionsBody::One(question) => (vec![question.into()], true),
        QuestionsBody::Many { tokens } => (tokens.into_iter().map(Question::from).collect(), false),
    };
    let verdicts = verification.answer(&questions, client.address()).await?;
    match verdicts.as_slice() {
        [verdict] if is_one => ok(&AnswersBody::One(AnswerBody::of(verdict))),
        verdicts => ok(&AnswersBody::Many { tokens: verdicts.iter().map(AnswerBody::of).collect() }),
    }
}

/// Asks about one token, or about several.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(as = verifyTokensSchema)]
enum QuestionsBody {
    One(QuestionBody),
    Many {
        /// The questions: 1 to 1,000.
        #[schema(min_items = 1, max_items = 1000)]
        tokens: Vec<QuestionBody>,
    },
}

impl QuestionsBody {
    async fn read(body: Body<Self>) -> ApiResult<Self> {
        Ok(match body.read_one_or_entries(TOKENS).await? {
            OneOrMany::One(question) => Self::One(question),
            OneOrMany::Many(tokens) => Self::Many { tokens },
        })
    }
}

/// Asks about a token. What is left out is not required of it.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, deny_unknown_fields)]
#[serde(deny_unknown_fields)]
#[schema(as = verifyTokenSchema, example = json!({
    "token": "default:development.xyz",
    "project": "default",
    "scopes": ["orders:read"],
    "ip": "192.0.2.7",
}))]
struct QuestionBody {
    /// The secret.
    #[schema(example = "default:development.xyz")]
    token: String,
    /// The token has to work in this project.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "web-shop")]
    project: Option<ProjectId>,
    /// The token has to work in this environment.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "development")]
    environment: Option<EnvironmentName>,
    /// The token has to be of this type: client (or backend), frontend or admin.
    #[deserr(default, rename = "type")]
    #[schema(value_type = Option<String>, rename = "type", example = "client")]
    kind: Option<TokenKind>,
    /// The token needs all of these scopes.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<String>>, example = json!(["orders:read"]), max_items = 64)]
    scopes: Option<ScopeSet>,
    /// The address from which the token is used. Without it, a token that is bound to networks is refused.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "192.0.2.7")]
    ip: Option<IpAddr>,
    /// How many requests and uses the use costs, if the token has `rateLimit` or `uses`: 1 to 10,000.
    #[deserr(default)]
    #[schema(value_type = Option<u32>, example = 1, default = 1, minimum = 1, maximum = 10_000)]
    cost: Option<Cost>,
}

impl From<QuestionBody> for Question {
    fn from(body: QuestionBody) -> Self {
        let QuestionBody { token, project, environment, kind, scopes, ip, cost } = body;
        let requirement = Requirement { project, environment, kind, scopes: scopes.unwrap_or_default() };
        Self { token, requirement, ip, cost: cost.map_or(1, |Cost(cost)| cost) }
    }
}

/// How many requests and uses a use costs.
#[derive(Debug, Clone, Copy)]
struct Cost(u32);

impl Cost {
    const MAX: u32 = 10_000;
}

impl Deserr<Problems> for Cost {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: Location<'_>) -> Result<Self, Problems> {
        let cost: Result<u32, Problems> = Deserr::deserialize_from_value(value, place);
        match cost? {
            cost @ 1..=Self::MAX => Ok(Self(cost)),
            _ => Err(Problems::at(place, format!("{} must be 1 to {}.", name(place), Self::MAX))),
        }
    }
}

text_members!(IpAddr);

impl FromText for IpAddr {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        text.parse()
            .map_err(|_| format!("{name} must be an IP address, such as 192.0.2.7 or 2001:db8::1.").into())
    }
}

/// One answer, or several.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = tokenVerdictsSchema)]
enum AnswersBody<'t> {
    One(AnswerBody<'t>),
    Many {
        /// The answers, in the order of the questions.
        tokens: Vec<AnswerBody<'t>>,
    },
}

/// Whether a token is good for what was asked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = tokenVerdictSchema)]
struct AnswerBody<'t> {
    /// Whether it is.
    valid: bool,
    /// Why it is not: `unknown`, `expired`, `disabled`, `network`, `wrong_type`, `wrong_project`, `wrong_environment`,
    /// `missing_scope`, `rate_limited` or `no_uses_left`. Absent where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "wrong_project")]
    reason: Option<&'static str>,
    #[serde(flatten)]
    #[schema(value_type = DescribedToken<'_>)]
    token: Option<DescribedToken<'t>>,
    /// What is left of its rate limit; absent where it has none, or is refused for another reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = RateLeftBody, required = false)]
    rate_limit: Option<RateLeftBody>,
    /// How many uses it has left; absent where they are not limited, or it is refused for another reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = UsesLeftBody, required = false)]
    uses: Option<UsesLeftBody>,
}

/// What is left of the rate limit of a token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = rateLeftSchema)]
struct RateLeftBody {
    /// The requests of each window.
    #[schema(example = 100)]
    limit: u32,
    /// How many of them are left, as far as this server knows.
    #[schema(example = 42)]
    remaining: u64,
    /// When the next window begins.
    #[schema(value_type = String, format = DateTime, example = "2023-04-19T08:16:00.000Z")]
    reset_at: WireTime,
}

impl From<RateLeft> for RateLeftBody {
    fn from(left: RateLeft) -> Self {
        Self { limit: left.limit, remaining: left.remaining, reset_at: WireTime(left.resets_at) }
    }
}

/// How many uses a token has left.
#[derive(Serialize, ToSchema)]
#[schema(as = usesLeftSchema)]
struct UsesLeftBody {
    /// How many.
    #[schema(example = 999)]
    remaining: u64,
}

/// What is known of a token, also of one that is refused. All of it is absent where the token is unknown.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DescribedToken<'t> {
    /// The id of the token.
    #[schema(required = false, example = "01981f4e-7a4c-7c3e-8a55-0123456789ab")]
    id: String,
    /// The name of the token.
    #[schema(required = false, value_type = String, example = "web shop")]
    name: &'t str,
    /// What the token is for.
    #[schema(required = false, value_type = String, example = "client")]
    r#type: &'static str,
    /// The projects; `["*"]` for all.
    #[schema(required = false, value_type = Vec<String>, example = json!(["default"]))]
    projects: ProjectArray<'t>,
    /// The environment; `*` for all.
    #[schema(required = false, value_type = String, example = "development")]
    environment: &'t str,
    /// The scopes; absent where there are none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false, value_type = Vec<String>, example = json!(["orders:read"]))]
    scopes: &'t [TokenScope],
    /// Who is responsible for the token; absent where no one is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String, example = "team-checkout@example.com")]
    owner: Option<&'t str>,
    /// What its owners note about the token; absent where there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = Object, example = json!({ "team": "checkout" }))]
    metadata: Option<&'t Map<String, Json>>,
    /// When the token expires, or the secret that a rotation replaced; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String, format = DateTime, example = "2099-04-19T08:15:14.000Z")]
    expires_at: Option<WireTime>,
}

impl<'t> AnswerBody<'t> {
    fn of(verdict: &'t Verdict) -> Self {
        let Verdict { principal, refused, allowance: Allowance { rate, uses } } = verdict;
        let token = principal.as_deref().and_then(Principal::verified_token).map(DescribedToken::of);
        Self {
            valid: refused.is_none(),
            reason: refused.map(Reason::as_str),
            token,
            rate_limit: rate.map(RateLeftBody::from),
            uses: uses.map(|remaining| UsesLeftBody { remaining }),
        }
    }
}

impl<'t> DescribedToken<'t> {
    fn of(token: VerifiedToken<'t>) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name.as_str(),
            r#type: token.access.kind().as_str(),
            projects: ProjectArray(token.access.projects()),
            environment: environment(&token),
            scopes: token.scopes().as_slice(),
            owner: token.owner().map(TokenOwner::as_str),
            metadata: token.metadata(),
            expires_at: token.expires_at.map(WireTime),
        }
    }
}
