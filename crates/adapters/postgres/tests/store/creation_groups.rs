//! Creations that share a transaction because they wait at the same time.

use std::time::Duration;

use futures_util::future::join_all;
use latchkey_domain::EventId;
use latchkey_ports::{Entity, NewToken, Quota, StoreError, StoredToken, TokenQuery, TokenRepository};
use latchkey_postgres::{PostgresSettings, PostgresStore};
use latchkey_storage_conformance::samples::{self, new_token, project_id};
use latchkey_testkit::database::TestDatabase;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::databases::{connected, migrated, run, until_waiting};

/// Holds the project, so that creations in it wait.
const HOLD: &str = "BEGIN; SELECT FROM projects WHERE id = 'default' FOR UPDATE";

/// A store in which as many transactions create tokens as may at once: two, and both wait for the holder of the project.
struct Busy {
    holder: Client,
    creating: Vec<JoinHandle<Result<Vec<EventId>, StoreError>>>,
}

impl Busy {
    async fn new(store: &PostgresStore, database: &TestDatabase) -> Self {
        let mut busy = Self { holder: connected(database.url()).await, creating: Vec::new() };
        run(&busy.holder, HOLD).await;
        let watcher = connected(database.url()).await;
        for number in [100, 101] {
            let store = store.clone();
            let creating = async move { store.create_tokens(&[in_default(number)]).await };
            busy.creating.push(tokio::spawn(creating));
            until_waiting(&watcher, i64::try_from(busy.creating.len()).expect("few")).await;
        }
        busy
    }

    async fn release(self) {
        run(&self.holder, "COMMIT").await;
        for created in self.creating {
            created.await.expect("no panic").expect("created");
        }
    }
}

fn in_default(number: u64) -> NewToken {
    new_token(samples::token(number, &["default"]))
}

/// Creates tokens one by one, while others are created. All wait before those go on: futures that are joined begin in turn.
async fn create_meanwhile(
    store: &PostgresStore,
    database: &TestDatabase,
    tokens: Vec<NewToken>,
) -> Vec<Result<Vec<EventId>, StoreError>> {
    let busy = Busy::new(store, database).await;
    let creating = join_all(tokens.iter().map(|new| store.create_tokens(std::slice::from_ref(new))));
    tokio::join!(creating, busy.release()).0
}

/// The number of transactions that inserted the tokens.
async fn transactions(database: &TestDatabase) -> i64 {
    let client = connected(database.url()).await;
    let counted = client.query_one("SELECT count(DISTINCT xmin::text) FROM api_tokens", &[]).await;
    counted.expect("counted").get(0)
}

/// Those that come while transactions run are created in the next, up to sixteen in one.
#[tokio::test(flavor = "multi_thread")]
async fn creations_that_wait_share_a_transaction() {
    let (store, database) = migrated().await;
    for created in create_meanwhile(&store, &database, (0..20).map(in_default).collect()).await {
        assert_eq!(created.expect("created").len(), 1);
    }
    // Two ran before, one created sixteen, and one created four.
    assert_eq!(transactions(&database).await, 4);
}

/// Each creation gets the answer that it would have got alone, and a refused one leaves the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_creation_leaves_the_others_of_its_group() {
    let (store, database) = migrated().await;
    let first = samples::token(0, &["default"]);
    let tokens = vec![
        new_token(first.clone()),
        new_token(StoredToken { secret: first.secret.clone(), ..samples::token(1, &["default"]) }),
        new_token(samples::token(2, &["gone"])),
        NewToken { quota: Quota(3), ..in_default(3) },
        in_default(4),
    ];
    let created = create_meanwhile(&store, &database, tokens).await;
    let [zero, same_secret, in_gone, over_quota, four] = &created[..] else { panic!("{created:?}") };
    assert!(matches!((zero, four), (Ok(_), Ok(_))), "{created:?}");
    assert!(matches!(same_secret, Err(StoreError::Conflict(Entity::Secret))), "{same_secret:?}");
    let gone = Entity::Project(project_id("gone"));
    assert!(matches!(in_gone, Err(StoreError::NotFound(entity)) if *entity == gone), "{in_gone:?}");
    assert!(matches!(over_quota, Err(StoreError::LimitReached { limit: 3 })), "{over_quota:?}");
    let kept = store.tokens(&TokenQuery::of_project(project_id("default"))).await.expect("tokens");
    assert_eq!(kept.len(), 4);
}

/// A creation that was refused because it waited too long is not made later.
#[tokio::test(flavor = "multi_thread")]
async fn a_creation_waits_no_longer_than_for_a_connection() {
    let (_, database) = migrated().await;
    let store = PostgresStore::connect(&PostgresSettings {
        statement_timeout: Duration::from_secs(30),
        acquire_timeout: Duration::from_secs(2),
        ..PostgresSettings::new(database.url())
    });
    let store = store.expect("a good URL");
    let busy = Busy::new(&store, &database).await;
    let refused = store.create_tokens(&[in_default(0)]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    busy.release().await;
    store.create_tokens(&[in_default(1)]).await.expect("created");
    let kept = store.tokens(&TokenQuery::of_project(project_id("default"))).await.expect("tokens");
    assert_eq!(kept.len(), 3);
}
