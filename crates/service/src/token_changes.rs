//! Finding, changing, rotating and revoking a token, for all routes.

use std::{sync::Arc, time::Duration};

use latchkey_domain::{
    ApiToken, DisuseMark, Enabled, EventKind, Metadata, NetworkSet, PendingRotation, RotationMark, ScopeSet,
    Snapshot, Term, Timestamp, TokenDescription, TokenId, TokenOwner, TokenSecret, TokenSelector,
};
use latchkey_ports::{
    BudgetRepository, Rotation, SecretRecord, SecretSealer, StoreError, StoredToken, TokenRepository,
    TokenUpdate,
};
use serde_json::{Map, Value};

use crate::{
    AnswerKeeper, Fault as _, Initiator, Patched, RateLimitPatch, RevealedToken, Rule, ServiceError,
    TokenDraft, TokenIssuer, UsesPatch, changes::Changes,
};

/// A reference to a token: its secret, its selector, or its id.
#[derive(Debug)]
pub enum TokenReference {
    Id(TokenId),
    Secret(TokenSecret),
    /// A selector, unless it is a secret, which can have any shape.
    Selector(TokenSelector, TokenSecret),
}

impl TokenReference {
    /// Parses a reference; `None` for a text that can be neither.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(id) = TokenId::parse(text) {
            return Some(Self::Id(id));
        }
        let secret = TokenSecret::parse(text).ok()?;
        Some(match text.parse() {
            Ok(selector) => Self::Selector(selector, secret),
            Err(_) => Self::Secret(secret),
        })
    }
}

/// How long the old secret of a rotated token stays valid: at most [`Overlap::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap {
    span: Duration,
    ends_on_first_use: bool,
}

/// The overlap is longer than the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The overlap must be at most {} days.", Overlap::MAX.as_secs() / 86_400)]
pub struct OverlapTooLong;

impl Overlap {
    /// The maximum: a year.
    pub const MAX: Duration = Duration::from_secs(365 * 86_400);

    /// Returns an overlap of that length; zero refuses the old secret at once.
    pub fn new(span: Duration) -> Result<Self, OverlapTooLong> {
        if span > Self::MAX { Err(OverlapTooLong) } else { Ok(Self { span, ends_on_first_use: false }) }
    }

    /// Returns the overlap that ends [`PendingRotation::GRACE`] after the new secret is first used, if that is earlier.
    #[must_use]
    pub fn ending_on_first_use(self, ends_on_first_use: bool) -> Self {
        Self { ends_on_first_use, ..self }
    }

    fn until(self, now: Timestamp) -> Result<Option<Timestamp>, ServiceError> {
        if self.span.is_zero() {
            return Ok(None);
        }
        Ok(Some(now.plus(self.span)?))
    }
}

/// A change of a token, by default none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenPatch {
    pub expires_at: Patched<Timestamp>,
    pub description: Patched<TokenDescription>,
    pub owner: Patched<TokenOwner>,
    /// A merge patch itself.
    pub metadata: Patched<Map<String, Value>>,
    pub enabled: Patched<Enabled>,
    pub scopes: Patched<ScopeSet>,
    pub allowed_networks: Patched<NetworkSet>,
    pub rate_limit: Patched<RateLimitPatch>,
    pub uses: Patched<UsesPatch>,
    pub rotate_every: Patched<Term>,
}

impl TokenPatch {
    /// Changes the token at that moment.
    fn apply(self, token: &mut ApiToken, now: Timestamp) -> Result<(), ServiceError> {
        let Self {
            expires_at,
            description,
            owner,
            metadata,
            enabled,
            scopes,
            allowed_networks,
            rate_limit,
            uses,
            rotate_every,
        } = self;
        expires_at.apply(&mut token.expires_at);
        let attributes = &mut token.attributes;
        description.apply(&mut attributes.description);
        owner.apply(&mut attributes.owner);
        if let Patched::Set(patch) = &metadata {
            let merged = attributes.metadata.patched(patch);
            attributes.metadata =
                merged.map_err(|error| ServiceError::field("metadata", error.sentence()))?;
        } else if metadata == Patched::Removed {
            attributes.metadata = Metadata::default();
        }
        let was_enabled = attributes.enabled;
        enabled.apply_or_default(&mut attributes.enabled);
        if attributes.enabled != was_enabled {
            // A token that is enabled again counts as unused from now on. One that is disabled by hand is not deleted for disuse.
            attributes.disuse = attributes.enabled.is_on().then(|| DisuseMark::new(now));
        }
        scopes.apply_or_default(&mut attributes.scopes);
        allowed_networks.apply_or_default(&mut attributes.allowed_networks);
        match rate_limit {
            Patched::Kept => {}
            Patched::Removed => attributes.rate_limit = None,
            Patched::Set(patch) => attributes.rate_limit = Some(patch.merged(attributes.rate_limit)?),
        }
        match uses {
            Patched::Kept => {}
            Patched::Removed => attributes.uses = None,
            Patched::Set(patch) => {
                let before = attributes.uses;
                let set_before = before.map_or(token.created_at, |before| before.since(token.id));
                attributes.uses = Some(patch.merged(before)?.set_at(now, set_before));
            }
        }
        rotate_every.apply(&mut attributes.rotate_every);
        Ok(())
    }
}

/// The attempts at a rotation beside concurrent changes of the token.
const ROTATIONS: usize = 8;

/// Changes tokens.
#[derive(Clone)]
pub(crate) struct TokenChanges {
    pub(crate) tokens: Arc<dyn TokenRepository>,
    pub(crate) budgets: Arc<dyn BudgetRepository>,
    pub(crate) issuer: Arc<TokenIssuer>,
    pub(crate) sealer: Arc<dyn SecretSealer>,
    pub(crate) changes: Changes,
    /// What keeps the answer to the request, if it has a key.
    pub(crate) keeper: Option<Arc<AnswerKeeper>>,
}

impl TokenChanges {
    /// Returns the changes for one request.
    pub(crate) fn keeping(&self, keeper: Option<AnswerKeeper>) -> Self {
        Self { keeper: keeper.map(Arc::new), ..self.clone() }
    }

    /// Returns tokens as they are shown, as [`TokenIssuer::reveal`] with what is left of their uses.
    pub(crate) async fn reveal_all(
        &self,
        stored: impl IntoIterator<Item = StoredToken>,
    ) -> Result<Vec<RevealedToken>, ServiceError> {
        let mut shown: Vec<_> = stored.into_iter().map(|stored| self.issuer.reveal(stored)).collect();
        self.count_uses(&mut shown).await?;
        Ok(shown)
    }

    /// As [`TokenChanges::reveal_all`], of one token.
    pub(crate) async fn reveal(&self, stored: StoredToken) -> Result<RevealedToken, ServiceError> {
        let mut shown = self.issuer.reveal(stored);
        self.count_uses(std::slice::from_mut(&mut shown)).await?;
        Ok(shown)
    }

    /// Adds to tokens how many uses they have left.
    pub(crate) async fn count_uses(&self, shown: &mut [RevealedToken]) -> Result<(), ServiceError> {
        let limited = |shown: &RevealedToken| Some((shown.token.id, shown.token.attributes.uses?));
        let asked: Vec<_> = shown.iter().filter_map(limited).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let left = self.budgets.uses_left(&asked, self.changes.now()).await?;
        let shown = shown.iter_mut().filter(|shown| shown.token.attributes.uses.is_some());
        for (shown, left) in shown.zip(left) {
            shown.uses_left = Some(left);
        }
        Ok(())
    }

    /// Creates a token, as [`TokenIssuer::issue`].
    pub(crate) async fn create(
        &self,
        draft: TokenDraft,
        by: &Initiator,
    ) -> Result<RevealedToken, ServiceError> {
        self.issuer.issue_one(draft, by, self.keeper.as_deref()).await
    }

    /// Creates tokens, all or none, as [`TokenIssuer::issue_all`].
    pub(crate) async fn create_all(
        &self,
        drafts: Vec<TokenDraft>,
        by: &Initiator,
    ) -> Result<Vec<RevealedToken>, ServiceError> {
        self.issuer.issue_all(drafts, by, self.keeper.as_deref()).await
    }

    /// Returns the referenced token. An alias authenticates, but is not a reference.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a retired secret that is still valid: "not found" would read as if it had ended.
    pub(crate) async fn find(&self, reference: &TokenReference) -> Result<Option<StoredToken>, ServiceError> {
        let (secret, selector) = match reference {
            TokenReference::Id(id) => return Ok(self.tokens.find_token(*id).await?),
            TokenReference::Secret(secret) => (secret, None),
            TokenReference::Selector(selector, secret) => (secret, Some(selector)),
        };
        let digests = self.sealer.digests(secret);
        let Some(found) = self.tokens.find_token_by_digest(&digests).await? else {
            let Some(selector) = selector else { return Ok(None) };
            return Ok(self.tokens.find_token_by_selector(selector).await?);
        };
        match found.secret_until.filter(|end| *end > self.changes.now()) {
            Some(end) => Err(ServiceError::Invalid {
                field: None,
                message: format!(
                    "This secret was replaced by a rotation and is good until {end}: name its token by the present \
                     secret or by the id."
                )
                .into(),
            }),
            None => Ok(Some(found.stored).filter(|stored| digests.contains(&stored.secret.digest))),
        }
    }

    pub(crate) async fn revoke(&self, token: &ApiToken, by: &Initiator) -> Result<(), ServiceError> {
        let event = self.issuer.event(EventKind::ApiTokenDeleted, token, by);
        let event = event.with_before(token);
        self.tokens.delete_token(token.id, &event).await?;
        self.changes.after_commit(&event);
        Ok(())
    }

    /// Changes the token that `find` returns, and returns it as it is then. A patch that changes nothing records no event; one
    /// after which the token may do what it could not before needs the permission to create it, which `may_widen` checks. What it sets
    /// must not break the policy.
    pub(crate) async fn update(
        &self,
        find: impl AsyncFn() -> Result<StoredToken, ServiceError>,
        patch: &TokenPatch,
        may_widen: impl Fn(&ApiToken) -> Result<(), ServiceError>,
        by: &Initiator,
    ) -> Result<StoredToken, ServiceError> {
        self.changes
            .retry_on_conflict(async || {
                let mut stored = find().await?;
                let before = stored.token.clone();
                let now = self.changes.now();
                patch.clone().apply(&mut stored.token, now)?;
                if stored.token == before {
                    return Ok(stored);
                }
                if !stored.token.attributes.is_within(&before.attributes) {
                    may_widen(&before)?;
                }
                self.issuer.rules().check_change(&before, &stored.token, now).await?;
                let event = self.issuer.event(EventKind::ApiTokenUpdated, &before, by);
                let event = event.with_before(&before).with_after(&stored.token);
                self.tokens.update_token(&before, &stored.token, &event).await?;
                self.changes.after_commit(&event);
                Ok(stored)
            })
            .await
    }

    /// Replaces the secret of the token and returns the new one; the old one stays valid for the overlap.
    ///
    /// # Errors
    /// [`ServiceError::Overtaken`] if the secret was replaced meanwhile.
    pub(crate) async fn rotate(
        &self,
        mut stored: StoredToken,
        overlap: Overlap,
        by: &Initiator,
    ) -> Result<RevealedToken, ServiceError> {
        let (id, seen) = (stored.token.id, stored.secret.digest);
        for _ in 1..ROTATIONS {
            match self.try_to_rotate(stored, overlap, by).await {
                Err(ServiceError::Overtaken) => {}
                done => return done,
            }
            // If only its attributes were changed, it is rotated as it is now.
            let found = self.tokens.find_token(id).await?;
            stored = found.filter(|found| found.secret.digest == seen).ok_or(ServiceError::Overtaken)?;
        }
        self.try_to_rotate(stored, overlap, by).await
    }

    async fn try_to_rotate(
        &self,
        stored: StoredToken,
        overlap: Overlap,
        by: &Initiator,
    ) -> Result<RevealedToken, ServiceError> {
        let now = self.changes.now();
        let overlap_until = overlap.until(now)?;
        let secret = self.issuer.mint_again(&stored.token);
        let (to, _) = self.issuer.new_secret(&secret, stored.token.id)?;
        let event = self.issuer.event(EventKind::ApiTokenRotated, &stored.token, by);
        let event = event
            .with_before(&stored.token)
            .with_after(Snapshot::from(&stored.token).with_moment("oldSecretUntil", overlap_until));
        let pending = overlap_until.filter(|_| overlap.ends_on_first_use).map(PendingRotation::new);
        let StoredToken { token, secret: SecretRecord { digest: from, .. }, alias } = stored;
        let (token, update) = rotated(token, now, pending);
        let update = Some(Box::new(update));
        let rotation = Rotation { token: token.id, from, to: to.clone(), overlap_until, update };
        let alias = alias.and_then(|alias| self.issuer.open(&alias, token.id));
        let mut shown = RevealedToken {
            token,
            secret: Some(secret),
            alias,
            secure: to.sealed.is_none(),
            previous_secret_until: overlap_until,
            uses_left: None,
        };
        self.count_uses(std::slice::from_mut(&mut shown)).await?;
        let rotated = match &self.keeper {
            None => self.tokens.rotate_token(&rotation, &event).await,
            Some(keeper) => keeper.rotate(&rotation, &event, &shown).await?,
        };
        rotated.map_err(too_many_retired)?;
        self.changes.after_commit(&event);
        Ok(shown)
    }
}

/// Returns the token after a rotation at that moment, with this pending rotation in place of another, and the change. A rotation that
/// was pending gives way: its secret was not used, and what it retired ends with its overlap.
fn rotated(before: ApiToken, at: Timestamp, pending: Option<PendingRotation>) -> (ApiToken, TokenUpdate) {
    let mut after = before.clone();
    after.attributes.rotation = pending;
    after.attributes.rotated = Some(RotationMark::new(at));
    (after.clone(), TokenUpdate { before, after })
}

fn too_many_retired(error: StoreError) -> ServiceError {
    match error {
        StoreError::LimitReached { limit } => {
            let text = format!(
                "{limit} replaced secrets of this token are still good: wait until one of them ends, or send \"PT0S\", with which \
                 the present one ends at once."
            );
            ServiceError::field("overlap", Rule::named("overlaps").with("limit", limit).says(text))
        }
        other => other.into(),
    }
}
