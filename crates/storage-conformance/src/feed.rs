//! The change feed: a follower sees every change once, whatever the order of commits.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use latchkey_domain::EventId;
use latchkey_ports::{Change, Continuity, Entity, FeedPage, FeedPosition, FeedReading, Store, StoredToken};
use tokio::task::JoinSet;

use crate::{
    event_log::{latest_event, seal_events},
    harness::{ErrorKind, all_events, error_kind, run_concurrently},
    samples::{
        AMPLE_QUOTA, moment, new_token, project, project_created, project_removal, secret, token,
        token_created, token_deleted,
    },
    setup,
};

/// A limit that no test reaches.
const AMPLE: u32 = 10_000;

/// Reads the feed, as a replica does.
struct Follower {
    position: FeedPosition,
    seen: Vec<Change>,
    /// The number of pages that may lack changes.
    broken: usize,
}

impl Follower {
    /// Begins at the end of the feed, once no transaction from before can add to it.
    async fn begin(store: &dyn Store) -> Self {
        let FeedPage { position, .. } =
            store.changes_since(&FeedPosition::default(), AMPLE).await.expect("the end of the feed");
        let mut follower = Self { position, seen: Vec::new(), broken: 0 };
        while follower.follow(store).await != Continuity::Unbroken {}
        Self { broken: 0, ..follower }
    }

    async fn follow(&mut self, store: &dyn Store) -> Continuity {
        let page = store.changes_since(&self.position, AMPLE).await.expect("a page");
        assert!(page.changes.is_sorted_by(|one, next| one.id < next.id), "{:?}", page.changes);
        self.position = page.position;
        self.seen.extend(page.changes);
        self.broken += usize::from(page.continuity != Continuity::Unbroken);
        page.continuity
    }

    /// Expects that all events of the log after the first `skipped` were seen, each once.
    async fn saw_all_but(mut self, skipped: usize, store: &dyn Store) {
        self.follow(store).await;
        self.seen.sort_unstable_by_key(|change| change.id);
        let log: Vec<Change> = all_events(store).await.iter().skip(skipped).map(Change::from).collect();
        assert_eq!(self.seen, log, "a change was missed, or seen twice");
    }
}

/// The first page is the end of the feed; each further one has what happened since.
pub async fn pages_have_what_happened_since(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b"]).await;
    let first = store.changes_since(&FeedPosition::default(), AMPLE).await.expect("the end");
    assert_eq!((first.changes, first.continuity), (vec![], Continuity::Broken));
    assert_eq!(first.position.newest(), latest_event(store).await);

    let mut follower = Follower::begin(store).await;
    let stored = token(1, &["a"]);
    setup::token(store, &stored).await;
    store.delete_token(stored.token.id, &token_deleted(&stored)).await.expect("removed");
    assert_eq!(follower.follow(store).await, Continuity::Unbroken);
    follower.saw_all_but(2, store).await;
}

/// More changes than the limit are not returned one by one; the next page goes on after them.
pub async fn a_page_beyond_its_limit_is_broken(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let begun = Follower::begin(store).await;
    setup::projects(store, &["a", "b", "c"]).await;
    for limit in [0, 2] {
        let page = store.changes_since(&begun.position, limit).await.expect("a page");
        assert_eq!((page.changes, page.continuity), (vec![], Continuity::Broken), "{limit}");
        assert_eq!(page.position.newest(), latest_event(store).await);
    }
    let page = store.changes_since(&begun.position, 3).await.expect("a page");
    assert_eq!((page.changes.len(), page.continuity), (3, Continuity::Unbroken));
}

/// Events that were deleted before they were read break the feed.
pub async fn deleted_events_break_the_feed(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut follower = Follower::begin(store).await;
    for (number, id) in (0..).zip(["a", "b", "c"]) {
        let mut event = project_created(&project(id));
        event.at = moment(number);
        store.create_project(&project(id), &[], None, &event).await.expect("created");
    }
    seal_events(store).await;
    assert_eq!(store.forget_events(moment(3)).await.expect("forgotten"), 2);
    while follower.broken == 0 {
        follower.follow(store).await;
    }
    assert_eq!(follower.seen.len(), 1);
    follower.saw_all_but(0, store).await;
}

/// A position above the newest number belongs to another database, or to one that was restored since.
pub async fn numbers_that_go_back_are_another_history(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    let ahead = FeedReading { newest: EventId(1_000_000), ..FeedReading::default() };
    let ahead = FeedPosition::default().advance(ahead, AMPLE).position;
    let page = store.changes_since(&ahead, AMPLE).await.expect("a page");
    assert_eq!((page.changes, page.continuity), (vec![], Continuity::OtherHistory));
    assert_eq!(page.position.newest(), latest_event(store).await);
}

/// While 16 tasks write, and some of their transactions are rolled back after an event was recorded, followers see every
/// event once. A page is only broken for what was rolled back.
pub async fn followers_see_every_change_once(store: &Arc<dyn Store>) {
    const WRITERS: u64 = 16;
    const TOKENS: u64 = 20;
    let projects: Vec<String> = (0..4).map(|number| format!("p{number}")).collect();
    setup::projects(store.as_ref(), &projects.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let writers_are_done = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for _ in 0..2 {
        let mut follower = Follower::begin(store.as_ref()).await;
        let (store, writers_are_done) = (Arc::clone(store), Arc::clone(&writers_are_done));
        readers.spawn(async move {
            while !writers_are_done.load(Ordering::SeqCst) {
                follower.follow(store.as_ref()).await;
                tokio::task::yield_now().await;
            }
            follower
        });
    }
    let writers = (0..WRITERS).zip(projects.into_iter().cycle()).map(|(writer, project)| {
        let store = Arc::clone(store);
        async move {
            for number in writer * TOKENS..(writer + 1) * TOKENS {
                let stored = token(number, &[&project]);
                store.create_token(&stored, AMPLE_QUOTA, &token_created(&stored)).await.expect("created");
                if number % 3 == 0 {
                    store.delete_token(stored.token.id, &token_deleted(&stored)).await.expect("removed");
                }
                if number % 5 == 0 {
                    // The second has the id of the first, whose event has its number by then.
                    let first = token(10_000 + number, &[&project]);
                    let second = StoredToken { secret: secret(20_000 + number), ..first.clone() };
                    let conflict = ErrorKind::Conflict(Entity::Token(first.token.id));
                    let refused = store.create_tokens(&[first, second].map(new_token)).await;
                    assert_eq!(error_kind(refused), conflict);
                }
            }
        }
    });
    run_concurrently(writers).await;
    writers_are_done.store(true, Ordering::SeqCst);
    for follower in readers.join_all().await {
        assert!(follower.broken <= 64, "{} pages were broken", follower.broken);
        follower.saw_all_but(4, store.as_ref()).await;
    }
}

/// A removal that records many events at once is seen like any other change.
pub async fn followers_see_every_change_of_a_removal(store: &Arc<dyn Store>) {
    const WRITERS: u64 = 6;
    const ROUNDS: u64 = 4;
    const TOKENS: u64 = 5;
    let mut followers = Vec::new();
    for _ in 0..WRITERS {
        followers.push(Follower::begin(store.as_ref()).await);
    }
    let writers = (0..WRITERS).zip(followers).map(|(writer, mut follower)| {
        let store = Arc::clone(store);
        async move {
            let id = format!("p{writer}");
            for round in 0..ROUNDS {
                setup::projects(store.as_ref(), &[&id]).await;
                for number in 0..TOKENS {
                    let number = 1_000 * writer + 10 * round + number;
                    setup::token(store.as_ref(), &token(number, &[&id])).await;
                }
                follower.follow(store.as_ref()).await;
                store.delete_project(&project_removal(&id)).await.expect("removed");
                follower.follow(store.as_ref()).await;
            }
            follower
        }
    });
    for follower in run_concurrently(writers).await {
        assert_eq!(follower.broken, 0, "nothing was rolled back");
        follower.saw_all_but(0, store.as_ref()).await;
    }
    let log = all_events(store.as_ref()).await;
    assert_eq!(u64::try_from(log.len()), Ok(WRITERS * ROUNDS * (2 * TOKENS + 2)));
}
