//! Wires the use cases to the configured store, for servers and commands alike.

use std::sync::Arc;

use latchkey_crypto::{Argon2Hasher, Sealer, SystemEntropy};
use latchkey_delivery::{AllowedNetworks, HttpSender};
use latchkey_http::EventPayloads;
use latchkey_ports::{Clock, Entropy, Observed, Quota, Store};
use latchkey_service::{
    Dependencies, IndexSettings, IssuingSettings, RetryPolicy, SessionPolicy, Settings, UsageSettings,
    UseCases,
};

use crate::{
    clock::SystemClock,
    config::{Config, EnvVars},
    keys, mail,
    store::{self, Connected, IfMissing},
};

/// The use cases with their dependencies.
pub(crate) struct App {
    pub(crate) use_cases: Arc<UseCases>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl App {
    /// Loads the master keys, opens the store, applies migrations if the role does, and builds the use cases.
    pub(crate) async fn open(
        config: &Config,
        variables: &EnvVars,
        if_missing: IfMissing,
    ) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        if if_missing == IfMissing::Fail {
            store::check_file(&config.database.url)?;
        }
        // Before the database: a new database without its key would look like one whose key is lost.
        let mail = mail::outlet(config, variables)?;
        let ring = keys::ring(config, variables)?;
        let sealer = Arc::new(Sealer::new(&ring, entropy.clone()));
        let connected = match if_missing {
            IfMissing::Create => Connected::to(&config.database.url, config).await?,
            IfMissing::Fail => Connected::to_existing(&config.database.url, config).await?,
        };
        let role = config.server.role;
        connected.prepare(role).await?;
        let system = config.database.url.system();
        let observed =
            |store| -> Arc<dyn Store> { Arc::new(Observed::<dyn Store>::new(store, clock.clone(), system)) };
        let store = observed(connected.into_store());
        let writable =
            if role.administers() { Some(store.clone()) } else { store::primary(config)?.map(observed) };
        let allowed = AllowedNetworks::new(config.webhooks.allowed_networks.iter().copied());
        let dependencies = Dependencies {
            store: store.clone(),
            writable,
            sealer,
            hasher: Arc::new(Argon2Hasher::new(entropy.clone())),
            clock: clock.clone(),
            entropy: entropy.clone(),
            sender: Arc::new(HttpSender::new(allowed, clock.clone())),
            writer: Arc::new(EventPayloads),
            mail,
        };
        let use_cases = Arc::new(UseCases::new(dependencies, settings(config)?));
        Ok(Self { use_cases, store, clock, entropy })
    }
}

fn settings(config: &Config) -> anyhow::Result<Settings> {
    Ok(Settings {
        tokens: IssuingSettings {
            quota: Quota(config.limits.api_tokens.into()),
            reveal: config.tokens.reveal,
            format: config.tokens.format,
            allow_admin: config.tokens.allow_admin,
        },
        policy: config.policy.policy()?,
        expiry_notices: config.notices.expiring,
        self_service: config.tokens.self_service,
        index: IndexSettings {
            capacity: usize::try_from(config.verify.cache_entries).unwrap_or(usize::MAX),
            max_staleness: config.verify.max_staleness,
            when_stale: config.verify.when_stale,
            unknown_per_second: config.verify.unknown_per_second,
            lookups: config.server.role.lookups(),
        },
        sessions: SessionPolicy { ttl: config.sessions.ttl, max_per_user: config.sessions.max_per_user },
        personal_tokens: config.limits.personal_tokens,
        retention: config.audit.retention,
        usage: UsageSettings { retention: config.usage.retention, addresses: config.usage.addresses },
        leaks: config.leaks.action,
        webhooks: RetryPolicy {
            first_pause: config.webhooks.retry_after,
            give_up_after: config.webhooks.give_up_after,
        },
        accept_unknown_key: config.secrets.accept_unknown_key,
    })
}
