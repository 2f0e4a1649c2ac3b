//! The policies that hold for tokens: that of the instance, tightened by those of the projects that they name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use latchkey_domain::{ApiToken, Policy, PolicyRule, ProjectId, ProjectScope, Timestamp};
use latchkey_ports::{PolicyRepository, StoreError};

use crate::{Rule, ServiceError};

/// Looks up the policies that hold.
#[derive(Clone)]
pub(crate) struct PolicyRules {
    instance: Policy,
    projects: Arc<dyn PolicyRepository>,
}

/// The policies that hold at a moment, for some projects or for all.
pub(crate) struct PoliciesInForce {
    instance: Policy,
    projects: BTreeMap<ProjectId, Policy>,
}

impl PoliciesInForce {
    /// Returns the policy for tokens of this scope. That of no project can loosen it.
    pub(crate) fn policy(&self, scope: &ProjectScope) -> Policy {
        let own = scope.named().iter().filter_map(|project| self.projects.get(project));
        own.fold(self.instance, |policy, own| policy.tightened(*own))
    }

    /// The policy of the instance.
    pub(crate) fn instance(&self) -> Policy {
        self.instance
    }

    /// Returns the policies of projects.
    pub(crate) fn of_projects(&self) -> impl Iterator<Item = (&ProjectId, &Policy)> {
        self.projects.iter()
    }

    /// Returns every policy that can hold for a token, each tightened by that of the instance.
    pub(crate) fn all(&self) -> impl Iterator<Item = Policy> {
        let of_projects = self.projects.values().map(move |own| self.instance.tightened(*own));
        of_projects.chain([self.instance])
    }
}

impl PolicyRules {
    pub(crate) fn new(instance: Policy, projects: Arc<dyn PolicyRepository>) -> Self {
        Self { instance, projects }
    }

    /// Where the policies of projects are kept.
    pub(crate) fn store(&self) -> &dyn PolicyRepository {
        &*self.projects
    }

    /// The policy of the instance.
    pub(crate) fn instance(&self) -> Policy {
        self.instance
    }

    /// Returns the policies that hold for tokens of these scopes. For tokens of all projects, which name none, the store is not
    /// asked.
    pub(crate) async fn of_scopes(&self, scopes: &[&ProjectScope]) -> Result<PoliciesInForce, StoreError> {
        let named: BTreeSet<&ProjectId> = scopes.iter().flat_map(|scope| scope.named()).collect();
        let named: Vec<ProjectId> = named.into_iter().cloned().collect();
        let projects =
            if named.is_empty() { BTreeMap::new() } else { self.projects.policies_of(&named).await? };
        Ok(PoliciesInForce { instance: self.instance, projects })
    }

    /// Returns all policies.
    pub(crate) async fn all(&self) -> Result<PoliciesInForce, StoreError> {
        Ok(PoliciesInForce { instance: self.instance, projects: self.projects.policies().await? })
    }

    /// Checks that what a change of a token sets breaks no rule. What it leaves as it was may break one: then it was set before the
    /// policy.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] at the member that breaks a rule.
    pub(crate) async fn check_change(
        &self,
        before: &ApiToken,
        after: &ApiToken,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let is_end_set = before.expires_at != after.expires_at;
        let is_description_set = before.attributes.description != after.attributes.description;
        if !is_end_set && !is_description_set {
            return Ok(());
        }
        let scope = after.access.projects();
        let policy = self.of_scopes(&[scope]).await?.policy(scope);
        let mut broken = policy.violations(after, now).into_iter();
        let set = broken.find(|rule| match rule {
            PolicyRule::MaxLifetime | PolicyRule::RequireExpiry => is_end_set,
            PolicyRule::RequireDescription => is_description_set,
            // The projects of a token cannot be changed.
            PolicyRule::AllowAllProjects => false,
        });
        set.map_or(Ok(()), |rule| Err(refusal(rule, policy)))
    }
}

/// Checks that a new token breaks no rule.
///
/// # Errors
/// [`ServiceError::Invalid`] at the member that breaks a rule.
pub(crate) fn check_new(policy: Policy, token: &ApiToken) -> Result<(), ServiceError> {
    let broken = policy.violations(token, token.created_at).into_iter().next();
    broken.map_or(Ok(()), |rule| Err(refusal(rule, policy)))
}

/// Returns the error of a member that breaks a rule.
fn refusal(rule: PolicyRule, policy: Policy) -> ServiceError {
    match (rule, policy.max_lifetime) {
        (PolicyRule::MaxLifetime, Some(term)) => {
            let text = format!(
                "The policy lets a token live for at most {term}: send an expiresAt within that time."
            );
            ServiceError::field("expiresAt", Rule::named("policy-lifetime").with("most", term).says(text))
        }
        (PolicyRule::MaxLifetime | PolicyRule::RequireExpiry, _) => ServiceError::field(
            "expiresAt",
            Rule::named("policy-expiry")
                .says("The policy demands that every token expires: send an expiresAt."),
        ),
        (PolicyRule::RequireDescription, _) => ServiceError::field(
            "description",
            Rule::named("policy-description")
                .says("The policy demands that every token is described: send a description."),
        ),
        (PolicyRule::AllowAllProjects, _) => {
            let text = "The policy forbids tokens of all projects: name the projects.";
            ServiceError::field("projects", Rule::named("policy-projects").says(text))
        }
    }
}
