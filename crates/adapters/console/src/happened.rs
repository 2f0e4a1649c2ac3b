//! Events in a few words, as the overview and the page of a token list them.

use latchkey_domain::{Event, EventKind, Timestamp};

/// An event in a few words.
pub(crate) struct Happened {
    pub(crate) at: Timestamp,
    /// The key of its title.
    pub(crate) title: String,
    pub(crate) actor: String,
}

impl Happened {
    pub(crate) fn of(Event { record, .. }: Event) -> Self {
        Self { at: record.at, title: title(record.kind), actor: record.actor.name().to_owned() }
    }
}

/// Returns the key of the title of a kind of event.
pub(crate) fn title(kind: EventKind) -> String {
    format!("event-{kind}")
}
