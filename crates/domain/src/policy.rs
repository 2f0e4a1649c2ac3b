//! Policies: what tokens must be like, and what becomes of those that are not used.

use std::{str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{ApiToken, DisuseMark, ProjectScope, Snapshot, Term, Timestamp, TokenAccess};

/// Returns the shorter of two terms; none is longer than any.
fn shorter(one: Option<Term>, other: Option<Term>) -> Option<Term> {
    one.into_iter().chain(other).min()
}

/// What becomes of client and frontend tokens that are not used: there is a notice, they are disabled, and some time later deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unused {
    notice: Option<Term>,
    disable: Option<Term>,
    delete: Option<Term>,
}

/// The times of an [`Unused`] are in the wrong order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "unused tokens are disabled before they are deleted: give a shorter time until they are disabled, too"
)]
pub struct UnusedOutOfOrder;

/// The notice of an [`Unused`] would not come before the disabling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is a notice of an unused token before it is disabled: give a shorter time until the notice")]
pub struct NoticeOutOfOrder;

/// What a policy does with a token that is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnusedStep {
    Disable,
    Delete,
}

impl Unused {
    /// Returns what becomes of tokens that were not used for these times, without a notice. Without a time, it does not happen.
    pub fn new(disable: Option<Term>, delete: Option<Term>) -> Result<Self, UnusedOutOfOrder> {
        let is_ordered = delete.is_none_or(|delete| disable.is_some_and(|disable| disable < delete));
        if is_ordered { Ok(Self { notice: None, disable, delete }) } else { Err(UnusedOutOfOrder) }
    }

    /// Returns the same, with a notice of each token that was not used for that time.
    pub fn with_notice(self, notice: Option<Term>) -> Result<Self, NoticeOutOfOrder> {
        let is_ordered = notice.zip(self.disable).is_none_or(|(notice, disable)| notice < disable);
        if is_ordered { Ok(Self { notice, ..self }) } else { Err(NoticeOutOfOrder) }
    }

    /// Returns after how long there is a notice.
    pub fn notice(self) -> Option<Term> {
        self.notice
    }

    /// Returns after how long a token is disabled.
    pub fn disable(self) -> Option<Term> {
        self.disable
    }

    /// Returns after how long a token is deleted.
    pub fn delete(self) -> Option<Term> {
        self.delete
    }

    /// The shorter times of both stay in their order, because each time to delete has a shorter one to disable with it. A notice
    /// that would come after the disabling is left out.
    fn tightened(self, by: Self) -> Self {
        let disable = shorter(self.disable, by.disable);
        let notice = shorter(self.notice, by.notice);
        Self {
            notice: notice.filter(|notice| disable.is_none_or(|disable| *notice < disable)),
            disable,
            delete: shorter(self.delete, by.delete),
        }
    }

    /// Returns what is to be done with a token at that moment.
    ///
    /// Only a token that was disabled because it was not used is deleted, and not before the time between both has gone by since: its
    /// clients had that time to notice. One that was disabled by hand is kept. So are admin tokens, which are the way back in, and
    /// expired tokens, which are refused anyway.
    pub fn step(self, token: &ApiToken, now: Timestamp) -> Option<UnusedStep> {
        let disable = self.disable?.span();
        if !token.can_be_disused(now) {
            return None;
        }
        if token.attributes.enabled.is_on() {
            return is_over(token.unused_since(), disable, now).then_some(UnusedStep::Disable);
        }
        let (delete, disabled) = (self.delete?.span(), token.attributes.disuse?);
        is_over(disabled.at(), delete.saturating_sub(disable), now).then_some(UnusedStep::Delete)
    }
}

fn is_over(start: Timestamp, span: Duration, now: Timestamp) -> bool {
    start.plus(span).is_ok_and(|end| end <= now)
}

impl ApiToken {
    /// Whether anything becomes of it if it is not used: not of admin tokens and expired ones.
    pub(crate) fn can_be_disused(&self, now: Timestamp) -> bool {
        self.access != TokenAccess::Admin && !self.is_expired_at(now)
    }

    /// Returns since when it was not used, as far as its last use is stored: since its creation, its last use, or since it was
    /// enabled again.
    pub fn unused_since(&self) -> Timestamp {
        let mark = self.attributes.disuse.map(DisuseMark::at);
        self.last_used_at.into_iter().chain(mark).fold(self.created_at, Timestamp::max)
    }
}

named_enum! {
    /// A rule that a token can break, by the name of its setting.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum PolicyRule {
        /// The token ends too late, or never.
        MaxLifetime = "max_lifetime",
        /// The token never ends.
        RequireExpiry = "require_expiry",
        /// The token has no description.
        RequireDescription = "require_description",
        /// The token is for all projects, and is no admin token.
        AllowAllProjects = "allow_all_projects",
    } else UnknownPolicyRule: |text: &str| UnknownPolicyRule(text.to_owned())
}

/// The text is not the name of a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no policy rule {0:?}")]
pub struct UnknownPolicyRule(pub String);

/// What tokens must be like, and what becomes of those that are not used. The default demands nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "PolicyRecord", try_from = "PolicyRecord")]
pub struct Policy {
    /// How far ahead the end of a token may be when it is set.
    pub max_lifetime: Option<Term>,
    /// When a token ends whose creation does not say it; at the latest with the maximum.
    pub default_lifetime: Option<Term>,
    /// Whether every token must end.
    pub require_expiry: bool,
    /// Whether every token must be described.
    pub require_description: bool,
    /// Whether client and frontend tokens can be for all projects.
    pub allow_all_projects: bool,
    pub unused: Unused,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            max_lifetime: None,
            default_lifetime: None,
            require_expiry: false,
            require_description: false,
            allow_all_projects: true,
            unused: Unused::default(),
        }
    }
}

impl Policy {
    /// Returns the policy that demands what either of both demands.
    #[must_use]
    pub fn tightened(self, by: Self) -> Self {
        Self {
            max_lifetime: shorter(self.max_lifetime, by.max_lifetime),
            default_lifetime: shorter(self.default_lifetime, by.default_lifetime),
            require_expiry: self.require_expiry || by.require_expiry,
            require_description: self.require_description || by.require_description,
            allow_all_projects: self.allow_all_projects && by.allow_all_projects,
            unused: self.unused.tightened(by.unused),
        }
    }

    /// Whether it is nowhere looser than the other.
    pub fn is_within(self, other: Self) -> bool {
        self.tightened(other) == self
    }

    /// Returns the end of a token that is created at that moment and does not say its own; `None` = never.
    pub fn default_expiry(self, now: Timestamp) -> Option<Timestamp> {
        let lifetime = shorter(Some(self.default_lifetime?), self.max_lifetime)?;
        now.plus(lifetime.span()).ok()
    }

    /// Returns the rules that a token breaks whose end were set at that moment, in the order of their names' declaration.
    ///
    /// A token that breaks none breaks none later either, as long as neither it nor the policy is changed: its end comes nearer.
    pub fn violations(self, token: &ApiToken, now: Timestamp) -> Vec<PolicyRule> {
        let ends_too_late = |term: Term| match token.expires_at {
            None => true,
            // A time beyond the last one that there is bounds nothing.
            Some(end) => now.plus(term.span()).is_ok_and(|latest| end > latest),
        };
        let description = token.attributes.description.as_ref();
        let is_for_all = token.access != TokenAccess::Admin && *token.access.projects() == ProjectScope::All;
        let rules = [
            (PolicyRule::MaxLifetime, self.max_lifetime.is_some_and(ends_too_late)),
            (PolicyRule::RequireExpiry, self.require_expiry && token.expires_at.is_none()),
            (
                PolicyRule::RequireDescription,
                self.require_description && description.is_none_or(|text| text.as_str().is_empty()),
            ),
            (PolicyRule::AllowAllProjects, !self.allow_all_projects && is_for_all),
        ];
        rules.into_iter().filter_map(|(rule, is_broken)| is_broken.then_some(rule)).collect()
    }

    /// Returns what is set, as stores and event snapshots keep it.
    pub fn to_json(self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(members)) => members,
            // A struct of text and booleans always becomes an object.
            _ => Map::new(),
        }
    }
}

/// Reads what [`Policy::to_json`] returned.
impl FromStr for Policy {
    type Err = serde_json::Error;

    fn from_str(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }
}

impl From<&Policy> for Snapshot {
    fn from(policy: &Policy) -> Self {
        Self::of(Value::Object(policy.to_json()))
    }
}

/// What is set of a policy.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PolicyRecord {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_lifetime: Option<Term>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_lifetime: Option<Term>,
    #[serde(skip_serializing_if = "Option::is_none")]
    require_expiry: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    require_description: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_all_projects: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unused_notice: Option<Term>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unused_disable: Option<Term>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unused_delete: Option<Term>,
}

impl From<Policy> for PolicyRecord {
    fn from(policy: Policy) -> Self {
        Self {
            max_lifetime: policy.max_lifetime,
            default_lifetime: policy.default_lifetime,
            require_expiry: policy.require_expiry.then_some(true),
            require_description: policy.require_description.then_some(true),
            allow_all_projects: (!policy.allow_all_projects).then_some(false),
            unused_notice: policy.unused.notice,
            unused_disable: policy.unused.disable,
            unused_delete: policy.unused.delete,
        }
    }
}

impl TryFrom<PolicyRecord> for Policy {
    type Error = String;

    fn try_from(record: PolicyRecord) -> Result<Self, String> {
        let unused = Unused::new(record.unused_disable, record.unused_delete);
        let unused = unused.map_err(|error| error.to_string())?.with_notice(record.unused_notice);
        Ok(Self {
            max_lifetime: record.max_lifetime,
            default_lifetime: record.default_lifetime,
            require_expiry: record.require_expiry.unwrap_or(false),
            require_description: record.require_description.unwrap_or(false),
            allow_all_projects: record.allow_all_projects.unwrap_or(true),
            unused: unused.map_err(|error| error.to_string())?,
        })
    }
}

#[cfg(test)]
mod tests;
