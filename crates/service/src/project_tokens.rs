//! The tokens of a project: list, create, revoke (contract, "Project tokens").

use std::sync::Arc;

use latchkey_domain::{
    EnvironmentName, EnvironmentScope, EventKind, InvalidName, NewEvent, ProjectId, ProjectScope, Snapshot,
    Timestamp, TokenAccess, TokenId, TokenKind, TokenName, TokenSecret,
};
use latchkey_ports::{Clock, SecretSealer, StoredToken, TokenRepository};

use crate::{
    CreateTokens, DeleteTokens, Missing, Permit, PrincipalIndex, ReadTokens, Refusal, RevealedToken,
    TokenDraft, TokenIssuer, issuing::token_event,
};

/// The environment of a token that names none (contract, "Create body").
const DEFAULT_ENVIRONMENT: &str = "development";

/// What is asked for when a token is to be created in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectTokenDraft {
    /// Its name.
    pub name: TokenName,
    /// What it is for.
    pub kind: TokenKind,
    /// Where it works; `None` = `development`.
    pub environment: Option<EnvironmentScope>,
    /// The projects it names; `None` = the route's, which is the only one allowed.
    pub projects: Option<ProjectScope>,
    /// When it ends; `None` = never.
    pub expires_at: Option<Timestamp>,
}

/// How a request names a token: by its secret, or by the id that lists show for a show-once token.
#[derive(Debug)]
pub enum TokenReference {
    /// The id.
    Id(TokenId),
    /// The secret.
    Secret(TokenSecret),
}

impl TokenReference {
    /// Reads a reference; `None` for what can be neither, and so names no token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match TokenId::parse(text) {
            Some(id) => Some(Self::Id(id)),
            None => TokenSecret::parse(text).ok().map(Self::Secret),
        }
    }
}

/// The use cases.
pub struct ProjectTokens {
    tokens: Arc<dyn TokenRepository>,
    issuer: Arc<TokenIssuer>,
    sealer: Arc<dyn SecretSealer>,
    clock: Arc<dyn Clock>,
    index: Arc<PrincipalIndex>,
}

impl ProjectTokens {
    /// The use cases over these ports.
    #[must_use]
    pub fn new(
        tokens: Arc<dyn TokenRepository>,
        issuer: Arc<TokenIssuer>,
        sealer: Arc<dyn SecretSealer>,
        clock: Arc<dyn Clock>,
        index: Arc<PrincipalIndex>,
    ) -> Self {
        Self { tokens, issuer, sealer, clock, index }
    }

    /// The tokens that name the project, by creation, then id.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for an unknown project; [`Refusal::Unavailable`].
    pub async fn list(&self, permit: &Permit<ReadTokens>) -> Result<Vec<RevealedToken>, Refusal> {
        let stored = self.tokens.tokens_of_project(permit.project()).await?;
        stored.into_iter().map(|token| self.issuer.reveal(token)).collect()
    }

    /// Creates a token for the project and shows its secret.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for an admin token, other projects, no or an unknown environment; then
    /// [`Refusal::NotFound`] for an unknown project; [`Refusal::LimitReached`]; [`Refusal::Unavailable`].
    pub async fn create(
        &self,
        permit: &Permit<CreateTokens>,
        draft: ProjectTokenDraft,
    ) -> Result<RevealedToken, Refusal> {
        let draft = in_project(permit.project(), draft)?;
        self.issuer.issue(draft, permit.initiator()).await
    }

    /// Revokes a token of the project; it is refused from the answer on.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where the project has no such token; [`Refusal::Invalid`] for a token of several projects,
    /// which is not this project's alone to revoke; [`Refusal::Unavailable`].
    pub async fn delete(
        &self,
        permit: &Permit<DeleteTokens>,
        reference: &TokenReference,
    ) -> Result<(), Refusal> {
        let StoredToken { token, .. } = self.find(reference).await?.ok_or(Missing::Token)?;
        if !token.access.projects().names(permit.project()) {
            return Err(Missing::Token.into());
        }
        if token.access.projects().named().len() > 1 {
            return Err(Refusal::Invalid {
                field: None,
                message: "This token belongs to several projects: delete it as an instance token.".to_owned(),
            });
        }
        let event = token_event(EventKind::ApiTokenDeleted, &token, permit.initiator(), self.clock.now());
        let event = NewEvent { before: Some(Snapshot::from(&token)), ..event };
        self.tokens.delete_token(token.id, &event).await?;
        self.index.forget_all();
        Ok(())
    }

    async fn find(&self, reference: &TokenReference) -> Result<Option<StoredToken>, Refusal> {
        match reference {
            TokenReference::Id(id) => Ok(self.tokens.find_token(*id).await?),
            TokenReference::Secret(secret) => {
                let digests = self.sealer.digests(secret);
                let found = self.tokens.find_token_by_digest(&digests).await?;
                // An alias authenticates, but it does not name a token (reference, chapter 9).
                Ok(found.filter(|stored| digests.contains(&stored.secret.digest)))
            }
        }
    }
}

/// The draft with the project of the route, if it is a token that a project may have.
fn in_project(project: &ProjectId, draft: ProjectTokenDraft) -> Result<TokenDraft, Refusal> {
    let ProjectTokenDraft { name, kind, environment, projects, expires_at } = draft;
    if kind == TokenKind::Admin {
        return Err(Refusal::field("type", "A project has no admin tokens: send client or frontend."));
    }
    let own = ProjectScope::one(project.clone());
    if projects.is_some_and(|projects| projects != own) {
        let message =
            format!("A token created here is for the project \"{project}\" alone: leave projects out.");
        return Err(Refusal::field("projects", message));
    }
    let environment = match environment {
        Some(environment) => environment,
        None => EnvironmentScope::Only(default_environment()?),
    };
    let access = TokenAccess::new(kind, own, environment)
        .map_err(|error| Refusal::field("environment", capitalised(&error.to_string())))?;
    Ok(TokenDraft { name, access, expires_at })
}

fn default_environment() -> Result<EnvironmentName, Refusal> {
    EnvironmentName::new(DEFAULT_ENVIRONMENT).map_err(|error: InvalidName| Refusal::Internal(Box::new(error)))
}

fn capitalised(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters
        .next()
        .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), characters.as_str()))
}
