//! The policy for the tokens of a project: its own, that of the instance, what is in effect, and the tokens that break it.

use askama::Template;
use latchkey_domain::{Permission, Policy, PolicyRule, Term, TokenId};
use latchkey_http::pages::{ApiError, ApiResult, PathParameters, RawBody, SetPolicyBody};
use latchkey_service::{PolicyViolation, ProjectPolicies, ReadTokens, UpdateProject};

use super::address::{id, root};
use crate::{
    form::Form,
    frame::{Frame, Section, query_value},
    page::see_other,
    visitor::Visitor,
};

const DAY: u64 = 86_400;

/// What a policy can demand, by the keys of the words, in the order in which [`demands`] has them.
const RULES: [&str; 8] = [
    "project-rule-max-lifetime",
    "project-rule-default-lifetime",
    "project-rule-require-expiry",
    "project-rule-require-description",
    "project-rule-all-projects",
    "project-rule-unused-notice",
    "project-rule-unused-disable",
    "project-rule-unused-delete",
];

/// A rule in words; empty where nothing is demanded.
pub(super) struct Rule {
    pub(super) key: &'static str,
    pub(super) instance: String,
    pub(super) project: String,
    pub(super) effective: String,
}

#[derive(Template)]
#[template(path = "projects/policy.html")]
struct PolicyPage {
    frame: Frame,
    id: String,
    root: String,
    rules: Vec<Rule>,
    instance: Policy,
    violations: Vec<Violation>,
    is_continued: bool,
    next: Option<TokenId>,
    may_update: bool,
    form: Form,
}

/// A token that breaks rules.
struct Violation {
    id: TokenId,
    name: String,
    rules: Vec<String>,
}

impl Violation {
    fn of(PolicyViolation { token, rules }: &PolicyViolation, frame: &Frame) -> Self {
        let said = |rule: &PolicyRule| {
            let key = match rule {
                PolicyRule::MaxLifetime => "project-rule-max-lifetime",
                PolicyRule::RequireExpiry => "project-rule-require-expiry",
                PolicyRule::RequireDescription => "project-rule-require-description",
                PolicyRule::AllowAllProjects => "project-rule-all-projects",
            };
            frame.t(key).into_owned()
        };
        Self { id: token.id, name: token.name.to_string(), rules: rules.iter().map(said).collect() }
    }
}

/// Returns the policies of a project side by side.
pub(super) fn rules(frame: &Frame, policies: &ProjectPolicies) -> Vec<Rule> {
    let [instance, project, effective] = [policies.instance, policies.project, policies.effective()]
        .map(|policy| demands(frame, policy).into_iter());
    let sides = instance.zip(project).zip(effective);
    let rule = |(key, ((instance, project), effective))| Rule { key, instance, project, effective };
    RULES.into_iter().zip(sides).map(rule).collect()
}

fn demands(frame: &Frame, policy: Policy) -> [String; 8] {
    let term = |term: Option<Term>| term.map_or_else(String::new, |term| length(frame, term));
    let demand = |is_made: bool, key: &str| if is_made { frame.t(key).into_owned() } else { String::new() };
    [
        term(policy.max_lifetime),
        term(policy.default_lifetime),
        demand(policy.require_expiry, "project-rule-required"),
        demand(policy.require_description, "project-rule-required"),
        demand(!policy.allow_all_projects, "project-rule-required"),
        term(policy.unused.notice()),
        term(policy.unused.disable()),
        term(policy.unused.delete()),
    ]
}

/// Returns a term in days, or as in ISO 8601 if it is none of whole days.
fn length(frame: &Frame, term: Term) -> String {
    let seconds = term.span().as_secs();
    if seconds.is_multiple_of(DAY) {
        frame.number("days", "count", &(seconds / DAY))
    } else {
        term.to_string()
    }
}

/// Returns the fields of a form that begins with a policy.
fn values(policy: Policy) -> Form {
    let term = |term: Option<Term>| term.map_or_else(String::new, |term| term.to_string());
    Form::of([
        ("maxLifetime", term(policy.max_lifetime)),
        ("defaultLifetime", term(policy.default_lifetime)),
        ("requireExpiry:flag", policy.require_expiry.to_string()),
        ("requireDescription:flag", policy.require_description.to_string()),
        ("unusedNotice", term(policy.unused.notice())),
        ("unusedDisable", term(policy.unused.disable())),
        ("unusedDelete", term(policy.unused.delete())),
    ])
}

pub(super) async fn show(visitor: Visitor, path: PathParameters) -> ApiResult {
    let page = page(&visitor, &id(&path)?, None).await?;
    visitor.browser.show(&page)
}

async fn page(visitor: &Visitor, id: &str, form: Option<Form>) -> Result<PolicyPage, ApiError> {
    let permit = visitor.may_in::<ReadTokens>(id)?;
    let use_cases = &visitor.use_cases().policies;
    let policies = use_cases.of_project(&permit).await?;
    let cursor = query_value(&visitor.browser.target, "cursor").and_then(|cursor| TokenId::parse(&cursor));
    let violations = use_cases.violations_in_project(&permit, cursor).await?;
    let frame = visitor.frame(Section::Projects);
    Ok(PolicyPage {
        id: permit.project().to_string(),
        root: root(permit.project()),
        rules: rules(&frame, &policies),
        instance: policies.instance,
        violations: violations.violations.iter().map(|found| Violation::of(found, &frame)).collect(),
        is_continued: cursor.is_some(),
        next: violations.next,
        may_update: visitor.has_in(Permission::UpdateProject, permit.project()),
        form: form.unwrap_or_else(|| values(policies.project)),
        frame,
    })
}

pub(super) async fn set(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may_in::<UpdateProject>(&id(&path)?)?;
    let form = Form::read(body).await?;
    let set = async {
        let body: SetPolicyBody = form.body()?;
        Ok(visitor.use_cases().policies.set(&permit, &body.into()).await?)
    };
    let Err(error) = set.await else {
        return Ok(see_other(&format!("{}/policy?done=project-policy-changed", root(permit.project()))));
    };
    let (status, form) = form.with_problems(visitor.browser.words, error)?;
    let page = page(&visitor, permit.project().as_str(), Some(form)).await?;
    visitor.browser.show_with(status, &page)
}
