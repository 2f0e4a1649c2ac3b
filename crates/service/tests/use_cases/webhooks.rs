//! Events are sent to webhooks once they are settled: chosen, in order, again if they fail, and by several processes together.

use std::time::Duration;

use latchkey_domain::{
    DeliveryState, EventKind, EventSelection, ProjectScope, Webhook, WebhookId, WebhookTarget,
    WebhookTemplate, WebhookUrl,
};
use latchkey_ports::{Attempt, Delivery, DeliveryOutcome, SealingError, SecretForm, WebhookRepository as _};
use latchkey_service::{
    CreatedWebhook, DeliveryPage, ManageWebhooks, Resealed, RetryPolicy, Reveal, SealedSecret, ServiceError,
    Settings, SkipReason, SkippedSecret, WebhookDeliveries,
};

use crate::{
    master_keys::{env as env_with_keys, id, resealed, ring, under},
    support::{TestEnv, client_of, project_id, settings, system},
};

fn target(events: &[EventKind]) -> WebhookTarget {
    WebhookTarget {
        url: WebhookUrl::new("https://example.com/hook").expect("a URL"),
        events: EventSelection::only(events.iter().copied()).unwrap_or_default(),
        projects: ProjectScope::All,
        enabled: true,
        template: WebhookTemplate::Standard,
    }
}

async fn webhook(env: &TestEnv, target: WebhookTarget) -> CreatedWebhook {
    env.use_cases.webhooks.create(&system::<ManageWebhooks>(), target).await.expect("created")
}

async fn listed(env: &TestEnv, id: WebhookId) -> Vec<Delivery> {
    let page = DeliveryPage { state: None, below: None, limit: 1_000 };
    env.use_cases.webhooks.deliveries(&system(), id, page).await.expect("listed")
}

fn sending(env: &TestEnv) -> &WebhookDeliveries {
    &env.use_cases.webhook_deliveries
}

/// Attempts all that is due; returns how often it was sent, and what became of it last.
async fn deliver(env: &TestEnv) -> Vec<DeliveryOutcome> {
    let mut outcomes = Vec::new();
    loop {
        let claimed = sending(env).claim(3, Vec::new()).await.expect("claimed");
        if claimed.is_empty() {
            return outcomes;
        }
        for delivery in claimed {
            let attempt: Attempt = sending(env).attempt(delivery).await.expect("sent").expect("there");
            assert!(sending(env).end(&attempt).await.expect("recorded"));
            outcomes.push(attempt.outcome);
        }
    }
}

async fn token(env: &TestEnv) {
    env.token(client_of(ProjectScope::one(project_id("default")))).await;
}

#[tokio::test]
async fn a_webhook_gets_what_happens_from_its_creation_on() {
    use EventKind::{ApiTokenCreated, WebhookCreated};
    let env = TestEnv::new();
    token(&env).await;
    let first = webhook(&env, target(&[])).await;
    token(&env).await;
    let second = webhook(&env, target(&[EventKind::ApiTokenCreated])).await;
    token(&env).await;
    // The second token, the second webhook and the third token; the third token.
    assert_eq!(sending(&env).enqueue().await.expect("made"), 4);
    assert_eq!(sending(&env).enqueue().await.expect("made"), 0);
    let events = async |webhook: &CreatedWebhook| {
        let listed = listed(&env, webhook.webhook.id).await;
        listed.iter().rev().map(|delivery| delivery.kind).collect::<Vec<_>>()
    };
    assert_eq!(events(&first).await, [ApiTokenCreated, WebhookCreated, ApiTokenCreated]);
    assert_eq!(events(&second).await, [ApiTokenCreated]);
    assert_eq!(deliver(&env).await, [DeliveryOutcome::Delivered; 4]);
    let sent = env.receivers.take();
    assert_eq!(sent.len(), 4);
    let ids: std::collections::BTreeSet<_> = sent.iter().map(|one| one.id.clone()).collect();
    assert_eq!(ids.len(), 4, "{ids:?}");
    let to_second: Vec<_> = sent.iter().filter(|one| one.secret.reveal() == second.secret.reveal()).collect();
    assert_eq!(to_second.len(), 1);
    assert_eq!(to_second[0].body, r#"{"standard":"api-token-created"}"#);
    assert_eq!(to_second[0].at.millis(), 1_700_000_000_000);
    assert!(listed(&env, first.webhook.id).await.iter().all(|one| one.state == DeliveryState::Delivered));
}

#[tokio::test]
async fn a_webhook_that_is_disabled_misses_what_happens() {
    use EventKind::{ApiTokenCreated, WebhookCreated, WebhookUpdated};
    let env = TestEnv::new();
    let created = webhook(&env, target(&[])).await.webhook;
    token(&env).await;
    sending(&env).enqueue().await.expect("made");
    let disabled = WebhookTarget { enabled: false, ..created.target.clone() };
    let webhooks = &env.use_cases.webhooks;
    webhooks.replace(&system(), created.id, &disabled).await.expect("disabled");
    token(&env).await;
    assert_eq!(sending(&env).enqueue().await.expect("made"), 0);
    assert_eq!(deliver(&env).await, [], "the first one waits");
    assert!(webhooks.ping(&system(), created.id).await.expect("sent").error.is_none(), "a test is sent");
    env.receivers.take();
    webhooks.replace(&system(), created.id, &created.target).await.expect("enabled");
    assert_eq!(webhooks.replace(&system(), created.id, &created.target).await.expect("the same"), created);
    sending(&env).enqueue().await.expect("made");
    // The first token, and that it is enabled.
    assert_eq!(deliver(&env).await.len(), 2);
    let kinds = env.kinds_since(0).await;
    assert_eq!(kinds, [WebhookCreated, ApiTokenCreated, WebhookUpdated, ApiTokenCreated, WebhookUpdated]);
}

#[tokio::test]
async fn what_fails_is_sent_again_with_pauses_that_double_and_the_same_id() {
    let env = TestEnv::new();
    let id = webhook(&env, target(&[])).await.webhook.id;
    token(&env).await;
    sending(&env).enqueue().await.expect("made");
    env.receivers.answer([500, 404]);
    let mut pauses = Vec::new();
    for _ in 0..2 {
        let [DeliveryOutcome::Retry(at)] = deliver(&env).await[..] else { panic!("it is tried again") };
        let pause = u64::try_from(at.millis() - env.now().millis()).expect("later");
        pauses.push(pause);
        env.clock.advance(Duration::from_millis(pause - 1));
        assert_eq!(deliver(&env).await, []);
        env.clock.advance(Duration::from_millis(1));
    }
    assert!((4_000..=6_000).contains(&pauses[0]) && (8_000..=12_000).contains(&pauses[1]), "{pauses:?}");
    let waiting = listed(&env, id).await.remove(0);
    assert_eq!((waiting.status, waiting.attempts), (Some(404), 2));
    assert_eq!(waiting.error.as_deref(), Some("the receiver answered 404"));
    assert_eq!(deliver(&env).await, [DeliveryOutcome::Delivered]);
    let sent = env.receivers.take();
    assert!(sent.len() == 3 && sent.iter().all(|one| one.id == sent[0].id && one.body == sent[0].body));
    let delivered = listed(&env, id).await.remove(0);
    assert_eq!((delivered.status, delivered.attempts, delivered.error), (Some(204), 3, None));
    assert_eq!(delivered.duration, Some(Duration::from_millis(7)));
}

#[tokio::test]
async fn what_fails_for_days_is_given_up_and_can_be_sent_again() {
    let policy =
        RetryPolicy { first_pause: Duration::from_secs(3_600), give_up_after: Duration::from_secs(86_400) };
    let env = TestEnv::with(Settings { webhooks: policy, ..settings(Reveal::Always) });
    let id = webhook(&env, target(&[])).await.webhook.id;
    token(&env).await;
    sending(&env).enqueue().await.expect("made");
    env.receivers.answer([500; 20]);
    let mut attempts = 0;
    loop {
        match deliver(&env).await[..] {
            [DeliveryOutcome::Retry(_)] => attempts += 1,
            [DeliveryOutcome::Failed] => break,
            [] => env.clock.advance(Duration::from_secs(600)),
            ref other => panic!("{other:?}"),
        }
    }
    // After about 1, 3, 7, 13 and 19 hours.
    assert!((4..=6).contains(&attempts), "{attempts}");
    let failed = listed(&env, id).await.remove(0);
    assert_eq!(failed.state, DeliveryState::Failed);
    let again = env.use_cases.webhooks.redeliver(&system(), failed.id).await.expect("made");
    assert_eq!((again.state, again.attempts), (DeliveryState::Waiting, 0));
    env.receivers.take();
    let [DeliveryOutcome::Retry(_)] = deliver(&env).await[..] else { panic!("the days begin anew") };
    env.clock.advance(Duration::from_secs(31 * 86_400));
    env.receivers.answer([]);
    env.use_cases.sweep().await.expect("swept");
    assert_eq!(listed(&env, id).await.len(), 1, "it waits");
}

#[tokio::test]
async fn what_has_ended_is_kept_for_a_week_or_a_month() {
    let env = TestEnv::new();
    let id = webhook(&env, target(&[])).await.webhook.id;
    token(&env).await;
    sending(&env).enqueue().await.expect("made");
    deliver(&env).await;
    for (days, left) in [(6, 1), (2, 0)] {
        env.clock.advance(Duration::from_secs(days * 86_400));
        env.use_cases.sweep().await.expect("swept");
        assert_eq!(listed(&env, id).await.len(), left);
    }
}

/// What a process has claimed when it ends is sent by another one, later.
#[tokio::test]
async fn what_a_killed_process_has_claimed_is_sent_by_another() {
    let env = TestEnv::new();
    let other = env.beside(crate::support::sealer(), settings(Reveal::Always));
    webhook(&env, target(&[])).await;
    token(&env).await;
    // Both make deliveries of it; it is one.
    let made = [sending(&env).enqueue().await, sending(&other).enqueue().await];
    assert_eq!(made.map(|made| made.expect("made")), [1, 0]);
    let claimed = sending(&env).claim(9, Vec::new()).await.expect("claimed");
    assert_eq!(claimed.len(), 1);
    assert_eq!(deliver(&other).await, []);
    env.clock.advance(Duration::from_secs(60));
    assert_eq!(deliver(&other).await, [DeliveryOutcome::Delivered]);
    let late = sending(&env).attempt(claimed[0].clone()).await.expect("sent").expect("there");
    assert!(!sending(&env).end(&late).await.expect("compared"), "it was given up for lost");
}

#[tokio::test]
async fn what_was_claimed_of_a_removed_webhook_is_not_sent() {
    let env = TestEnv::new();
    let id = webhook(&env, target(&[])).await.webhook.id;
    token(&env).await;
    sending(&env).enqueue().await.expect("made");
    let claimed = sending(&env).claim(9, Vec::new()).await.expect("claimed").remove(0);
    env.use_cases.webhooks.delete(&system(), id).await.expect("removed");
    assert_eq!(sending(&env).attempt(claimed.clone()).await.expect("nothing"), None);
    assert!(env.receivers.take().is_empty());
    let gone = env.use_cases.webhooks.redeliver(&system(), claimed.id).await;
    assert!(matches!(gone, Err(ServiceError::NotFound(_))));
    assert_eq!(sending(&env).enqueue().await.expect("none is left"), 0);
}

/// Secrets of webhooks are moved by `keys rotate`; one that does not open is named.
#[tokio::test]
async fn secrets_of_webhooks_move_to_a_new_key() {
    let old = env_with_keys("a", Reveal::Once);
    let created = webhook(&old, target(&[])).await;
    let altered = webhook(&old, target(&[])).await.webhook;
    let stored = |webhook: &Webhook| {
        let (store, id) = (old.store.clone(), webhook.id);
        async move { store.find_webhook(id).await.expect("a lookup").expect("the webhook").secret }
    };
    // The sealed secret of another webhook.
    let (from, to) = (stored(&altered).await, stored(&created.webhook).await);
    assert!(old.store.rekey_webhook(altered.id, &from, &to).await.expect("moved"));
    let both = old.beside(ring("ba"), settings(Reveal::Once));
    let (done, left) = resealed(&both).await;
    assert_eq!(done, Resealed { moved: 1, skipped: 1 });
    let broken = SkipReason::Sealing(SealingError::Broken);
    let expected = SkippedSecret { of: SealedSecret::OfWebhook(altered.id), key: id("a"), reason: broken };
    assert_eq!(left, [expected]);
    assert_eq!(under(&both, "b").await, [(SecretForm::Webhook, 1)]);
    let new = old.beside(ring("b"), settings(Reveal::Once));
    new.use_cases.webhooks.ping(&system(), created.webhook.id).await.expect("sent");
    assert_eq!(new.receivers.take()[0].secret.reveal(), created.secret.reveal());
    let error = new.use_cases.webhooks.ping(&system(), altered.id).await;
    assert!(matches!(error, Err(ServiceError::Internal(_))));
}

/// Without its key, an event is tried until the key is there.
#[tokio::test]
async fn what_cannot_be_signed_is_tried_again() {
    let old = env_with_keys("a", Reveal::Once);
    let id = webhook(&old, target(&[])).await.webhook.id;
    token(&old).await;
    sending(&old).enqueue().await.expect("made");
    let other = old.beside(ring("b"), settings(Reveal::Once));
    let [DeliveryOutcome::Retry(at)] = deliver(&other).await[..] else { panic!("it is tried again") };
    let error = listed(&old, id).await.remove(0).error.expect("an error");
    assert!(error.contains("is not among those configured"), "{error}");
    assert!(other.receivers.take().is_empty());
    old.clock.advance(Duration::from_millis(u64::try_from(at.millis() - old.now().millis()).expect("later")));
    assert_eq!(deliver(&old).await, [DeliveryOutcome::Delivered]);
}

#[tokio::test]
async fn events_of_no_webhook_are_skipped() {
    let env = TestEnv::new();
    for _ in 0..3 {
        token(&env).await;
    }
    assert_eq!(sending(&env).enqueue().await.expect("nothing"), 0);
    let created = webhook(&env, target(&[EventKind::UserCreated])).await;
    assert_eq!(sending(&env).enqueue().await.expect("nothing"), 0);
    let page = DeliveryPage { state: None, below: None, limit: 5 };
    assert_eq!(
        env.use_cases.webhooks.deliveries(&system(), created.webhook.id, page).await.expect("none"),
        []
    );
    let unknown = WebhookId(uuid::Uuid::nil());
    let missing = env.use_cases.webhooks.deliveries(&system(), unknown, page).await;
    assert!(matches!(missing, Err(ServiceError::NotFound(_))));
}
