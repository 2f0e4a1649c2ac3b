//! The hash chain over the events of the audit trail.
//!
//! A link is the SHA-256 of the hash before it and of every field of some events, so a hash stands for all events up to its own: none
//! of them can be altered, removed or added without another hash.
//!
//! The bytes that are hashed are a part of the format of every store: a change of them makes all chains look altered. Every field has
//! its length before it. JSON is hashed by its meaning, because databases write it each in their own way: members in the order of their
//! names, and numbers by their values, so that `1e2`, `100.0` and `100` are one number.

use std::{fmt, str::FromStr};

use serde_json::{Number, Value};
use sha2::{Digest as _, Sha256};

use crate::{EnvironmentName, Event, Hex, NewEvent, ProjectScope, Snapshot, parse_hex};

/// A hash of the chain. Written as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainHash(pub [u8; 32]);

/// The text is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash of the chain must be written as 64 hex digits")]
pub struct InvalidChainHash;

impl ChainHash {
    /// The hash before the first event.
    pub const START: Self = Self([0; 32]);

    /// Returns the hash of the next events, in their order.
    #[must_use]
    pub fn link(&self, events: &[Event]) -> Self {
        let mut link = Link(Sha256::new());
        link.bytes(&self.0);
        link.count(events.len());
        for event in events {
            link.event(event);
        }
        Self(link.0.finalize().into())
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(&self.0).fmt(f)
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainHash({self})")
    }
}

impl FromStr for ChainHash {
    type Err = InvalidChainHash;

    fn from_str(text: &str) -> Result<Self, InvalidChainHash> {
        parse_hex(text).map(Self).ok_or(InvalidChainHash)
    }
}

/// What is hashed.
struct Link(Sha256);

impl Link {
    fn count(&mut self, count: usize) {
        self.0.update(u64::try_from(count).unwrap_or(u64::MAX).to_be_bytes());
    }

    fn number(&mut self, number: i64) {
        self.0.update(number.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// A byte that says which of several forms follows.
    fn form(&mut self, form: u8) {
        self.0.update([form]);
    }

    fn optional(&mut self, text: Option<&str>) {
        self.form(u8::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    fn event(&mut self, Event { id, record }: &Event) {
        let NewEvent { kind, actor, origin, at, projects, environment, subject, before, after } = record;
        self.number(id.0);
        self.text(kind.as_str());
        self.text(actor.name());
        self.number(actor.user_id());
        self.optional(origin.address.map(|address| address.to_string()).as_deref());
        self.optional(origin.user_agent.as_deref());
        self.number(at.millis());
        match projects {
            None => self.form(0),
            Some(ProjectScope::All) => self.form(1),
            Some(ProjectScope::Only(_)) => self.form(2),
        }
        let named = projects.as_ref().map_or(&[][..], ProjectScope::named);
        self.count(named.len());
        for project in named {
            self.text(project.as_str());
        }
        self.optional(environment.as_ref().map(EnvironmentName::as_str));
        self.optional(subject.map(|subject| subject.to_string()).as_deref());
        self.snapshot(before.as_ref());
        self.snapshot(after.as_ref());
    }

    fn snapshot(&mut self, snapshot: Option<&Snapshot>) {
        match snapshot {
            None => self.form(0),
            Some(snapshot) => {
                self.form(1);
                self.members(snapshot.members());
            }
        }
    }

    fn members(&mut self, members: &serde_json::Map<String, Value>) {
        // In an order of their own, whatever that of the map is.
        let mut sorted: Vec<_> = members.iter().collect();
        sorted.sort_unstable_by_key(|(name, _)| *name);
        self.count(sorted.len());
        for (name, value) in sorted {
            self.text(name);
            self.json(value);
        }
    }

    fn json(&mut self, value: &Value) {
        match value {
            Value::Null => self.form(0),
            Value::Bool(false) => self.form(1),
            Value::Bool(true) => self.form(2),
            Value::Number(number) => {
                self.form(3);
                self.text(&digits(number));
            }
            Value::String(text) => {
                self.form(4);
                self.text(text);
            }
            Value::Array(values) => {
                self.form(5);
                self.count(values.len());
                for value in values {
                    self.json(value);
                }
            }
            Value::Object(members) => {
                self.form(6);
                self.members(members);
            }
        }
    }
}

/// Returns a number in decimal digits. Databases write the same number with an exponent or without, and the parser of JSON can miss the
/// last bit of a long fraction in one of both, so fractions count to fifteen digits, which are right in both.
fn digits(number: &Number) -> String {
    /// All whole numbers below are read as such, if they are written without an exponent.
    const WHOLE: f64 = 18_446_744_073_709_551_616.0;
    match number.as_f64().filter(|_| number.is_f64()) {
        None => number.to_string(),
        Some(0.0) => "0".to_owned(),
        Some(float) if float.fract() == 0.0 && float.abs() < WHOLE => float.to_string(),
        Some(float) => format!("{float:.14e}"),
    }
}

#[cfg(test)]
mod tests;
