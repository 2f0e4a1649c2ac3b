//! Many calls at once: one of several that want the same wins, none waits for ever, and whoever follows the trail
//! misses nothing.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use latchkey_domain::{Event, EventId, ProjectDescription, ProjectId};
use latchkey_ports::{Entity, Store};
use tokio::task::JoinSet;

use crate::{
    at_once::{at_once, one_wins},
    given,
    observed::{ServiceError, all_events, sorted},
    samples::{
        MANY, MEMBER, ROOM_ENOUGH, membership_added, memberships, moment, personal_token,
        personal_token_created, project, project_created, project_id, project_removal, secret_shown_once,
        token, token_created, token_deleted, user, user_created, user_named,
    },
};

/// 30 removals of one token at once: it is removed once.
pub async fn one_removal_wins(store: &Arc<dyn Store>) {
    let stored = token(1, &["default"]);
    given::token(store.as_ref(), &stored).await;
    let calls = (0..30).map(|_| {
        let (store, stored) = (Arc::clone(store), stored.clone());
        async move { store.delete_token(stored.token.id, &token_deleted(&stored)).await }
    });
    one_wins(store.as_ref(), ServiceError::NotFound(Entity::Token(stored.token.id)), calls).await;
    assert_eq!(store.find_token(stored.token.id).await.expect("a look-up"), None);
}

/// 20 projects of one id at once: there is one then, whole.
pub async fn one_project_wins(store: &Arc<dyn Store>) {
    let calls =
        (0..20).map(|number| {
            let mut project = project("a");
            project.created_at = moment(number);
            project.description = ProjectDescription::new(&number.to_string()).expect("a description");
            let store = Arc::clone(store);
            async move {
                store.create_project(&project, &[], None, &project_created(&project)).await.map(|_| project)
            }
        });
    let winner =
        one_wins(store.as_ref(), ServiceError::Conflict(Entity::Project(project_id("a"))), calls).await;
    assert_eq!(store.find_project(&winner.id).await.expect("a look-up"), Some(winner));
}

/// 20 users of one e-mail address at once, in different cases of letters: there is one then.
pub async fn one_user_of_an_email_wins(store: &Arc<dyn Store>) {
    let calls = (0..20).map(|number| {
        let email = if number % 2 == 0 { "ed@example.com" } else { "ED@Example.com" };
        let new = user(Some(&format!("ed {number}")), Some(email));
        let store = Arc::clone(store);
        async move { store.create_user(&new, None, &user_created(&new)).await.map(|(id, _)| id) }
    });
    let winner = one_wins(store.as_ref(), ServiceError::Conflict(Entity::UserIdentity), calls).await;
    let found = store.find_account_by_login("Ed@example.com").await.expect("a look-up");
    assert_eq!(found.map(|account| account.user.id), Some(winner));
}

/// 20 users of one user name at once: there is one then.
pub async fn one_user_of_a_name_wins(store: &Arc<dyn Store>) {
    let calls = (0..20).map(|_| {
        let store = Arc::clone(store);
        async move { store.create_user(&user_named("ed"), None, &user_created(&user_named("ed"))).await }
    });
    one_wins(store.as_ref(), ServiceError::Conflict(Entity::UserIdentity), calls).await;
}

/// 20 times the same role for the same user at once: it is held once.
pub async fn one_membership_wins(store: &Arc<dyn Store>) {
    let user = given::user(store.as_ref(), &user_named("ed")).await;
    let default = project_id("default");
    let calls = (0..20).map(|_| {
        let (store, default) = (Arc::clone(store), default.clone());
        let event = membership_added(user, &default, MEMBER);
        async move { store.add_memberships(&memberships(&[user], &default, &[MEMBER]), &event).await }
    });
    one_wins(store.as_ref(), ServiceError::Conflict(Entity::Membership), calls).await;
}

/// 20 personal tokens of one description at once: there is one then.
pub async fn one_personal_token_wins(store: &Arc<dyn Store>) {
    let user = given::user(store.as_ref(), &user_named("ed")).await;
    let calls = (0..20).map(|number| {
        let store = Arc::clone(store);
        let new = personal_token(user, "ci");
        let (secret, event) = (secret_shown_once(number), personal_token_created(&new));
        async move { store.create_personal_token(&new, &secret, MANY, &event).await }
    });
    one_wins(store.as_ref(), ServiceError::Conflict(Entity::PersonalTokenDescription), calls).await;
}

/// 20 tokens of one secret at once, in different projects: there is one then.
pub async fn one_secret_wins(store: &Arc<dyn Store>) {
    let names: Vec<_> = (0..20).map(|number| format!("p{number}")).collect();
    given::projects(store.as_ref(), &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let calls = (0..).zip(names).map(|(number, project)| {
        let mut stored = token(number, &[&project]);
        stored.secret = secret_shown_once(500);
        let store = Arc::clone(store);
        async move { store.create_token(&stored, ROOM_ENOUGH, &token_created(&stored)).await }
    });
    one_wins(store.as_ref(), ServiceError::Conflict(Entity::Secret), calls).await;
}

/// Tokens that name the same projects in opposite orders, and tokens of other projects, are all created: no two
/// creations wait for each other.
pub async fn creations_do_not_block_each_other(store: &Arc<dyn Store>) {
    given::projects(store.as_ref(), &["a", "b", "c", "d"]).await;
    let scopes: [&[&str]; 6] = [&["a", "b"], &["b", "a"], &["c"], &["d"], &["default"], &["b", "c", "a"]];
    let calls = (0..).zip(scopes.into_iter().cycle()).take(30).map(|(number, projects)| {
        let (store, stored) = (Arc::clone(store), token(number, projects));
        async move { store.create_token(&stored, ROOM_ENOUGH, &token_created(&stored)).await }
    });
    let (done, refused) = sorted(at_once(calls).await);
    assert_eq!((done.len(), refused), (30, vec![]));
}

/// Notes about the same tokens in opposite orders, at once and beside removals, are all taken: the latest moment stays.
pub async fn notes_do_not_block_each_other(store: &Arc<dyn Store>) {
    let tokens: Vec<_> = (0..40).map(|number| token(number, &["default"])).collect();
    given::tokens(store.as_ref(), &tokens).await;
    let calls = (0..20_i64).map(|note| {
        let store = Arc::clone(store);
        let mut seen: Vec<_> = tokens.iter().map(|stored| (stored.token.id, moment(note))).collect();
        if note % 2 == 0 {
            seen.reverse();
        }
        let removed =
            usize::try_from(note).ok().filter(|note| note % 4 == 0).map(|note| tokens[note].clone());
        async move {
            if let Some(removed) = removed {
                store.delete_token(removed.token.id, &token_deleted(&removed)).await.expect("removed");
            }
            store.record_token_use(&seen).await.expect("noted");
        }
    });
    at_once(calls).await;
    let left = store.tokens_of_project(&project_id("default")).await.expect("tokens");
    assert_eq!(left.len(), 35);
    assert!(left.iter().all(|stored| stored.token.last_used_at == Some(moment(19))), "{left:?}");
}

/// Follows the trail from its beginning, as a replica does.
#[derive(Default)]
struct Follower {
    seen: Vec<Event>,
    last: EventId,
}

impl Follower {
    /// Reads on, up to the newest event.
    async fn catch_up(&mut self, store: &dyn Store) {
        let latest = store.latest_event().await.expect("a number");
        assert!(latest >= self.last, "{latest:?} after {:?} was seen", self.last);
        while self.last < latest {
            let page = store.events_after(self.last, 7).await.expect("events");
            assert!(page.is_sorted_by(|one, next| one.id < next.id), "numbers must rise");
            self.last = page.last().expect("what is announced can be read").id;
            self.seen.extend(page);
        }
    }
}

/// Creates tokens, is refused, and removes some. Looks at the trail after every creation: just then, creations of others
/// are most likely under way with lower numbers.
async fn write_and_follow(store: Arc<dyn Store>, numbers: Range<u64>, project: ProjectId) -> Follower {
    let mut follower = Follower::default();
    for number in numbers {
        let stored = token(number, &[project.as_str()]);
        let (created, deleted) = (token_created(&stored), token_deleted(&stored));
        store.create_token(&stored, ROOM_ENOUGH, &created).await.expect("created");
        follower.catch_up(store.as_ref()).await;
        store.create_token(&stored, ROOM_ENOUGH, &created).await.expect_err("the same again");
        if number % 3 == 0 {
            store.delete_token(stored.token.id, &deleted).await.expect("removed");
        }
    }
    follower
}

/// While others write, and are refused, and remove, whoever follows the trail sees every event once and in its order.
pub async fn followers_miss_nothing(store: &Arc<dyn Store>) {
    const WRITERS: u64 = 8;
    const TOKENS: u64 = 24;
    let projects: Vec<ProjectId> = (0..WRITERS).map(|number| project_id(&format!("p{number}"))).collect();
    given::projects(store.as_ref(), &projects.iter().map(ProjectId::as_str).collect::<Vec<_>>()).await;
    let writers_are_done = Arc::new(AtomicBool::new(false));
    let mut readers = JoinSet::new();
    for _ in 0..2 {
        let (store, writers_are_done) = (Arc::clone(store), Arc::clone(&writers_are_done));
        readers.spawn(async move {
            let mut follower = Follower::default();
            while !writers_are_done.load(Ordering::SeqCst) {
                follower.catch_up(store.as_ref()).await;
                tokio::task::yield_now().await;
            }
            follower
        });
    }

    let writers = (0..WRITERS).zip(projects).map(|(writer, project)| {
        write_and_follow(Arc::clone(store), writer * TOKENS..(writer + 1) * TOKENS, project)
    });
    let mut followers = at_once(writers).await;
    writers_are_done.store(true, Ordering::SeqCst);
    followers.extend(readers.join_all().await);

    let trail = all_events(store.as_ref()).await;
    assert_eq!(u64::try_from(trail.len()), Ok(WRITERS * (1 + TOKENS + TOKENS / 3)));
    for mut follower in followers {
        follower.catch_up(store.as_ref()).await;
        let numbers = |events: &[Event]| events.iter().map(|event| event.id).collect::<Vec<_>>();
        assert_eq!(numbers(&follower.seen), numbers(&trail), "a follower missed something or saw it twice");
        assert_eq!(follower.seen, trail);
    }
}

/// A removal that leaves many events at once is seen by its followers like any other change: each event once, in its order.
pub async fn followers_miss_nothing_of_removals(store: &Arc<dyn Store>) {
    const WRITERS: u64 = 6;
    const ROUNDS: u64 = 4;
    const TOKENS: u64 = 5;
    let writers = (0..WRITERS).map(|writer| {
        let store = Arc::clone(store);
        async move {
            let (id, mut follower) = (format!("p{writer}"), Follower::default());
            for round in 0..ROUNDS {
                given::projects(store.as_ref(), &[&id]).await;
                for number in 0..TOKENS {
                    let number = 1_000 * writer + 10 * round + number;
                    given::token(store.as_ref(), &token(number, &[&id])).await;
                }
                follower.catch_up(store.as_ref()).await;
                store.delete_project(&project_removal(&id)).await.expect("removed");
                follower.catch_up(store.as_ref()).await;
            }
            follower
        }
    });
    let followers = at_once(writers).await;
    let trail = all_events(store.as_ref()).await;
    assert_eq!(u64::try_from(trail.len()), Ok(WRITERS * ROUNDS * (2 * TOKENS + 2)));
    for mut follower in followers {
        follower.catch_up(store.as_ref()).await;
        assert_eq!(follower.seen, trail, "a follower missed something or saw it twice");
    }
}
