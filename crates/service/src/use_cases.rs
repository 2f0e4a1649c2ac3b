//! All use cases over one set of ports: the one place where they are put together.

use std::sync::Arc;

use latchkey_ports::{Clock, Entropy, SecretSealer, Store, StoreError};

use crate::{
    Authenticator, FirstTokens, IndexSettings, People, PrincipalIndex, ProjectTokens, Projects, SeenLedger,
    TokenIssuer, TokenPolicy,
};

/// What the use cases stand on.
#[derive(Clone)]
pub struct Surroundings {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// What seals secrets.
    pub sealer: Arc<dyn SecretSealer>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
}

/// What an operator decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// What holds for tokens.
    pub tokens: TokenPolicy,
    /// What holds for the index of principals.
    pub index: IndexSettings,
}

/// Every use case, ready to be called; shared by all requests.
pub struct UseCases {
    /// Who is calling.
    pub authenticator: Authenticator,
    /// The tokens of a project.
    pub project_tokens: ProjectTokens,
    /// Tokens of any scope, for the command line.
    pub issuer: Arc<TokenIssuer>,
    /// The tokens that an instance starts with.
    pub first_tokens: FirstTokens,
    /// Users and their personal tokens.
    pub people: People,
    /// Projects.
    pub projects: Projects,
    index: Arc<PrincipalIndex>,
    seen: Arc<SeenLedger>,
    store: Arc<dyn Store>,
}

impl UseCases {
    /// Puts the use cases together.
    #[must_use]
    pub fn new(surroundings: Surroundings, settings: Settings) -> Self {
        let Surroundings { store, sealer, clock, entropy } = surroundings;
        let index = Arc::new(PrincipalIndex::new(settings.index, clock.clone()));
        let seen = Arc::new(SeenLedger::default());
        let chance = (clock.clone(), entropy);
        let issuer = Arc::new(TokenIssuer::new(
            store.clone(),
            sealer.clone(),
            chance.clone(),
            index.clone(),
            settings.tokens,
        ));
        Self {
            authenticator: Authenticator::new(
                (store.clone(), store.clone()),
                sealer.clone(),
                clock.clone(),
                index.clone(),
                seen.clone(),
            ),
            project_tokens: ProjectTokens::new(
                store.clone(),
                issuer.clone(),
                sealer.clone(),
                clock.clone(),
                index.clone(),
            ),
            first_tokens: FirstTokens::new(store.clone(), issuer.clone()),
            people: People::new((store.clone(), store.clone(), store.clone()), sealer, chance, index.clone()),
            projects: Projects::new(store.clone(), clock),
            issuer,
            index,
            seen,
            store,
        }
    }

    /// Looks once whether another process changed anything; to be called at intervals well below
    /// [`IndexSettings::max_staleness`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn follow_changes(&self) -> Result<(), StoreError> {
        self.index.follow(&*self.store).await
    }

    /// Writes when tokens were last seen; to be called at intervals and at shutdown.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; nothing is lost.
    pub async fn flush_seen(&self) -> Result<(), StoreError> {
        self.seen.flush(&*self.store, &*self.store).await
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }
}
