//! What happens while a password is checked, which takes a while.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::{
    FutureExt as _,
    future::{join_all, select_ok},
};
use latchkey_domain::{LoginFailures, Origin, Password, PasswordHash};
use latchkey_ports::{HashingError, PasswordHasher};
use latchkey_service::{Reveal, ServiceError, SignedIn};
use tokio::sync::Semaphore;

use crate::support::{House, PASSWORD, origin, settings, system};

/// Checks one text only when it is told to.
struct Held {
    text: &'static str,
    hasher: Arc<dyn PasswordHasher>,
    go: Arc<Semaphore>,
}

#[async_trait]
impl PasswordHasher for Held {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashingError> {
        self.hasher.hash(password).await
    }

    async fn verify(&self, text: &str, hash: Option<PasswordHash>) -> Result<bool, HashingError> {
        if text == self.text {
            self.go.acquire().await.expect("never closed").forget();
        }
        self.hasher.verify(text, hash).await
    }

    async fn upgrade(&self, text: &str, hash: &PasswordHash) -> Result<Option<PasswordHash>, HashingError> {
        self.hasher.upgrade(text, hash).await
    }
}

fn house_that_holds(text: &'static str) -> (House, Arc<Semaphore>) {
    let go = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&go);
    let house = House::hashing(settings(Reveal::Always), |hasher| Arc::new(Held { text, hasher, go: held }));
    (house, go)
}

fn from(address: &str) -> Origin {
    Origin::new(address.parse().ok(), None)
}

#[tokio::test]
async fn a_password_that_is_replaced_while_it_is_checked_is_wrong() {
    let (house, go) = house_that_holds(PASSWORD);
    let ed = house.user("ed", "Viewer").await;
    let mut login = Box::pin(house.use_cases.sessions.log_in("ed", PASSWORD, origin()));
    assert!(login.as_mut().now_or_never().is_none(), "it is being checked");
    house.use_cases.users.set_password(&system(), ed.id, "another staple").await.expect("set");
    // It is checked once more, against the new hash: that could have been of the same password.
    go.add_permits(2);
    let refused = login.await;
    assert!(matches!(refused, Err(ServiceError::WrongPassword)), "{refused:?}");
    house.use_cases.sessions.log_in("ed", "another staple", origin()).await.expect("the one that was set");
}

#[tokio::test]
async fn a_change_by_an_old_password_does_not_undo_an_administrators() {
    let (house, go) = house_that_holds(PASSWORD);
    let user = house.user("ed", "Viewer").await;
    go.add_permits(1);
    let caller = house.signed_in("ed").await;
    let ed = SignedIn::request(&caller).expect("a user");
    let (sessions, users) = (&house.use_cases.sessions, &house.use_cases.users);
    let mut change = Box::pin(sessions.change_password(users, &ed, (PASSWORD, "battery staple")));
    assert!(change.as_mut().now_or_never().is_none(), "it is being checked");
    users.set_password(&system(), user.id, "another staple").await.expect("set");
    go.add_permits(1);
    let refused = change.await;
    assert!(matches!(refused, Err(ServiceError::WrongPassword)), "{refused:?}");
    assert!(sessions.log_in("ed", "battery staple", origin()).await.is_err());
    sessions.log_in("ed", "another staple", origin()).await.expect("the administrator's");
}

#[tokio::test]
async fn who_hangs_up_has_failed_too() {
    let (house, _go) = house_that_holds("wrong horse");
    house.user("ed", "Viewer").await;
    let sessions = &house.use_cases.sessions;
    for _ in 0..LoginFailures::FREE {
        let checked = sessions.log_in("ed", "wrong horse", from("192.0.2.1")).now_or_never();
        assert!(checked.is_none(), "it is being checked, and then dropped");
    }
    let refused = sessions.log_in("ed", PASSWORD, from("192.0.2.1")).await;
    assert!(matches!(refused, Err(ServiceError::TooManyAttempts(_))), "{refused:?}");
}

#[tokio::test]
async fn an_owner_does_not_wait_for_those_who_try_from_elsewhere() {
    let (house, _go) = house_that_holds("wrong horse");
    house.user("ed", "Viewer").await;
    let sessions = &house.use_cases.sessions;
    let tries =
        (1..=60).map(|host| sessions.log_in("ed", "wrong horse", from(&format!("198.51.100.{host}"))));
    let mut tries = Box::pin(join_all(tries));
    assert!(tries.as_mut().now_or_never().is_none(), "they are being checked");
    // An address of the owner's may share its turn with one of theirs by chance; nine of them do not.
    let owner =
        (1..=9).map(|host| Box::pin(sessions.log_in("ed", PASSWORD, from(&format!("192.0.2.{host}")))));
    select_ok(owner).await.expect("signed in while they are being checked");
}

#[tokio::test]
async fn the_addresses_of_one_network_are_one() {
    let house = House::new();
    house.user("ed", "Viewer").await;
    house.user("eve", "Viewer").await;
    let sessions = &house.use_cases.sessions;
    for host in 0..LoginFailures::FREE {
        let refused = sessions.log_in("ed", "wrong horse", from(&format!("2001:db8:0:1:{host}::1"))).await;
        assert!(matches!(refused, Err(ServiceError::WrongPassword)), "{refused:?}");
    }
    let refused = sessions.log_in("eve", PASSWORD, from("2001:db8:0:1:ffff::9")).await;
    assert!(matches!(refused, Err(ServiceError::TooManyAttempts(_))), "{refused:?}");
    sessions.log_in("eve", PASSWORD, from("2001:db8:0:2::1")).await.expect("the next network");
}

#[tokio::test]
async fn a_clock_that_was_set_back_keeps_nobody_out() {
    let house = House::new();
    house.user("ed", "Viewer").await;
    let sessions = &house.use_cases.sessions;
    house.clock.advance(Duration::from_secs(86_400));
    for _ in 0..LoginFailures::FREE {
        assert!(sessions.log_in("ed", "wrong horse", from("192.0.2.1")).await.is_err());
    }
    assert!(matches!(
        sessions.log_in("ed", PASSWORD, from("192.0.2.1")).await,
        Err(ServiceError::TooManyAttempts(_))
    ));
    house.clock.set_back(Duration::from_secs(86_400));
    sessions.log_in("ed", PASSWORD, from("192.0.2.1")).await.expect("it was a wrong clock");
}
