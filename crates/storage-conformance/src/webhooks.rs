//! Webhooks: where events are sent.

use std::sync::Arc;

use latchkey_domain::{
    EventKind, EventSelection, ProjectScope, Timestamp, Webhook, WebhookTarget, WebhookTemplate, WebhookUrl,
};
use latchkey_ports::{DeliveryQuery, Entity, SecretCount, SecretForm, Store, StoredWebhook};

use crate::{
    harness::{ErrorKind, error_kind, expect_error, expect_event, run_concurrently},
    sample_webhooks::{delivery, sealed, step, webhook, webhook_event, webhook_id},
    samples::{extreme_moments, moment, only},
};

/// Adds a webhook for all events.
pub(crate) fn add(store: &dyn Store, number: u64) -> impl Future<Output = StoredWebhook> + Send + '_ {
    let (webhook, secret) = (webhook(number), sealed(1));
    async move {
        let event = webhook_event(EventKind::WebhookCreated, &webhook);
        let since = store.create_webhook(&webhook, &secret, &event).await.expect("created");
        StoredWebhook { webhook, secret, since }
    }
}

/// A webhook is read back as it was written, and begins after the event of its creation.
pub async fn webhooks_are_read_back_by_creation(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    assert_eq!(store.webhooks().await.expect("webhooks"), []);
    let kinds = [EventKind::ApiTokenLeaked, EventKind::ApiTokenCreated];
    let some = WebhookTarget {
        url: WebhookUrl::new(&format!("http://[2001:db8::1]:8080/{}", "x".repeat(2_000))).expect("a URL"),
        events: EventSelection::only(kinds).expect("some"),
        projects: only(&["gone", "default"]),
        enabled: false,
        template: WebhookTemplate::Slack,
    };
    let mut expected = Vec::new();
    for (number, created_at) in (1..).zip(extreme_moments()) {
        let target = if number == 2 { some.clone() } else { webhook(number).target };
        let webhook = Webhook { target, created_at, ..webhook(100 - number) };
        let secret = sealed(u8::try_from(number).expect("small"));
        let event = webhook_event(EventKind::WebhookCreated, &webhook);
        let since = expect_event(store, &event, store.create_webhook(&webhook, &secret, &event)).await;
        expected.push(StoredWebhook { webhook, secret, since });
    }
    // Of the same moment as the last: then by id.
    let twin = Webhook { created_at: extreme_moments()[4], ..webhook(1) };
    let event = webhook_event(EventKind::WebhookCreated, &twin);
    let since = store.create_webhook(&twin, &sealed(1), &event).await.expect("created");
    expected.insert(4, StoredWebhook { webhook: twin.clone(), secret: sealed(1), since });
    assert_eq!(store.webhooks().await.expect("webhooks"), expected);
    for stored in &expected {
        let found = store.find_webhook(stored.webhook.id).await.expect("a lookup");
        assert_eq!(found.as_ref(), Some(stored));
    }
    assert_eq!(store.find_webhook(webhook_id(50)).await.expect("a lookup"), None);
    let again = expect_error(store, store.create_webhook(&twin, &sealed(2), &event)).await;
    assert_eq!(again, ErrorKind::Conflict(Entity::Webhook(twin.id)));
}

/// A webhook is replaced if it is as the caller saw it; its secret and its beginning stay.
pub async fn webhooks_are_updated_if_unchanged(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = add(store, 1).await;
    let before = stored.webhook.clone();
    let target = WebhookTarget {
        url: WebhookUrl::new("https://example.org").expect("a URL"),
        events: EventSelection::only([EventKind::UserCreated]).expect("one"),
        projects: only(&["default"]),
        enabled: false,
        template: WebhookTemplate::Slack,
    };
    let after = Webhook { target, ..before.clone() };
    let event = webhook_event(EventKind::WebhookUpdated, &after);
    expect_event(store, &event, store.update_webhook(&before, &after, &event)).await;
    let expected = StoredWebhook { webhook: after.clone(), ..stored };
    assert_eq!(store.find_webhook(before.id).await.expect("a lookup"), Some(expected.clone()));
    let stale = expect_error(store, store.update_webhook(&before, &after, &event)).await;
    assert_eq!(stale, ErrorKind::Stale(Entity::Webhook(before.id)));
    let missing = expect_error(store, store.update_webhook(&webhook(2), &webhook(2), &event)).await;
    assert_eq!(missing, ErrorKind::NotFound(Entity::Webhook(webhook_id(2))));
    // Back to all.
    let target =
        WebhookTarget { events: EventSelection::All, projects: ProjectScope::All, ..after.target.clone() };
    let all = Webhook { target, ..after.clone() };
    store.update_webhook(&after, &all, &event).await.expect("updated");
    let found = store.find_webhook(before.id).await.expect("a lookup");
    assert_eq!(found, Some(StoredWebhook { webhook: all, ..expected }));
}

/// Of concurrent updates from one state, one succeeds.
pub async fn concurrent_updates_of_a_webhook_do_not_overwrite_each_other(store: &Arc<dyn Store>) {
    let before = add(store.as_ref(), 1).await.webhook;
    let updates = (0..10).map(|number| {
        let (store, before) = (Arc::clone(store), before.clone());
        async move {
            let url = WebhookUrl::new(&format!("https://example.com/{number}")).expect("a URL");
            let after = Webhook { target: WebhookTarget { url, ..before.target.clone() }, ..before.clone() };
            let event = webhook_event(EventKind::WebhookUpdated, &after);
            store.update_webhook(&before, &after, &event).await
        }
    });
    let outcomes = run_concurrently(updates).await;
    let (done, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(done.len(), 1);
    for refused in refused {
        assert_eq!(error_kind(refused), ErrorKind::Stale(Entity::Webhook(before.id)));
    }
}

/// A webhook that is removed takes its deliveries with it, and no others.
pub async fn a_removed_webhook_takes_its_deliveries_along(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let removed = add(store, 1).await.webhook;
    add(store, 2).await;
    let all = [delivery(1, 10, None), delivery(2, 10, None)];
    assert!(store.enqueue_deliveries(step(0, 10), &all, moment(0)).await.expect("made"));
    let event = webhook_event(EventKind::WebhookDeleted, &removed);
    expect_event(store, &event, store.delete_webhook(removed.id, &event)).await;
    assert_eq!(store.find_webhook(removed.id).await.expect("a lookup"), None);
    let count = async |number| {
        let query = DeliveryQuery { webhook: webhook_id(number), state: None, below: None, limit: 10 };
        store.deliveries(&query).await.expect("deliveries").len()
    };
    assert_eq!((count(1).await, count(2).await), (0, 1));
    let missing = expect_error(store, store.delete_webhook(removed.id, &event)).await;
    assert_eq!(missing, ErrorKind::NotFound(Entity::Webhook(removed.id)));
    // What was read of events before the removal is made no delivery.
    let late = [delivery(1, 11, None), delivery(2, 11, None)];
    assert!(store.enqueue_deliveries(step(10, 11), &late, moment(0)).await.expect("made"));
    assert_eq!((count(1).await, count(2).await), (0, 2));
}

/// The secret of a webhook counts under its master key, and is moved if it is as the caller saw it.
pub async fn secrets_of_webhooks_are_moved_to_another_key(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = add(store, 1).await;
    let counted = async |key| {
        let counts =
            store.secrets_by_key(Timestamp::saturating_from_millis(i64::MAX)).await.expect("counted");
        counts.get(&(key, SecretForm::Webhook)).copied().unwrap_or_default()
    };
    let (from, to) = (sealed(1), sealed(2));
    assert_eq!(counted(from.key).await, SecretCount { good: 1, ended: 0 });
    assert!(store.rekey_webhook(stored.webhook.id, &from, &to).await.expect("moved"));
    assert_eq!((counted(from.key).await.good, counted(to.key).await.good), (0, 1));
    let expected = StoredWebhook { secret: to.clone(), ..stored.clone() };
    assert_eq!(store.find_webhook(stored.webhook.id).await.expect("a lookup"), Some(expected));
    for (id, seen) in [(stored.webhook.id, &from), (webhook_id(2), &to)] {
        assert!(!store.rekey_webhook(id, seen, &from).await.expect("compared"));
    }
}
