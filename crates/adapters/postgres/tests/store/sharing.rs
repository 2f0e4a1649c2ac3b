//! Calls that read over the same connection do not get in each other's way.

use std::{future::Future, pin::pin, task::Poll};

use futures_util::future::join_all;
use latchkey_domain::ProjectId;
use latchkey_ports::{SecretDigest, StoreError, TokenQuery, TokenRepository};
use latchkey_postgres::PostgresStore;
use latchkey_storage_conformance::samples;

use crate::databases::{connected, migrated};

async fn has_tokens(store: &PostgresStore, id: &str) -> bool {
    let project = ProjectId::new(id).expect("an id");
    let tokens = store.tokens(&TokenQuery::of_project(project)).await.expect("tokens");
    !tokens.is_empty()
}

/// On a runtime of one thread, as actix workers are.
#[tokio::test(flavor = "current_thread")]
async fn each_call_gets_its_own_answer_also_beside_calls_that_are_dropped() {
    let (store, _database) = migrated().await;
    let stored = samples::token(1, &["default"]);
    let event = samples::token_created(&stored);
    store.create_token(&stored, samples::AMPLE_QUOTA, &event).await.expect("created");
    let calls = (0_usize..200).map(|number| {
        let store = &store;
        async move {
            let id = if number % 2 == 0 { "default".to_owned() } else { format!("missing-{number}") };
            let mut call = pin!(has_tokens(store, &id));
            let mut left = number % 7;
            std::future::poll_fn(|context| match call.as_mut().poll(context) {
                Poll::Ready(found) => Poll::Ready(Some((number, found))),
                Poll::Pending if number % 5 == 0 && left == 0 => Poll::Ready(None),
                Poll::Pending => {
                    left = left.saturating_sub(1);
                    Poll::Pending
                }
            })
            .await
        }
    });
    let answers: Vec<_> = join_all(calls).await.into_iter().flatten().collect();
    assert!(answers.len() >= 160, "only {} of those who waited were answered", answers.len());
    for (number, found) in answers {
        assert_eq!(found, number % 2 == 0, "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_closed_is_made_anew() {
    let (store, database) = migrated().await;
    let digest = [SecretDigest([7; 32])];
    for _ in 0..8 {
        assert!(store.find_token_by_digest(&digest).await.expect("asked").is_none());
    }
    let client = connected(database.url()).await;
    let others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let ended = client.execute(&format!("SELECT pg_terminate_backend(pid) {others}"), &[]).await;
    assert!(ended.expect("ended") > 0);
    // Each of the connections may be found closed once, where the news comes with the answer.
    let mut failures = 0;
    for _ in 0..20 {
        match store.find_token_by_digest(&digest).await {
            Ok(found) => assert!(found.is_none()),
            Err(StoreError::Unavailable(_)) => failures += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(failures <= 4, "{failures} of 20 calls found no database");
    assert!(!has_tokens(&store, "default").await);
}
