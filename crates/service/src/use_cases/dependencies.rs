//! What the use cases are made of: ports, and settings.

use std::{sync::Arc, time::Duration};

use latchkey_domain::{LeakAction, NoticeDays, Policy};
use latchkey_ports::{Clock, Entropy, EventWriter, PasswordHasher, SecretSealer, Store, WebhookSender};

use crate::{
    IndexSettings, IssuingSettings, MailOutlet, RetryPolicy, SelfService, SessionPolicy, accounts::Accounts,
    authentication::CredentialPorts, changes::Changes, sessions::SessionPorts,
    webhook_deliveries::SendingPorts,
};

/// The dependencies of the use cases.
#[derive(Clone)]
pub struct Dependencies {
    pub store: Arc<dyn Store>,
    /// Where last uses and rekeyings are written: the store itself, or, where that is a replica, the one that it is a replica of.
    /// Without one they are dropped.
    pub writable: Option<Arc<dyn Store>>,
    pub sealer: Arc<dyn SecretSealer>,
    pub hasher: Arc<dyn PasswordHasher>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// Sends events to webhooks, and writes what is sent.
    pub sender: Arc<dyn WebhookSender>,
    pub writer: Arc<dyn EventWriter>,
    /// A way to send mail, if there is one.
    pub mail: Option<MailOutlet>,
}

impl Dependencies {
    /// Returns those of sending to webhooks.
    pub(super) fn sending(&self) -> SendingPorts {
        SendingPorts {
            webhooks: self.store.clone(),
            events: self.store.clone(),
            consumers: self.store.clone(),
            sealer: self.sealer.clone(),
            sender: self.sender.clone(),
            writer: self.writer.clone(),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
        }
    }

    /// Returns the common part of users and service accounts.
    pub(super) fn accounts(&self, changes: Changes) -> Accounts {
        let store = &self.store;
        Accounts { users: store.clone(), access: store.clone(), groups: store.clone(), changes }
    }

    /// Returns those of finding credentials.
    pub(super) fn credentials(&self) -> CredentialPorts {
        CredentialPorts {
            tokens: self.store.clone(),
            personal_tokens: self.store.clone(),
            sessions: self.store.clone(),
        }
    }

    /// Returns those of sessions.
    pub(super) fn session_ports(&self) -> SessionPorts {
        SessionPorts {
            sessions: self.store.clone(),
            failures: self.store.clone(),
            users: self.store.clone(),
            hasher: self.hasher.clone(),
            sealer: self.sealer.clone(),
            entropy: self.entropy.clone(),
        }
    }
}

/// The settings of the use cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    pub tokens: IssuingSettings,
    /// What tokens must be like (`policy`).
    pub policy: Policy,
    /// How many days before a token ends there is a notice (`notices.expiring`).
    pub expiry_notices: NoticeDays,
    /// What API tokens may do with themselves (`tokens.self_service`).
    pub self_service: SelfService,
    pub index: IndexSettings,
    pub sessions: SessionPolicy,
    /// The maximum number of personal tokens per user or service account (`limits.personal_tokens`).
    pub personal_tokens: u32,
    /// How long events are kept (`audit.retention`); `None` = forever.
    pub retention: Option<Duration>,
    pub usage: UsageSettings,
    /// What becomes of a token whose secret has leaked (`leaks.action`).
    pub leaks: LeakAction,
    /// When deliveries to webhooks that fail are tried again.
    pub webhooks: RetryPolicy,
    /// Whether a process serves whose master keys are not those of the database (`secrets.accept_unknown_key`).
    pub accept_unknown_key: bool,
}

/// How the use of tokens is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageSettings {
    /// How long the counts are kept (`usage.retention`).
    pub retention: Duration,
    /// Whether the last addresses are kept (`usage.addresses`).
    pub addresses: bool,
}
