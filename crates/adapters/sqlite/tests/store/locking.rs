//! Several processes on one file, as the command line beside the server: two stores that know nothing of each other.

use std::{collections::BTreeSet, thread, time::Duration};

use diesel::connection::SimpleConnection;
use latchkey_domain::EventId;
use latchkey_ports::{Quota, StoreError, TokenQuery, TokenRepository};
use latchkey_sqlite::{SqliteSettings, SqliteStore};
use latchkey_storage_conformance::event_log::latest_event;
use tempfile::TempDir;
use tokio::time::timeout;

use super::fixtures::{NO_LIMIT, created, default_project, open, raw, settings, token};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_take_turns() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("a.db");
    let stores = [open(&path), open(&path)];
    let mut tasks = Vec::new();
    for worker in 0..8_u64 {
        let store = stores[usize::from(worker % 2 == 1)].clone();
        tasks.push(tokio::spawn(async move {
            let mut numbers = Vec::new();
            for call in 0..25 {
                let token = token(worker * 1000 + call);
                let number = store.create_token(&token, NO_LIMIT, &created(&token)).await;
                numbers.push(number.expect("written"));
                // What one wrote, it reads, and so does the other.
                assert!(latest_event(&store).await >= *numbers.last().expect("one"));
            }
            numbers
        }));
    }
    let mut numbers = BTreeSet::new();
    for task in tasks {
        numbers.extend(task.await.expect("no panic"));
    }
    assert_eq!(numbers, (1..=200).map(EventId).collect());
    for store in &stores {
        let tokens = store.tokens(&TokenQuery::of_project(default_project())).await.expect("read");
        assert_eq!(tokens.len(), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quota_holds_across_processes() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("a.db");
    let stores = [open(&path), open(&path)];
    let tasks: Vec<_> = (0..30_u64)
        .map(|number| {
            let store = stores[usize::from(number % 2 == 1)].clone();
            tokio::spawn(async move {
                let token = token(number);
                store.create_token(&token, Quota(7), &created(&token)).await
            })
        })
        .collect();
    let mut created = 0;
    for task in tasks {
        match task.await.expect("no panic") {
            Ok(_) => created += 1,
            Err(StoreError::LimitReached { limit: 7 }) => (),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(created, 7);
}

#[tokio::test]
async fn readers_do_not_wait_for_a_writer_and_writers_do() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("a.db");
    let store = open(&path);
    let mut other = raw(&path);
    other.batch_execute("BEGIN IMMEDIATE; UPDATE projects SET name = 'Changed';").expect("written");

    let query = TokenQuery::of_project(default_project());
    let reading = store.tokens(&query);
    let tokens = timeout(Duration::from_secs(2), reading).await.expect("readers do not wait");
    assert_eq!(tokens.expect("read"), []);

    let token = token(1);
    let event = created(&token);
    let mut writing = Box::pin(store.create_token(&token, NO_LIMIT, &event));
    timeout(Duration::from_millis(200), &mut writing).await.expect_err("the other one is writing");
    let ending = thread::spawn(move || other.batch_execute("COMMIT;").expect("committed"));
    writing.await.expect("written after the other one");
    ending.join().expect("no panic");
}

#[tokio::test]
async fn a_lock_that_never_ends_makes_the_store_unavailable_and_no_worse() {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("a.db");
    let store = open(&path);
    let impatient = SqliteStore::open(SqliteSettings {
        busy_timeout: Duration::from_millis(50),
        acquire_timeout: Duration::from_millis(20),
        ..settings(&path)
    })
    .expect("opens");
    let mut other = raw(&path);
    other.batch_execute("BEGIN IMMEDIATE;").expect("begun");
    let (first, second) = (token(1), token(2));
    let (event, event_2) = (created(&first), created(&second));
    let (outcome, outcome_2) = tokio::join!(
        impatient.create_token(&first, NO_LIMIT, &event),
        impatient.create_token(&second, NO_LIMIT, &event_2),
    );
    // One met the lock, one did not get its turn.
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    assert!(matches!(outcome_2, Err(StoreError::Unavailable(_))), "{outcome_2:?}");
    other.batch_execute("ROLLBACK;").expect("ended");
    for store in [impatient, store] {
        let tokens = store.tokens(&TokenQuery::of_project(default_project())).await.expect("read");
        let token = token(10 + tokens.len() as u64);
        store.create_token(&token, NO_LIMIT, &created(&token)).await.expect("written");
    }
}
