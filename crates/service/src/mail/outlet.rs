//! How mail leaves the process.

use std::sync::Arc;

use latchkey_domain::{DigestTime, Email, EventKind};
use latchkey_ports::Mailer;

/// To whom mail goes, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailSettings {
    /// Who looks after the instance (`mail.contact`).
    pub contact: Option<Email>,
    /// When digests are sent (`mail.digest_at`).
    pub digest_at: DigestTime,
    /// What is mailed beside notices and leaks (`mail.events`).
    pub events: Vec<EventKind>,
}

/// A way to send mail.
#[derive(Clone)]
pub struct MailOutlet {
    pub mailer: Arc<dyn Mailer>,
    pub settings: MailSettings,
}
