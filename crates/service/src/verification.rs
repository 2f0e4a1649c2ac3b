//! Whether a token is good, and for what: the question that gateways, Edge and other services ask.
//!
//! A good answer is given from memory (see `index`); a secret that the index does not know costs one indexed query. While the
//! store cannot be asked, answers may come from stale memory: here, and nowhere else.

use std::{net::IpAddr, sync::Arc};

use latchkey_domain::{EnvironmentName, Principal, ProjectId, TokenKind, VerifiedToken};

use crate::{AuthenticationError, Authenticator, ServiceError};

/// What a token has to be good for; empty, any good token will do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Requirement {
    /// It has to reach this project.
    pub project: Option<ProjectId>,
    /// It has to work in this environment.
    pub environment: Option<EnvironmentName>,
    /// It has to be of this kind.
    pub kind: Option<TokenKind>,
}

/// The use cases.
pub struct Verification {
    authenticator: Arc<Authenticator>,
}

impl Verification {
    /// Over whoever recognises tokens.
    #[must_use]
    pub fn new(authenticator: Arc<Authenticator>) -> Self {
        Self { authenticator }
    }

    /// Whose this secret is, as [`Authenticator::authenticate`] says, to tell whether it is good; it lets nobody do anything.
    ///
    /// # Errors
    /// [`AuthenticationError::Unknown`] for what is unknown, revoked or expired at this moment;
    /// [`AuthenticationError::Store`] where the store had to be asked and cannot be.
    pub async fn verify(
        &self,
        secret: &str,
        client: Option<IpAddr>,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        self.authenticator.verify(secret, client).await
    }

    /// The token of each of these secrets that is a good API token's (or its alias), in the same order; `None` for what is
    /// unknown, revoked or expired, and for personal tokens and sessions, which are no API tokens.
    ///
    /// # Errors
    /// [`AuthenticationError::Store`] if the store had to be asked and cannot be; [`AuthenticationError::Busy`] if it had to
    /// be asked and the client had used up its budget before.
    pub async fn verify_all(
        &self,
        secrets: &[&str],
        client: Option<IpAddr>,
    ) -> Result<Vec<Option<Arc<Principal>>>, AuthenticationError> {
        self.authenticator.verify_tokens(secrets, client).await
    }

    /// Whether a principal that was recognised may ask about tokens (RFC 7662). A frontend token may not: browsers have it, and
    /// so has everybody.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`].
    pub fn admit_asker(&self, caller: &Principal) -> Result<(), ServiceError> {
        match caller.verified_token() {
            Some(token) if token.access.kind() == TokenKind::Frontend => Err(ServiceError::NotPermitted(
                "A frontend token cannot ask about tokens: use a client or admin token.".to_owned(),
            )),
            _ => Ok(()),
        }
    }

    /// Whether a principal that was recognised is an API token that is good for this, and which.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`], which says what the token is not good for.
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
