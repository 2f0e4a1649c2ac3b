//! Changes that are committed side by side, and followers of the feed beside them. Transactions are held open by hand
//! where the port cannot.

use latchkey_domain::EventId;
use latchkey_ports::{
    Continuity, EventRepository, FeedPosition, ProjectRepository, Quota, Settlement, TokenRepository,
};
use latchkey_postgres::PostgresStore;
use latchkey_storage_conformance::{
    event_log::latest_event,
    samples::{self, AMPLE_QUOTA},
};
use latchkey_testkit::database::TestDatabase;
use tokio_postgres::Client;

use crate::databases::{connected, migrated, run, until_waiting};

/// What every transaction does before it draws a number.
const BEGIN: &str = "BEGIN; SELECT FROM projects WHERE id = 'default' FOR KEY SHARE;
    SELECT pg_advisory_xact_lock_shared(7809651199139214964);";
const AN_EVENT: &str = "INSERT INTO events (kind, actor_name, actor_user_id, at, concerns)
    VALUES ('pat-created', 'user', 1, now(), 'nothing') RETURNING id";

/// A transaction with a lower transaction id than those that begin later.
async fn begun(database: &TestDatabase) -> Client {
    let client = connected(database.url()).await;
    run(&client, BEGIN).await;
    client
}

async fn record(client: &Client) -> EventId {
    EventId(client.query_one(AN_EVENT, &[]).await.expect("an event").get(0))
}

struct Follower<'s> {
    store: &'s PostgresStore,
    position: FeedPosition,
}

impl<'s> Follower<'s> {
    /// Begins once no transaction from before can add to the feed.
    async fn begin(store: &'s PostgresStore) -> Self {
        let page = store.changes_since(&FeedPosition::default(), 100).await.expect("the end of the feed");
        let mut follower = Self { store, position: page.position };
        follower.until(Continuity::Unbroken).await;
        follower
    }

    async fn follow(&mut self) -> (Vec<EventId>, Continuity) {
        let page = self.store.changes_since(&self.position, 100).await.expect("a page");
        self.position = page.position;
        (page.changes.iter().map(|change| change.id).collect(), page.continuity)
    }

    /// Follows until a page of that kind, which has no change.
    async fn until(&mut self, wanted: Continuity) {
        loop {
            let (changes, continuity) = self.follow().await;
            assert_eq!(changes, []);
            if continuity == wanted {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    fn missing(&self) -> Vec<EventId> {
        self.position.missing().collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_commit_is_seen_when_it_is_there() {
    let (store, database) = migrated().await;
    let mut follower = Follower::begin(&store).await;
    let (slow, fast) = (begun(&database).await, begun(&database).await);
    let (first, second) = (record(&slow).await, record(&fast).await);
    run(&fast, "COMMIT").await;
    for seen in [vec![second], vec![], vec![]] {
        assert_eq!(follower.follow().await, (seen, Continuity::Unbroken));
        assert_eq!(follower.missing(), [first]);
    }
    run(&slow, "COMMIT").await;
    assert_eq!(follower.follow().await, (vec![first], Continuity::Unbroken));
    assert_eq!(follower.missing(), []);
}

/// The transaction with the missing number has the highest id of all that were given out. The snapshot's xmax is one above
/// the ids of those that have ended, which is just that id.
#[tokio::test(flavor = "multi_thread")]
async fn the_newest_transaction_can_own_a_missing_number() {
    let (store, database) = migrated().await;
    let mut follower = Follower::begin(&store).await;
    let (fast, slow) = (begun(&database).await, begun(&database).await);
    let (first, second) = (record(&slow).await, record(&fast).await);
    run(&fast, "COMMIT").await;
    assert_eq!(follower.follow().await, (vec![second], Continuity::Unbroken));
    for _ in 0..5 {
        assert_eq!(follower.follow().await, (vec![], Continuity::Unbroken));
        assert_eq!(follower.missing(), [first]);
    }
    run(&slow, "COMMIT").await;
    assert_eq!(follower.follow().await, (vec![first], Continuity::Unbroken));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_was_rolled_back_is_given_up() {
    let (store, database) = migrated().await;
    let mut follower = Follower::begin(&store).await;
    let (slow, fast) = (begun(&database).await, begun(&database).await);
    let (first, second) = (record(&slow).await, record(&fast).await);
    run(&fast, "COMMIT").await;
    assert_eq!(follower.follow().await, (vec![second], Continuity::Unbroken));
    run(&slow, "ROLLBACK").await;
    assert_eq!(follower.missing(), [first]);
    // Transactions in other databases may run a little longer.
    follower.until(Continuity::Broken).await;
    assert_eq!(follower.missing(), []);
    assert_eq!(follower.follow().await, (vec![], Continuity::Unbroken));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_begins_beside_a_slow_commit_trusts_nothing_until_it_is_there() {
    let (store, database) = migrated().await;
    let (slow, fast) = (begun(&database).await, begun(&database).await);
    record(&slow).await;
    let second = record(&fast).await;
    run(&fast, "COMMIT").await;
    let page = store.changes_since(&FeedPosition::default(), 100).await.expect("the end of the feed");
    assert_eq!((page.position.newest(), page.continuity), (second, Continuity::Broken));
    let mut follower = Follower { store: &store, position: page.position };
    for _ in 0..3 {
        assert_eq!(follower.follow().await, (vec![], Continuity::Broken));
    }
    run(&slow, "COMMIT").await;
    follower.until(Continuity::Unbroken).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_another_origin_is_another_history() {
    let (store, database) = migrated().await;
    let mut follower = Follower::begin(&store).await;
    let client = connected(database.url()).await;
    let origin: String = client.query_one("SELECT database_origin()", &[]).await.expect("one").get(0);
    let (system, timeline) = origin.split_once('/').expect("a system and a timeline");
    assert!(system.parse::<i64>().is_ok() && timeline == "1", "{origin}");
    // As a server whose identity may not be read.
    let origin_is = async |origin: &str| {
        let body = format!("SELECT {origin}::text");
        let function =
            format!("CREATE OR REPLACE FUNCTION database_origin() RETURNS text LANGUAGE sql AS $$ {body} $$");
        run(&client, &function).await;
    };
    origin_is("NULL").await;
    assert_eq!(follower.follow().await, (vec![], Continuity::Unbroken));
    origin_is(&format!("'{system}/2'")).await;
    assert_eq!(follower.follow().await, (vec![], Continuity::OtherHistory));
}

/// A reader of settled events waits for a lower number, and passes one that was rolled back.
#[tokio::test(flavor = "multi_thread")]
async fn settled_events_wait_for_a_held_transaction() {
    let (store, database) = migrated().await;
    let held = begun(&database).await;
    let (mut after, mut settlement) = (EventId(0), Settlement::default());
    let mut read = async || {
        let read = store.settled_events(after, &settlement, 100).await.expect("events");
        settlement = read.settlement;
        let ids: Vec<EventId> = read.events.iter().map(|event| event.id).collect();
        after = ids.last().copied().unwrap_or(after);
        (ids, settlement.is_pending())
    };
    // Without a missing number, a transaction that runs makes no reader wait.
    let fast = begun(&database).await;
    let first = record(&fast).await;
    run(&fast, "COMMIT").await;
    assert_eq!(read().await, (vec![first], false));

    let second = record(&held).await;
    let fast = begun(&database).await;
    let third = record(&fast).await;
    run(&fast, "COMMIT").await;
    for _ in 0..3 {
        assert_eq!(read().await, (vec![], true));
    }
    run(&held, "COMMIT").await;
    assert_eq!(read().await, (vec![second, third], false));

    let (aborted, fast) = (begun(&database).await, begun(&database).await);
    record(&aborted).await;
    let last = record(&fast).await;
    run(&fast, "COMMIT").await;
    assert_eq!(read().await, (vec![], true));
    run(&aborted, "ROLLBACK").await;
    // Transactions in other databases may run a little longer.
    loop {
        match read().await {
            (ids, true) => assert_eq!(ids, []),
            found => break assert_eq!(found, (vec![last], false)),
        }
        tokio::task::yield_now().await;
    }
}

/// While one creation is not committed yet, others in the same project and environment are; a change of another kind waits.
#[tokio::test(flavor = "multi_thread")]
async fn creations_do_not_wait_for_each_other() {
    let (store, database) = migrated().await;
    let slow = begun(&database).await;
    run(
        &slow,
        "SELECT FROM environments WHERE name = 'development' FOR KEY SHARE;
         INSERT INTO api_tokens (id, name, kind, all_projects, environment, created_at, secret_digest, secret_key)
         VALUES (gen_random_uuid(), 'slow', 'client', false, 'development', now(), sha256('slow'), '\\x00000000');
         INSERT INTO api_token_projects (project_id, token_id, position) SELECT 'default', id, 0 FROM api_tokens",
    )
    .await;
    for number in 0..5 {
        let token = samples::token(number, &["default"]);
        let created = samples::token_created(&token);
        store.create_token(&token, AMPLE_QUOTA, &created).await.expect("it does not wait");
        store.delete_token(token.token.id, &samples::token_deleted(&token)).await.expect("it does not wait");
    }
    let other = store.clone();
    let project = samples::project("other");
    let waiting = tokio::spawn(async move {
        other.create_project(&project, &[], None, &samples::project_created(&project)).await
    });
    let waits = "SELECT count(*) FROM pg_locks
        WHERE locktype = 'advisory' AND NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let watcher = connected(database.url()).await;
    while watcher.query_one(waits, &[]).await.expect("counted").get::<_, i64>(0) == 0 {}
    run(&slow, "COMMIT").await;
    waiting.await.expect("no panic").expect("created");
    let kept: i64 = watcher
        .query_one("SELECT tokens FROM project_token_counts WHERE project_id = 'default'", &[])
        .await
        .expect("counted")
        .get(0);
    assert_eq!(kept, 1);
}

/// With room for all that may be created meanwhile, a creation does not wait for another in the project; near the quota it
/// does, and the quota holds.
#[tokio::test(flavor = "multi_thread")]
async fn near_its_quota_a_project_is_counted_by_one_creation_at_a_time() {
    let (store, database) = migrated().await;
    let client = connected(database.url()).await;
    let connections: String = client.query_one("SHOW max_connections", &[]).await.expect("a setting").get(0);
    // A transaction that does not run alone creates up to sixteen tokens.
    let room = 16 * connections.parse::<u64>().expect("a number");
    run(&client, "BEGIN; SELECT FROM projects WHERE id = 'default' FOR SHARE").await;
    let create = async |number: u64, quota: u64| {
        let token = samples::token(number, &["default"]);
        store.create_token(&token, Quota(quota), &samples::token_created(&token)).await
    };
    create(0, room).await.expect("there is room for all");
    let before = latest_event(&store).await;
    let waiting = {
        let (store, token) = (store.clone(), samples::token(1, &["default"]));
        tokio::spawn(
            async move { store.create_token(&token, Quota(room), &samples::token_created(&token)).await },
        )
    };
    until_waiting(&connected(database.url()).await, 1).await;
    assert_eq!(latest_event(&store).await, before);
    run(&client, "COMMIT").await;
    waiting.await.expect("no panic").expect("created");
}
