//! The tokens that a new instance starts with: those of `INIT_*_API_TOKENS`, or one admin token of its own making.

use std::sync::Arc;

use latchkey_domain::{
    AccessError, InvalidName, InvalidSecret, TokenAccess, TokenKind, TokenName, TokenSecret, UnreadablePrefix,
};
use latchkey_ports::TokenRepository;

use crate::{Initiator, ServiceError, TokenDraft, TokenIssuer};

/// One of the variables that name secrets to start with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitVariable {
    /// What it is called, for errors.
    pub name: &'static str,
    /// What its tokens are for.
    pub kind: TokenKind,
}

/// Why a start-up token cannot be. Names the variable and the place in it, never the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: entry {entry}: {fault}")]
pub struct InitError {
    /// The variable.
    pub variable: &'static str,
    /// The place in its list, from 1.
    pub entry: usize,
    /// What is wrong with it.
    pub fault: InitFault,
}

/// What is wrong with a start-up token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InitFault {
    /// It is no secret.
    #[error(transparent)]
    Secret(#[from] InvalidSecret),
    /// Its prefix does not say where it belongs.
    #[error(transparent)]
    Prefix(#[from] UnreadablePrefix),
    /// Its prefix does not go with its type.
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// Secrets to start with, and what each may reach.
#[derive(Debug, Default)]
pub struct InitTokens(Vec<(TokenSecret, TokenAccess)>);

impl InitTokens {
    /// Adds the secrets of one variable, separated by commas, blanks around them dropped. A secret that is there
    /// already takes the later type, as in the reference.
    ///
    /// # Errors
    /// [`InitError`] for the first entry that cannot be a token.
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
    #[must_use]
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

/// Makes an instance's first tokens.
pub struct FirstTokens {
    tokens: Arc<dyn TokenRepository>,
    issuer: Arc<TokenIssuer>,
}

impl FirstTokens {
    /// The use case over these ports.
    #[must_use]
    pub fn new(tokens: Arc<dyn TokenRepository>, issuer: Arc<TokenIssuer>) -> Self {
        Self { tokens, issuer }
    }

    /// Creates the given tokens, all named `admin` as in the reference, where the store holds no API token yet. Says
    /// whether it did.
    ///
    /// # Errors
    /// [`ServiceError`] for an unknown project or environment, a store out of reach; then none is created.
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
                self.issuer.made(&one.event);
            }
        }
        Ok(created)
    }

    /// Creates one admin token with a new secret where the store holds no API token yet, and shows the secret; `None`
    /// where there are tokens already.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`].
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
