//! The bodies that set and show policies, and those that list what breaks them.

use deserr::Deserr;
use latchkey_domain::{Policy, PolicyRule, Term, TokenId};
use latchkey_service::{Message, PolicyDraft, PolicyViolation, PolicyViolations, ProjectPolicies, Rule};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::extract::{
    Problems,
    text::{FromText, text_members},
};

text_members!(Term);

impl FromText for Term {
    fn from_text(text: &str, name: &str) -> Result<Self, Message> {
        text.parse().map_err(|_| {
            let days = Self::MAX_DAYS;
            let text =
                format!("{name} must be a duration as in ISO 8601 from PT1S to P{days}D, such as P90D.");
            Rule::named("term").with("days", days).says(text)
        })
    }
}

/// Sets the policy of a project. What is absent or null is as for the whole instance. `allowAllProjects` is of the instance alone: a
/// token of all projects names none.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Problems, rename_all = camelCase, deny_unknown_fields)]
#[serde(deny_unknown_fields)]
#[schema(as = setProjectPolicySchema, rename_all = "camelCase", example = json!({
    "maxLifetime": "P365D",
    "defaultLifetime": "P90D",
    "requireExpiry": true,
    "requireDescription": true,
    "unusedNotice": "P150D",
    "unusedDisable": "P180D",
    "unusedDelete": "P365D",
}))]
pub struct SetPolicyBody {
    /// How far ahead the expiry of a token may be when it is set: a duration of ISO 8601, at most ten years.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "P365D")]
    max_lifetime: Option<Term>,
    /// The lifetime of a token whose creation says nothing of its expiry.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "P90D")]
    default_lifetime: Option<Term>,
    /// Whether each token must expire.
    #[deserr(default)]
    #[schema(value_type = Option<bool>, example = true, default = false)]
    require_expiry: Option<bool>,
    /// Whether each token must have a description.
    #[deserr(default)]
    #[schema(value_type = Option<bool>, example = true, default = false)]
    require_description: Option<bool>,
    /// There is a notice of tokens that were not used for so long; shorter than `unusedDisable`, if there is one.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "P150D")]
    unused_notice: Option<Term>,
    /// Tokens that were not used for so long are disabled, if the notice came early enough.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "P180D")]
    unused_disable: Option<Term>,
    /// Tokens that were disabled so are deleted when they were not used for so long; longer than `unusedDisable`, which it needs.
    #[deserr(default)]
    #[schema(value_type = Option<String>, example = "P365D")]
    unused_delete: Option<Term>,
}

impl From<SetPolicyBody> for PolicyDraft {
    fn from(body: SetPolicyBody) -> Self {
        Self {
            max_lifetime: body.max_lifetime,
            default_lifetime: body.default_lifetime,
            require_expiry: body.require_expiry,
            require_description: body.require_description,
            unused_notice: body.unused_notice,
            unused_disable: body.unused_disable,
            unused_delete: body.unused_delete,
        }
    }
}

/// The policies for the tokens of a project.
#[derive(Serialize, ToSchema)]
#[schema(as = projectPolicySchema)]
pub(crate) struct ProjectPolicyBody {
    /// Its own.
    project: PolicyBody,
    /// That of the instance, which the settings say.
    instance: PolicyBody,
    /// What holds: the tighter of both.
    effective: PolicyBody,
}

impl ProjectPolicyBody {
    /// Shows the policies.
    pub(crate) fn of(policies: &ProjectPolicies) -> Self {
        Self {
            project: policies.project.into(),
            instance: policies.instance.into(),
            effective: policies.effective().into(),
        }
    }
}

/// What tokens must be like, and what becomes of those that are not used. What is not demanded is absent.
#[derive(Serialize, ToSchema)]
#[schema(as = policySchema)]
#[serde(rename_all = "camelCase")]
struct PolicyBody {
    /// How far ahead the expiry of a token may be when it is set, as a duration of ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "P365D")]
    max_lifetime: Option<Term>,
    /// The lifetime of a token whose creation says nothing of its expiry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "P90D")]
    default_lifetime: Option<Term>,
    /// Each token must expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false, example = true)]
    require_expiry: Option<bool>,
    /// Each token must have a description.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false, example = true)]
    require_description: Option<bool>,
    /// Client and frontend tokens cannot be for all projects. Never of a project itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = bool, required = false, example = false)]
    allow_all_projects: Option<bool>,
    /// There is a notice of tokens that were not used for so long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "P150D")]
    unused_notice: Option<Term>,
    /// Tokens that were not used for so long are disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "P180D")]
    unused_disable: Option<Term>,
    /// Tokens that were disabled so are deleted when they were not used for so long.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "P365D")]
    unused_delete: Option<Term>,
}

impl From<Policy> for PolicyBody {
    fn from(policy: Policy) -> Self {
        Self {
            max_lifetime: policy.max_lifetime,
            default_lifetime: policy.default_lifetime,
            require_expiry: policy.require_expiry.then_some(true),
            require_description: policy.require_description.then_some(true),
            allow_all_projects: (!policy.allow_all_projects).then_some(false),
            unused_notice: policy.unused.notice(),
            unused_disable: policy.unused.disable(),
            unused_delete: policy.unused.delete(),
        }
    }
}

/// The page of a list of violations.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Problems)]
#[into_params(parameter_in = Query)]
pub(crate) struct ViolationsQuery {
    /// The `nextCursor` of the page before.
    #[deserr(default)]
    #[param(value_type = Option<String>, format = "uuid")]
    pub(crate) cursor: Option<TokenId>,
}

/// Tokens that break a policy.
#[derive(Serialize, ToSchema)]
#[schema(as = policyViolationsSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ViolationsBody<'t> {
    /// The tokens, by creation.
    violations: Vec<ViolationBody<'t>>,
    /// The `cursor` of the next page; null: there is none.
    #[schema(value_type = Option<String>, required = true, example = "0189d5a1-3f2b-7c0e-9d4a-5b6c7d8e9f00")]
    next_cursor: Option<Uuid>,
}

/// A token that breaks a policy.
#[derive(Serialize, ToSchema)]
#[schema(as = policyViolationSchema)]
#[serde(rename_all = "camelCase")]
struct ViolationBody<'t> {
    /// The id of the token.
    #[schema(value_type = String, example = "01981f4e-7a4c-7c3e-8a55-0123456789ab")]
    id: Uuid,
    /// The name of the token.
    #[schema(value_type = String, example = "web shop")]
    token_name: &'t str,
    /// The rules that it breaks, by the names of their settings: `max_lifetime`, `require_expiry`, `require_description`,
    /// `allow_all_projects`.
    #[schema(value_type = Vec<String>, example = json!(["require_expiry"]))]
    rules: Vec<&'static str>,
}

impl<'t> ViolationsBody<'t> {
    /// Shows a page to a caller who may read the tokens.
    pub(crate) fn of(page: &'t PolicyViolations) -> Self {
        let shown = |PolicyViolation { token, rules }: &'t PolicyViolation| ViolationBody {
            id: token.id.as_uuid(),
            token_name: token.name.as_str(),
            rules: rules.iter().copied().map(PolicyRule::as_str).collect(),
        };
        Self {
            violations: page.violations.iter().map(shown).collect(),
            next_cursor: page.next.map(TokenId::as_uuid),
        }
    }
}
