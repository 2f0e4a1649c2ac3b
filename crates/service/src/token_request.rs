//! A request to create a token.

use latchkey_domain::{
    EnvironmentName, EnvironmentScope, InvalidName, ProjectScope, Timestamp, TokenAccess, TokenAttributes,
    TokenKind, TokenName,
};

use crate::{Fault as _, ServiceError, TokenDraft, TokenEnd};

/// The environment of a token whose request names none.
const DEFAULT_ENVIRONMENT: &str = "development";

/// A request to create a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    pub name: TokenName,
    pub kind: TokenKind,
    /// Its environment; `None` = `development`, or all for an admin token.
    pub environment: Option<EnvironmentScope>,
    /// Its projects; `None` = the route's project, or all on the instance's route.
    pub projects: Option<ProjectScope>,
    pub expires_at: TokenEnd,
    pub attributes: TokenAttributes,
}

impl TokenRequest {
    /// Whether the token will have expired by that moment.
    pub fn is_expired_at(&self, now: Timestamp) -> bool {
        self.expires_at.moment().is_some_and(|end| end <= now)
    }

    /// Returns the draft for these projects.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] if the kind cannot have that scope.
    pub(crate) fn draft(self, projects: ProjectScope) -> Result<TokenDraft, ServiceError> {
        let environment = match (self.environment, self.kind) {
            (Some(environment), _) => environment,
            (None, TokenKind::Admin) => EnvironmentScope::All,
            (None, _) => EnvironmentScope::Only(default_environment()?),
        };
        let field = match (self.kind, &projects) {
            (TokenKind::Admin, ProjectScope::Only(_)) => "projects",
            _ => "environment",
        };
        let access = TokenAccess::new(self.kind, projects, environment)
            .map_err(|error| ServiceError::field(field, error.sentence()))?;
        let Self { name, expires_at, attributes, .. } = self;
        Ok(TokenDraft { name, access, expires_at, attributes })
    }
}

fn default_environment() -> Result<EnvironmentName, ServiceError> {
    EnvironmentName::new(DEFAULT_ENVIRONMENT)
        .map_err(|error: InvalidName| ServiceError::Internal(Box::new(error)))
}
