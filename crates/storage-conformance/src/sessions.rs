//! Sessions: begun, found with their users, and ended.

use std::{net::IpAddr, sync::Arc};

use latchkey_domain::{EventKind, Grants, NewEvent, NewUser, Origin, Session, SessionId, User, UserId};
use latchkey_ports::{Entity, SessionHolder, SessionStart, Store, StoreError};
use uuid::Uuid;

use crate::{
    at_once::{at_once, one_wins},
    given,
    observed::{ServiceError, all_events, leaves, refusal, sorted},
    samples::{
        EDITOR, MANY, MEMBER, VIEWER, admin_token, built_in_role, digest, event, extreme_moments, moment,
        project_id, secret, secret_shown_once, service_account, session, session_start, user, user_named,
    },
};

fn started() -> NewEvent {
    event(EventKind::SessionStarted)
}

fn ended() -> NewEvent {
    event(EventKind::SessionEnded)
}

/// Its secret is the sample of the same number.
async fn start(store: &dyn Store, number: u64, user: UserId, max_per_user: u32) -> Result<u64, StoreError> {
    let start = SessionStart { max_per_user, ..session_start(&session(number, user), number) };
    store.start_session(&start, &started()).await
}

async fn holder(store: &dyn Store, number: u64) -> Option<SessionHolder> {
    store.find_session_by_digest(&[digest(number)]).await.expect("a look-up")
}

async fn of(store: &dyn Store, user: UserId) -> Vec<Session> {
    store.sessions_of(user).await.expect("sessions")
}

/// A session is found with its user, the whole of it, and what the user may do; beginning it leaves its event.
pub async fn a_session_is_found_with_its_user(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let new = NewUser { root_role: EDITOR, ..user(Some("ed"), Some("Ed@Example.com")) };
    let ed = given::whole_user(store, &new).await;
    let other = given::user(store, &user_named("other")).await;
    given::membership(store, ed.id, &project_id("default"), MEMBER).await;
    given::session(store, &session(2, other), 2).await;
    let last = store.latest_event().await.expect("a number");
    assert_eq!(start(store, 1, ed.id, MANY).await.expect("started"), 0);
    let events = store.events_after(last, 10).await.expect("events");
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
    assert_eq!(of(store, ed.id).await, [session(1, ed.id)]);
}

/// What the user may do is of the moment of the look-up.
pub async fn grants_are_of_the_moment(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = given::user(store, &user_named("ed")).await;
    given::session(store, &session(1, ed), 1).await;
    given::membership(store, ed, &project_id("default"), MEMBER).await;
    let member = built_in_role(MEMBER);
    let expected = Grants::of_roles(&built_in_role(VIEWER), [(project_id("default"), &member)]);
    assert_eq!(holder(store, 1).await.expect("the session").grants, expected);
}

/// A session is found wherever its digest stands among several; tokens of the same digests are not.
pub async fn by_any_of_several_digests(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = given::user(store, &user_named("ed")).await;
    given::session(store, &session(1, ed), 1).await;
    given::token(store, &admin_token(5)).await;
    given::personal_token(store, ed, "ci", 6).await;
    for digests in [[digest(1), digest(7)], [digest(7), digest(1)], [digest(5), digest(1)]] {
        let found = store.find_session_by_digest(&digests).await.expect("a look-up");
        assert_eq!(found.expect("the session").session, session(1, ed));
    }
    for digests in [&[digest(7), digest(5), digest(6)][..], &[]] {
        assert_eq!(store.find_session_by_digest(digests).await.expect("a look-up"), None);
    }
    assert_eq!(store.find_token_by_digest(&[digest(1)]).await.expect("a look-up"), None);
    assert_eq!(store.find_personal_token_by_digest(&[digest(1)]).await.expect("a look-up"), None);
}

/// Moments of all years, long ended sessions too, any id and any origin are read back equal.
pub async fn the_extremes_are_read_back(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = given::user(store, &user_named("ed")).await;
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
        given::session(store, &session, secret_number).await;
        assert_eq!(holder(store, secret_number).await.expect("the session").session, session);
        expected.push(session);
    }
    assert_eq!(of(store, ed).await, expected, "oldest first");
}

/// Sessions are listed by age, whatever their ids and the order in which they came, each under its user.
pub async fn a_list_goes_by_age(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (given::user(store, &user_named("ed")).await, given::user(store, &user_named("al")).await);
    for (number, user) in [(5, ed), (2, ed), (4, al), (9, ed), (1, ed)] {
        given::session(store, &session(number, user), number).await;
    }
    assert_eq!(of(store, ed).await, [1, 2, 5, 9].map(|number| session(number, ed)));
    assert_eq!(of(store, al).await, [session(4, al)]);
    assert_eq!(of(store, UserId(i64::MAX)).await, []);
}

/// The user was seen when the newest session began, and nobody else was.
pub async fn the_user_was_seen(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (given::user(store, &user_named("ed")).await, given::user(store, &user_named("al")).await);
    let last_seen_at =
        async |id| store.find_user(id).await.expect("a look-up").expect("the user").last_seen_at;
    for number in [3, 8] {
        given::session(store, &session(number, ed), number).await;
        assert_eq!(last_seen_at(ed).await, Some(session(number, ed).created_at));
    }
    store.end_session(ed, session(8, ed).id, &ended()).await.expect("ended");
    assert_eq!(last_seen_at(ed).await, Some(session(8, ed).created_at), "an end does not undo it");
    assert_eq!(last_seen_at(al).await, None);
}

/// Of a user's sessions as many stay as may, with the new one, and the oldest go, without events of their own; others
/// keep theirs.
pub async fn the_oldest_go(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (given::user(store, &user_named("ed")).await, given::user(store, &user_named("al")).await);
    given::session(store, &session(100, al), 100).await;
    // Not in the order of age.
    for number in [4, 1, 3, 2] {
        assert_eq!(start(store, number, ed, 4).await.expect("started"), 0);
    }
    let events = all_events(store).await.len();
    assert_eq!(start(store, 5, ed, 4).await.expect("started"), 1);
    assert_eq!(of(store, ed).await, [2, 3, 4, 5].map(|number| session(number, ed)));
    assert_eq!(holder(store, 1).await, None);
    assert_eq!(start(store, 6, ed, 2).await.expect("started"), 3);
    assert_eq!(of(store, ed).await, [5, 6].map(|number| session(number, ed)));
    assert_eq!(start(store, 7, ed, 1).await.expect("started"), 2);
    assert_eq!(of(store, ed).await, [session(7, ed)]);
    assert_eq!(start(store, 8, ed, u32::MAX).await.expect("started"), 0);
    assert_eq!(all_events(store).await.len() - events, 4, "one for each beginning");
    assert_eq!(of(store, al).await, [session(100, al)]);
    // What is gone is free again.
    assert_eq!(start(store, 1, ed, MANY).await.expect("started"), 0);
}

/// Nobody has no sessions, nor has a service account.
pub async fn no_session_for_these(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let bot = given::user(store, &service_account("bot")).await;
    for id in [bot, UserId(0), UserId(-1), UserId(i64::MAX)] {
        let refused = refusal(store, start(store, 1, id, MANY)).await;
        assert_eq!(refused, ServiceError::NotFound(Entity::User(id)));
        assert_eq!(holder(store, 1).await, None);
    }
}

/// A digest is there once, and an id, whoever's it is; and where that is refused, no other session goes.
pub async fn digests_and_ids_are_unique(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (given::user(store, &user_named("ed")).await, given::user(store, &user_named("al")).await);
    for (number, user) in [(1, ed), (2, al)] {
        given::session(store, &session(number, user), number).await;
    }
    for user in [ed, al] {
        for record in [secret(1), secret_shown_once(1)] {
            let new = SessionStart { secret: record, max_per_user: 1, ..session_start(&session(3, user), 3) };
            let event = started();
            let refused = refusal(store, store.start_session(&new, &event)).await;
            assert_eq!(refused, ServiceError::Conflict(Entity::Secret));
        }
        let same_id = Session { id: session(1, ed).id, ..session(3, user) };
        let new = SessionStart { max_per_user: 2, ..session_start(&same_id, 3) };
        let event = started();
        let refused = refusal(store, store.start_session(&new, &event)).await;
        assert_eq!(refused, ServiceError::Conflict(Entity::Session(same_id.id)));
    }
}

/// A user ends one of the own sessions, with the event; the others go on, and its digest is free again.
pub async fn a_session_ends(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let ed = given::user(store, &user_named("ed")).await;
    for number in [1, 2, 3] {
        given::session(store, &session(number, ed), number).await;
    }
    leaves(store, &ended(), store.end_session(ed, session(2, ed).id, &ended())).await;
    assert_eq!(of(store, ed).await, [session(1, ed), session(3, ed)]);
    assert_eq!(holder(store, 2).await, None);
    assert!(holder(store, 1).await.is_some() && holder(store, 3).await.is_some());
    given::session(store, &session(2, ed), 2).await;
}

/// Another's session, and one that is not there (any more), is none that a user could end.
pub async fn nothing_to_end(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, al) = (given::user(store, &user_named("ed")).await, given::user(store, &user_named("al")).await);
    for (number, user) in [(1, ed), (2, al)] {
        given::session(store, &session(number, user), number).await;
    }
    store.end_session(ed, session(1, ed).id, &ended()).await.expect("ended");
    for (user, number) in [(ed, 1), (ed, 2), (ed, 3), (UserId(i64::MAX), 2)] {
        let (id, event) = (session(number, user).id, ended());
        let refused = refusal(store, store.end_session(user, id, &event)).await;
        assert_eq!(refused, ServiceError::NotFound(Entity::Session(id)));
    }
}

/// Of 30 that begin at once, as many stay as may.
pub async fn many_begin_at_once(store: &Arc<dyn Store>) {
    let ed = given::user(store.as_ref(), &user_named("ed")).await;
    let calls = (0..30).map(|number| {
        let store = Arc::clone(store);
        async move { start(store.as_ref(), number, ed, 4).await }
    });
    let (gone, refused) = sorted(at_once(calls).await);
    assert_eq!((gone.len(), refused), (30, vec![]));
    assert_eq!(gone.iter().sum::<u64>(), 26);
    assert_eq!(of(store.as_ref(), ed).await.len(), 4);
    let mut found = 0;
    for number in 0..30 {
        found += usize::from(holder(store.as_ref(), number).await.is_some());
    }
    assert_eq!(found, 4);
}

/// Of 30 that end the same session at once, one does.
pub async fn one_end_wins(store: &Arc<dyn Store>) {
    let ed = given::user(store.as_ref(), &user_named("ed")).await;
    given::session(store.as_ref(), &session(1, ed), 1).await;
    let id = session(1, ed).id;
    let calls = (0..30).map(|_| {
        let store = Arc::clone(store);
        async move { store.end_session(ed, id, &ended()).await }
    });
    one_wins(store.as_ref(), ServiceError::NotFound(Entity::Session(id)), calls).await;
}

/// Nobody signs in as a user who is gone: what begins at the same moment is over after it, or does not begin.
pub async fn beside_a_removal(store: &Arc<dyn Store>) {
    for round in 0..10 {
        let ed = given::user(store.as_ref(), &user_named(&format!("u{round}"))).await;
        let calls = (0..4).map(|call| {
            let store = Arc::clone(store);
            async move {
                if call == round % 4 {
                    store.delete_user(ed, &event(EventKind::UserDeleted)).await.map(|_| 0)
                } else {
                    start(store.as_ref(), 10 * round + call, ed, MANY).await
                }
            }
        });
        let (_, refused) = sorted(at_once(calls).await);
        assert!(refused.iter().all(|one| *one == ServiceError::NotFound(Entity::User(ed))), "{refused:?}");
        assert_eq!(of(store.as_ref(), ed).await, []);
        for call in 0..4 {
            assert_eq!(holder(store.as_ref(), 10 * round + call).await, None);
        }
    }
}
