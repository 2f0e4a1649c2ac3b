//! Tokens that need attention because of what happened to them: their secret leaked, or clients use them after their end.
//!
//! Both are found by the events that say so, which an index finds by kind, newest first; no list of tokens is read.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use latchkey_domain::{ApiToken, EventKind, ProjectId, RotationMark, Subject, Timestamp, TokenId, TokenKind};
use latchkey_ports::{EventQuery, EventRepository, EventScope, Page, TokenRepository};

use crate::{
    InstancePermit, Permit, ReadInstanceTokens, ReadTokens, ServiceError, changes::Changes,
    instance_tokens::visible_kinds,
};

/// Why a token needs attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// Its secret was found where it does not belong, and is still good.
    Leaked,
    /// It has ended, and was used after that.
    ExpiredInUse,
}

/// A token that needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConcernedToken {
    pub token: ApiToken,
    /// When it was noticed last.
    pub noticed_at: Timestamp,
}

/// The tokens that need attention for one reason, the latest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConcernedTokens {
    pub tokens: Vec<ConcernedToken>,
    /// Whether older events were left out, so that there may be more.
    pub has_more: bool,
}

/// The use cases of this module.
pub struct Attention {
    events: Arc<dyn EventRepository>,
    tokens: Arc<dyn TokenRepository>,
    changes: Changes,
}

impl Concern {
    fn event_kind(self) -> EventKind {
        match self {
            Self::Leaked => EventKind::ApiTokenLeaked,
            Self::ExpiredInUse => EventKind::ApiTokenExpiredInUse,
        }
    }

    /// Returns whether a token still needs attention because of what was noticed at that moment. One that was disabled needs
    /// none, nor one with a new secret or a new end.
    fn is_of(self, token: &ApiToken, noticed_at: Timestamp, now: Timestamp) -> bool {
        let is_open = match self {
            Self::Leaked => {
                let rotated_at = token.attributes.rotated.map(RotationMark::at);
                !token.is_expired_at(now) && rotated_at.is_none_or(|at| at <= noticed_at)
            }
            Self::ExpiredInUse => token.is_expired_at(now) && token.is_expired_at(noticed_at),
        };
        is_open && token.attributes.enabled.is_on()
    }
}

impl Attention {
    /// The events that are looked at, newest first: the cost of a look is that of reading them and the tokens that they name.
    pub const EVENTS: u32 = 100;

    pub(crate) fn new(
        events: Arc<dyn EventRepository>,
        tokens: Arc<dyn TokenRepository>,
        changes: Changes,
    ) -> Self {
        Self { events, tokens, changes }
    }

    /// Returns the tokens that name a project and need attention.
    pub async fn in_project(
        &self,
        permit: &Permit<ReadTokens>,
        concern: Concern,
    ) -> Result<ConcernedTokens, ServiceError> {
        let kinds = [TokenKind::Client, TokenKind::Frontend];
        self.find(concern, Some(permit.project()), &kinds).await
    }

    /// Returns the tokens that need attention, of the kinds that the caller may read.
    pub async fn in_instance(
        &self,
        permit: &InstancePermit<ReadInstanceTokens>,
        concern: Concern,
    ) -> Result<ConcernedTokens, ServiceError> {
        self.find(concern, None, &visible_kinds(permit)).await
    }

    async fn find(
        &self,
        concern: Concern,
        project: Option<&ProjectId>,
        kinds: &[TokenKind],
    ) -> Result<ConcernedTokens, ServiceError> {
        let query = EventQuery {
            kinds: vec![concern.event_kind()],
            projects: project.cloned().into_iter().collect(),
            page: Page::first(Self::EVENTS),
            ..EventQuery::within(EventScope::All)
        };
        let found = self.events.events(&query).await?;
        let has_more = found.total > u64::from(Self::EVENTS);
        // The latest event of each token.
        let mut noticed = BTreeMap::<TokenId, Timestamp>::new();
        for event in found.events {
            if let Some(Subject::Token(id)) = event.record.subject {
                noticed.entry(id).or_insert(event.record.at);
            }
        }
        let now = self.changes.now();
        let mut tokens = Vec::new();
        for (id, noticed_at) in noticed {
            // One that was revoked needs no attention.
            let Some(stored) = self.tokens.find_token(id).await? else { continue };
            let token = stored.token;
            let is_readable = kinds.contains(&token.access.kind())
                && project.is_none_or(|project| token.access.projects().names(project));
            if is_readable && concern.is_of(&token, noticed_at, now) {
                tokens.push(ConcernedToken { token, noticed_at });
            }
        }
        tokens.sort_by_key(|found: &ConcernedToken| Reverse(found.noticed_at));
        Ok(ConcernedTokens { tokens, has_more })
    }
}
