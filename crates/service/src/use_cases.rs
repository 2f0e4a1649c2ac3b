//! All use cases over one set of ports: the one place where they are put together.

use std::{sync::Arc, time::Duration};

use latchkey_domain::Timestamp;
use latchkey_ports::{Clock, Entropy, PasswordHasher, SecretSealer, Store, StoreError};

use crate::{
    AuditTrail, Authenticator, Environments, FirstTokens, IndexSettings, InstanceTokens, MasterKeys, Members,
    Metrics, PersonalTokens, PrincipalIndex, ProjectTokens, Projects, Roles, ServiceAccounts, SessionPolicy,
    Sessions, TaskHealth, TokenIssuer, TokenPolicy, UsageRecorder, Users, Verification, WhoAmI,
    accounts::Accounts, authentication::CredentialPorts, changes::Changes, sessions::SessionPorts,
    token_changes::TokenChanges,
};

/// What the use cases stand on.
#[derive(Clone)]
pub struct Dependencies {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// What seals secrets.
    pub sealer: Arc<dyn SecretSealer>,
    /// What hashes passwords.
    pub hasher: Arc<dyn PasswordHasher>,
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
    /// What holds for sessions.
    pub sessions: SessionPolicy,
    /// The most personal tokens that a user, or a service account, may have (`limits.personal_tokens`).
    pub personal_tokens: u32,
    /// How long events are kept (`audit.retention`); `None` = for ever.
    pub retention: Option<Duration>,
}

/// Every use case, ready to be called; shared by all requests.
pub struct UseCases {
    /// Who is calling.
    pub authenticator: Arc<Authenticator>,
    /// Whether tokens are good, and for what.
    pub verification: Verification,
    /// Who the caller is, for the caller.
    pub who_am_i: WhoAmI,
    /// Signing in and out.
    pub sessions: Sessions,
    /// The tokens of a project.
    pub project_tokens: ProjectTokens,
    /// The tokens of the instance.
    pub instance_tokens: InstanceTokens,
    /// Tokens of any scope, for the command line.
    pub issuer: Arc<TokenIssuer>,
    /// The tokens that an instance starts with.
    pub first_tokens: FirstTokens,
    /// The caller's personal tokens.
    pub personal_tokens: PersonalTokens,
    /// Users.
    pub users: Users,
    /// Service accounts and their tokens.
    pub service_accounts: ServiceAccounts,
    /// Roles.
    pub roles: Roles,
    /// Who holds which roles in a project.
    pub members: Members,
    /// Projects.
    pub projects: Projects,
    /// Environments.
    pub environments: Environments,
    /// The audit trail.
    pub audit_trail: AuditTrail,
    /// The state of the background tasks.
    pub task_health: TaskHealth,
    /// What is kept under which master key.
    pub master_keys: MasterKeys,
    index: Arc<PrincipalIndex>,
    usage: Arc<UsageRecorder>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    retention: Option<Duration>,
}

impl UseCases {
    /// Puts the use cases together.
    #[must_use]
    pub fn new(surroundings: Dependencies, settings: Settings) -> Self {
        let Dependencies { store, sealer, hasher, clock, entropy } = surroundings;
        let index = Arc::new(PrincipalIndex::new(settings.index, clock.clone()));
        let usage = Arc::new(UsageRecorder::default());
        let changes = Changes::new(clock.clone(), index.clone());
        let issuer = Arc::new(TokenIssuer::new(
            store.clone(),
            sealer.clone(),
            entropy.clone(),
            changes.clone(),
            settings.tokens,
        ));
        let token_changes = TokenChanges {
            tokens: store.clone(),
            issuer: issuer.clone(),
            sealer: sealer.clone(),
            changes: changes.clone(),
        };
        let accounts = Accounts { users: store.clone(), access: store.clone(), changes: changes.clone() };
        let personal_tokens = PersonalTokens::new(
            store.clone(),
            sealer.clone(),
            entropy.clone(),
            changes.clone(),
            settings.personal_tokens,
        );
        let credentials = CredentialPorts {
            tokens: store.clone(),
            personal_tokens: store.clone(),
            sessions: store.clone(),
        };
        let session_ports = SessionPorts {
            sessions: store.clone(),
            failures: store.clone(),
            users: store.clone(),
            hasher: hasher.clone(),
            sealer: sealer.clone(),
            entropy,
        };
        let master_keys = MasterKeys::new(store.clone(), sealer.clone(), clock.clone());
        let authenticator =
            Arc::new(Authenticator::new(credentials, sealer, clock.clone(), index.clone(), usage.clone()));
        Self {
            verification: Verification::new(authenticator.clone()),
            authenticator,
            who_am_i: WhoAmI::new(store.clone(), store.clone()),
            sessions: Sessions::new(session_ports, changes.clone(), settings.sessions),
            project_tokens: ProjectTokens::new(token_changes.clone(), store.clone()),
            instance_tokens: InstanceTokens::new(token_changes),
            first_tokens: FirstTokens::new(store.clone(), issuer.clone()),
            users: Users::new(accounts.clone(), hasher),
            service_accounts: ServiceAccounts::new(accounts.clone(), personal_tokens.clone()),
            personal_tokens,
            roles: Roles::new(store.clone(), changes.clone()),
            members: Members::new(accounts),
            projects: Projects::new(store.clone(), store.clone(), changes.clone()),
            environments: Environments::new(store.clone(), changes),
            audit_trail: AuditTrail::new(store.clone(), store.clone()),
            task_health: TaskHealth::default(),
            master_keys,
            issuer,
            index,
            usage,
            store,
            clock,
            retention: settings.retention,
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

    /// Returns when another process may have changed something, where the store can tell: then it is worth while to follow
    /// at once ([`EventRepository::event_announced`](latchkey_ports::EventRepository::event_announced)).
    pub async fn change_announced(&self) {
        self.store.event_announced().await;
    }

    /// Whether at this moment [`UseCases::change_announced`] tells of every change, so that looking besides can wait
    /// longer. It returns when that ends.
    #[must_use]
    pub fn announces_changes(&self) -> bool {
        self.store.announces_events()
    }

    /// From where callers were recognised, and how the index of principals does.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.authenticator.metrics()
    }

    /// Writes when tokens were last seen; to be called at intervals and at shutdown.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; nothing is lost.
    pub async fn flush_usage(&self) -> Result<(), StoreError> {
        self.usage.flush(&*self.store, &*self.store).await
    }

    /// Finds out which of the configured master keys are older ones, and not yet to come; to be called at the start, before
    /// other processes make anything with those.
    ///
    /// # Errors
    /// [`StoreError`]; [`UseCases::flush_rekeyings`] tries again.
    pub async fn learn_older_keys(&self) -> Result<(), StoreError> {
        self.authenticator.learn_older_keys(&*self.store).await.map(drop)
    }

    /// Puts what was used under an older master key under the current one; to be called at intervals and at shutdown.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; nothing is lost.
    pub async fn flush_rekeyings(&self) -> Result<(), StoreError> {
        self.authenticator.flush_rekeyings(&*self.store).await
    }

    /// Forgets what has ended and can never be used again, and events older than the retention; to be called at
    /// intervals. Says how many entries went.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let ended = self.store.sweep(now).await?;
        let Some(retention) = self.retention else { return Ok(ended) };
        let kept = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
        let oldest = Timestamp::from_millis(now.millis().saturating_sub(kept));
        // Before the first moment there is, nothing can be older.
        let Ok(oldest) = oldest else { return Ok(ended) };
        Ok(ended + self.store.forget_events(oldest).await?)
    }

    /// Checks that the process can serve requests: the store answers, and every background task runs.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.task_health.check().map_err(|down| StoreError::Unavailable(Box::new(down)))?;
        self.store.ping().await
    }
}
