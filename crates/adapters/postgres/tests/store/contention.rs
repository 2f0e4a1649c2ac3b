//! Whatever is done at once, no two transactions wait for each other: a call fails because of what came or went, and for
//! no other reason. In the end the counts are right.

use latchkey_domain::{EventId, EventKind, LoginFailures, PersonalTokenId, SessionId, TokenId, UserId};
use latchkey_ports::{
    AccessRepository, EnvironmentRepository, EventRepository, LoginFailureRepository, LoginKey,
    PersonalTokenRepository, ProjectRepository, Rotation, SessionRepository, SessionStart, StoreError,
    TokenRepository, UserRepository,
};
use latchkey_postgres::PostgresStore;
use latchkey_storage_conformance::{
    event_log::latest_event,
    samples::{self, AMPLE_LIMIT, AMPLE_QUOTA, MEMBER, OWNER},
};

use crate::databases::{connected, migrated};

const TASKS: u64 = 8;
const STEPS: u64 = 60;
const PROJECTS: [&str; 3] = ["a", "b", "c"];
const ENVIRONMENTS: [&str; 2] = ["e", "f"];
const USERS: i64 = 4;

/// The same numbers in every run, which look like chance (the multiplier is Knuth's).
struct Dice(u64);

impl Dice {
    fn roll<T: TryFrom<u64>>(&mut self, sides: u64) -> T {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        T::try_from((self.0 >> 33) % sides).ok().expect("a small number")
    }

    fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        let which: usize = self.roll(u64::try_from(things.len()).expect("few"));
        *things.get(which).expect("within")
    }

    fn user(&mut self) -> UserId {
        UserId(1 + self.roll::<i64>(USERS.unsigned_abs()))
    }

    /// A token that was made lately, if it is still there.
    fn token(&mut self, round: u64) -> u64 {
        round.saturating_sub(self.roll(3)) * TASKS + self.roll::<u64>(TASKS)
    }
}

fn token_id(number: u64) -> TokenId {
    samples::token(number, &["a"]).token.id
}

/// What is refused is refused for a reason.
#[track_caller]
fn answered<T>(result: Result<T, StoreError>) {
    if let Err(error @ (StoreError::Unavailable(_) | StoreError::Inconsistent(_))) = result {
        panic!("{error:?}");
    }
}

async fn with_a_new_token(store: &PostgresStore, dice: &mut Dice, new: u64) {
    let projects = [dice.one_of(&PROJECTS), dice.one_of(&PROJECTS)];
    let environment = dice.one_of(&["development", "e", "f"]);
    let stored = samples::working_in(environment, samples::token(new, &projects));
    answered(store.create_token(&stored, AMPLE_QUOTA, &samples::token_created(&stored)).await);
}

async fn with_a_token(store: &PostgresStore, dice: &mut Dice, round: u64, new: u64) {
    let number = dice.token(round);
    let event = samples::event(EventKind::ApiTokenUpdated);
    match dice.roll::<u8>(4) {
        0 => answered(store.delete_token(token_id(number), &event).await),
        1 => {
            let seen: Vec<_> = (0..20).map(|_| (token_id(dice.token(round)), samples::moment(9))).collect();
            answered(store.record_token_use(&seen).await);
        }
        2 => {
            let before = samples::token(number, &["default"]);
            let after = samples::ending(Some(samples::moment(5)), before.clone());
            answered(store.update_token(&before.token, &after.token, &event).await);
        }
        _ => {
            let rotation = Rotation {
                token: token_id(number),
                from: samples::digest(number),
                to: samples::secret(1_000_000 + new),
                overlap_until: Some(samples::moment(i64::try_from(new).expect("small"))),
                update: None,
            };
            answered(store.rotate_token(&rotation, &event).await);
        }
    }
}

async fn with_places(store: &PostgresStore, dice: &mut Dice) {
    let (project, environment) = (dice.one_of(&PROJECTS), dice.one_of(&ENVIRONMENTS));
    let (id, name) = (samples::project_id(project), samples::environment(environment));
    let event = samples::event(EventKind::ProjectUpdated);
    match dice.roll::<u8>(10) {
        0 => {
            answered(store.delete_project(&samples::project_removal(project)).await);
            let environments = ENVIRONMENTS.map(samples::environment);
            let owner = Some(dice.user());
            answered(store.create_project(&samples::project(project), &environments, owner, &event).await);
        }
        1 => {
            answered(store.delete_environment(&samples::environment_removal(environment)).await);
            answered(store.create_environment(&samples::test_environment(environment), &event).await);
        }
        2 => answered(store.add_project_environment(&id, &name, &event).await),
        3 => answered(store.remove_project_environment(&id, &name, &event).await),
        4 => {
            let orders = [(name, 7), (samples::environment("development"), 8)];
            answered(store.sort_environments(&orders, &event).await);
        }
        _ => {
            let kept = samples::project(project);
            answered(store.update_project(&kept, &kept, &event).await);
        }
    }
}

async fn with_people(store: &PostgresStore, dice: &mut Dice, new: u64) {
    let user = dice.user();
    let event = samples::event(EventKind::UserUpdated);
    let given = samples::memberships(
        &[dice.user(), user],
        &samples::project_id(dice.one_of(&PROJECTS)),
        &[dice.one_of(&[OWNER, MEMBER]), MEMBER],
    );
    match dice.roll::<u8>(9) {
        0 => answered(store.add_memberships(&given, &event).await),
        1 => answered(store.replace_memberships(&given, &event).await),
        2 => answered(store.delete_user(user, &event).await),
        3 => answered(store.set_password(&samples::new_password(user, new), &event).await),
        4 => {
            let password = store.find_account(user).await.expect("read").and_then(|account| account.password);
            let start = samples::session_start(&samples::session(new, user), new);
            answered(store.start_session(&SessionStart { password, max_per_user: 2, ..start }, &event).await);
        }
        5 => {
            let sessions = store.sessions_of(user).await.expect("read");
            let session = sessions.first().map_or(SessionId(uuid(new)), |session| session.id);
            answered(store.end_session(user, session, &event).await);
        }
        6 => {
            let token = samples::personal_token(user, &format!("token {new}"));
            answered(store.create_personal_token(&token, &samples::secret(new), AMPLE_LIMIT, &event).await);
        }
        7 => {
            let id = PersonalTokenId(dice.roll(50));
            answered(store.delete_personal_token(user, id, &event).await);
        }
        _ => {
            let seen: Vec<_> = (1..50).map(|id| (PersonalTokenId(id), samples::moment(9))).collect();
            answered(store.record_personal_token_use(&seen).await);
        }
    }
}

fn uuid(number: u64) -> uuid::Uuid {
    uuid::Uuid::from_u64_pair(0, number)
}

async fn with_what_leaves_no_event(store: &PostgresStore, dice: &mut Dice, round: u64) {
    let account = LoginKey::Account(dice.one_of(&["ada", "gr\0ace"]).to_owned());
    let address = LoginKey::Address([192, 0, 2, dice.roll(3)].into());
    let keys = if dice.roll::<u8>(2) == 0 { [account, address] } else { [address, account] };
    answered(store.record_login_failure(&keys, samples::moment(0)).await);
    match dice.roll::<u8>(8) {
        0 => answered(store.forget_login_failures(&keys).await),
        1 => answered(store.sweep(samples::moment(i64::try_from(round * TASKS).expect("small"))).await),
        2 => answered(store.forget_events(samples::moment(0)).await),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_transactions_deadlock() {
    let (store, database) = migrated().await;
    let event = samples::event(EventKind::UserCreated);
    for name in ENVIRONMENTS {
        store.create_environment(&samples::test_environment(name), &event).await.expect("an environment");
    }
    for id in PROJECTS {
        store.create_project(&samples::project(id), &[], None, &event).await.expect("a project");
    }
    for number in 1..=USERS {
        let user = samples::user_named(&format!("user {number}"));
        store.create_user(&user, None, &event).await.expect("a user");
    }
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut dice = Dice(task);
                for round in 0..STEPS {
                    let new = round * TASKS + task;
                    with_a_new_token(&store, &mut dice, new).await;
                    with_a_token(&store, &mut dice, round, new).await;
                    with_a_token(&store, &mut dice, round, 2_000_000 + new).await;
                    with_places(&store, &mut dice).await;
                    with_people(&store, &mut dice, new).await;
                    with_what_leaves_no_event(&store, &mut dice, round).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    assert!(latest_event(&store).await > EventId(100), "little was done");
    assert_eq!(wrong_counts(database.url()).await, 0);
}

/// How many counts are not what counting gives.
async fn wrong_counts(url: &str) -> i64 {
    const WRONG: &str = "
        SELECT
            (SELECT count(*) FROM project_token_counts AS kept WHERE tokens <>
                (SELECT count(*) FROM api_token_projects WHERE project_id = kept.project_id))
            + (SELECT count(*) FROM environment_token_counts AS kept WHERE tokens <>
                (SELECT count(*) FROM api_tokens WHERE environment = kept.environment))
            + (SELECT count(*) FROM project_member_counts AS kept WHERE members <>
                (SELECT count(DISTINCT user_id) FROM memberships WHERE project_id = kept.project_id))
            + abs((SELECT count(*) FROM projects) - (SELECT count(*) FROM project_member_counts))
            + (SELECT count(*) FROM project_token_parts WHERE project_id NOT IN (SELECT id FROM projects))
            + (SELECT count(*) FROM environment_token_parts WHERE environment NOT IN (SELECT name FROM environments))";
    connected(url).await.query_one(WRONG, &[]).await.expect("counted").get(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn failures_in_any_order_are_all_counted() {
    let (store, _database) = migrated().await;
    let keys: Vec<_> = (0..6).map(|number| LoginKey::Address([192, 0, 2, number].into())).collect();
    let tries: Vec<_> = (0..40)
        .map(|number| {
            let (store, mut keys) = (store.clone(), keys.clone());
            keys.rotate_left(number % 6);
            tokio::spawn(async move { store.record_login_failure(&keys, samples::moment(0)).await })
        })
        .collect();
    for one in tries {
        one.await.expect("no panic").expect("counted");
    }
    let expected = Some(LoginFailures { count: 40, last_at: samples::moment(0) });
    assert_eq!(store.login_failures(&keys).await.expect("read"), vec![expected; keys.len()]);
}
