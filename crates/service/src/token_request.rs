//! What is asked for when a token is to be created (contract, "Create body").

use latchkey_domain::{
    EnvironmentName, EnvironmentScope, InvalidName, ProjectScope, Timestamp, TokenAccess, TokenAttributes,
    TokenKind, TokenName,
};

use crate::{ServiceError, TokenDraft};

/// The environment of a token that names none (contract, "Create body").
const DEFAULT_ENVIRONMENT: &str = "development";

/// A token as somebody asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// Its name.
    pub name: TokenName,
    /// What it is for.
    pub kind: TokenKind,
    /// Where it works; `None` = `development`, for an admin token all.
    pub environment: Option<EnvironmentScope>,
    /// The projects it names; `None` = the route's project, or all on the route of the instance.
    pub projects: Option<ProjectScope>,
    /// When it ends; `None` = never.
    pub expires_at: Option<Timestamp>,
    /// What else is known about it.
    pub attributes: TokenAttributes,
}

impl TokenRequest {
    /// What is to be issued, for these projects.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] where the kind cannot have that scope.
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
            .map_err(|error| ServiceError::field(field, capitalised(&error.to_string())))?;
        let Self { name, expires_at, attributes, .. } = self;
        Ok(TokenDraft { name, access, expires_at, attributes })
    }
}

fn default_environment() -> Result<EnvironmentName, ServiceError> {
    EnvironmentName::new(DEFAULT_ENVIRONMENT)
        .map_err(|error: InvalidName| ServiceError::Internal(Box::new(error)))
}

fn capitalised(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters
        .next()
        .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), characters.as_str()))
}
