//! Tokens that are not used: disabled, and some time later deleted, as the policies say.
//!
//! A token that was disabled so has a mark of the moment among its attributes. Only such a token is deleted, so neither a server that
//! did not run for long, nor a policy that has just been set, deletes a token that was not disabled for the time between both. Where a
//! policy has a notice of unused tokens, the disabling waits as long for that.

use std::sync::Arc;

use latchkey_domain::{
    ApiToken, DisuseMark, Enabled, EventKind, Notice, NoticeCause, Snapshot, Timestamp, TokenKind, UnusedStep,
};
use latchkey_ports::{NoticeRepository, StoreError, StoredToken, TokenQuery, TokenRepository};

use crate::{
    Initiator, TokenIssuer,
    policy_rules::{PoliciesInForce, PolicyRules},
    portions::{Portions, unused_since},
};

/// How many tokens were disabled and deleted because they were not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndedUnused {
    pub disabled: usize,
    pub deleted: usize,
}

/// Disables and deletes tokens that are not used.
pub(crate) struct UnusedTokens {
    tokens: Arc<dyn TokenRepository>,
    notices: Arc<dyn NoticeRepository>,
    rules: PolicyRules,
    issuer: Arc<TokenIssuer>,
}

impl UnusedTokens {
    pub(crate) fn new(
        tokens: Arc<dyn TokenRepository>,
        notices: Arc<dyn NoticeRepository>,
        rules: PolicyRules,
        issuer: Arc<TokenIssuer>,
    ) -> Self {
        Self { tokens, notices, rules, issuer }
    }

    /// Does with every token what the policies say. What another process does at the same time is left to it.
    pub(crate) async fn enforce(&self) -> Result<EndedUnused, StoreError> {
        let mut ended = EndedUnused::default();
        let policies = self.rules.all().await?;
        let Some(shortest) = policies.all().filter_map(|policy| policy.unused.disable()).min() else {
            return Ok(ended);
        };
        let now = self.issuer.now();
        // No token is older than the first moment there is.
        let Ok(since) = now.minus(shortest.span()) else { return Ok(ended) };
        let mut portions = Portions::of(TokenQuery {
            unused_since: Some(unused_since(since)),
            ..TokenQuery::of_kinds([TokenKind::Client, TokenKind::Frontend])
        });
        while let Some(portion) = portions.next(&*self.tokens).await? {
            for listed in self.due(&portion, &policies, now).await? {
                self.end(listed, &policies, now, &mut ended).await?;
            }
        }
        Ok(ended)
    }

    /// Returns those of these tokens with which something is to be done. A disabling waits until its notice is old enough.
    async fn due<'t>(
        &self,
        portion: &'t [StoredToken],
        policies: &PoliciesInForce,
        now: Timestamp,
    ) -> Result<Vec<&'t ApiToken>, StoreError> {
        let tokens = portion.iter().map(|stored| &stored.token);
        let due: Vec<_> = tokens.filter(|token| step(policies, token, now).is_some()).collect();
        let notice = |token: &&ApiToken| Notice {
            token: token.id,
            cause: NoticeCause::Unused { since: token.unused_since() },
        };
        let notices: Vec<Notice> = due.iter().map(notice).collect();
        let times = self.notices.notice_times(&notices).await?;
        let is_noticed = |token: &ApiToken, time| {
            let unused = policies.policy(token.access.projects()).unused;
            !token.attributes.enabled.is_on() || unused.is_noticed_enough(time, now)
        };
        let due = due.into_iter().zip(times).filter(|(token, time)| is_noticed(token, *time));
        Ok(due.map(|(token, _)| token).collect())
    }

    /// Does with one token what the policies say of it as it is now: it may have been used or changed since it was listed.
    async fn end(
        &self,
        listed: &ApiToken,
        policies: &PoliciesInForce,
        now: Timestamp,
        ended: &mut EndedUnused,
    ) -> Result<(), StoreError> {
        let Some(stored) = self.tokens.find_token(listed.id).await? else { return Ok(()) };
        let before = stored.token;
        if (before.unused_since(), before.attributes.enabled)
            != (listed.unused_since(), listed.attributes.enabled)
        {
            return Ok(());
        }
        let (done, count) = match step(policies, &before, now) {
            None => return Ok(()),
            Some(UnusedStep::Disable) => (self.disable(&before, now).await, &mut ended.disabled),
            Some(UnusedStep::Delete) => (self.delete(&before).await, &mut ended.deleted),
        };
        match done {
            Ok(()) => *count += 1,
            // Another process was faster, with this or with another change.
            Err(StoreError::Stale(_) | StoreError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    async fn disable(&self, before: &ApiToken, now: Timestamp) -> Result<(), StoreError> {
        let mut after = before.clone();
        after.attributes.enabled = Enabled(false);
        after.attributes.disuse = Some(DisuseMark::new(now));
        let event = self.issuer.event(EventKind::ApiTokenUpdated, before, &Initiator::system());
        let event = event.with_before(before).with_after(unused(&after, before));
        self.tokens.update_token(before, &after, &event).await?;
        self.issuer.after_commit(&event);
        Ok(())
    }

    async fn delete(&self, token: &ApiToken) -> Result<(), StoreError> {
        let event = self.issuer.event(EventKind::ApiTokenDeleted, token, &Initiator::system());
        let event = event.with_before(unused(token, token));
        self.tokens.delete_token(token.id, &event).await?;
        self.issuer.after_commit(&event);
        Ok(())
    }
}

fn step(policies: &PoliciesInForce, token: &ApiToken, now: Timestamp) -> Option<UnusedStep> {
    policies.policy(token.access.projects()).unused.step(token, now)
}

/// Returns the snapshot of a token that says why it ends: when it was last used.
fn unused(token: &ApiToken, before: &ApiToken) -> Snapshot {
    let last = before.last_used_at.unwrap_or(before.created_at);
    Snapshot::from(token).with_moment("unusedSince", Some(last))
}
