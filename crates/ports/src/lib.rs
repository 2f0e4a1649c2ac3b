//! # The ports of Latchkey
//!
//! The traits through which the use cases reach the outside world: stores, sealing of secrets, time and randomness.
//! They speak the domain, take and return domain types, and fail with errors that a caller can act on.
//!
//! Lives here: traits, the few types that only they need ([`StoredToken`], [`SecretRecord`]), the content of a new
//! store ([`initial_data`]), and the decorator that measures every call ([`Observed`]). May not live here: other implementations.
//!
//! Every mutating method takes the event that it must record, and commits both or neither. A future that is dropped
//! half-way leaves a store as if the call had finished, or as if it had never been made. Every method of a store can
//! fail with [`StoreError::Unavailable`] and [`StoreError::Fault`], and with [`StoreError::Inconsistent`] if it reads
//! rows; its section on errors names the others.
//!
//! Read on in `latchkey-service`, which calls these traits, and `crates/adapters/*`, which implement them.
//! With the feature `mocks`, each trait has a mock made by mockall (`MockTokenRepository`, …), and time and randomness
//! have simple test doubles (`ManualClock`, `CountingEntropy`).

mod access;
mod archive;
mod audit;
mod budgets;
mod clock_and_entropy;
#[cfg(feature = "mocks")]
mod doubles;
mod error;
mod error_chain;
mod event_consumers;
mod feed;
mod groups;
mod health;
mod idempotency;
mod import;
mod incoming;
pub mod initial_data;
mod mail;
mod master_keys;
mod notices;
mod observed;
mod passwords;
mod people;
mod places;
mod policies;
mod queries;
mod replicas;
mod sealing;
mod seals;
mod sending;
mod sessions;
mod settled;
mod statistics;
mod tokens;
mod usage;
mod webhooks;

pub use access::{AccessRepository, Holdings, Member, MembersChange, Memberships};
pub use archive::{
    Archive, ArchiveChunk, ArchiveError, ArchiveHeader, ArchiveRow, ArchiveRows, ArchivedColumn,
    ArchivedTable, ColumnKind, SchemaState,
};
pub use audit::{EventPage, EventRepository};
pub use budgets::{BudgetRepository, RateGrant, TakenUses, UsesDemand};
pub use clock_and_entropy::{Clock, Entropy, EntropyExt};
pub use error::{Entity, Inconsistency, StoreError};
pub use error_chain::ErrorChain;
pub use event_consumers::{ConsumerMove, EventConsumerRepository};
pub use feed::{Change, Continuity, FeedPage, FeedPosition, FeedReading, Stamp};
pub use groups::{GroupOverview, GroupRepository, MemberGroup};
pub use health::{Health, PoolState};
pub use idempotency::{AnswerKey, IdempotencyRepository, KeptAnswer};
pub use import::{
    Import, ImportRepository, ImportedGroup, ImportedMemberships, ImportedPersonalToken, ImportedProject,
    ImportedUser, Reference, References, ResolvedMemberships, TokenPortion, TokenPortions,
};
pub use incoming::{
    Finding, Incoming, IncomingEvent, IncomingGroup, IncomingMembership, IncomingPersonalToken,
    IncomingSecret, IncomingToken, IncomingUser, Outcome, RowKind,
};
pub use mail::{
    DigestDay, DigestId, MAX_MAILING, MailAttempt, MailDigest, MailFailure, MailItem, MailRepository, Mailer,
    NewMail, OutgoingMail,
};
pub use master_keys::{
    MasterKeyRepository, Rekeying, SecretCount, SecretForm, SecretOf, SecretsByKey, TokenSecrets,
};
pub use notices::{NewNotice, NoticeRepository};
pub use observed::{Observed, STORE_CALLS};
pub use passwords::{HashingError, PasswordHasher};
pub use people::{Account, PasswordChange, PersonalTokenHolder, PersonalTokenRepository, UserRepository};
pub use places::{EnvironmentOverview, EnvironmentRepository, ProjectOverview, ProjectRepository};
pub use policies::PolicyRepository;
pub use queries::{
    AttributeFilter, Direction, Ends, EventQuery, EventScope, Page, ProjectQuery, ReadableTokens, TokenOrder,
    TokenQuery,
};
pub use replicas::{Replica, ReplicaId, ReplicaRepository};
pub use sealing::{
    ForeignDigest, InvalidForeignDigest, KeyId, SealedBytes, SealingError, SecretDigest, SecretRecord,
    SecretSealer,
};
pub use seals::EventSeal;
pub use sending::{DeliveryOutcome, EventWriter, MAX_SENDING, Outgoing, Sent, WebhookSender};
pub use sessions::{LoginFailureRepository, LoginKey, SessionHolder, SessionRepository, SessionStart};
pub use settled::{SettledEvents, SettledReading, Settlement};
pub use statistics::{Statistics, StatisticsRepository};
pub use tokens::{
    CountingMoments, Demand, MAX_TOKEN_USES, NewToken, Quota, Rotation, StoredToken, TokenCounts, TokenMatch,
    TokenRepository, TokenUpdate,
};
pub use usage::{SeenAddress, TokenUsage, UsageRepository, UsageScope, UseCount, UsedToken};
pub use webhooks::{Attempt, Claim, Delivery, DeliveryQuery, NewDelivery, StoredWebhook, WebhookRepository};

#[cfg(feature = "mocks")]
pub use {
    access::MockAccessRepository,
    audit::MockEventRepository,
    budgets::MockBudgetRepository,
    clock_and_entropy::{MockClock, MockEntropy},
    doubles::{CountingEntropy, ManualClock, PlainWriter, RecordingMailer, RecordingSender},
    event_consumers::MockEventConsumerRepository,
    groups::MockGroupRepository,
    health::MockHealth,
    idempotency::MockIdempotencyRepository,
    import::MockImportRepository,
    mail::{MockMailRepository, MockMailer},
    master_keys::MockMasterKeyRepository,
    notices::MockNoticeRepository,
    passwords::MockPasswordHasher,
    people::{MockPersonalTokenRepository, MockUserRepository},
    places::{MockEnvironmentRepository, MockProjectRepository},
    policies::MockPolicyRepository,
    replicas::MockReplicaRepository,
    sealing::MockSecretSealer,
    sending::{MockEventWriter, MockWebhookSender},
    sessions::{MockLoginFailureRepository, MockSessionRepository},
    statistics::MockStatisticsRepository,
    tokens::MockTokenRepository,
    usage::MockUsageRepository,
    webhooks::MockWebhookRepository,
};

/// A store: every repository in one. The program holds one as `Arc<dyn Store>` and passes each use case the
/// repositories that it needs.
pub trait Store:
    TokenRepository
    + ProjectRepository
    + PolicyRepository
    + EnvironmentRepository
    + UserRepository
    + AccessRepository
    + GroupRepository
    + PersonalTokenRepository
    + SessionRepository
    + LoginFailureRepository
    + IdempotencyRepository
    + EventRepository
    + MasterKeyRepository
    + StatisticsRepository
    + UsageRepository
    + BudgetRepository
    + WebhookRepository
    + EventConsumerRepository
    + MailRepository
    + NoticeRepository
    + ReplicaRepository
    + ImportRepository
    + Health
{
}

impl<T> Store for T where
    T: TokenRepository
        + ProjectRepository
        + PolicyRepository
        + EnvironmentRepository
        + UserRepository
        + AccessRepository
        + GroupRepository
        + PersonalTokenRepository
        + SessionRepository
        + LoginFailureRepository
        + IdempotencyRepository
        + EventRepository
        + MasterKeyRepository
        + StatisticsRepository
        + UsageRepository
        + BudgetRepository
        + WebhookRepository
        + EventConsumerRepository
        + MailRepository
        + NoticeRepository
        + ReplicaRepository
        + ImportRepository
        + Health
{
}
