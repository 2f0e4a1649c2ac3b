//! The bodies that create, change and rotate tokens.

use std::time::Duration;

use deserr::Deserr;
use latchkey_domain::{
    Enabled, EnvironmentScope, IsoDuration, Metadata, NetworkSet, ProjectScope, RateLimit, ScopeSet, Term,
    Timestamp, TokenAttributes, TokenDescription, TokenName, TokenOwner, Uses,
};
use latchkey_service::{Message, Overlap, Patched, Rule, TokenEnd, TokenPatch, TokenRequest};
use serde_json::Map;
use utoipa::ToSchema;

use super::{
    attribute_members::MetadataPatch,
    limit_members::{RateLimitBody, RateLimitMembers, UsesBody, UsesMembers},
    projects::ProjectList,
    token_body::TokenType,
};
use crate::{
    error::{ApiError, TOKENS},
    error_body::Detail,
    extract::{
        Body, Problems,
        body::{MemberRule, each_entry},
        problems::required,
        text::{FromText, text_members},
    },
};

/// How long the old secret of a rotated token stays valid by default.
const DEFAULT_OVERLAP: Duration = Duration::from_secs(86_400);

/// Creates a token.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = createApiTokenSchema, rename_all = "camelCase", example = json!({
    "tokenName": "web shop",
    "type": "client",
    "environment": "development",
    "expiresAt": "2099-04-19T08:15:14.000Z",
    "description": "Reads the flags of the checkout",
}))]
pub struct CreateTokenBody {
    /// The name of the token: 1 to 255 characters, trimmed. Required, unless `username` is sent.
    #[deserr(default, from(TokenName) = Some)]
    #[schema(value_type = Option<String>, example = "web shop", min_length = 1, max_length = 255)]
    token_name: Option<TokenName>,
    /// The old name of `tokenName`. If both are sent, they are the same.
    #[deserr(default, from(TokenName) = Some)]
    #[schema(value_type = Option<String>, example = "web shop", min_length = 1, max_length = 255)]
    username: Option<TokenName>,
    /// `client` (or `backend`), `frontend` or `admin`, in any case. A project's token cannot be `admin`; the instance's only
    /// where `tokens.allow_admin` is on.
    #[deserr(rename = "type")]
    #[schema(value_type = String, rename = "type", example = "client")]
    kind: TokenType,
    /// The environment that the token works in; for an admin token `*`, which may be left out.
    #[deserr(default, from(EnvironmentScope) = Some)]
    #[schema(value_type = Option<String>, example = "development", default = "development")]
    environment: Option<EnvironmentScope>,
    /// The project that the token works in; `*` is every project. A project's token names no other project.
    #[deserr(default, from(ProjectScope) = Some)]
    #[schema(value_type = Option<String>, example = "web-shop")]
    project: Option<ProjectScope>,
    /// The projects that the token works in; with `*` among them, every project. Without `project` and `projects`: the
    /// project of the path, or every project. A project's token names no other project.
    #[deserr(default, from(ProjectList) = Some)]
    #[schema(value_type = Option<Vec<String>>, example = json!(["web-shop", "default"]))]
    projects: Option<ProjectList>,
    /// When the token expires, as in RFC 3339. Null: never. Absent: after the default lifetime of the policy, or never where it has
    /// none. A time in the past makes it expire at once.
    #[deserr(default)]
    #[schema(value_type = Option<String>, format = DateTime, example = "2099-04-19T08:15:14.000Z")]
    expires_at: Patched<Timestamp>,
    /// What the token is for: at most 1,000 characters, trimmed, in any number of lines. Absent or null: not described.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "Reads the flags of the checkout", max_length = 1000)]
    description: Option<TokenDescription>,
    /// Who is responsible for the token: 1 to 255 characters, trimmed. Absent or null: not named.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "team-checkout@example.com", min_length = 1, max_length = 255)]
    owner: Option<TokenOwner>,
    /// What its owners note about the token: a JSON object of at most 8 KiB and 64 members, whose names have at most 64 of the
    /// characters `A-Z a-z 0-9 _ . -`.
    #[deserr(default)]
    #[schema(value_type = Option<Object>, example = json!({ "team": "checkout" }))]
    metadata: Option<Metadata>,
    /// False to create the token disabled: it is refused until it is enabled.
    #[deserr(default)]
    #[schema(value_type = Option<bool>, default = true)]
    enabled: Option<Enabled>,
    /// What the token may do in the product that it guards: at most 64 scopes such as `orders:read`, `orders:*` or `*`.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<String>>, example = json!(["orders:read"]), max_items = 64)]
    scopes: Option<ScopeSet>,
    /// The networks from which the token is accepted: at most 64, as in CIDR or as one address. Absent, null or empty: from
    /// everywhere. Behind a gateway, the gateway is the client, unless `server.trusted_proxies` names it.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<String>>, example = json!(["10.1.0.0/16"]), max_items = 64)]
    allowed_networks: Option<NetworkSet>,
    /// How often the token is accepted in each span of time. Absent or null: any number of times.
    #[deserr(default)]
    #[schema(value_type = Option<RateLimitBody>)]
    rate_limit: Option<RateLimit>,
    /// How often the token is accepted at all. Absent or null: any number of times.
    #[deserr(default)]
    #[schema(value_type = Option<UsesBody>)]
    uses: Option<Uses>,
    /// After how long the secret is to be rotated, each time: a duration of ISO 8601, at most ten years. There is a notice when it is
    /// due, and nothing else. Absent or null: never.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "P90D")]
    rotate_every: Option<Term>,
}

/// Creates several tokens, all or none.
#[derive(Debug, ToSchema)]
#[schema(as = createApiTokensSchema)]
pub(crate) struct CreateTokensBody {
    /// The tokens, each as the body that creates one: 1 to 1,000.
    #[schema(min_items = 1, max_items = 1000)]
    tokens: Vec<CreateTokenBody>,
}

impl CreateTokensBody {
    /// Reads a body that creates tokens of a project, each as [`CreateTokenBody::of_project`].
    pub(crate) async fn of_project(body: Body<Self>) -> Result<Vec<TokenRequest>, ApiError> {
        let Self { tokens } = Self::read(body).await?;
        each_entry(TOKENS, tokens, CreateTokenBody::into_request)
    }

    /// Reads a body that creates tokens of the instance, each as [`CreateTokenBody::of_instance`].
    pub(crate) async fn of_instance(body: Body<Self>) -> Result<Vec<TokenRequest>, ApiError> {
        let Self { tokens } = Self::read(body).await?;
        each_entry(TOKENS, tokens, CreateTokenBody::into_instance_request)
    }

    async fn read(body: Body<Self>) -> Result<Self, ApiError> {
        Ok(Self { tokens: body.read_entries(TOKENS, &CreateTokenBody::RULES).await? })
    }
}

impl CreateTokenBody {
    const RULES: [MemberRule; 2] = [
        MemberRule::Renamed { name: "tokenName", old: "username" },
        MemberRule::Exclusive { name: "projects", other: "project" },
    ];

    /// Reads a body that creates a token of a project, where an empty list of projects counts as absent. Returns the type as
    /// the body names it, too.
    pub(crate) async fn of_project(body: Body<Self>) -> Result<(TokenRequest, TokenType), ApiError> {
        let body = body.read_with(&Self::RULES).await?;
        let kind = body.kind;
        Ok((body.into_request()?, kind))
    }

    /// Reads a body that creates a token of the instance. An empty list of projects is refused: it could mean none, or all.
    /// Returns the type as the body names it, too.
    pub(crate) async fn of_instance(body: Body<Self>) -> Result<(TokenRequest, TokenType), ApiError> {
        let body = body.read_with(&Self::RULES).await?;
        let kind = body.kind;
        Ok((body.into_instance_request()?, kind))
    }

    /// Returns what is asked for, of the tokens of the instance.
    ///
    /// # Errors
    /// The problems of several members together.
    pub fn into_instance_request(self) -> Result<TokenRequest, Problems> {
        if self.projects == Some(ProjectList(None)) {
            let message = "projects must name at least one project: leave it out for all, or send [\"*\"].";
            return Err(Detail::of_field("projects", Rule::named("projects-required").says(message)).into());
        }
        self.into_request()
    }

    /// Returns what is asked for, of the tokens of a project.
    ///
    /// # Errors
    /// The problems of several members together.
    pub fn into_request(self) -> Result<TokenRequest, Problems> {
        let attributes = TokenAttributes {
            description: self.description,
            owner: self.owner,
            metadata: self.metadata.unwrap_or_default(),
            enabled: self.enabled.unwrap_or_default(),
            scopes: self.scopes.unwrap_or_default(),
            allowed_networks: self.allowed_networks.unwrap_or_default(),
            rate_limit: self.rate_limit,
            uses: self.uses,
            rotation: None,
            disuse: None,
            rotate_every: self.rotate_every,
            rotated: None,
            other: Map::new(),
        };
        let name = self.token_name.or(self.username);
        let missing = || Detail::of_field("tokenName", required("tokenName"));
        Ok(TokenRequest {
            name: name.ok_or_else(missing)?,
            kind: self.kind.into(),
            environment: self.environment,
            projects: self.projects.and_then(|ProjectList(scope)| scope).or(self.project),
            expires_at: match self.expires_at {
                Patched::Kept => TokenEnd::ByPolicy,
                Patched::Removed => TokenEnd::Never,
                Patched::Set(end) => TokenEnd::At(end),
            },
            attributes,
        })
    }
}

/// Updates a token. An expiry can be moved, but not removed.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = updateApiTokenSchema, rename_all = "camelCase")]
pub(crate) struct UpdateTokenBody {
    /// When the token expires, as in RFC 3339. A time in the past makes it expire at once.
    #[schema(value_type = String, format = DateTime, example = "2099-04-19T08:15:14.000Z")]
    pub(crate) expires_at: Timestamp,
}

/// Changes a token by a merge patch (RFC 7396): absent members stay as they are, null removes one.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(deny_unknown_fields)]
#[schema(as = patchApiTokenSchema, rename_all = "camelCase", example = json!({
    "owner": "team-checkout@example.com",
    "metadata": { "ticket": "SHOP-7" },
    "scopes": ["orders:read"],
}))]
pub struct PatchTokenBody {
    /// When the token expires, as in RFC 3339; null: never. A time in the past makes it expire at once.
    #[deserr(default)]
    #[schema(value_type = Option<String>, format = DateTime, example = "2099-04-19T08:15:14.000Z")]
    expires_at: Patched<Timestamp>,
    /// What the token is for: at most 1,000 characters, trimmed, in any number of lines; null: not described.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "Reads the flags of the checkout", max_length = 1000)]
    description: Patched<TokenDescription>,
    /// Who is responsible for the token: 1 to 255 characters, trimmed; null: not named.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "team-checkout@example.com", min_length = 1, max_length = 255)]
    owner: Patched<TokenOwner>,
    /// A merge patch of the metadata: null removes a member, an object is merged into the one that is there. Null in its place
    /// removes all.
    #[deserr(default)]
    #[schema(value_type = Option<Object>, example = json!({ "team": "checkout", "ticket": null }))]
    metadata: Patched<MetadataPatch>,
    /// False disables the token, which is refused from the response on; true or null enables it again.
    #[deserr(default)]
    #[schema(value_type = Option<bool>, example = false)]
    enabled: Patched<Enabled>,
    /// What the token may do in the product that it guards, in place of its present scopes; null or empty: nothing.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<String>>, example = json!(["orders:read"]), max_items = 64)]
    scopes: Patched<ScopeSet>,
    /// The networks from which the token is accepted, in place of the present ones; null or empty: from everywhere.
    #[deserr(default)]
    #[schema(value_type = Option<Vec<String>>, example = json!(["10.1.0.0/16"]), max_items = 64)]
    allowed_networks: Patched<NetworkSet>,
    /// A merge patch of the rate limit; null removes it.
    #[deserr(default)]
    #[schema(value_type = Option<RateLimitMembers>)]
    rate_limit: Patched<RateLimitMembers>,
    /// How many uses are left from now on, in place of the present ones; null removes the limit. `refill` is a merge patch.
    #[deserr(default)]
    #[schema(value_type = Option<UsesMembers>)]
    uses: Patched<UsesMembers>,
    /// After how long the secret is to be rotated, each time; null: never.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "P90D")]
    rotate_every: Patched<Term>,
}

impl From<PatchTokenBody> for TokenPatch {
    fn from(body: PatchTokenBody) -> Self {
        Self {
            expires_at: body.expires_at,
            description: body.description,
            owner: body.owner,
            metadata: body.metadata.map(|MetadataPatch(members)| members),
            enabled: body.enabled,
            scopes: body.scopes,
            allowed_networks: body.allowed_networks,
            rate_limit: body.rate_limit.map(Into::into),
            uses: body.uses.map(Into::into),
            rotate_every: body.rotate_every,
        }
    }
}

/// Rotates a token. The body may be left out.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase)]
#[schema(as = rotateApiTokenSchema, rename_all = "camelCase")]
pub struct RotateTokenBody {
    /// How long the old secret stays valid beside the new one: a duration of ISO 8601 in whole weeks, or in days, hours,
    /// minutes and seconds, at most a year. `PT0S` makes it invalid at once.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "PT24H", default = "PT24H")]
    overlap: Option<Overlap>,
    /// True to end the old secret a minute after the new one is first used, and at the latest with the overlap.
    #[deserr(default)]
    #[schema(value_type = Option<bool>, example = false, default = false)]
    end_on_first_use: Option<bool>,
}

impl RotateTokenBody {
    /// Returns how long the old secret stays valid.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn overlap(self) -> Result<Overlap, ApiError> {
        let overlap = self.overlap.map_or_else(|| Overlap::new(DEFAULT_OVERLAP), Ok);
        let overlap = overlap.map_err(ApiError::internal)?;
        Ok(overlap.ending_on_first_use(self.end_on_first_use.unwrap_or_default()))
    }
}

text_members!(Overlap);

impl FromText for Overlap {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        let duration: IsoDuration = text.parse().map_err(|_| {
            let text = format!("{name} must be a duration as in ISO 8601, such as PT24H, P7D or PT0S.");
            Rule::named("duration").says(text)
        })?;
        Self::new(duration.span()).map_err(|error| Rule::named("overlap-long").says(error.to_string()))
    }
}
