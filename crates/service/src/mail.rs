//! Mail: what happened to tokens, told to those who look after them, in one digest a day.
//!
//! [`Mail::file`] puts what is to be said into digests, [`Mail::claim`] takes some that are due, [`Mail::attempt`] sends one of them, and
//! [`Mail::end`] records what became of it. A process that ends in between has claimed them for a while; then another one sends them, as
//! the same message.

mod digest;
mod outlet;
mod ports;
mod recipients;
mod texts;

use std::{collections::BTreeMap, time::Duration};

use latchkey_domain::{Event, EventConsumer, EventId, Hex, Timestamp};
use latchkey_ports::{
    DeliveryOutcome, DigestDay, EntropyExt as _, MAX_MAILING, MailAttempt, MailDigest, MailItem, NewMail,
    StoreError,
};

pub use self::outlet::{MailOutlet, MailSettings};
use self::{ports::MailPorts, recipients::Recipients};
use crate::{Dependencies, RetryPolicy, consumed_events::ConsumedEvents, retry::kept_error};

/// How long a claimed digest is left to the process that claimed it.
const CLAIMED_FOR: Duration = Duration::from_secs(5 * MAX_MAILING.as_secs());
/// Events that happened earlier are not mailed: of those before there was a mail server, or while no server ran, the last days are news.
const NEWS: Duration = Duration::from_secs(3 * 86_400);
/// When digests that are not sent are tried again.
const RETRY: RetryPolicy =
    RetryPolicy { first_pause: Duration::from_secs(60), give_up_after: Duration::from_secs(3 * 86_400) };
/// How long digests are kept after their end.
const KEEP: Duration = Duration::from_secs(30 * 86_400);

/// Mails events. It is for the process itself, so it requires no permit.
pub struct Mail {
    ports: MailPorts,
    events: ConsumedEvents,
    outlet: Option<MailOutlet>,
}

impl Mail {
    /// Returns the use case over these dependencies.
    pub(crate) fn over(dependencies: &Dependencies) -> Self {
        let Dependencies { store, writer, clock, entropy, mail, .. } = dependencies;
        let events = ConsumedEvents::new(EventConsumer::Mail, store.clone(), store.clone());
        let ports = MailPorts {
            mails: store.clone(),
            access: store.clone(),
            groups: store.clone(),
            users: store.clone(),
            writer: writer.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
        };
        Self { ports, events, outlet: mail.clone() }
    }

    /// Whether there is a way to send mail. Without one, nothing is filed.
    pub fn has_outlet(&self) -> bool {
        self.outlet.is_some()
    }

    /// Puts what is to be said of all events that are settled into digests, and returns how much that is; to be called at intervals, by any
    /// number of processes.
    pub async fn file(&self) -> Result<usize, StoreError> {
        let Some(MailOutlet { settings, .. }) = &self.outlet else { return Ok(0) };
        let mut all = 0;
        while let Some(read) = self.events.next(EventId(0)).await? {
            let now = self.ports.clock.now();
            let mails = self.mails(&read.events, settings, now).await?;
            let day = DigestDay { first: settings.digest_at.first_day_after(now), at: settings.digest_at };
            // Otherwise another process has filed them.
            if self.ports.mails.file_mails(read.step, day, &mails).await? {
                all += mails.iter().map(|mail| mail.items.len()).sum::<usize>();
            }
        }
        Ok(all)
    }

    /// Returns what is to be said of events to each recipient, by address.
    async fn mails(
        &self,
        events: &[Event],
        settings: &MailSettings,
        now: Timestamp,
    ) -> Result<Vec<NewMail>, StoreError> {
        let mut recipients = Recipients::new(&self.ports, settings.contact.as_ref());
        let mut mails = BTreeMap::<String, NewMail>::new();
        for event in events.iter().filter(|event| is_mailed(event, settings, now)) {
            let text = texts::text(event, &*self.ports.writer);
            for (key, recipient) in recipients.of(event).await? {
                let new = || NewMail { recipient, message_id: self.message_id(), items: Vec::new() };
                let item = MailItem { event: event.id, at: event.record.at, text: text.clone() };
                mails.entry(key).or_insert_with(new).items.push(item);
            }
        }
        Ok(mails.into_values().collect())
    }

    /// Random, so that no two instances have one in common, and kept, so that it does not depend on who sends.
    fn message_id(&self) -> String {
        Hex(&self.ports.entropy.bytes::<16>()).to_string()
    }

    /// Claims digests that are due, at most that many. Each of them is to be given to [`Mail::attempt`] at once.
    pub async fn claim(&self, limit: u32) -> Result<Vec<MailDigest>, StoreError> {
        if !self.has_outlet() {
            return Ok(Vec::new());
        }
        let now = self.ports.clock.now();
        let until = now.plus(CLAIMED_FOR).unwrap_or(now);
        self.ports.mails.claim_digests(now, until, limit).await
    }

    /// Sends a claimed digest once, and returns what is to be recorded ([`Mail::end`]); `None` without a way to send mail.
    pub async fn attempt(&self, digest: MailDigest) -> Option<MailAttempt> {
        let MailOutlet { mailer, .. } = self.outlet.as_ref()?;
        let sent = mailer.send(digest::message(&digest, self.ports.clock.now())).await;
        let ended_at = self.ports.clock.now();
        let [noise] = self.ports.entropy.bytes();
        Some(MailAttempt {
            outcome: match &sent {
                Ok(_) => DeliveryOutcome::Delivered,
                Err(_) => RETRY.after(digest.attempts, digest.began_at, ended_at, noise),
            },
            digest: digest.id,
            number: digest.attempts,
            ended_at,
            error: sent.err().map(|failure| kept_error(&failure.to_string())),
        })
    }

    /// Records what became of an attempt, and returns whether it was not given up for lost meanwhile. To be called again if it fails, for a
    /// while: what is not recorded is sent again.
    pub async fn end(&self, attempt: &MailAttempt) -> Result<bool, StoreError> {
        self.ports.mails.end_mail_attempt(attempt).await
    }

    /// Deletes digests that ended long ago, and returns their number.
    pub(crate) async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        // A span before the first timestamp there is deletes nothing.
        let Ok(oldest) = now.minus(KEEP) else { return Ok(0) };
        self.ports.mails.forget_mails(oldest).await
    }

    /// Counts the digests that are due and were not sent.
    pub async fn count_due(&self) -> Result<u64, StoreError> {
        self.ports.mails.count_due_digests(self.ports.clock.now()).await
    }
}

fn is_mailed(event: &Event, settings: &MailSettings, now: Timestamp) -> bool {
    let is_news = now.minus(NEWS).is_ok_and(|oldest| event.record.at >= oldest);
    let kind = event.record.kind;
    is_news && (texts::NOTICES.contains(&kind) || settings.events.contains(&kind))
}
