//! Sample webhooks and deliveries.

use latchkey_domain::{
    DeliveryId, EventConsumer, EventId, EventKind, EventSelection, NewEvent, ProjectScope, Snapshot, Subject,
    TokenId, Webhook, WebhookId, WebhookTarget, WebhookTemplate, WebhookUrl,
};
use latchkey_ports::{ConsumerMove, KeyId, NewDelivery, SealedBytes};
use uuid::Uuid;

use crate::samples::{event, moment};

/// Returns the id of a webhook.
pub(crate) fn webhook_id(number: u64) -> WebhookId {
    WebhookId(Uuid::from_u64_pair(number, u64::MAX))
}

/// Returns a webhook for all events; a higher number is created later.
pub(crate) fn webhook(number: u64) -> Webhook {
    let target = WebhookTarget {
        url: WebhookUrl::new(&format!("https://example.com/hooks/{number}?key=%20")).expect("a URL"),
        events: EventSelection::All,
        projects: ProjectScope::All,
        enabled: true,
        template: WebhookTemplate::Standard,
    };
    Webhook { id: webhook_id(number), target, created_at: moment(i64::try_from(number).expect("small")) }
}

/// Returns a sealed secret.
pub(crate) fn sealed(number: u8) -> SealedBytes {
    SealedBytes { key: KeyId([number, 0, 255, 1]), sealed: Box::new([number, 0, 255]) }
}

/// Returns an event about a webhook.
pub(crate) fn webhook_event(kind: EventKind, webhook: &Webhook) -> NewEvent {
    let after = Some(Snapshot::from(webhook));
    NewEvent { projects: None, environment: None, subject: None, after, ..event(kind) }
}

/// Returns the lane of a token.
pub(crate) fn lane(number: u8) -> Subject {
    Subject::Token(TokenId::new(moment(0), [number; 10]))
}

/// Returns the delivery of an event.
pub(crate) fn delivery(webhook: u64, event: i64, lane: Option<Subject>) -> NewDelivery {
    NewDelivery {
        id: DeliveryId { webhook: webhook_id(webhook), event: EventId(event) },
        kind: EventKind::ApiTokenUpdated,
        at: moment(event),
        lane,
        body: format!("{{\"event\":{event},\"text\":\"é\\u0000\"}}"),
    }
}

/// Returns the move of the consumer of webhooks.
pub(crate) fn step(from: i64, to: i64) -> ConsumerMove {
    ConsumerMove { consumer: EventConsumer::Webhooks, from: EventId(from), to: EventId(to) }
}
