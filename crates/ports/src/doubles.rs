//! Test doubles for time, randomness and receivers: deterministic, independent of the wall clock and of the network.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use latchkey_domain::{Event, Timestamp, WebhookTemplate};

use crate::{Clock, Entropy, EventWriter, MailFailure, Mailer, Outgoing, OutgoingMail, Sent, WebhookSender};

/// A clock that only moves when a test moves it.
#[derive(Debug)]
pub struct ManualClock {
    start: i64,
    millis: AtomicI64,
}

impl ManualClock {
    /// Returns a clock that shows this moment.
    pub fn at(moment: Timestamp) -> Self {
        Self { start: moment.millis(), millis: AtomicI64::new(moment.millis()) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }

    /// Sets the clock back.
    pub fn set_back(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        self.millis.fetch_sub(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::saturating_from_millis(self.millis.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        let span = self.millis.load(Ordering::SeqCst) - self.start;
        Duration::from_millis(u64::try_from(span).unwrap_or(0))
    }
}

/// Bytes that differ from call to call and are the same in every run.
#[derive(Debug, Default)]
pub struct CountingEntropy(AtomicU64);

impl Entropy for CountingEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        // splitmix64 (Steele, Lea, Flood 2014): well spread, so that prefixes of secrets differ too.
        for chunk in buffer.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::SeqCst).wrapping_add(1);
            let mut z = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let bytes = (z ^ (z >> 31)).to_le_bytes();
            for (target, byte) in chunk.iter_mut().zip(bytes) {
                *target = byte;
            }
        }
    }
}

/// Receivers that answer as they are told, and remember what they were sent.
#[derive(Debug, Default)]
pub struct RecordingSender {
    answers: Mutex<VecDeque<u16>>,
    sent: Mutex<Vec<Outgoing>>,
}

impl RecordingSender {
    /// Tells the receivers how to answer next; after that they answer 204.
    pub fn answer(&self, statuses: impl IntoIterator<Item = u16>) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).extend(statuses);
    }

    /// Returns what was sent since the last call.
    pub fn take(&self) -> Vec<Outgoing> {
        std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl WebhookSender for RecordingSender {
    async fn send(&self, outgoing: Outgoing) -> Sent {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(outgoing);
        let status = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or(204);
        let error = (status >= 300).then(|| format!("the receiver answered {status}"));
        Sent { status: Some(status), duration: Duration::from_millis(7), error }
    }
}

/// A mail server that refuses as it is told, and remembers what it was sent.
#[derive(Debug, Default)]
pub struct RecordingMailer {
    refuses: AtomicBool,
    sent: Mutex<Vec<OutgoingMail>>,
}

impl RecordingMailer {
    /// Tells it whether to refuse what it is sent from now on.
    pub fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }

    /// Returns what it was sent since the last call, refused or not.
    pub fn take(&self) -> Vec<OutgoingMail> {
        std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Mailer for RecordingMailer {
    async fn send(&self, mail: OutgoingMail) -> Result<String, MailFailure> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
        if self.refuses.load(Ordering::SeqCst) {
            return Err(MailFailure("451 later".to_owned()));
        }
        Ok("250 taken".to_owned())
    }
}

/// Writes the type of an event, and nothing else.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainWriter;

impl EventWriter for PlainWriter {
    fn event(&self, event: &Event, template: WebhookTemplate) -> String {
        format!("{{\"{template}\":\"{}\"}}", event.record.kind)
    }

    fn sentence(&self, event: &Event) -> String {
        event.record.kind.to_string()
    }

    fn ping(&self, at: Timestamp, template: WebhookTemplate) -> String {
        format!("{{\"{template}\":\"ping {at}\"}}")
    }
}
