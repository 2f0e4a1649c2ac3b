//! Tokens that are not used: disabled, and some time later deleted, as the policies say.
//!
//! A token that was disabled so has a mark of the moment among its attributes. Only such a token is deleted, so neither a server that
//! did not run for long, nor a policy that has just been set, deletes a token that was not disabled for the time between both.

use std::sync::Arc;

use latchkey_domain::{
    ApiToken, DisuseMark, Enabled, EventKind, Snapshot, Timestamp, TokenId, TokenKind, UnusedStep,
};
use latchkey_ports::{Page, StoreError, TokenQuery, TokenRepository};

use crate::{
    Initiator, TokenIssuer,
    policy_rules::{PoliciesInForce, PolicyRules},
};

/// The tokens that are read at once.
const PORTION: u32 = 1_000;

/// How many tokens were disabled and deleted because they were not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EndedUnused {
    pub disabled: usize,
    pub deleted: usize,
}

/// Disables and deletes tokens that are not used.
pub(crate) struct UnusedTokens {
    tokens: Arc<dyn TokenRepository>,
    rules: PolicyRules,
    issuer: Arc<TokenIssuer>,
}

impl UnusedTokens {
    pub(crate) fn new(
        tokens: Arc<dyn TokenRepository>,
        rules: PolicyRules,
        issuer: Arc<TokenIssuer>,
    ) -> Self {
        Self { tokens, rules, issuer }
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
        let mut query = TokenQuery {
            // The query is for tokens before that moment, and the time is over at it.
            unused_since: Some(Timestamp::saturating_from_millis(since.millis().saturating_add(1))),
            page: Page::first(PORTION),
            ..TokenQuery::of_kinds([TokenKind::Client, TokenKind::Frontend])
        };
        loop {
            let portion = self.tokens.tokens(&query).await?;
            for stored in &portion {
                if step(&policies, &stored.token, now).is_some() {
                    self.end(stored.token.id, &policies, now, &mut ended).await?;
                }
            }
            let is_last = portion.len() < usize::try_from(PORTION).unwrap_or(usize::MAX);
            match portion.last() {
                Some(last) if !is_last => query.after = Some(last.token.id),
                _ => return Ok(ended),
            }
        }
    }

    /// Does with one token what the policies say of it as it is now: it may have been used or changed since it was listed.
    async fn end(
        &self,
        id: TokenId,
        policies: &PoliciesInForce,
        now: Timestamp,
        ended: &mut EndedUnused,
    ) -> Result<(), StoreError> {
        let Some(stored) = self.tokens.find_token(id).await? else { return Ok(()) };
        let before = stored.token;
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
