//! Secrets that have leaked: an event for each live token, and what the settings say becomes of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use latchkey_domain::{
    Actor, ApiToken, Enabled, EventKind, LeakAction, LeakPlace, NewEvent, Origin, PersonalToken, Snapshot,
    TokenId, TokenSecret,
};
use latchkey_ports::{Entity, EventRepository, SecretDigest, StoreError, TokenMatch};

use crate::{
    Initiator, InstancePermit, Missing, Patched, PersonalTokens, ReportLeaks, ServiceError, TokenPatch,
    token_changes::TokenChanges,
};

/// A report that a secret was found where it does not belong.
#[derive(Debug)]
pub struct LeakReport {
    pub secret: TokenSecret,
    /// Where it was found.
    pub url: Option<String>,
    /// The kind of that place, such as `commit`.
    pub source: Option<String>,
}

/// A token whose secret has leaked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeakedToken {
    Api(Box<ApiToken>),
    Personal(PersonalToken),
}

/// The use cases of this module.
pub struct Leaks {
    events: Arc<dyn EventRepository>,
    api_tokens: TokenChanges,
    personal_tokens: PersonalTokens,
    action: LeakAction,
}

impl Leaks {
    pub(crate) fn new(
        events: Arc<dyn EventRepository>,
        api_tokens: TokenChanges,
        personal_tokens: PersonalTokens,
        action: LeakAction,
    ) -> Self {
        Self { events, api_tokens, personal_tokens, action }
    }

    /// Returns what becomes of a token whose secret has leaked (`leaks.action`).
    pub fn action(&self) -> LeakAction {
        self.action
    }

    /// Records the leak of each secret of a token that is live, then acts. Returns the tokens in the order of the reports:
    /// `None` for a secret that is none of a token, or no longer valid.
    ///
    /// A secret that a rotation has replaced is live until its overlap ends.
    pub async fn report(
        &self,
        permit: &InstancePermit<ReportLeaks>,
        reports: &[LeakReport],
    ) -> Result<Vec<Option<LeakedToken>>, ServiceError> {
        self.report_by(&permit.initiator(), reports).await
    }

    /// As [`Leaks::report`], for a request whose signature the caller has checked.
    pub async fn report_signed(
        &self,
        origin: Origin,
        reports: &[LeakReport],
    ) -> Result<Vec<Option<LeakedToken>>, ServiceError> {
        self.report_by(&Initiator { actor: Actor::System, origin }, reports).await
    }

    async fn report_by(
        &self,
        by: &Initiator,
        reports: &[LeakReport],
    ) -> Result<Vec<Option<LeakedToken>>, ServiceError> {
        let mut leaked = self.find(reports).await?;
        // All events before the first action: of a token that is gone, nothing more is recorded.
        for (report, token) in reports.iter().zip(&mut leaked) {
            if let Some(found) = token
                && !self.record(report, found, by).await?
            {
                *token = None;
            }
        }
        if self.action != LeakAction::Nothing {
            self.act(leaked.iter().flatten(), by).await?;
        }
        Ok(leaked)
    }

    /// Returns the live token of each secret.
    async fn find(&self, reports: &[LeakReport]) -> Result<Vec<Option<LeakedToken>>, StoreError> {
        let digests: Vec<_> =
            reports.iter().map(|report| self.api_tokens.sealer.digests(&report.secret)).collect();
        let found = self.api_tokens.tokens.find_tokens_by_digests(&digests.concat()).await?;
        let found: HashMap<SecretDigest, TokenMatch> =
            found.into_iter().map(|found| (found.found_by, found)).collect();
        let now = self.api_tokens.changes.now();
        let mut leaked = Vec::with_capacity(reports.len());
        for (report, digests) in reports.iter().zip(&digests) {
            let api = digests.iter().find_map(|digest| found.get(digest));
            leaked.push(if let Some(TokenMatch { stored, secret_until, .. }) = api {
                let is_live = secret_until.is_none_or(|end| end > now) && !stored.token.is_expired_at(now);
                is_live.then(|| LeakedToken::Api(Box::new(stored.token.clone())))
            } else if report.secret.is_personal() {
                let found = self.personal_tokens.find(digests).await?;
                found.filter(|token| !token.is_expired_at(now)).map(LeakedToken::Personal)
            } else {
                None
            });
        }
        Ok(leaked)
    }

    /// Records a leak. Returns whether the token is still there.
    async fn record(
        &self,
        report: &LeakReport,
        token: &LeakedToken,
        by: &Initiator,
    ) -> Result<bool, StoreError> {
        let place = LeakPlace::new(&report.secret, report.url.as_deref(), report.source.as_deref());
        let event = self.event(token, by);
        let snapshot = match token {
            LeakedToken::Api(token) => Snapshot::from(&**token),
            LeakedToken::Personal(token) => Snapshot::from(token),
        };
        let event = event.with_after(snapshot.with_leak(&place, self.action));
        match self.events.record(&event).await {
            Err(StoreError::NotFound(Entity::Token(_))) => return Ok(false),
            recorded => recorded?,
        };
        self.api_tokens.changes.after_commit(&event);
        Ok(true)
    }

    fn event(&self, token: &LeakedToken, by: &Initiator) -> NewEvent {
        match token {
            LeakedToken::Api(token) => self.api_tokens.issuer.event(EventKind::ApiTokenLeaked, token, by),
            LeakedToken::Personal(_) => self.api_tokens.changes.event(EventKind::PersonalTokenLeaked, by),
        }
    }

    async fn disable(&self, id: TokenId, by: &Initiator) -> Result<(), ServiceError> {
        let find = async || self.api_tokens.tokens.find_token(id).await?.ok_or_else(|| Missing::Token.into());
        let patch = TokenPatch { enabled: Patched::Set(Enabled(false)), ..TokenPatch::default() };
        self.api_tokens.update(find, &patch, |_| Ok(()), by).await.map(drop)
    }

    /// Disables or revokes each of these tokens once. One that is gone was revoked meanwhile.
    async fn act(
        &self,
        leaked: impl Iterator<Item = &LeakedToken>,
        by: &Initiator,
    ) -> Result<(), ServiceError> {
        let (mut api, mut personal) = (BTreeMap::new(), BTreeSet::new());
        for token in leaked {
            match token {
                LeakedToken::Api(token) => drop(api.insert(token.id, &**token)),
                LeakedToken::Personal(token) => drop(personal.insert((token.user, token.id))),
            }
        }
        for token in api.into_values() {
            gone_is_done(match self.action {
                LeakAction::Disable => self.disable(token.id, by).await,
                LeakAction::Nothing | LeakAction::Revoke => self.api_tokens.revoke(token, by).await,
            })?;
        }
        for (user, id) in personal {
            gone_is_done(self.personal_tokens.revoke(user, id, by).await)?;
        }
        Ok(())
    }
}

fn gone_is_done(outcome: Result<(), ServiceError>) -> Result<(), ServiceError> {
    match outcome {
        Err(ServiceError::NotFound(Missing::Token | Missing::PersonalToken)) => Ok(()),
        other => other,
    }
}
