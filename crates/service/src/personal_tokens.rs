//! Personal access tokens, of users and of service accounts.

use std::sync::Arc;

use latchkey_domain::{
    Description, EventKind, NewPersonalToken, PersonalToken, PersonalTokenId, Timestamp, TokenSecret, UserId,
};
use latchkey_ports::{Entropy, EntropyExt, PersonalTokenRepository, SecretDigest, SecretSealer, StoreError};

use crate::{
    Initiator, InstancePermit, ManageUsers, Missing, Rule, ServiceError, SignedIn, changes::Changes,
};

/// A personal access token to be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalTokenDraft {
    /// Unique per user.
    pub description: Description,
    /// Its expiry, in the future.
    pub expires_at: Timestamp,
}

/// A new personal access token with its secret, which is shown only now.
#[derive(Debug)]
pub struct IssuedPersonalToken {
    pub token: PersonalToken,
    pub secret: TokenSecret,
}

/// The use cases of this module.
#[derive(Clone)]
pub struct PersonalTokens {
    tokens: Arc<dyn PersonalTokenRepository>,
    sealer: Arc<dyn SecretSealer>,
    entropy: Arc<dyn Entropy>,
    changes: Changes,
    max_per_user: u32,
}

impl PersonalTokens {
    pub(crate) fn new(
        tokens: Arc<dyn PersonalTokenRepository>,
        sealer: Arc<dyn SecretSealer>,
        entropy: Arc<dyn Entropy>,
        changes: Changes,
        max_per_user: u32,
    ) -> Self {
        Self { tokens, sealer, entropy, changes, max_per_user }
    }

    /// Returns the token with one of these digests, also an expired one.
    pub(crate) async fn find(&self, digests: &[SecretDigest]) -> Result<Option<PersonalToken>, StoreError> {
        Ok(self.tokens.find_personal_token_by_digest(digests).await?.map(|holder| holder.token))
    }

    /// Returns the caller's own tokens, also expired ones, by id.
    pub async fn list(&self, user: &SignedIn) -> Result<Vec<PersonalToken>, ServiceError> {
        self.of(&[user.user()]).await
    }

    /// Issues a token to the caller and returns its secret, of which only the digest is stored.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for an expiry in the past; [`ServiceError::NotPermitted`] if the user has the
    /// maximum number; [`ServiceError::Exists`] if the user has one of this description.
    pub async fn create(
        &self,
        user: &SignedIn,
        draft: PersonalTokenDraft,
    ) -> Result<IssuedPersonalToken, ServiceError> {
        self.issue(user.user(), draft, &user.initiator()).await
    }

    /// Issues a token to another user, for the command line.
    ///
    /// # Errors
    /// As [`PersonalTokens::create`]; [`ServiceError::NotFound`] for an unknown user.
    pub async fn create_for(
        &self,
        permit: &InstancePermit<ManageUsers>,
        user: UserId,
        draft: PersonalTokenDraft,
    ) -> Result<IssuedPersonalToken, ServiceError> {
        self.issue(user, draft, &permit.initiator()).await
    }

    /// Revokes one of the caller's own tokens.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a token that does not exist or belongs to another user.
    pub async fn delete(&self, user: &SignedIn, id: PersonalTokenId) -> Result<(), ServiceError> {
        self.revoke(user.user(), id, &user.initiator()).await
    }

    pub(crate) async fn of(&self, users: &[UserId]) -> Result<Vec<PersonalToken>, ServiceError> {
        Ok(self.tokens.personal_tokens_of(users).await?)
    }

    pub(crate) async fn issue(
        &self,
        user: UserId,
        draft: PersonalTokenDraft,
        by: &Initiator,
    ) -> Result<IssuedPersonalToken, ServiceError> {
        let created_at = self.changes.now();
        let PersonalTokenDraft { description, expires_at } = draft;
        if expires_at <= created_at {
            let text = "The expiry date must lie in the future.";
            return Err(ServiceError::field("expiresAt", Rule::named("expiry-past").says(text)));
        }
        let token = NewPersonalToken { user, description, expires_at, created_at };
        let secret = TokenSecret::mint_personal(self.entropy.bytes());
        let event = self.changes.event(EventKind::PersonalTokenCreated, by).with_after(&token);
        let record = self.sealer.record(&secret);
        let created = self.tokens.create_personal_token(&token, &record, self.max_per_user, &event).await;
        let (id, _) = created.map_err(|error| match error {
            StoreError::LimitReached { limit } => {
                let text = format!(
                    "Too many personal access tokens ({limit}) exist for this user already: delete some."
                );
                ServiceError::NotPermitted(Rule::named("personal-tokens").with("limit", limit).says(text))
            }
            other => other.into(),
        })?;
        self.changes.after_commit(&event);
        Ok(IssuedPersonalToken { token: token.with_id(id), secret })
    }

    pub(crate) async fn revoke(
        &self,
        user: UserId,
        id: PersonalTokenId,
        by: &Initiator,
    ) -> Result<(), ServiceError> {
        let own = self.of(&[user]).await?;
        let token = own.iter().find(|token| token.id == id).ok_or(Missing::PersonalToken)?;
        let event = self.changes.event(EventKind::PersonalTokenDeleted, by).with_before(token);
        self.tokens.delete_personal_token(user, id, &event).await?;
        self.changes.after_commit(&event);
        Ok(())
    }
}
