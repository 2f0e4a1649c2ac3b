//! Verification of tokens, for gateways, Edge and other services.
//!
//! Tokens are verified from the principal index; a secret that is not cached costs one indexed query. While the store
//! is unavailable, a stale cache entry may be used: here, and nowhere else.

use std::{net::IpAddr, sync::Arc};

use latchkey_domain::{EnvironmentName, Principal, ProjectId, TokenKind, VerifiedToken};

use crate::{AuthenticationError, Authenticator, ServiceError};

/// The requirements for a token; the default accepts every valid token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Requirement {
    pub project: Option<ProjectId>,
    pub environment: Option<EnvironmentName>,
    pub kind: Option<TokenKind>,
}

/// The use cases of this module.
pub struct Verification {
    authenticator: Arc<Authenticator>,
}

impl Verification {
    /// Returns the use case over an authenticator.
    pub fn new(authenticator: Arc<Authenticator>) -> Self {
        Self { authenticator }
    }

    /// Returns the principal of this secret, as [`Authenticator::authenticate`] does, but only to say whether it is
    /// valid.
    ///
    /// # Errors
    /// [`AuthenticationError::Store`] if the store is needed and unavailable.
    pub async fn verify(
        &self,
        secret: &str,
        client: Option<IpAddr>,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        self.authenticator.verify(secret, client).await
    }

    /// As [`Verification::verify`], for a program that asks about the token of another client. From where that uses it is the
    /// program's to compare ([`latchkey_domain::TokenAttributes::allowed_networks`]).
    ///
    /// # Errors
    /// As [`Verification::verify`].
    pub async fn inquire(
        &self,
        secret: &str,
        client: Option<IpAddr>,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        self.authenticator.inquire(secret, client).await
    }

    /// Returns the principal of each secret that belongs to a valid API token, in the same order; `None` for unknown,
    /// revoked, expired and disabled ones, for those that are bound to networks, and for personal tokens and sessions.
    ///
    /// # Errors
    /// [`AuthenticationError::Store`] if the store is needed and unavailable; [`AuthenticationError::Busy`] if it is
    /// needed and the client has used up its budget.
    pub async fn verify_all(
        &self,
        secrets: &[&str],
        client: Option<IpAddr>,
    ) -> Result<Vec<Option<Arc<Principal>>>, AuthenticationError> {
        self.authenticator.verify_tokens(secrets, client).await
    }

    /// Checks that a principal may introspect tokens (RFC 7662), and report that they were used. A frontend token may not,
    /// because it is public: browsers have it.
    pub fn authorize_introspection(&self, caller: &Principal) -> Result<(), ServiceError> {
        match caller.verified_token() {
            Some(token) if token.access.kind() == TokenKind::Frontend => Err(ServiceError::NotPermitted(
                "A frontend token cannot ask about tokens or report their use: use a client or admin token."
                    .to_owned(),
            )),
            _ => Ok(()),
        }
    }

    /// Checks that a principal is an API token that meets the requirement, and returns the token.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`], which says what the token does not meet.
    pub fn check<'p>(
        &self,
        principal: &'p Principal,
        requirement: &Requirement,
    ) -> Result<VerifiedToken<'p>, ServiceError> {
        let refuse = |message: String| Err(ServiceError::NotPermitted(message));
        let Some(token) = principal.verified_token() else {
            return refuse(
                "A personal access token is no API token: send a client, frontend or admin token.".to_owned(),
            );
        };
        let Requirement { project, environment, kind } = requirement;
        if let Some(kind) = kind.filter(|kind| *kind != token.access.kind()) {
            let own = with_article(token.access.kind());
            return refuse(format!("This is {own} token; {} token is needed.", with_article(kind)));
        }
        if let Some(project) = project.as_ref().filter(|project| !token.access.projects().covers(project)) {
            return refuse(format!("This token is not good for the project \"{project}\"."));
        }
        let works_in = |wanted: &EnvironmentName| token.access.environment().is_none_or(|own| own == wanted);
        if let Some(environment) = environment.as_ref().filter(|wanted| !works_in(wanted)) {
            return refuse(format!("This token is not good for the environment \"{environment}\"."));
        }
        Ok(token)
    }
}

fn with_article(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Admin => "an admin",
        TokenKind::Client => "a client",
        TokenKind::Frontend => "a frontend",
    }
}
