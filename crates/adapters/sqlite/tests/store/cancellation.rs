//! Calls that are dropped half-way, on a runtime with one thread as an actix worker has it.

use std::{collections::BTreeSet, time::Duration};

use latchkey_domain::EventId;
use latchkey_ports::{Store, TokenQuery, TokenRepository};
use latchkey_sqlite::{Location, SqliteSettings, SqliteStore};
use latchkey_storage_conformance::event_log::{events_after, latest_event};
use tempfile::TempDir;
use tokio::time::timeout;

use super::fixtures::{NO_LIMIT, created, default_project, open, token};

const CALLS: u64 = 300;

/// Drops every call after a span that grows from nothing to longer than a call takes, so that each step of one is hit.
async fn drop_calls_half_way(store: &impl Store) {
    let project = default_project();
    let mut finished = 0;
    for number in 0..CALLS {
        let patience = Duration::from_micros(number * 10);
        let token = token(number);
        let event = created(&token);
        let creation = store.create_token(&token, NO_LIMIT, &event);
        if let Ok(outcome) = timeout(patience, creation).await {
            outcome.expect("nothing but time is short");
            finished += 1;
        }
        if let Ok(outcome) =
            timeout(patience / 2, store.tokens(&TokenQuery::of_project(project.clone()))).await
        {
            outcome.expect("nothing but time is short");
        }
    }

    // The store works on, and the writer is not locked.
    let last = token(CALLS);
    let number = store.create_token(&last, NO_LIMIT, &created(&last)).await.expect("created");
    assert_eq!(latest_event(store).await, number);

    let tokens = store.tokens(&TokenQuery::of_project(project.clone())).await.expect("reads");
    assert!(tokens.len() > finished, "{finished} finished, {} kept", tokens.len());
    let kept: BTreeSet<String> = tokens.iter().map(|stored| stored.token.id.to_string()).collect();
    let events = events_after(store, EventId(0)).await;
    let recorded: BTreeSet<String> = events
        .iter()
        .filter_map(|event| Some(event.record.after.as_ref()?.to_json()["id"].as_str()?.to_owned()))
        .collect();
    assert_eq!(events.len(), tokens.len());
    assert_eq!(kept, recorded, "a token and its event are kept together or not at all");
}

#[tokio::test(flavor = "current_thread")]
async fn of_a_file() {
    let directory = TempDir::new().expect("a directory");
    drop_calls_half_way(&open(&directory.path().join("a.db"))).await;
}

#[tokio::test(flavor = "current_thread")]
async fn in_memory() {
    let settings = SqliteSettings { location: Location::Memory, ..SqliteSettings::default() };
    let store = SqliteStore::open(settings).expect("opens");
    store.migrate().expect("migrates");
    drop_calls_half_way(&store).await;
}

#[test]
fn a_store_outlives_the_runtime_that_dropped_its_calls() {
    let directory = TempDir::new().expect("a directory");
    let store = open(&directory.path().join("a.db"));
    for number in 0..20 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let token = token(number);
            let event = created(&token);
            let creation = store.create_token(&token, NO_LIMIT, &event);
            // Not even begun, or under way, when the runtime goes.
            let _ = timeout(Duration::from_micros(number * 20), creation).await;
        });
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let token = token(1000);
    runtime.block_on(store.create_token(&token, NO_LIMIT, &created(&token))).expect("created");
}
