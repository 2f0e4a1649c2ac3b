//! All use cases over one set of ports, and their wiring.

mod dependencies;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use latchkey_domain::{Hour, Timestamp, TokenKind, VerifiedToken};
use latchkey_ports::{
    BudgetRepository, Clock, CountingMoments, Direction, KeyId, Page, PoolState, Statistics, Store,
    StoreError, TokenCounts, TokenQuery,
};

pub use self::dependencies::{Dependencies, Settings, UsageSettings};
use crate::{
    Attention, AuditSeals, AuditTrail, Authenticator, Caller, EdgeTokens, EndedUnused, Environments,
    FirstTokens, Groups, Idempotency, Importer, InstanceTokens, KeyImport, Leaks, LimitKeeper, Mail,
    MasterKeys, Members, Metrics, Notices, OwnToken, PersonalTokens, Policies, PrincipalIndex, ProjectTokens,
    Projects, Replicas, Roles, ServiceAccounts, ServiceError, Sessions, TaskHealth, TokenIssuer,
    UsageRecorder, UsageReports, Users, Verification, WebhookDeliveries, Webhooks, WhoAmI, changes::Changes,
    policy_rules::PolicyRules, rotation_ends::RotationEnds, token_changes::TokenChanges,
    unused_tokens::UnusedTokens,
};

/// All use cases; shared by all requests.
pub struct UseCases {
    pub authenticator: Arc<Authenticator>,
    pub verification: Verification,
    pub who_am_i: WhoAmI,
    pub sessions: Sessions,
    pub project_tokens: ProjectTokens,
    pub instance_tokens: InstanceTokens,
    pub own_token: OwnToken,
    /// Tokens of any scope, for the command line.
    pub issuer: Arc<TokenIssuer>,
    pub first_tokens: FirstTokens,
    pub key_import: KeyImport,
    pub edge_tokens: EdgeTokens,
    pub leaks: Leaks,
    pub notices: Notices,
    pub idempotency: Idempotency,
    pub importer: Importer,
    pub personal_tokens: PersonalTokens,
    pub users: Users,
    pub service_accounts: ServiceAccounts,
    pub roles: Roles,
    pub groups: Groups,
    pub members: Members,
    pub projects: Projects,
    pub policies: Policies,
    pub environments: Environments,
    pub audit_trail: AuditTrail,
    pub attention: Attention,
    pub usage_reports: UsageReports,
    pub audit_seals: AuditSeals,
    pub webhooks: Webhooks,
    pub webhook_deliveries: Arc<WebhookDeliveries>,
    pub mail: Mail,
    pub replicas: Replicas,
    pub task_health: TaskHealth,
    /// Secrets by master key.
    pub master_keys: MasterKeys,
    index: Arc<PrincipalIndex>,
    usage: Arc<UsageRecorder>,
    limits: Arc<LimitKeeper>,
    rotation_ends: RotationEnds,
    unused_tokens: UnusedTokens,
    store: Arc<dyn Store>,
    writable: Option<Arc<dyn Store>>,
    clock: Arc<dyn Clock>,
    counted: Mutex<Option<BTreeMap<TokenKind, TokenCounts>>>,
    retention: Option<Duration>,
    usage_retention: Duration,
    accept_unknown_key: bool,
}

impl UseCases {
    /// Wires the use cases.
    pub fn new(dependencies: Dependencies, settings: Settings) -> Self {
        let (sending, mail) = (dependencies.sending(), Mail::over(&dependencies));
        let (credentials, session_ports) = (dependencies.credentials(), dependencies.session_ports());
        let index = Arc::new(PrincipalIndex::new(settings.index, dependencies.clock.clone()));
        let replicas = Replicas::over(&dependencies, index.clone());
        let changes = Changes::new(dependencies.clock.clone(), index.clone());
        let accounts = dependencies.accounts(changes.clone());
        let Dependencies { store, writable, sealer, hasher, clock, entropy, .. } = dependencies;
        let usage = Arc::new(UsageRecorder::new(settings.usage.addresses));
        let rules = PolicyRules::new(settings.policy, store.clone());
        let webhook_deliveries = Arc::new(WebhookDeliveries::new(sending, index.clone(), settings.webhooks));
        let issuer = Arc::new(TokenIssuer::new(
            store.clone(),
            sealer.clone(),
            entropy.clone(),
            changes.clone(),
            settings.tokens,
            rules.clone(),
        ));
        let token_changes = TokenChanges {
            tokens: store.clone(),
            budgets: store.clone(),
            issuer: issuer.clone(),
            sealer: sealer.clone(),
            changes: changes.clone(),
            keeper: None,
        };
        let personal_tokens = PersonalTokens::new(
            store.clone(),
            sealer.clone(),
            entropy,
            changes.clone(),
            settings.personal_tokens,
        );
        let leaks = Leaks::new(store.clone(), token_changes.clone(), personal_tokens.clone(), settings.leaks);
        let notices = Notices::new(&store, rules.clone(), issuer.clone(), settings.expiry_notices);
        let idempotency = Idempotency::new(store.clone(), sealer.clone(), clock.clone());
        let audit_seals = AuditSeals::new(store.clone(), sealer.clone());
        let master_keys = MasterKeys::new(store.clone(), store.clone(), sealer.clone(), clock.clone());
        let importer = Importer::new(store.clone(), sealer.clone(), issuer.clone(), changes.clone());
        let budgets = writable.clone().map(|store| -> Arc<dyn BudgetRepository> { store });
        let limits = Arc::new(LimitKeeper::new(budgets, clock.clone(), settings.index.when_stale));
        let authenticator = Arc::new(Authenticator::new(
            credentials,
            sealer.clone(),
            clock.clone(),
            index.clone(),
            usage.clone(),
            limits.clone(),
        ));
        if writable.is_none() {
            authenticator.leave_keys();
        }
        Self {
            verification: Verification::new(authenticator.clone()),
            authenticator,
            limits,
            who_am_i: WhoAmI::new(store.clone(), store.clone()),
            sessions: Sessions::new(session_ports, changes.clone(), settings.sessions),
            project_tokens: ProjectTokens::new(token_changes.clone(), store.clone()),
            own_token: OwnToken::new(token_changes.clone(), settings.self_service),
            instance_tokens: InstanceTokens::new(token_changes),
            first_tokens: FirstTokens::new(store.clone(), issuer.clone()),
            key_import: KeyImport::new(store.clone(), issuer.clone(), sealer),
            edge_tokens: EdgeTokens::new(issuer.clone()),
            leaks,
            notices,
            idempotency,
            importer,
            users: Users::new(accounts.clone(), hasher),
            service_accounts: ServiceAccounts::new(accounts.clone(), personal_tokens.clone()),
            personal_tokens,
            roles: Roles::new(store.clone(), changes.clone()),
            groups: Groups::new(accounts.clone()),
            members: Members::new(accounts),
            projects: Projects::new(store.clone(), store.clone(), changes.clone()),
            policies: Policies::new(rules.clone(), store.clone(), store.clone(), changes.clone()),
            usage_reports: UsageReports::new(store.clone(), store.clone(), store.clone(), changes.clone()),
            environments: Environments::new(store.clone(), changes.clone()),
            attention: Attention::new(store.clone(), store.clone(), changes.clone()),
            audit_trail: AuditTrail::new(store.clone(), store.clone(), index.clone()),
            audit_seals,
            webhooks: Webhooks::new(webhook_deliveries.clone(), changes),
            webhook_deliveries,
            mail,
            replicas,
            task_health: TaskHealth::default(),
            master_keys,
            rotation_ends: RotationEnds::new(usage.clone(), issuer.clone()),
            unused_tokens: UnusedTokens::new(store.clone(), store.clone(), rules, issuer.clone()),
            issuer,
            index,
            usage,
            store,
            writable,
            clock,
            counted: Mutex::default(),
            retention: settings.retention,
            usage_retention: settings.usage.retention,
            accept_unknown_key: settings.accept_unknown_key,
        }
    }

    /// Applies the changes of other processes once; to be called at intervals well below
    /// [`crate::IndexSettings::max_staleness`].
    pub async fn follow_changes(&self) -> Result<(), StoreError> {
        self.index.follow(&*self.store).await
    }

    /// Waits until another process may have changed something, as [`latchkey_ports::EventRepository::event_announced`].
    pub async fn change_announced(&self) {
        self.store.event_announced().await;
    }

    /// Whether notifications work at this moment, as [`latchkey_ports::EventRepository::announces_events`].
    pub fn announces_changes(&self) -> bool {
        self.store.announces_events()
    }

    /// Returns the counts of authentications and the state of the principal index.
    pub fn metrics(&self) -> Metrics {
        self.authenticator.metrics()
    }

    /// Writes when tokens were last used, and returns of how many; to be called at intervals and at shutdown. If that
    /// fails, nothing is lost. Without a store that can be written, the last uses are dropped.
    pub async fn flush_usage(&self) -> Result<FlushedUsage, StoreError> {
        match &self.writable {
            Some(store) => self.usage.flush(&**store, &**store, &**store).await.map(FlushedUsage::Written),
            None => Ok(FlushedUsage::Dropped(self.usage.discard())),
        }
    }

    /// Writes what is counted of the limits of tokens, as [`LimitKeeper::settle`]; to be called at intervals.
    pub async fn settle_limits(&self) -> Result<(), StoreError> {
        self.limits.settle().await
    }

    /// Gives back what this process has taken of the limits of tokens, as [`LimitKeeper::finish`]; to be called at shutdown.
    pub async fn finish_limits(&self) -> Result<(), StoreError> {
        self.limits.finish().await
    }

    /// Returns how many requests of rate limits this process holds, as [`LimitKeeper::held_requests`].
    pub fn held_requests(&self) -> u64 {
        self.limits.held_requests()
    }

    /// Returns how many uses a token has left, if that is limited. Nothing is counted.
    pub async fn uses_left(&self, token: VerifiedToken<'_>) -> Result<Option<u64>, StoreError> {
        let Some(uses) = token.limits().and_then(|limits| limits.uses) else { return Ok(None) };
        let left = self.store.uses_left(&[(token.id, uses)], self.clock.now()).await?;
        Ok(left.first().copied())
    }

    /// Waits until the new secret of a rotation was used that ends with it.
    pub async fn first_use_noted(&self) {
        self.rotation_ends.noted().await;
    }

    /// Ends the rotations whose new secret was used, and returns their number; to be called when there is a first use, and again
    /// after a pause if it fails. Without a store that can be written, rotations are left to those that can.
    pub async fn end_rotations(&self) -> Result<usize, StoreError> {
        if let Some(store) = &self.writable {
            return self.rotation_ends.end(&**store).await;
        }
        self.rotation_ends.discard();
        Ok(0)
    }

    /// Disables and deletes tokens that are not used, as the policies say; to be called at intervals.
    pub async fn enforce_unused(&self) -> Result<EndedUnused, StoreError> {
        self.unused_tokens.enforce().await
    }

    /// Leaves a sign of life for replicas, as [`latchkey_ports::EventRepository::heartbeat`]; to be called at intervals.
    pub async fn heartbeat(&self) -> Result<(), StoreError> {
        match &self.writable {
            Some(store) => store.heartbeat().await,
            None => Ok(()),
        }
    }

    /// Finds out which of the configured master keys are older ones, as opposed to keys to come; to be called at the
    /// start, before other processes use those. If that fails, [`UseCases::flush_rekeyings`] retries.
    pub async fn learn_older_keys(&self) -> Result<(), StoreError> {
        self.authenticator.learn_older_keys(&*self.store).await.map(drop)
    }

    /// Moves the secrets that were used under an older master key to the current one; to be called at intervals and at
    /// shutdown. If that fails, nothing is lost. Without a store that can be written, they stay where they are.
    pub async fn flush_rekeyings(&self) -> Result<(), StoreError> {
        match &self.writable {
            Some(store) => self.authenticator.flush_rekeyings(&**store).await,
            None => Ok(()),
        }
    }

    /// Deletes expired entries, and events and counts of usage that are older than their retention; to be called at intervals. Returns
    /// the number of deleted entries.
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let mut ended = self.store.sweep(now).await?;
        if let Ok(oldest) = now.minus(self.usage_retention) {
            ended += self.store.forget_usage(Hour::of(oldest)).await?;
        }
        ended += self.webhook_deliveries.sweep(now).await?;
        ended += self.mail.sweep(now).await?;
        let Some(retention) = self.retention else { return Ok(ended) };
        // No event can be older than the first timestamp.
        let Ok(oldest) = now.minus(retention) else { return Ok(ended) };
        // Sealed events alone are deleted.
        self.audit_seals.seal().await?;
        Ok(ended + self.store.forget_events(oldest).await?)
    }

    /// Counts the API tokens by kind, as [`latchkey_ports::TokenRepository::count_tokens`].
    pub async fn count_tokens(&self) -> Result<Option<BTreeMap<TokenKind, TokenCounts>>, StoreError> {
        let counts = self.store.count_tokens(&CountingMoments::around(self.clock.now())).await?;
        if let Some(counts) = &counts {
            *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some(counts.clone());
        }
        Ok(counts)
    }

    /// Returns what this process counted last, for those who may read tokens of the kinds that they look at; `None` if it has
    /// counted nothing yet. It costs nothing, and is as old as the last call of [`UseCases::count_tokens`].
    pub fn counted_tokens(&self) -> Option<BTreeMap<TokenKind, TokenCounts>> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns how much the instance holds of each thing. Open to all callers of the administrative routes, as in Unleash.
    pub async fn statistics(&self, _: &Caller) -> Result<Statistics, ServiceError> {
        Ok(self.store.statistics().await?)
    }

    /// Returns how long what is swept is kept.
    pub fn retention(&self) -> Retention {
        Retention { events: self.retention, usage: self.usage_retention }
    }

    /// Returns the state of the store's connections.
    pub fn pools(&self) -> Vec<PoolState> {
        self.store.pools()
    }

    /// Returns the time of day.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the time since an arbitrary moment, to measure with.
    pub fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Returns the master key of the newest API token, if neither it nor that of the oldest one is configured. Then this process
    /// recognizes no secret of the database, and others do not recognize what it creates. An expired token says nothing: after
    /// a rotation, its key need not be configured any more.
    pub async fn unknown_key(&self) -> Result<Option<KeyId>, StoreError> {
        if self.master_keys.missing().await?.is_none() {
            return Ok(None);
        }
        let kinds = [TokenKind::Admin, TokenKind::Client, TokenKind::Frontend];
        let newest = TokenQuery {
            direction: Direction::Descending,
            page: Page::first(1),
            ..TokenQuery::of_kinds(kinds)
        };
        let newest = self.store.tokens(&newest).await?.into_iter().next();
        let newest = newest.filter(|stored| !stored.token.is_expired_at(self.clock.now()));
        let key = newest.map(|stored| stored.secret.key);
        Ok(key.filter(|key| !self.master_keys.configured().contains(key)))
    }

    /// Checks that the process can serve requests: the store answers, its master keys are those of the store, every
    /// background task runs, and a replica is not too far behind to verify by.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.task_health.check().map_err(|down| StoreError::Unavailable(Box::new(down)))?;
        self.index.check_use_of_lookup()?;
        self.store.ping().await?;
        match self.unknown_key().await? {
            Some(key) if !self.accept_unknown_key => Err(StoreError::Unavailable(Box::new(UnknownKey(key)))),
            _ => Ok(()),
        }
    }
}

/// How long things are kept that [`UseCases::sweep`] deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// `None`: for ever.
    pub events: Option<Duration>,
    pub usage: Duration,
}

/// What happened to the last uses that were recorded, by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlushedUsage {
    Written(usize),
    Dropped(usize),
}

/// The secrets of the store are under a master key that is not configured.
#[derive(Debug, thiserror::Error)]
#[error("the tokens of the database are under the master key {0}, which is not configured")]
pub struct UnknownKey(pub KeyId);
