//! Sending to the outside.

use std::time::Duration;

use async_trait::async_trait;
use latchkey_domain::{DeliveryState, Event, Timestamp, WebhookSecret, WebhookTemplate, WebhookUrl};

/// What is sent to a webhook.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub url: WebhookUrl,
    /// The id of the message, the same at each attempt.
    pub id: String,
    /// When it is sent.
    pub at: Timestamp,
    /// JSON.
    pub body: String,
    /// With which it is signed.
    pub secret: WebhookSecret,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The status of the response; `None` if there was none.
    pub status: Option<u16>,
    pub duration: Duration,
    /// Why it counts as not delivered; `None` if it was.
    pub error: Option<String>,
}

/// What becomes of a delivery or a mail after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryOutcome {
    Delivered,
    Failed,
    /// It is sent again then.
    Retry(Timestamp),
}

impl DeliveryOutcome {
    /// Returns its state then.
    #[must_use]
    pub fn state(self) -> DeliveryState {
        match self {
            Self::Delivered => DeliveryState::Delivered,
            Self::Failed => DeliveryState::Failed,
            Self::Retry(_) => DeliveryState::Waiting,
        }
    }

    /// Returns when it is sent again; `None` if it has ended.
    #[must_use]
    pub fn next_at(self) -> Option<Timestamp> {
        match self {
            Self::Delivered | Self::Failed => None,
            Self::Retry(at) => Some(at),
        }
    }
}

/// Sends to webhooks.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait WebhookSender: Send + Sync {
    /// Sends once, within a time limit of its own, which is at most [`MAX_SENDING`]. When the future is dropped, it may be sent
    /// nevertheless.
    async fn send(&self, outgoing: Outgoing) -> Sent;
}

/// The longest time that one attempt to send takes.
pub const MAX_SENDING: Duration = Duration::from_secs(30);

/// Writes what is sent.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait EventWriter: Send + Sync {
    /// Returns the JSON that tells a receiver of an event.
    fn event(&self, event: &Event, template: WebhookTemplate) -> String;

    /// Returns a sentence that tells people of an event.
    fn sentence(&self, event: &Event) -> String;

    /// Returns the JSON of a test.
    fn ping(&self, at: Timestamp, template: WebhookTemplate) -> String;
}
