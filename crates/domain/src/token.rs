//! API tokens: their kinds and their access.

use std::{fmt, str::FromStr};

use crate::{
    EnvironmentName, EnvironmentScope, ProjectScope, Timestamp, TokenAttributes, TokenId, TokenName,
    TokenSelector,
};

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenKind {
    /// Servers that read feature configuration (called `backend` by newer clients).
    Client,
    /// Administration; accesses everything.
    Admin,
    /// Browsers and apps.
    Frontend,
}

impl TokenKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Client, Self::Admin, Self::Frontend];

    /// Returns the name on the wire, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Admin => "admin",
            Self::Frontend => "frontend",
        }
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a token kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token's type must be client (or backend), frontend or admin")]
pub struct UnknownTokenKind;

/// Accepts any case, and `backend`, the newer name of `client`.
impl FromStr for TokenKind {
    type Err = UnknownTokenKind;

    fn from_str(text: &str) -> Result<Self, UnknownTokenKind> {
        let names = [
            ("client", Self::Client),
            ("frontend", Self::Frontend),
            ("admin", Self::Admin),
            ("backend", Self::Client),
        ];
        let meant = names.into_iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
        meant.map(|(_, kind)| kind).ok_or(UnknownTokenKind)
    }
}

/// The scope of a client or frontend token: projects, and one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub projects: ProjectScope,
    pub environment: EnvironmentName,
}

/// What a token may access. Admin tokens access everything; no other token can be for all environments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenAccess {
    Admin,
    Client(Scope),
    Frontend(Scope),
}

/// Why a kind of token cannot have a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    #[error("an admin token must be for all projects: leave project and projects out, or send \"*\"")]
    AdminNeedsAllProjects,
    #[error("an admin token must be for all environments: leave environment out, or send \"*\"")]
    AdminNeedsAllEnvironments,
    #[error("a {0} token must be for one environment, not for \"*\"")]
    NeedsOneEnvironment(TokenKind),
}

impl TokenAccess {
    /// Returns the access of a token of this kind and scope.
    pub fn new(
        kind: TokenKind,
        projects: ProjectScope,
        environment: EnvironmentScope,
    ) -> Result<Self, AccessError> {
        match (kind, projects, environment) {
            (TokenKind::Admin, ProjectScope::Only(_), _) => Err(AccessError::AdminNeedsAllProjects),
            (TokenKind::Admin, _, EnvironmentScope::Only(_)) => Err(AccessError::AdminNeedsAllEnvironments),
            (TokenKind::Admin, ProjectScope::All, EnvironmentScope::All) => Ok(Self::Admin),
            (kind, _, EnvironmentScope::All) => Err(AccessError::NeedsOneEnvironment(kind)),
            (TokenKind::Client, projects, EnvironmentScope::Only(environment)) => {
                Ok(Self::Client(Scope { projects, environment }))
            }
            (TokenKind::Frontend, projects, EnvironmentScope::Only(environment)) => {
                Ok(Self::Frontend(Scope { projects, environment }))
            }
        }
    }

    /// Returns the kind.
    pub fn kind(&self) -> TokenKind {
        match self {
            Self::Admin => TokenKind::Admin,
            Self::Client(_) => TokenKind::Client,
            Self::Frontend(_) => TokenKind::Frontend,
        }
    }

    /// Returns the projects of the token.
    pub fn projects(&self) -> &ProjectScope {
        match self {
            Self::Admin => &ProjectScope::All,
            Self::Client(scope) | Self::Frontend(scope) => &scope.projects,
        }
    }

    /// Returns the environment of the token; `None` for an admin token, which works in all.
    pub fn environment(&self) -> Option<&EnvironmentName> {
        match self {
            Self::Admin => None,
            Self::Client(scope) | Self::Frontend(scope) => Some(&scope.environment),
        }
    }

    /// Returns the access without this project; `None` if nothing is left, so that the token must be revoked.
    pub fn without_project(&self, project: &crate::ProjectId) -> Option<Self> {
        let narrowed = |scope: &Scope| {
            let projects = scope.projects.without(project)?;
            Some(Scope { projects, environment: scope.environment.clone() })
        };
        match self {
            Self::Admin => Some(Self::Admin),
            Self::Client(scope) => narrowed(scope).map(Self::Client),
            Self::Frontend(scope) => narrowed(scope).map(Self::Frontend),
        }
    }
}

/// An API token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id; carries the moment of its creation.
    pub id: TokenId,
    /// Its name, which need not be unique.
    pub name: TokenName,
    /// The selector of its secret, if that has the second form of Unleash. It stays when the secret is replaced.
    pub selector: Option<TokenSelector>,
    pub access: TokenAccess,
    pub expires_at: Option<Timestamp>,
    /// When it was created; the same millisecond that its id carries.
    pub created_at: Timestamp,
    /// When it last authenticated, as far as that is stored; `None` = never.
    pub last_used_at: Option<Timestamp>,
    pub attributes: TokenAttributes,
}

impl ApiToken {
    /// Whether the token has expired at that moment.
    pub fn is_expired_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        ProjectId,
        scope::tests::{project_id, project_scope},
        testing::api_token,
    };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).expect("in range")
    }

    #[test]
    fn kinds_are_read_in_any_case_and_backend_is_client() {
        for (text, kind) in [
            ("CLIENT", TokenKind::Client),
            ("Backend", TokenKind::Client),
            ("fRontend", TokenKind::Frontend),
            ("admin", TokenKind::Admin),
        ] {
            assert_eq!(text.parse(), Ok(kind));
        }
        for text in ["", "clients", " client", "proxy"] {
            assert_eq!(text.parse::<TokenKind>(), Err(UnknownTokenKind));
        }
    }

    #[test]
    fn only_admins_reach_all_environments_and_they_reach_everything() {
        let development = || EnvironmentScope::Only(EnvironmentName::new("development").expect("name"));
        let one = || ProjectScope::one(ProjectId::new("a").expect("id"));
        assert_eq!(
            TokenAccess::new(TokenKind::Admin, ProjectScope::All, EnvironmentScope::All),
            Ok(TokenAccess::Admin)
        );
        assert_eq!(
            TokenAccess::new(TokenKind::Admin, one(), EnvironmentScope::All),
            Err(AccessError::AdminNeedsAllProjects)
        );
        assert_eq!(
            TokenAccess::new(TokenKind::Admin, ProjectScope::All, development()),
            Err(AccessError::AdminNeedsAllEnvironments)
        );
        for kind in [TokenKind::Client, TokenKind::Frontend] {
            assert_eq!(
                TokenAccess::new(kind, one(), EnvironmentScope::All),
                Err(AccessError::NeedsOneEnvironment(kind))
            );
            assert_eq!(TokenAccess::new(kind, one(), development()).expect("a scope").kind(), kind);
        }
    }

    #[test]
    fn a_token_expires_on_the_very_moment() {
        let token = ApiToken { expires_at: Some(at(10)), ..api_token(at(0)) };
        assert!(!token.is_expired_at(at(9)));
        assert!(token.is_expired_at(at(10)));
    }

    proptest! {
        #[test]
        fn losing_a_project_never_widens_a_token(projects in project_scope(), gone in project_id(), frontend: bool) {
            let kind = if frontend { TokenKind::Frontend } else { TokenKind::Client };
            let environment = EnvironmentName::new("e").expect("name");
            let access = TokenAccess::new(kind, projects, EnvironmentScope::Only(environment)).expect("a scope");
            if let Some(rest) = access.without_project(&gone) {
                prop_assert!(rest.projects().is_within(access.projects()));
                prop_assert_eq!(rest.kind(), access.kind());
                prop_assert_eq!(rest.environment(), access.environment());
            }
        }
    }
}
