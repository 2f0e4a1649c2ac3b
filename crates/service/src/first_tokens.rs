//! The first tokens of a new instance: those of `INIT_*_API_TOKENS`, or one generated admin token.

use std::sync::Arc;

use latchkey_domain::{
    AccessError, InvalidName, InvalidSecret, TokenAccess, TokenKind, TokenName, TokenSecret, UnreadablePrefix,
};
use latchkey_ports::TokenRepository;

use crate::{Initiator, ServiceError, TokenDraft, TokenIssuer};

/// An environment variable that lists secrets of first tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitVariable {
    /// Its name, for errors.
    pub name: &'static str,
    pub kind: TokenKind,
}

/// Why a first token cannot be created. Names the variable and the position in it, never the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: entry {entry}: {fault}")]
pub struct InitError {
    pub variable: &'static str,
    /// The position in its list, from 1.
    pub entry: usize,
    pub fault: InitFault,
}

/// The fault of a first token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InitFault {
    #[error(transparent)]
    Secret(#[from] InvalidSecret),
    #[error(transparent)]
    Prefix(#[from] UnreadablePrefix),
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// The secrets of first tokens, with their access.
#[derive(Debug, Default)]
pub struct InitTokens(Vec<(TokenSecret, TokenAccess)>);

impl InitTokens {
    /// Adds the secrets of one variable, separated by commas and trimmed. A secret that was added before takes the
    /// later type.
    ///
    /// # Errors
    /// [`InitError`] for the first invalid entry.
    pub fn add(&mut self, variable: InitVariable, list: &str) -> Result<(), InitError> {
        for (index, entry) in list.split(',').enumerate() {
            let (secret, access) = read_entry(variable.kind, entry.trim()).map_err(|fault| InitError {
                variable: variable.name,
                entry: index + 1,
                fault,
            })?;
            self.0.retain(|(known, _)| known.reveal() != secret.reveal());
            self.0.push((secret, access));
        }
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn read_entry(kind: TokenKind, entry: &str) -> Result<(TokenSecret, TokenAccess), InitFault> {
    let secret = TokenSecret::parse(entry)?;
    let prefix = secret.prefix()?;
    let access = TokenAccess::new(kind, prefix.projects()?, prefix.environment())?;
    Ok((secret, access))
}

/// Creates the first tokens of an instance.
pub struct FirstTokens {
    tokens: Arc<dyn TokenRepository>,
    issuer: Arc<TokenIssuer>,
}

impl FirstTokens {
    /// Returns the use case over these ports.
    pub fn new(tokens: Arc<dyn TokenRepository>, issuer: Arc<TokenIssuer>) -> Self {
        Self { tokens, issuer }
    }

    /// Creates the given tokens, all named `admin`, if the store holds no API token yet. Returns whether it did.
    ///
    /// # Errors
    /// [`ServiceError`] for an unknown project or environment, or an unavailable store; then none is created.
    pub async fn create(&self, init: InitTokens) -> Result<bool, ServiceError> {
        let by = Initiator::system();
        let mut first = Vec::with_capacity(init.0.len());
        for (secret, access) in init.0 {
            let draft = TokenDraft::new(first_name()?, access);
            first.push(self.issuer.prepare(draft, &secret, &by)?);
        }
        if first.is_empty() {
            return Ok(false);
        }
        let created = self.tokens.create_first_tokens(&first).await?;
        if created {
            for one in &first {
                self.issuer.after_commit(&one.event);
            }
        }
        Ok(created)
    }

    /// Creates one admin token if the store holds no API token yet, and returns its secret; `None` if there are tokens.
    pub async fn create_admin(&self) -> Result<Option<TokenSecret>, ServiceError> {
        let secret = self.issuer.mint(&TokenAccess::Admin);
        let mut init = InitTokens::default();
        init.0.push((secret.clone(), TokenAccess::Admin));
        Ok(self.create(init).await?.then_some(secret))
    }
}

fn first_name() -> Result<TokenName, ServiceError> {
    TokenName::new("admin").map_err(|error: InvalidName| ServiceError::Internal(Box::new(error)))
}
