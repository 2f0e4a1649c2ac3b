//! Mail: digests of events, one for each recipient and day, and sending them.

use std::time::Duration;

use async_trait::async_trait;
use latchkey_domain::{Day, DigestTime, Email, EventId, Timestamp};
use latchkey_port_macros::observed;

use crate::{ConsumerMove, DeliveryOutcome, StoreError};

/// What a digest says of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailItem {
    pub event: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// Sentences, never with a secret.
    pub text: String,
}

/// What is to be said to a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMail {
    pub recipient: Email,
    /// What names the message if the digest begins with it, in any instance: the same at each attempt to send it.
    pub message_id: String,
    /// Of each event one.
    pub items: Vec<MailItem>,
}

/// When mail goes out: with the digest of the first of these days that was not tried to be sent yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DigestDay {
    pub first: Day,
    /// At what time of its day a digest is due.
    pub at: DigestTime,
}

/// The digest of a recipient and a day. Addresses are compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestId {
    pub recipient: Email,
    pub day: Day,
}

/// A digest that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailDigest {
    pub id: DigestId,
    /// That of the [`NewMail`] with which it began.
    pub message_id: String,
    /// How often it was sent, the attempt that is on its way included.
    pub attempts: u32,
    /// When it was tried first.
    pub began_at: Timestamp,
    /// By events, the first ones: at most [`MailDigest::MAX_ITEMS`].
    pub items: Vec<MailItem>,
    /// How many items there are beyond those.
    pub left_out: u64,
}

impl MailDigest {
    /// How many items a digest shows.
    pub const MAX_ITEMS: u32 = 200;
}

/// An attempt to send a digest that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailAttempt {
    pub digest: DigestId,
    /// [`MailDigest::attempts`] as it was claimed, so that an attempt that was given up for lost changes nothing.
    pub number: u32,
    pub outcome: DeliveryOutcome,
    pub ended_at: Timestamp,
    /// Why it failed.
    pub error: Option<String>,
}

/// The digests of recipients.
#[observed]
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait MailRepository: Send + Sync {
    /// Moves the position of a consumer of events and adds items to digests, together; returns whether it did. Otherwise another process
    /// was first. Each recipient is among the mails once.
    ///
    /// A digest that was tried to be sent gets no more items: what is said to its recipient goes to that of a later day, so a message does
    /// not change from one attempt to the next.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn file_mails(
        &self,
        step: ConsumerMove,
        day: DigestDay,
        mails: &[NewMail],
    ) -> Result<bool, StoreError>;

    /// Claims digests that are due, those that have waited longest first, and counts an attempt of each. They are due again at the second
    /// moment, unless the attempts have ended by then. No two calls claim the same one, unless its claim has run out.
    ///
    /// # Errors
    /// `Unavailable`; `Inconsistent`.
    async fn claim_digests(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<MailDigest>, StoreError>;

    /// Records what became of an attempt. Returns whether it was still the last attempt of a waiting digest; otherwise nothing is changed.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn end_mail_attempt(&self, attempt: &MailAttempt) -> Result<bool, StoreError>;

    /// Deletes digests that were sent or given up before that moment, in batches, and returns their number.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn forget_mails(&self, before: Timestamp) -> Result<u64, StoreError>;

    /// Returns the number of digests that are due at that moment, and were neither sent nor given up.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn count_due_digests(&self, now: Timestamp) -> Result<u64, StoreError>;
}

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    pub to: Email,
    /// Of ASCII letters and digits, without a domain.
    pub message_id: String,
    /// When it was written.
    pub at: Timestamp,
    /// One line.
    pub subject: String,
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// Why a message was not sent, in the words of the mail server or of the connection to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MailFailure(pub String);

/// Sends mail.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends a message once, within [`MAX_MAILING`], and returns what the mail server answered. When the future is dropped, it may be sent
    /// nevertheless.
    async fn send(&self, mail: OutgoingMail) -> Result<String, MailFailure>;
}

/// The longest time that one attempt to send a message takes.
pub const MAX_MAILING: Duration = Duration::from_secs(60);
