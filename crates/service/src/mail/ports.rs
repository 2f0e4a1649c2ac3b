//! What mail is made of.

use std::sync::Arc;

use latchkey_ports::{
    AccessRepository, Clock, Entropy, EventWriter, GroupRepository, MailRepository, UserRepository,
};

/// The ports of mail.
pub(super) struct MailPorts {
    pub(super) mails: Arc<dyn MailRepository>,
    pub(super) access: Arc<dyn AccessRepository>,
    pub(super) groups: Arc<dyn GroupRepository>,
    pub(super) users: Arc<dyn UserRepository>,
    pub(super) writer: Arc<dyn EventWriter>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
}
