//! Sessions, and the passwords that start them.

use std::{net::IpAddr, sync::Arc};

use latchkey_domain::{EventKind, Grants, NewEvent, NewUser, Origin, Session, SessionId, User, UserId};
use latchkey_ports::{Entity, SessionHolder, SessionStart, Store, StoreError};
use uuid::Uuid;

use crate::{
    event_log::{events_after, latest_event},
    harness::{
        ErrorKind, all_events, exactly_one_succeeds, expect_error, expect_event, partition_results,
        run_concurrently,
    },
    samples::{
        AMPLE_LIMIT, EDITOR, MEMBER, VIEWER, admin_token, built_in_role, digest, event, extreme_moments,
        moment, project_id, secret, secret_shown_once, service_account, session, session_start, user,
        user_named,
    },
    setup,
};

fn started() -> NewEvent {
    event(EventKind::SessionStarted)
}

fn ended() -> NewEvent {
    event(EventKind::SessionEnded)
}

/// Starts a session whose secret is the sample of the same number.
async fn start(store: &dyn Store, number: u64, user: UserId, max_per_user: u32) -> Result<u64, StoreError> {
    let start = SessionStart { max_per_user, ..session_start(&session(number, user), number) };
    store.start_session(&start, &started()).await
}

async fn holder(store: &dyn Store, number: u64) -> Option<SessionHolder> {
    store.find_session_by_digest(&[digest(number)]).await.expect("a lookup")
}

async fn sessions_of(store: &dyn Store, user: UserId) -> Vec<Session> {
    store.sessions_of(user).await.expect("sessions")
}

/// The complete user and the grants are found with the session; starting it records the event.
pub async fn a_session_is_found_with_its_user_and_grants(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let new = NewUser { root_role: EDITOR, ..user(Some("ed"), Some("Ed@Example.com")) };
    let ed = setup::stored_user(store, &new).await;
    let other = setup::user(store, &user_named("other")).await;
    setup::membership(store, ed.id, &project_id("default"), MEMBER).await;
    setup::session(store, &session(2, other), 2).await;
    let last = latest_event(store).await;
    assert_eq!(start(store, 1, ed.id, AMPLE_LIMIT).await.expect("started"), 0);
    let events = events_after(store, last).await;
    assert_eq!(events.into_iter().map(|event| event.record).collect::<Vec<_>>(), [started()]);

    let member = built_in_role(MEMBER);
    let expected = SessionHolder {
        session: session(1, ed.id),
        user: User { last_seen_at: Some(moment(1)), ..ed.clone() },
        grants: Grants::of_roles(&built_in_role(EDITOR), [(project_id("default"), &member)]),
        found_by: digest(1),
    };
    let found = holder(store, 1).await.expect("the session");
    assert_eq!(found, expected);
    assert_eq!(found.user.identity.email().map(ToString::to_string).as_deref(), Some("Ed@Example.com"));
    assert_eq!(holder(store, 2).await.expect("the session").user.id, other);
    assert_eq!(sessions_of(store, ed.id).await, [session(1, ed.id)]);
}

/// Grants are those at the time of the lookup.
pub async fn a_session_has_the_current_grants(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    setup::session(store, &session(1, ed), 1).await;
    setup::membership(store, ed, &project_id("default"), MEMBER).await;
    let member = built_in_role(MEMBER);
    let expected = Grants::of_roles(&built_in_role(VIEWER), [(project_id("default"), &member)]);
    assert_eq!(holder(store, 1).await.expect("the session").grants, expected);
}

/// A session is found at any position of the list of digests; tokens with these digests are not found.
pub async fn a_session_is_found_by_any_of_several_digests(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    setup::session(store, &session(1, ed), 1).await;
    setup::token(store, &admin_token(5)).await;
    setup::personal_token(store, ed, "ci", 6).await;
    for digests in [[digest(1), digest(7)], [digest(7), digest(1)], [digest(5), digest(1)]] {
        let found = store.find_session_by_digest(&digests).await.expect("a lookup");
        assert_eq!(found.expect("the session").session, session(1, ed));
    }
    for digests in [&[digest(7), digest(5), digest(6)][..], &[]] {
        assert_eq!(store.find_session_by_digest(digests).await.expect("a lookup"), None);
    }
    assert_eq!(store.find_token_by_digest(&[digest(1)]).await.expect("a lookup"), None);
    assert_eq!(store.find_personal_token_by_digest(&[digest(1)]).await.expect("a lookup"), None);
}

/// Times of all years, expired sessions, and any id and origin are read back.
pub async fn extreme_session_values_round_trip(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    let longest = "🎉".repeat(Origin::MAX_USER_AGENT);
    let addresses = [None, Some("::1"), Some("2001:db8::ff00:42:8329"), Some("255.255.255.255"), Some("::")];
    let agents = [None, Some(""), Some("Mozilla/5.0 ('quoted' \"%_\\)"), Some(longest.as_str()), None];
    let ids = [[0; 16], [0xff; 16], [0x80; 16], [0x7f; 16], [1; 16]];
    let mut expected = Vec::new();
    for (number, at) in extreme_moments().into_iter().enumerate() {
        let address = addresses[number].map(|text| text.parse::<IpAddr>().expect("an address"));
        let session = Session {
            id: SessionId(Uuid::from_bytes(ids[number])),
            user: ed,
            created_at: at,
            expires_at: at,
            origin: Origin::new(address, agents[number]),
        };
        let secret_number = u64::try_from(number).expect("small");
        setup::session(store, &session, secret_number).await;
        assert_eq!(holder(store, secret_number).await.expect("the session").session, session);
        expected.push(session);
    }
    assert_eq!(sessions_of(store, ed).await, expected, "oldest first");
}

/// Each user's sessions are listed oldest first, whatever their ids and the order of creation.
pub async fn sessions_are_listed_by_age(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (setup::user(store, &user_named("ed")).await, setup::user(store, &user_named("al")).await);
    for (number, user) in [(5, ed), (2, ed), (4, al), (9, ed), (1, ed)] {
        setup::session(store, &session(number, user), number).await;
    }
    assert_eq!(sessions_of(store, ed).await, [1, 2, 5, 9].map(|number| session(number, ed)));
    assert_eq!(sessions_of(store, al).await, [session(4, al)]);
    assert_eq!(sessions_of(store, UserId(i64::MAX)).await, []);
}

/// The last login of the user is the start of the newest session; other users stay.
pub async fn starting_a_session_records_the_last_login(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (setup::user(store, &user_named("ed")).await, setup::user(store, &user_named("al")).await);
    let last_seen_at =
        async |id| store.find_user(id).await.expect("a lookup").expect("the user").last_seen_at;
    for number in [3, 8] {
        setup::session(store, &session(number, ed), number).await;
        assert_eq!(last_seen_at(ed).await, Some(session(number, ed).created_at));
    }
    store.end_session(ed, session(8, ed).id, &ended()).await.expect("ended");
    assert_eq!(
        last_seen_at(ed).await,
        Some(session(8, ed).created_at),
        "ending a session must not change it"
    );
    assert_eq!(last_seen_at(al).await, None);
}

/// The limit includes the new session. The oldest ones end without events of their own; other users keep
/// theirs.
pub async fn starting_a_session_ends_the_oldest_beyond_the_limit(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (setup::user(store, &user_named("ed")).await, setup::user(store, &user_named("al")).await);
    setup::session(store, &session(100, al), 100).await;
    // Not in order of age.
    for number in [4, 1, 3, 2] {
        assert_eq!(start(store, number, ed, 4).await.expect("started"), 0);
    }
    let events = all_events(store).await.len();
    assert_eq!(start(store, 5, ed, 4).await.expect("started"), 1);
    assert_eq!(sessions_of(store, ed).await, [2, 3, 4, 5].map(|number| session(number, ed)));
    assert_eq!(holder(store, 1).await, None);
    assert_eq!(start(store, 6, ed, 2).await.expect("started"), 3);
    assert_eq!(sessions_of(store, ed).await, [5, 6].map(|number| session(number, ed)));
    assert_eq!(start(store, 7, ed, 1).await.expect("started"), 2);
    assert_eq!(sessions_of(store, ed).await, [session(7, ed)]);
    assert_eq!(start(store, 8, ed, u32::MAX).await.expect("started"), 0);
    assert_eq!(all_events(store).await.len() - events, 4, "one event per started session");
    assert_eq!(sessions_of(store, al).await, [session(100, al)]);
    // The id and digest of an ended session can be used again.
    assert_eq!(start(store, 1, ed, AMPLE_LIMIT).await.expect("started"), 0);
}

/// A session cannot be started for a service account or an unknown user.
pub async fn service_accounts_and_unknown_users_have_no_sessions(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let bot = setup::user(store, &service_account("bot")).await;
    for id in [bot, UserId(0), UserId(-1), UserId(i64::MAX)] {
        let refused = expect_error(store, start(store, 1, id, AMPLE_LIMIT)).await;
        assert_eq!(refused, ErrorKind::NotFound(Entity::User(id)));
        assert_eq!(holder(store, 1).await, None);
    }
}

/// Digests and ids are unique across users; a rejected session ends no other session.
pub async fn session_digests_and_ids_are_unique(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (setup::user(store, &user_named("ed")).await, setup::user(store, &user_named("al")).await);
    for (number, user) in [(1, ed), (2, al)] {
        setup::session(store, &session(number, user), number).await;
    }
    for user in [ed, al] {
        for record in [secret(1), secret_shown_once(1)] {
            let new = SessionStart { secret: record, max_per_user: 1, ..session_start(&session(3, user), 3) };
            let event = started();
            let refused = expect_error(store, store.start_session(&new, &event)).await;
            assert_eq!(refused, ErrorKind::Conflict(Entity::Secret));
        }
        let same_id = Session { id: session(1, ed).id, ..session(3, user) };
        let new = SessionStart { max_per_user: 2, ..session_start(&same_id, 3) };
        let event = started();
        let refused = expect_error(store, store.start_session(&new, &event)).await;
        assert_eq!(refused, ErrorKind::Conflict(Entity::Session(same_id.id)));
    }
}

/// The session ends with the event; other sessions stay, and the digest can be used again.
pub async fn a_user_ends_a_session(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = setup::user(store, &user_named("ed")).await;
    for number in [1, 2, 3] {
        setup::session(store, &session(number, ed), number).await;
    }
    expect_event(store, &ended(), store.end_session(ed, session(2, ed).id, &ended())).await;
    assert_eq!(sessions_of(store, ed).await, [session(1, ed), session(3, ed)]);
    assert_eq!(holder(store, 2).await, None);
    assert!(holder(store, 1).await.is_some() && holder(store, 3).await.is_some());
    setup::session(store, &session(2, ed), 2).await;
}

/// A session of another user, and one that does not exist, or no longer exists, cannot be ended.
pub async fn ending_an_unknown_session_fails(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (setup::user(store, &user_named("ed")).await, setup::user(store, &user_named("al")).await);
    for (number, user) in [(1, ed), (2, al)] {
        setup::session(store, &session(number, user), number).await;
    }
    store.end_session(ed, session(1, ed).id, &ended()).await.expect("ended");
    for (user, number) in [(ed, 1), (ed, 2), (ed, 3), (UserId(i64::MAX), 2)] {
        let (id, event) = (session(number, user).id, ended());
        let refused = expect_error(store, store.end_session(user, id, &event)).await;
        assert_eq!(refused, ErrorKind::NotFound(Entity::Session(id)));
    }
}

/// Of 30 sessions started concurrently, as many stay as the limit allows.
pub async fn the_session_limit_holds_under_concurrency(store: &Arc<dyn Store>) {
    let ed = setup::user(store.as_ref(), &user_named("ed")).await;
    let calls = (0..30).map(|number| {
        let store = Arc::clone(store);
        async move { start(store.as_ref(), number, ed, 4).await }
    });
    let (deleted, refused) = partition_results(run_concurrently(calls).await);
    assert_eq!((deleted.len(), refused), (30, vec![]));
    assert_eq!(deleted.iter().sum::<u64>(), 26);
    assert_eq!(sessions_of(store.as_ref(), ed).await.len(), 4);
    let mut found = 0;
    for number in 0..30 {
        found += usize::from(holder(store.as_ref(), number).await.is_some());
    }
    assert_eq!(found, 4);
}

/// Of 30 concurrent ends of one session, one succeeds.
pub async fn one_of_concurrent_ends_of_a_session_succeeds(store: &Arc<dyn Store>) {
    let ed = setup::user(store.as_ref(), &user_named("ed")).await;
    setup::session(store.as_ref(), &session(1, ed), 1).await;
    let id = session(1, ed).id;
    let calls = (0..30).map(|_| {
        let store = Arc::clone(store);
        async move { store.end_session(ed, id, &ended()).await }
    });
    exactly_one_succeeds(store.as_ref(), ErrorKind::NotFound(Entity::Session(id)), calls).await;
}

/// A session started during the deletion of its user ends with it, or is rejected.
pub async fn a_session_started_beside_a_user_deletion_does_not_outlive_it(store: &Arc<dyn Store>) {
    for round in 0..10 {
        let ed = setup::user(store.as_ref(), &user_named(&format!("u{round}"))).await;
        let calls = (0..4).map(|call| {
            let store = Arc::clone(store);
            async move {
                if call == round % 4 {
                    store.delete_user(ed, &event(EventKind::UserDeleted)).await.map(|_| 0)
                } else {
                    start(store.as_ref(), 10 * round + call, ed, AMPLE_LIMIT).await
                }
            }
        });
        let (_, refused) = partition_results(run_concurrently(calls).await);
        assert!(refused.iter().all(|one| *one == ErrorKind::NotFound(Entity::User(ed))), "{refused:?}");
        assert_eq!(sessions_of(store.as_ref(), ed).await, []);
        for call in 0..4 {
            assert_eq!(holder(store.as_ref(), 10 * round + call).await, None);
        }
    }
}
