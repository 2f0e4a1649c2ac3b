//! Notices of tokens: what expires soon, is used after its end or not at all, breaks a policy, or is to be rotated.
//!
//! A notice is an event, recorded once by a key that says what it is about. Every process looks for notices, and the key decides
//! which of them records one; so neither a restart nor a clock that is set back repeats a notice.

use std::{collections::BTreeSet, sync::Arc};

use latchkey_domain::{
    ApiToken, Hour, Notice, NoticeCause, NoticeDays, ProjectId, Reason, Snapshot, Timestamp, TokenKind,
    UseOutcome,
};
use latchkey_ports::{
    AttributeFilter, Direction, Ends, NewNotice, NoticeRepository, Store, StoreError, TokenOrder, TokenQuery,
    TokenRepository, UsageRepository,
};

use crate::{
    Initiator, TokenIssuer,
    policy_rules::{PoliciesInForce, PolicyRules},
    portions::{Portions, unused_since},
};

/// The notices that are recorded at once: few, because their tokens are locked meanwhile.
const AT_ONCE: usize = 100;
/// The tokens with refused uses that are read at once.
const REFUSED_AT_ONCE: u32 = 1_000;
/// The hours in which uses of an expired token are looked for: the last day.
const HOURS: u32 = 24;

/// What one look for notices has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FoundNotices {
    /// The notices that this process recorded.
    pub recorded: usize,
    pub projects: NoticedProjects,
}

/// How many projects have tokens in each of these states. Tokens of all projects count for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoticedProjects {
    /// Within the highest of the numbers of days for which there are notices.
    pub expiring: usize,
    pub expired_in_use: usize,
    /// For the time after which the policy has a notice.
    pub unused: usize,
    pub rotation_due: usize,
}

/// The use cases of this module.
pub struct Notices {
    tokens: Arc<dyn TokenRepository>,
    usage: Arc<dyn UsageRepository>,
    store: Arc<dyn NoticeRepository>,
    rules: PolicyRules,
    issuer: Arc<TokenIssuer>,
    days: NoticeDays,
}

/// What is found in tokens of one state.
#[derive(Default)]
struct Found {
    recorded: usize,
    projects: BTreeSet<ProjectId>,
}

impl Found {
    fn count(&mut self, token: &ApiToken) {
        self.projects.extend(token.access.projects().named().iter().cloned());
    }
}

impl Notices {
    pub(crate) fn new(
        store: &Arc<dyn Store>,
        rules: PolicyRules,
        issuer: Arc<TokenIssuer>,
        days: NoticeDays,
    ) -> Self {
        let (tokens, usage, store) = (store.clone(), store.clone(), store.clone());
        Self { tokens, usage, store, rules, issuer, days }
    }

    /// Looks for notices, and records those that were not recorded before; to be called at intervals.
    pub async fn record(&self) -> Result<FoundNotices, StoreError> {
        let (now, policies) = (self.issuer.now(), self.rules.all().await?);
        let expiring = self.expiring(now).await?;
        let expired_in_use = self.expired_in_use(now).await?;
        let unused = self.unused(&policies, now).await?;
        let rotation_due = self.rotation_due(now).await?;
        let of_states = [&expiring, &expired_in_use, &unused, &rotation_due];
        let recorded: usize = of_states.into_iter().map(|found| found.recorded).sum();
        Ok(FoundNotices {
            recorded: recorded + self.violations(&policies, now).await?,
            projects: NoticedProjects {
                expiring: expiring.projects.len(),
                expired_in_use: expired_in_use.projects.len(),
                unused: unused.projects.len(),
                rotation_due: rotation_due.projects.len(),
            },
        })
    }

    async fn expiring(&self, now: Timestamp) -> Result<Found, StoreError> {
        let mut found = Found::default();
        let Some(latest) = self.days.horizon(now) else { return Ok(found) };
        let earliest = ApiToken::earliest_expiry_noticed(now);
        // Backwards from the last end that counts: those that ended long ago are not read.
        let mut portions = Portions::of(TokenQuery {
            ends: Ends::by(latest),
            order: TokenOrder::ExpiresAt,
            direction: Direction::Descending,
            ..TokenQuery::of_kinds(TokenKind::ALL)
        });
        while let Some(portion) = portions.next(&*self.tokens).await? {
            let tokens = || portion.iter().map(|stored| &stored.token);
            let is_expiring = |token: &&ApiToken| token.is_expiring(self.days, now);
            tokens().filter(is_expiring).for_each(|token| found.count(token));
            let noticed =
                tokens().filter_map(|token| Some((token, token.expiry_notice(self.days, now)?))).collect();
            found.recorded += self.note(noticed).await?;
            if tokens().next_back().is_some_and(|token| token.expires_at <= earliest) {
                break;
            }
        }
        Ok(found)
    }

    async fn expired_in_use(&self, now: Timestamp) -> Result<Found, StoreError> {
        let mut found = Found::default();
        let Hour(hour) = Hour::of(now);
        let (hours, mut after) = (Hour((hour + 1).saturating_sub(HOURS))..Hour(hour + 1), None);
        let outcome = UseOutcome::Refused(Reason::Expired);
        loop {
            let refused = self.usage.last_hours(outcome, hours.clone(), after, REFUSED_AT_ONCE).await?;
            let mut noticed = Vec::new();
            for (id, last_refused) in &refused {
                let Some(stored) = self.tokens.find_token(*id).await? else { continue };
                if let Some(cause) = stored.token.expired_in_use_notice(*last_refused, now) {
                    found.count(&stored.token);
                    noticed.push((stored.token, cause));
                }
            }
            let noticed = noticed.iter().map(|(token, cause)| (token, *cause)).collect();
            found.recorded += self.note(noticed).await?;
            match refused.last() {
                Some((last, _)) => after = Some(*last),
                None => return Ok(found),
            }
        }
    }

    async fn unused(&self, policies: &PoliciesInForce, now: Timestamp) -> Result<Found, StoreError> {
        let mut found = Found::default();
        let shortest = policies.all().filter_map(|policy| policy.unused.notice()).min();
        // No token is older than the first moment there is.
        let Some(since) = shortest.and_then(|shortest| now.minus(shortest.span()).ok()) else {
            return Ok(found);
        };
        let mut portions = Portions::of(TokenQuery {
            unused_since: Some(unused_since(since)),
            ..TokenQuery::of_kinds([TokenKind::Client, TokenKind::Frontend])
        });
        while let Some(portion) = portions.next(&*self.tokens).await? {
            let mut noticed = Vec::new();
            for token in portion.iter().map(|stored| &stored.token) {
                let policy = policies.policy(token.access.projects());
                if let Some(cause) = policy.unused.notice_of(token, now) {
                    found.count(token);
                    noticed.push((token, cause));
                }
            }
            found.recorded += self.note(noticed).await?;
        }
        Ok(found)
    }

    async fn rotation_due(&self, now: Timestamp) -> Result<Found, StoreError> {
        let mut found = Found::default();
        let mut portions = Portions::of(TokenQuery {
            attributes: vec![AttributeFilter::IsSet { name: "rotateEvery" }],
            ends: Ends::after(now),
            ..TokenQuery::of_kinds(TokenKind::ALL)
        });
        while let Some(portion) = portions.next(&*self.tokens).await? {
            let mut noticed = Vec::new();
            for token in portion.iter().map(|stored| &stored.token) {
                if let Some(cause) = token.rotation_notice(now) {
                    found.count(token);
                    noticed.push((token, cause));
                }
            }
            found.recorded += self.note(noticed).await?;
        }
        Ok(found)
    }

    /// Returns the number of notices of broken rules that were recorded.
    async fn violations(&self, policies: &PoliciesInForce, now: Timestamp) -> Result<usize, StoreError> {
        let mut recorded = 0;
        for query in bound_by_rules(policies) {
            let mut portions = Portions::of(TokenQuery { ends: Ends::after(now), ..query });
            while let Some(portion) = portions.next(&*self.tokens).await? {
                let mut noticed = Vec::new();
                for token in portion.iter().map(|stored| &stored.token) {
                    let policy = policies.policy(token.access.projects());
                    let causes = policy.violation_notices(token, now).into_iter();
                    noticed.extend(causes.map(|cause| (token, cause)));
                }
                recorded += self.note(noticed).await?;
            }
        }
        Ok(recorded)
    }

    /// Records those of these notices that were not recorded before, and returns their number.
    async fn note(&self, noticed: Vec<(&ApiToken, NoticeCause)>) -> Result<usize, StoreError> {
        if noticed.is_empty() {
            return Ok(0);
        }
        let all: Vec<Notice> =
            noticed.iter().map(|(token, cause)| Notice { token: token.id, cause: *cause }).collect();
        // Most were recorded before, and reading locks nothing.
        let times = self.store.notice_times(&all).await?;
        let is_new = noticed.iter().zip(all).zip(times).filter(|(_, time)| time.is_none());
        let new = is_new.map(|(((token, cause), notice), _)| {
            let event = self.issuer.event(cause.event_kind(), token, &Initiator::system());
            NewNotice { notice, event: event.with_after(Snapshot::from(*token).with_notice(*cause)) }
        });
        let new: Vec<NewNotice> = new.collect();
        let mut recorded = 0;
        for some in new.chunks(AT_ONCE) {
            let numbers = self.store.record_notices(some).await?;
            for (NewNotice { event, .. }, _) in
                some.iter().zip(numbers).filter(|(_, number)| number.is_some())
            {
                self.issuer.after_commit(event);
                recorded += 1;
            }
        }
        Ok(recorded)
    }
}

/// Returns the queries for the tokens that can break a rule: all, if the policy of the instance has one.
fn bound_by_rules(policies: &PoliciesInForce) -> Vec<TokenQuery> {
    if policies.instance().has_rules() {
        return vec![TokenQuery::of_kinds(TokenKind::ALL)];
    }
    let of_projects = policies.of_projects().filter(|(_, policy)| policy.has_rules());
    of_projects.map(|(project, _)| TokenQuery::of_project(project.clone())).collect()
}
