//! Signing in, signing out, and what keeps guessers away.

use std::time::Duration;

use latchkey_domain::{EventKind, LoginFailures, Origin};
use latchkey_service::{AuthenticationError, Missing, ServiceError, SignedIn};

use crate::support::{House, PASSWORD, SESSION, origin, system};

fn from(address: &str) -> Origin {
    Origin::new(address.parse().ok(), None)
}

#[tokio::test]
async fn a_session_lasts_its_time_and_is_good_in_a_cookie_alone() {
    let house = House::new();
    house.user("ed", "Viewer").await;
    let logged_in = house.use_cases.sessions.log_in("ed", PASSWORD, origin()).await.expect("signed in");
    assert_eq!(logged_in.user.last_seen_at, None, "never before this time");
    let secret = logged_in.secret.reveal();
    let authenticator = &house.use_cases.authenticator;
    assert!(authenticator.authenticate(secret, None).await.is_err(), "not in a header");
    authenticator.authenticate_session(secret, None).await.expect("recognised");
    house.clock.advance(SESSION.saturating_sub(Duration::from_millis(1)));
    authenticator.authenticate_session(secret, None).await.expect("still recognised");
    house.clock.advance(Duration::from_millis(1));
    let refused = authenticator.authenticate_session(secret, None).await;
    assert!(matches!(refused, Err(AuthenticationError::Unknown)), "{refused:?}");
    assert_eq!(house.kinds_since(1).await, [EventKind::SessionStarted]);
    assert!(!format!("{:?}", house.events().await).contains(secret));
}

#[tokio::test]
async fn a_wrong_pair_is_refused_whichever_half_is_wrong() {
    let house = House::new();
    house.user("ed", "Viewer").await;
    for (login, password) in [("ed", "wrong horse"), ("nobody", PASSWORD), ("", ""), ("ED", PASSWORD)] {
        let refused = house.use_cases.sessions.log_in(login, password, origin()).await;
        assert!(matches!(refused, Err(ServiceError::WrongPassword)), "{login}: {refused:?}");
    }
}

#[tokio::test]
async fn five_failures_slow_the_account_and_the_address_down() {
    let house = House::new();
    house.user("ed", "Viewer").await;
    house.user("eve", "Viewer").await;
    let sessions = &house.use_cases.sessions;
    for _ in 0..LoginFailures::FREE {
        let refused = sessions.log_in("ed", "wrong horse", from("192.0.2.1")).await;
        assert!(matches!(refused, Err(ServiceError::WrongPassword)), "{refused:?}");
    }
    for login in ["ed", "eve"] {
        let refused = sessions.log_in(login, PASSWORD, from("192.0.2.1")).await;
        assert!(
            matches!(refused, Err(ServiceError::TooManyAttempts(wait)) if wait == Duration::from_secs(1)),
            "{refused:?}"
        );
    }
    sessions.log_in("eve", PASSWORD, from("192.0.2.2")).await.expect("another address, another account");
    house.clock.advance(Duration::from_secs(1));
    sessions.log_in("ed", PASSWORD, from("192.0.2.1")).await.expect("the wait has an end");
    sessions.log_in("ed", PASSWORD, from("192.0.2.1")).await.expect("and a success forgets");
}

#[tokio::test]
async fn many_tries_at_once_are_no_more_than_one_after_the_other() {
    let house = House::new();
    house.user("ed", "Viewer").await;
    let sessions = &house.use_cases.sessions;
    let tries = (0..100).map(|_| sessions.log_in("ed", "wrong horse", from("192.0.2.1")));
    let outcomes = futures_util::future::join_all(tries).await;
    let checked =
        outcomes.iter().filter(|outcome| matches!(outcome, Err(ServiceError::WrongPassword))).count();
    assert_eq!(checked, usize::try_from(LoginFailures::FREE).expect("few"), "passwords that were checked");
}

#[tokio::test]
async fn nobody_elsewhere_keeps_an_owner_out() {
    let house = House::new();
    house.user("ed", "Viewer").await;
    let sessions = &house.use_cases.sessions;
    // An attacker with many addresses, who never stops.
    for host in 1..=60 {
        let refused = sessions.log_in("ed", "wrong horse", from(&format!("198.51.100.{host}"))).await;
        assert!(matches!(refused, Err(ServiceError::WrongPassword)), "{refused:?}");
    }
    let refused = sessions.log_in("ed", "wrong horse", from("198.51.100.1")).await;
    assert!(
        matches!(refused, Err(ServiceError::TooManyAttempts(_))),
        "the second try of an address: {refused:?}"
    );
    sessions.log_in("ed", PASSWORD, from("192.0.2.1")).await.expect("the owner, from home");
}

#[tokio::test]
async fn a_user_has_so_many_sessions_and_ends_them() {
    let house = House::new();
    house.user("ed", "Viewer").await;
    let mut secrets = Vec::new();
    for _ in 0..4 {
        house.clock.advance(Duration::from_millis(1));
        let logged_in = house.use_cases.sessions.log_in("ed", PASSWORD, origin()).await.expect("signed in");
        secrets.push(logged_in.secret.reveal().to_owned());
    }
    assert!(
        house.use_cases.authenticator.authenticate_session(&secrets[0], None).await.is_err(),
        "three are the most"
    );
    let ed = SignedIn::request(&house.signed_in("ed").await).expect("a user");
    let sessions = house.use_cases.sessions.list(&ed).await.expect("listed");
    assert_eq!(sessions.len(), 3);
    house.use_cases.sessions.end(&ed, sessions[0].id).await.expect("ended");
    let again = house.use_cases.sessions.end(&ed, sessions[0].id).await;
    assert!(matches!(again, Err(ServiceError::NotFound(Missing::Session))), "{again:?}");
    house.use_cases.sessions.log_out(&ed).await.expect("signed out");
    house.use_cases.sessions.log_out(&ed).await.expect("signed out already");
    assert_eq!(house.use_cases.sessions.list(&ed).await.expect("listed").len(), 1);
}

#[tokio::test]
async fn sessions_are_ended_by_their_owner_alone() {
    let house = House::new();
    house.user("ed", "Viewer").await;
    house.user("eve", "Viewer").await;
    let [ed, eve] = [house.signed_in("ed").await, house.signed_in("eve").await]
        .map(|caller| SignedIn::request(&caller).expect("a user"));
    let own = house.use_cases.sessions.list(&ed).await.expect("listed");
    let refused = house.use_cases.sessions.end(&eve, own[0].id).await;
    assert!(matches!(refused, Err(ServiceError::NotFound(Missing::Session))), "{refused:?}");
}

#[tokio::test]
async fn a_new_password_ends_all_sessions() {
    let house = House::new();
    let user = house.user("ed", "Viewer").await;
    let caller = house.signed_in("ed").await;
    let ed = SignedIn::request(&caller).expect("a user");
    let (sessions, users) = (&house.use_cases.sessions, &house.use_cases.users);
    let wrong = sessions.change_password(users, &ed, ("wrong horse", "battery staple")).await;
    assert!(matches!(wrong, Err(ServiceError::WrongPassword)), "{wrong:?}");
    let weak = sessions.change_password(users, &ed, (PASSWORD, "password123")).await;
    assert!(matches!(weak, Err(ServiceError::WeakPassword(_))), "{weak:?}");
    sessions.change_password(users, &ed, (PASSWORD, "battery staple")).await.expect("changed");
    assert!(sessions.list(&ed).await.expect("listed").is_empty());
    assert!(sessions.log_in("ed", PASSWORD, origin()).await.is_err());
    sessions.log_in("ed", "battery staple", origin()).await.expect("signed in");
    users.set_password(&system(), user.id, "another staple").await.expect("set by an administrator");
    assert!(sessions.list(&ed).await.expect("listed").is_empty());
}
