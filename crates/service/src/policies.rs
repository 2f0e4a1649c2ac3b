//! Reading and setting the policies of projects, and listing the tokens that break them.

use std::sync::Arc;

use latchkey_domain::{
    ApiToken, EventKind, Policy, PolicyRule, ProjectId, ProjectScope, Term, TokenId, Unused,
};
use latchkey_ports::{Ends, Page, ProjectRepository, TokenQuery, TokenRepository};

use crate::{
    Fault as _, InstancePermit, Missing, Permit, ReadInstanceTokens, ReadTokens, Rule, ServiceError,
    UpdateProject, changes::Changes, instance_tokens::visible_kinds, policy_rules::PolicyRules,
};

/// A policy that a project is to have. What is not set is as for the whole instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PolicyDraft {
    pub max_lifetime: Option<Term>,
    pub default_lifetime: Option<Term>,
    pub require_expiry: Option<bool>,
    pub require_description: Option<bool>,
    pub unused_notice: Option<Term>,
    pub unused_disable: Option<Term>,
    pub unused_delete: Option<Term>,
}

/// The policies that hold for the tokens of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectPolicies {
    /// Its own.
    pub project: Policy,
    /// That of the instance.
    pub instance: Policy,
}

impl ProjectPolicies {
    /// Returns what holds: both.
    pub fn effective(&self) -> Policy {
        self.instance.tightened(self.project)
    }
}

/// A token that breaks rules of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyViolation {
    pub token: ApiToken,
    /// At least one.
    pub rules: Vec<PolicyRule>,
}

/// Those of up to [`Policies::PORTION`] tokens that break rules, by creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyViolations {
    pub violations: Vec<PolicyViolation>,
    /// The token after which the next portion begins; `None` if there is none.
    pub next: Option<TokenId>,
}

/// The use cases of this module.
pub struct Policies {
    rules: PolicyRules,
    projects: Arc<dyn ProjectRepository>,
    tokens: Arc<dyn TokenRepository>,
    changes: Changes,
}

impl Policies {
    /// The tokens that are looked at for one page of violations, of which there may be few or none.
    pub const PORTION: u32 = 1_000;

    pub(crate) fn new(
        rules: PolicyRules,
        projects: Arc<dyn ProjectRepository>,
        tokens: Arc<dyn TokenRepository>,
        changes: Changes,
    ) -> Self {
        Self { rules, projects, tokens, changes }
    }

    /// The policy of the instance, which the settings say.
    pub fn of_instance(&self) -> Policy {
        self.rules.instance()
    }

    /// Returns the policies for the tokens of a project.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an unknown project.
    pub async fn of_project(&self, permit: &Permit<ReadTokens>) -> Result<ProjectPolicies, ServiceError> {
        self.check_project(permit.project()).await?;
        self.both(permit.project()).await
    }

    /// Gives a project this policy in place of the one that it has, and returns it beside that of the instance. Tokens that break it
    /// are not changed. A change without effect leaves no event.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] at a member that is looser than the policy of the instance, or that does not fit another;
    /// [`ServiceError::NotFound`] for an unknown project.
    pub async fn set(
        &self,
        permit: &Permit<UpdateProject>,
        draft: &PolicyDraft,
    ) -> Result<ProjectPolicies, ServiceError> {
        let instance = self.rules.instance();
        let after = draft.policy(instance)?;
        let project = permit.project();
        self.check_project(project).await?;
        let set = self.changes.retry_on_conflict(async || -> Result<(), ServiceError> {
            let before = self.both(project).await?.project;
            if before == after {
                return Ok(());
            }
            let event = self.changes.event_in(project, EventKind::ProjectPolicyUpdated, &permit.initiator());
            let event = event.with_before(&before).with_after(&after);
            self.rules.store().set_policy(project, &before, &after, &event).await?;
            self.changes.after_commit(&event);
            Ok(())
        });
        set.await?;
        Ok(ProjectPolicies { project: after, instance })
    }

    /// Returns the tokens of a project that break its policy or that of the instance, after a token in the order of creation. Expired
    /// tokens break nothing any more.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an unknown project.
    pub async fn violations_in_project(
        &self,
        permit: &Permit<ReadTokens>,
        after: Option<TokenId>,
    ) -> Result<PolicyViolations, ServiceError> {
        let project = permit.project();
        self.check_project(project).await?;
        // What other projects demand of a token is no matter of this one's.
        let policy = self.both(project).await?.effective();
        self.violations(TokenQuery::of_project(project.clone()), after, |_| policy).await
    }

    /// As [`Policies::violations_in_project`], of all tokens of the kinds that the caller may read, by the policies of all projects.
    pub async fn violations_in_instance(
        &self,
        permit: &InstancePermit<ReadInstanceTokens>,
        after: Option<TokenId>,
    ) -> Result<PolicyViolations, ServiceError> {
        let policies = self.rules.all().await?;
        let tokens = TokenQuery::of_kinds(visible_kinds(permit));
        self.violations(tokens, after, |scope| policies.policy(scope)).await
    }

    async fn violations(
        &self,
        tokens: TokenQuery,
        after: Option<TokenId>,
        policy: impl Fn(&ProjectScope) -> Policy,
    ) -> Result<PolicyViolations, ServiceError> {
        let now = self.changes.now();
        let query = TokenQuery { after, ends: Ends::after(now), page: Page::first(Self::PORTION), ..tokens };
        let portion = self.tokens.tokens(&query).await?;
        let is_last = portion.len() < usize::try_from(Self::PORTION).unwrap_or(usize::MAX);
        let next = portion.last().map(|stored| stored.token.id).filter(|_| !is_last);
        let violations = portion.into_iter().filter_map(|stored| {
            let rules = policy(stored.token.access.projects()).violations(&stored.token, now);
            (!rules.is_empty()).then_some(PolicyViolation { token: stored.token, rules })
        });
        Ok(PolicyViolations { violations: violations.collect(), next })
    }

    async fn both(&self, project: &ProjectId) -> Result<ProjectPolicies, ServiceError> {
        let found = self.rules.store().policies_of(std::slice::from_ref(project)).await?;
        let own = found.get(project).copied().unwrap_or_default();
        Ok(ProjectPolicies { project: own, instance: self.rules.instance() })
    }

    async fn check_project(&self, project: &ProjectId) -> Result<(), ServiceError> {
        match self.projects.find_project(project).await? {
            Some(_) => Ok(()),
            None => Err(Missing::Project(project.to_string()).into()),
        }
    }
}

impl PolicyDraft {
    /// Returns the policy, if it is nowhere looser than that of the instance.
    fn policy(&self, instance: Policy) -> Result<Policy, ServiceError> {
        let terms = [
            ("maxLifetime", self.max_lifetime, instance.max_lifetime),
            ("defaultLifetime", self.default_lifetime, instance.default_lifetime),
            ("defaultLifetime", self.default_lifetime, self.max_lifetime.or(instance.max_lifetime)),
            ("unusedNotice", self.unused_notice, instance.unused.notice()),
            ("unusedDisable", self.unused_disable, instance.unused.disable()),
            ("unusedDelete", self.unused_delete, instance.unused.delete()),
        ];
        for (member, own, most) in terms {
            if let Some((own, most)) = own.zip(most)
                && own > most
            {
                let text = format!("{member} must be at most {most}, which bounds it already.");
                return Err(ServiceError::field(
                    member,
                    Rule::named("policy-looser").with("most", most).says(text),
                ));
            }
        }
        let demands = [
            ("requireExpiry", self.require_expiry, instance.require_expiry),
            ("requireDescription", self.require_description, instance.require_description),
        ];
        for (member, own, is_demanded) in demands {
            if own == Some(false) && is_demanded {
                let text = format!("{member} must be true or absent: the policy of the instance demands it.");
                return Err(ServiceError::field(member, Rule::named("policy-demanded").says(text)));
            }
        }
        let unused = Unused::new(self.unused_disable, self.unused_delete)
            .map_err(|error| ServiceError::field("unusedDelete", error.sentence()))?
            .with_notice(self.unused_notice)
            .map_err(|error| ServiceError::field("unusedNotice", error.sentence()))?;
        let policy = Policy {
            max_lifetime: self.max_lifetime,
            default_lifetime: self.default_lifetime,
            require_expiry: self.require_expiry.unwrap_or(false),
            require_description: self.require_description.unwrap_or(false),
            allow_all_projects: true,
            unused,
        };
        match (instance.unused.notice(), instance.tightened(policy).unused.notice()) {
            (Some(notice), None) => {
                let text = format!(
                    "unusedNotice must be shorter than unusedDisable: tokens would be disabled before the notice of them, which \
                     the policy of the instance has after {notice}."
                );
                let rule = Rule::named("notice-too-late").with("notice", notice);
                Err(ServiceError::field("unusedNotice", rule.says(text)))
            }
            _ => Ok(policy),
        }
    }
}
