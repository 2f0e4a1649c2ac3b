//! # What Latchkey sends to the outside
//!
//! [`HttpSender`] sends to webhooks: over HTTPS, signed as Standard Webhooks has it, to addresses that are public or that the operator
//! has named ([`AllowedNetworks`]). [`tls`] is the TLS of all of Latchkey's blocking HTTP clients.
//!
//! Here: what is on the wire of a receiver. Not here: what is sent to whom, how often and in which order, which `latchkey-service`
//! decides; the text of an event, which `latchkey-http` writes. Next: `latchkey_ports::WebhookSender`, which this implements.

mod address;
mod resolver;
mod sender;
mod tls;

pub use self::{address::AllowedNetworks, sender::HttpSender, tls::tls};
