//! Answers that are kept, so that a request that is sent again is answered as before and changes nothing again.

use std::time::Duration;

use async_trait::async_trait;
use latchkey_domain::{EventId, NewEvent, Timestamp};
use latchkey_port_macros::observed;

use crate::{NewToken, Rotation, SealedBytes, StoreError};

/// What an answer is kept under: a digest of the caller, the operation and the key that the caller chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnswerKey(pub [u8; 32]);

/// The answer to a request, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// What it is kept under.
    pub key: AnswerKey,
    /// A digest of the request's body, so that another request under the same key is told apart.
    pub fingerprint: [u8; 32],
    /// When the request was answered.
    pub at: Timestamp,
    /// Its body, which holds secrets.
    pub body: SealedBytes,
}

impl KeptAnswer {
    /// How long answers are kept.
    pub const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

    /// Returns the moment before which answers are no longer kept.
    pub fn kept_since(now: Timestamp) -> Timestamp {
        let span = i64::try_from(Self::KEPT_FOR.as_millis()).unwrap_or(i64::MAX);
        Timestamp::saturating_from_millis(now.millis().saturating_sub(span))
    }
}

/// The answers that are kept. The change and its answer are committed together, so that of several requests with one key one is
/// carried out, whenever a process is killed.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait IdempotencyRepository: Send + Sync {
    /// Returns the answer that is kept under this key, however old it is.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn find_answer(&self, key: &AnswerKey) -> Result<Option<KeptAnswer>, StoreError>;

    /// As [`crate::TokenRepository::create_tokens`], and keeps the answer.
    ///
    /// # Errors
    /// `Conflict` with [`crate::Entity::Answer`] if there is an answer under its key that is still kept at the moment of the new
    /// one; else as there. Of any number of concurrent calls with one key, one succeeds; the others may also fail as creations
    /// after it do.
    async fn create_tokens_once(
        &self,
        tokens: &[NewToken],
        answer: &KeptAnswer,
    ) -> Result<Vec<EventId>, StoreError>;

    /// As [`crate::TokenRepository::rotate_token`], and keeps the answer.
    ///
    /// # Errors
    /// As [`IdempotencyRepository::create_tokens_once`], for rotations.
    async fn rotate_token_once(
        &self,
        rotation: &Rotation,
        event: &NewEvent,
        answer: &KeptAnswer,
    ) -> Result<EventId, StoreError>;
}
