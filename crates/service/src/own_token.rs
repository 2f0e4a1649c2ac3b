//! What API tokens may do with themselves: read, rotate and revoke, without any permission.

use std::marker::PhantomData;

use latchkey_domain::{Origin, Principal, TokenId, TokenKind, TokenSecret};
use latchkey_ports::StoredToken;

use crate::{
    AnswerKeeper, Initiator, Missing, Overlap, RevealedToken, ServiceError, TokenReference,
    token_changes::TokenChanges,
};

/// What API tokens may do with themselves (`tokens.self_service`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SelfService {
    /// Nothing.
    Off,
    /// Read what they are.
    Read,
    /// Besides, get a new secret; not frontend tokens, which anyone can read in a browser.
    Rotate,
    /// Besides, revoke themselves.
    All,
}

/// Something that a token does with itself.
pub trait OwnTokenAction: Send + Sync + 'static {
    /// The least setting that allows it.
    const LEVEL: SelfService;
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $level:ident;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub struct $name;

            impl OwnTokenAction for $name {
                const LEVEL: SelfService = SelfService::$level;
            }
        )+
    };
}

actions! {
    /// Reads the token.
    ReadOwnToken = Read;
    /// Gives the token a new secret.
    RotateOwnToken = Rotate;
    /// Revokes the token.
    DeleteOwnToken = All;
}

/// Proof that a token may do this with itself. Only [`OwnToken::permit`] makes one.
#[derive(Debug)]
pub struct OwnTokenPermit<A> {
    token: TokenId,
    /// The secret by which it authenticated.
    secret: TokenSecret,
    initiator: Initiator,
    action: PhantomData<A>,
}

/// The use cases of this module.
pub struct OwnToken {
    changes: TokenChanges,
    allowed: SelfService,
}

impl OwnToken {
    pub(crate) fn new(changes: TokenChanges, allowed: SelfService) -> Self {
        Self { changes, allowed }
    }

    /// Returns the use cases for a request whose answer is kept with what it changes.
    #[must_use]
    pub fn keeping(&self, keeper: Option<AnswerKeeper>) -> Self {
        Self { changes: self.changes.keeping(keeper), allowed: self.allowed }
    }

    /// Checks that the caller is an API token that may do this with itself. The secret is the one by which it authenticated.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] for a user, if the settings do not allow it, and for a change of a frontend token.
    pub fn permit<A: OwnTokenAction>(
        &self,
        principal: &Principal,
        secret: Option<TokenSecret>,
        origin: Origin,
    ) -> Result<OwnTokenPermit<A>, ServiceError> {
        let refused = |reason: &str| Err(ServiceError::NotPermitted(reason.into()));
        let (Principal::ApiToken { id, access, .. }, Some(secret)) = (principal, secret) else {
            return refused(
                "This is about the API token that sends the request, and a user is none: send an API token.",
            );
        };
        if self.allowed < A::LEVEL {
            return refused(
                "The setting tokens.self_service does not allow tokens to do this: ask who gave you the token.",
            );
        }
        if access.kind() == TokenKind::Frontend && A::LEVEL > SelfService::Read {
            return refused(
                "A frontend token is known to everyone who can see the page, so it cannot change itself.",
            );
        }
        let initiator = Initiator { actor: principal.actor(), origin };
        Ok(OwnTokenPermit { token: *id, secret, initiator, action: PhantomData })
    }

    /// Returns the token, without its secret, which the caller has.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] if it was revoked a moment ago; [`ServiceError::Unavailable`].
    pub async fn read(&self, permit: &OwnTokenPermit<ReadOwnToken>) -> Result<RevealedToken, ServiceError> {
        let found = self.changes.tokens.find_token(permit.token).await?;
        let StoredToken { token, .. } = found.ok_or(Missing::Token)?;
        let mut shown = RevealedToken {
            token,
            secret: None,
            alias: None,
            secure: true,
            previous_secret_until: None,
            uses_left: None,
        };
        self.changes.count_uses(std::slice::from_mut(&mut shown)).await?;
        Ok(shown)
    }

    /// Replaces the secret of the token and returns the new one. The old secret stays valid for the overlap.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] if the token authenticated by a secret that was replaced, or by its alias; as
    /// [`OwnToken::read`].
    pub async fn rotate(
        &self,
        permit: &OwnTokenPermit<RotateOwnToken>,
        overlap: Overlap,
    ) -> Result<RevealedToken, ServiceError> {
        let stored = self.find(permit).await?;
        self.changes.rotate(stored, overlap, &permit.initiator).await
    }

    /// Revokes the token; it is refused from the response on.
    ///
    /// # Errors
    /// As [`OwnToken::rotate`].
    pub async fn delete(&self, permit: &OwnTokenPermit<DeleteOwnToken>) -> Result<(), ServiceError> {
        let stored = self.find(permit).await?;
        self.changes.revoke(&stored.token, &permit.initiator).await
    }

    /// Returns the token, if it authenticated by its present secret: the holder of an older one may be who it was taken from.
    async fn find<A>(&self, permit: &OwnTokenPermit<A>) -> Result<StoredToken, ServiceError> {
        let reference = TokenReference::Secret(permit.secret.clone());
        if let Some(stored) = self.changes.find(&reference).await? {
            return Ok(stored);
        }
        // It is the alias, or was revoked since it authenticated.
        match self.changes.tokens.find_token(permit.token).await? {
            Some(_) => Err(ServiceError::Invalid {
                field: None,
                message: "An alias cannot change its token: send the token's present secret.".into(),
            }),
            None => Err(Missing::Token.into()),
        }
    }
}
