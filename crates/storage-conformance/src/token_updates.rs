//! Changes of API tokens: expiry, attributes and last use.

use std::sync::Arc;

use latchkey_domain::{
    EventId, EventKind, ProjectId, Timestamp, TokenAttributes, TokenDescription, TokenId, TokenOwner,
};
use latchkey_ports::{Entity, Store, StoreError, StoredToken, TokenQuery};
use serde_json::{Value, json};

use crate::{
    harness::{
        ErrorKind, all_events, exactly_one_succeeds, expect_error, expect_event, partition_results,
        run_concurrently, token_of_digest,
    },
    samples::{
        admin_token, digest, ending, event, extreme_moments, frontend, last_seen, moment, project_id, token,
        token_deleted, token_of_all_projects, with_alias, with_attribute,
    },
    setup,
};

type End = Option<Timestamp>;

async fn update(store: &dyn Store, before: &StoredToken, after: &StoredToken) -> Result<EventId, StoreError> {
    store.update_token(&before.token, &after.token, &event(EventKind::ApiTokenUpdated)).await
}

async fn change_expiry(
    store: &dyn Store,
    stored: &StoredToken,
    before: End,
    after: End,
) -> Result<EventId, StoreError> {
    update(store, &ending(before, stored.clone()), &ending(after, stored.clone())).await
}

/// Expects the token in this state from every read method.
async fn assert_token_is(store: &dyn Store, expected: &StoredToken) {
    let found = store.find_token(expected.token.id).await.expect("a lookup");
    assert_eq!(found.as_ref(), Some(expected));
    for record in [Some(&expected.secret), expected.alias.as_ref()].into_iter().flatten() {
        assert_eq!(token_of_digest(store, &[record.digest]).await.as_ref(), Some(expected));
    }
    for project in expected.token.access.projects().named() {
        let listed = store.tokens(&TokenQuery::of_project(project.clone())).await.expect("tokens");
        assert!(listed.contains(expected), "not listed under {project}");
    }
}

/// An expiry is set, moved and removed, each time with the event. Nothing else of the token, and no other
/// token, changes.
pub async fn the_expiry_of_a_token_changes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["b", "a"]).await;
    let tokens = [
        with_alias(101, last_seen(Some(moment(40)), token(1, &["b", "default", "a"]))),
        frontend(token(2, &["a"])),
        token_of_all_projects(3),
        admin_token(4),
    ];
    let other = ending(Some(moment(1)), token(5, &["a"]));
    setup::tokens(store, &tokens).await;
    setup::token(store, &other).await;
    for stored in tokens {
        let mut before = None;
        for after in [Some(moment(7)), Some(moment(6)), Some(moment(6)), None, None] {
            let call = change_expiry(store, &stored, before, after);
            expect_event(store, &event(EventKind::ApiTokenUpdated), call).await;
            assert_token_is(store, &ending(after, stored.clone())).await;
            before = after;
        }
    }
    assert_token_is(store, &other).await;
}

/// Attributes are set, replaced and removed, alone or with the expiry. An update of other attributes than those kept is
/// rejected, and a last use recorded meanwhile is not.
pub async fn the_attributes_of_a_token_change(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let plain = with_alias(101, token(1, &["default"]));
    setup::token(store, &plain).await;
    let owned = |owner: &str| with_attribute("purpose", owner, plain.clone());
    let full = attributes(&json!({
        "description": "It's \"x\"",
        "owner": "🦀".repeat(TokenOwner::MAX_CHARACTERS),
        "metadata": { "0": [null, true, 1.5, -1, { "a\"b": "\u{1}\\é" }], "a.b": "x".repeat(8_000) },
        "enabled": false,
        "scopes": ["*", "orders:*", "orders:read"],
        "allowedNetworks": ["0.0.0.0/0", "10.1.2.3/32", "2001:db8::/32"],
        "later": { "other": [1] },
    }));
    let described = |text: &str| {
        let mut stored = owned("a");
        stored.token.attributes.description = Some(text.parse().expect("a description"));
        stored
    };
    let longest = "🦀".repeat(TokenDescription::MAX_CHARACTERS);
    let steps = [
        with_attributes(&full, plain.clone()),
        owned("a"),
        described("It's \"x\"\n100 % \\ é"),
        described(&longest),
        described(""),
        ending(Some(moment(9)), owned("b 🦀")),
        plain.clone(),
    ];
    let mut before = plain.clone();
    for after in steps {
        expect_event(store, &event(EventKind::ApiTokenUpdated), update(store, &before, &after)).await;
        assert_token_is(store, &after).await;
        let refused = expect_error(store, update(store, &owned("c"), &owned("d"))).await;
        assert_eq!(refused, ErrorKind::Stale(Entity::Token(plain.token.id)));
        before = after;
    }
    record_use(store, &[(plain.token.id, moment(5))]).await;
    update(store, &plain, &owned("e")).await.expect("changed");
    assert_token_is(store, &last_seen(Some(moment(5)), owned("e"))).await;
}

fn attributes(json: &Value) -> TokenAttributes {
    json.to_string().parse().expect("attributes")
}

fn with_attributes(attributes: &TokenAttributes, mut stored: StoredToken) -> StoredToken {
    stored.token.attributes = attributes.clone();
    stored
}

/// Secret and scope of `after` are ignored.
pub async fn an_update_keeps_the_scope_of_a_token(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    let mut after = ending(Some(moment(9)), stored.clone());
    after.token.access = admin_token(1).token.access;
    after.token.name = admin_token(2).token.name;
    update(store, &stored, &after).await.expect("changed");
    assert_token_is(store, &ending(Some(moment(9)), stored)).await;
}

/// Times from year 0000 to year 9999 are compared and stored with their milliseconds.
pub async fn expiries_of_all_years_round_trip(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    let mut before = None;
    for after in extreme_moments().map(Some) {
        change_expiry(store, &stored, before, after).await.expect("changed");
        assert_token_is(store, &ending(after, stored.clone())).await;
        before = after;
    }
}

/// If the expiry is not the expected one, nothing changes, even if it already equals the new one.
pub async fn a_stale_expiry_change_is_rejected(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (endless, ended) = (token(1, &["default"]), ending(Some(moment(5)), token(2, &["default"])));
    setup::tokens(store, &[endless.clone(), ended.clone()]).await;
    let wrong: [(&StoredToken, End, End); 5] = [
        (&endless, Some(moment(5)), None),
        (&endless, Some(moment(5)), Some(moment(6))),
        (&ended, None, Some(moment(6))),
        (&ended, Some(moment(4)), Some(moment(5))),
        (&ended, Some(moment(6)), None),
    ];
    for (stored, before, after) in wrong {
        let refused = expect_error(store, change_expiry(store, stored, before, after)).await;
        assert_eq!(refused, ErrorKind::Stale(Entity::Token(stored.token.id)), "{before:?}");
    }
}

/// A token that does not exist, or no longer exists, cannot be changed, whatever the expected expiry.
pub async fn changing_the_expiry_of_an_unknown_token_fails(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (deleted, never_stored) = (token(1, &["default"]), token(2, &["default"]));
    setup::token(store, &deleted).await;
    store.delete_token(deleted.token.id, &token_deleted(&deleted)).await.expect("removed");
    for stored in [deleted, never_stored] {
        for before in [None, Some(moment(5))] {
            let refused = expect_error(store, change_expiry(store, &stored, before, Some(moment(6)))).await;
            assert_eq!(refused, ErrorKind::NotFound(Entity::Token(stored.token.id)));
        }
    }
}

/// Of 2 and of 30 concurrent changes from the same expiry, one succeeds.
pub async fn one_of_concurrent_expiry_changes_succeeds(store: &Arc<dyn Store>) {
    for (number, calls) in [(1, 2), (2, 30)] {
        let stored = token(number, &["default"]);
        let id = stored.token.id;
        setup::token(store.as_ref(), &stored).await;
        let calls = (0..calls).map(|call| {
            let (store, stored) = (Arc::clone(store), stored.clone());
            let after = Some(moment(1_000 + call));
            async move { change_expiry(store.as_ref(), &stored, None, after).await.map(|_| after) }
        });
        let winner = exactly_one_succeeds(store.as_ref(), ErrorKind::Stale(Entity::Token(id)), calls).await;
        assert_token_is(store.as_ref(), &ending(winner, stored)).await;
    }
}

/// A token deleted while its expiry changes is gone, with its secret, whichever call came first.
pub async fn an_expiry_change_beside_a_deletion_leaves_no_token(store: &Arc<dyn Store>) {
    for number in 0..20 {
        let stored = token(number, &["default"]);
        let id = stored.token.id;
        setup::token(store.as_ref(), &stored).await;
        let calls = [number % 2 == 0, number % 2 == 1].map(|removes| {
            let (store, stored) = (Arc::clone(store), stored.clone());
            async move {
                if removes {
                    store.delete_token(id, &token_deleted(&stored)).await
                } else {
                    change_expiry(store.as_ref(), &stored, None, Some(moment(9))).await
                }
            }
        });
        let (done, refused) = partition_results(run_concurrently(calls).await);
        assert!(
            refused.iter().all(|refusal| *refusal == ErrorKind::NotFound(Entity::Token(id))),
            "{refused:?}"
        );
        assert!(!done.is_empty(), "the removal has to be done");
        assert_eq!(store.find_token(id).await.expect("a lookup"), None);
        assert_eq!(token_of_digest(store.as_ref(), &[digest(number)]).await, None);
    }
    let default: ProjectId = project_id("default");
    assert_eq!(store.tokens(&TokenQuery::of_project(default.clone())).await.expect("tokens"), []);
}

async fn record_use(store: &dyn Store, seen: &[(TokenId, Timestamp)]) {
    store.record_token_use(seen).await.expect("recorded");
}

async fn last_used_at(store: &dyn Store, id: TokenId) -> Option<Timestamp> {
    store.find_token(id).await.expect("a lookup").expect("the token").token.last_used_at
}

/// The last use shows in lookups and lists, and nothing else changes.
pub async fn token_use_is_recorded(store: &Arc<dyn Store>) {
    let (mut seen, unseen) = (token(1, &["default"]), token(2, &["default"]));
    setup::tokens(store.as_ref(), &[seen.clone(), unseen.clone()]).await;
    record_use(store.as_ref(), &[(seen.token.id, moment(5))]).await;
    seen.token.last_used_at = Some(moment(5));
    let found = token_of_digest(store.as_ref(), &[seen.secret.digest]).await;
    assert_eq!(found, Some(seen.clone()));
    let listed = store.tokens(&TokenQuery::of_project(project_id("default"))).await.expect("tokens");
    assert_eq!(listed, [seen, unseen]);
}

/// An earlier time does not replace a later one, neither across calls nor within one call.
pub async fn the_last_use_of_a_token_never_goes_backwards(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::tokens(store, &[token(1, &["default"]), admin_token(2)]).await;
    let (one, two) = (token(1, &["default"]).token.id, admin_token(2).token.id);
    record_use(store, &[(one, moment(5))]).await;
    record_use(store, &[(one, moment(4)), (two, moment(9))]).await;
    assert_eq!(last_used_at(store, one).await, Some(moment(5)));
    record_use(store, &[(two, moment(3)), (one, moment(7)), (one, moment(8)), (one, moment(6))]).await;
    assert_eq!(last_used_at(store, one).await, Some(moment(8)));
    assert_eq!(last_used_at(store, two).await, Some(moment(9)));
}

/// Times of all years are compared chronologically.
pub async fn last_uses_of_all_years_are_recorded(store: &Arc<dyn Store>) {
    let id = token(1, &["default"]).token.id;
    setup::token(store.as_ref(), &token(1, &["default"])).await;
    for at in extreme_moments() {
        record_use(store.as_ref(), &[(id, at)]).await;
        assert_eq!(last_used_at(store.as_ref(), id).await, Some(at));
    }
    record_use(store.as_ref(), &extreme_moments().map(|at| (id, at))).await;
    assert_eq!(last_used_at(store.as_ref(), id).await, extreme_moments().last().copied());
}

/// Tokens that do not exist, or no longer exist, are skipped and not recreated.
pub async fn recording_the_use_of_an_unknown_token_is_ignored(store: &Arc<dyn Store>) {
    let (deleted, unaffected) = (token(1, &["default"]), token(2, &["default"]));
    setup::tokens(store.as_ref(), &[deleted.clone(), unaffected.clone()]).await;
    store.delete_token(deleted.token.id, &token_deleted(&deleted)).await.expect("removed");
    let never_stored = token(3, &["default"]).token.id;
    record_use(
        store.as_ref(),
        &[deleted.token.id, unaffected.token.id, never_stored].map(|id| (id, moment(5))),
    )
    .await;
    assert_eq!(last_used_at(store.as_ref(), unaffected.token.id).await, Some(moment(5)));
    for id in [deleted.token.id, never_stored] {
        assert_eq!(store.find_token(id).await.expect("a lookup"), None);
    }
}

/// An empty batch is not an error, and recording a use records no event.
pub async fn recording_token_use_records_no_event(store: &Arc<dyn Store>) {
    setup::token(store.as_ref(), &token(1, &["default"])).await;
    let events = all_events(store.as_ref()).await;
    record_use(store.as_ref(), &[]).await;
    record_use(store.as_ref(), &[(token(1, &["default"]).token.id, moment(5))]).await;
    assert_eq!(all_events(store.as_ref()).await, events);
}

/// One call accepts 5,000 entries, with repeated and unknown tokens.
pub async fn a_large_batch_of_token_uses_is_recorded(store: &Arc<dyn Store>) {
    const TOKENS: u64 = 50;
    const ENTRIES: u64 = 5_000;
    for number in 0..TOKENS {
        setup::token(store.as_ref(), &token(number, &["default"])).await;
    }
    // Every second entry is of an unknown token.
    let entries: Vec<_> = (0..ENTRIES)
        .map(|entry| {
            let number = if entry % 2 == 0 { (entry / 2) % TOKENS } else { TOKENS + entry };
            (token(number, &["default"]).token.id, moment(i64::try_from(entry).expect("small")))
        })
        .collect();
    record_use(store.as_ref(), &entries).await;
    for number in 0..TOKENS {
        let id = token(number, &["default"]).token.id;
        let latest = entries.iter().filter(|(used, _)| *used == id).map(|(_, at)| *at).max();
        assert_eq!(last_used_at(store.as_ref(), id).await, latest);
    }
}
