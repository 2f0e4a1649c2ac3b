//! # What Latchkey sends to the outside
//!
//! [`HttpSender`] sends to webhooks: over HTTPS, signed as Standard Webhooks has it, to addresses that are public or that the operator
//! has named ([`AllowedNetworks`]). [`SmtpMailer`] sends mail to one server. [`tls`] is the TLS of all of Latchkey's blocking HTTP clients.
//!
//! Here: what is on the wire of a receiver, or of a mail server. Not here: what is sent to whom, how often and in which order, which `latchkey-service`
//! decides; the text of an event, which `latchkey-http` writes. Next: `latchkey_ports::WebhookSender` and `Mailer`, which this implements.

mod address;
mod mail;
mod resolver;
mod sender;
mod tls;

pub use self::{
    address::AllowedNetworks,
    mail::{InvalidSmtpSettings, SmtpMailer, SmtpSettings, SmtpTls},
    sender::HttpSender,
    tls::tls,
};
