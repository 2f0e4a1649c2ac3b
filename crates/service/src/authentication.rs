//! Who is calling: from a secret to a principal.

use std::sync::Arc;

use latchkey_domain::{Principal, TokenSecret};
use latchkey_ports::{
    Clock, PersonalTokenHolder, PersonalTokenRepository, SecretDigest, SecretSealer, StoreError,
    TokenRepository,
};

use crate::{PrincipalIndex, SeenLedger};

/// Why nobody was recognised.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// The credentials are unknown, revoked or expired; which, the caller is not told.
    #[error("the credentials are unknown, revoked or expired")]
    Unknown,
    /// The store cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Recognises callers.
pub struct Authenticator {
    tokens: Arc<dyn TokenRepository>,
    personal_tokens: Arc<dyn PersonalTokenRepository>,
    sealer: Arc<dyn SecretSealer>,
    clock: Arc<dyn Clock>,
    index: Arc<PrincipalIndex>,
    seen: Arc<SeenLedger>,
}

impl Authenticator {
    /// An authenticator over these ports.
    #[must_use]
    pub fn new(
        (tokens, personal_tokens): (Arc<dyn TokenRepository>, Arc<dyn PersonalTokenRepository>),
        sealer: Arc<dyn SecretSealer>,
        clock: Arc<dyn Clock>,
        index: Arc<PrincipalIndex>,
        seen: Arc<SeenLedger>,
    ) -> Self {
        Self { tokens, personal_tokens, sealer, clock, index, seen }
    }

    /// The principal of this secret, which may be an API token's, its alias, or a personal access token's. Notes that
    /// it was seen.
    ///
    /// # Errors
    /// [`AuthenticationError::Unknown`] for what is unknown, revoked or expired at this moment.
    pub async fn authenticate(&self, secret: &str) -> Result<Arc<Principal>, AuthenticationError> {
        let secret = TokenSecret::parse(secret).map_err(|_| AuthenticationError::Unknown)?;
        let digest = self.sealer.digest(&secret);
        let principal = match self.index.get(&digest) {
            Some(principal) => principal,
            None => self.look_up(&secret, digest).await?,
        };
        let now = self.clock.now();
        if principal.is_expired_at(now) {
            return Err(AuthenticationError::Unknown);
        }
        self.seen.note(&principal, now);
        Ok(principal)
    }

    async fn look_up(
        &self,
        secret: &TokenSecret,
        digest: SecretDigest,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        // Taken before the store is asked: a change made meanwhile makes the answer too old to keep.
        let generation = self.index.generation();
        let digests = self.sealer.digests(secret);
        let principal = if secret.is_personal() {
            self.personal_tokens.find_personal_token_by_digest(&digests).await?.map(principal_of_user)
        } else {
            let found = self.tokens.find_token_by_digest(&digests).await?;
            found.map(|stored| Principal::of_token(&stored.token))
        };
        let principal = Arc::new(principal.ok_or(AuthenticationError::Unknown)?);
        self.index.keep(digest, Arc::clone(&principal), generation);
        Ok(principal)
    }
}

fn principal_of_user(holder: PersonalTokenHolder) -> Principal {
    let PersonalTokenHolder { token, user, grants } = holder;
    Principal::User {
        id: user.id,
        label: user.identity.label().to_owned(),
        grants,
        personal_token: token.id,
        expires_at: token.expires_at,
    }
}
