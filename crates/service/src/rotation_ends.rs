//! Rotations that end with the first use of the new secret.
//!
//! That a rotation is pending is an attribute of its token, so every process sees it in its cache when the new secret is used. The
//! use is noted on the request's path; off it, the end of the old secret is moved and the attribute removed. The event of that
//! invalidates the entries of both secrets everywhere.

use std::sync::Arc;

use latchkey_domain::{EventKind, Snapshot, TokenId};
use latchkey_ports::{StoreError, TokenRepository, TokenUpdate};

use crate::{Initiator, TokenIssuer, UsageRecorder, first_uses::FirstUse};

/// The attempts at one end beside concurrent changes of the token.
const TRIES: usize = 4;

/// Ends rotations whose new secret was used.
pub(crate) struct RotationEnds {
    usage: Arc<UsageRecorder>,
    issuer: Arc<TokenIssuer>,
}

impl RotationEnds {
    pub(crate) fn new(usage: Arc<UsageRecorder>, issuer: Arc<TokenIssuer>) -> Self {
        Self { usage, issuer }
    }

    /// Waits until there is a first use.
    pub(crate) async fn noted(&self) {
        self.usage.first_uses().noted().await;
    }

    /// Forgets the first uses, where nothing can be written.
    pub(crate) fn discard(&self) {
        self.usage.first_uses().take();
    }

    /// Ends the rotations whose new secret was used, and returns their number. What fails is noted again.
    pub(crate) async fn end(&self, store: &dyn TokenRepository) -> Result<usize, StoreError> {
        let noted = self.usage.first_uses().take();
        let (mut ended, mut failed) = (0, None);
        for (token, first_use) in noted {
            match self.end_one(store, token, first_use).await {
                Ok(is_ended) => ended += usize::from(is_ended),
                Err(error) => {
                    self.usage.first_uses().note(token, first_use.rotation, first_use.at);
                    failed = failed.or(Some(error));
                }
            }
        }
        failed.map_or(Ok(ended), Err)
    }

    /// Ends a rotation, unless that was done, or another one has taken its place.
    async fn end_one(
        &self,
        store: &dyn TokenRepository,
        token: TokenId,
        first_use: FirstUse,
    ) -> Result<bool, StoreError> {
        let mut tries = 1..TRIES;
        loop {
            match self.try_to_end(store, token, first_use).await {
                // The token was changed meanwhile: by another process that did the same, or in another way.
                Err(StoreError::Stale(_)) if tries.next().is_some() => {}
                Err(StoreError::NotFound(_)) => return Ok(false),
                outcome => return outcome,
            }
        }
    }

    async fn try_to_end(
        &self,
        store: &dyn TokenRepository,
        token: TokenId,
        FirstUse { rotation, at }: FirstUse,
    ) -> Result<bool, StoreError> {
        let Some(stored) = store.find_token(token).await? else { return Ok(false) };
        let before = stored.token;
        if before.attributes.rotation != Some(rotation) {
            return Ok(false);
        }
        let (end, mut after) = (rotation.end_after(at), before.clone());
        after.attributes.rotation = None;
        let event = self.issuer.event(EventKind::ApiTokenRotationEnded, &before, &Initiator::system());
        let was = Snapshot::from(&before).with_moment("oldSecretUntil", Some(rotation.until()));
        let is = Snapshot::from(&after).with_moment("oldSecretUntil", Some(end));
        let event = event.with_before(was).with_after(is);
        store.end_rotation(&TokenUpdate { before, after }, (rotation.until(), end), &event).await?;
        self.issuer.after_commit(&event);
        Ok(true)
    }
}
