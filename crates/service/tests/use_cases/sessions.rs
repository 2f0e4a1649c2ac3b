//! Logins, logouts, and the throttling of guesses.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use latchkey_domain::{EventKind, LoginFailures, Origin, Password, PasswordHash, Reason};
use latchkey_ports::{HashingError, PasswordHasher, UserRepository as _};
use latchkey_service::{AuthenticationError, Missing, Reveal, ServiceError, SignedIn};

use crate::support::{PASSWORD, SESSION, TestEnv, origin, settings, system};

fn from(address: &str) -> Origin {
    Origin::new(address.parse().ok(), None)
}

#[tokio::test]
async fn a_session_lasts_its_time_and_is_good_in_a_cookie_alone() {
    let env = TestEnv::new();
    env.user("ed", "Viewer").await;
    let logged_in = env.use_cases.sessions.log_in("ed", PASSWORD, origin()).await.expect("signed in");
    assert_eq!(logged_in.user.last_seen_at, None, "never before this time");
    let secret = logged_in.secret.reveal();
    let authenticator = &env.use_cases.authenticator;
    assert!(authenticator.authenticate(secret, None).await.is_err(), "not in a header");
    authenticator.authenticate_session(secret, None).await.expect("accepted");
    env.clock.advance(SESSION.saturating_sub(Duration::from_millis(1)));
    authenticator.authenticate_session(secret, None).await.expect("still accepted");
    env.clock.advance(Duration::from_millis(1));
    let refused = authenticator.authenticate_session(secret, None).await;
    assert!(
        matches!(refused, Err(AuthenticationError::Refused { reason: Reason::Expired, .. })),
        "{refused:?}"
    );
    assert_eq!(env.kinds_since(1).await, [EventKind::SessionStarted]);
    assert!(!format!("{:?}", env.events().await).contains(secret));
}

#[tokio::test]
async fn a_wrong_pair_is_refused_whichever_half_is_wrong() {
    let env = TestEnv::new();
    env.user("ed", "Viewer").await;
    for (login, password) in [("ed", "wrong horse"), ("nobody", PASSWORD), ("", ""), ("ED", PASSWORD)] {
        let refused = env.use_cases.sessions.log_in(login, password, origin()).await;
        assert!(matches!(refused, Err(ServiceError::WrongPassword)), "{login}: {refused:?}");
    }
}

#[tokio::test]
async fn five_failures_slow_the_account_and_the_address_down() {
    let env = TestEnv::new();
    env.user("ed", "Viewer").await;
    env.user("eve", "Viewer").await;
    let sessions = &env.use_cases.sessions;
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
    env.clock.advance(Duration::from_secs(1));
    sessions.log_in("ed", PASSWORD, from("192.0.2.1")).await.expect("the wait has an end");
    sessions.log_in("ed", PASSWORD, from("192.0.2.1")).await.expect("and a success forgets");
}

#[tokio::test]
async fn many_tries_at_once_are_no_more_than_one_after_the_other() {
    let env = TestEnv::new();
    env.user("ed", "Viewer").await;
    let sessions = &env.use_cases.sessions;
    let tries = (0..100).map(|_| sessions.log_in("ed", "wrong horse", from("192.0.2.1")));
    let outcomes = futures_util::future::join_all(tries).await;
    let checked =
        outcomes.iter().filter(|outcome| matches!(outcome, Err(ServiceError::WrongPassword))).count();
    assert_eq!(checked, usize::try_from(LoginFailures::FREE).expect("few"), "passwords that were checked");
}

#[tokio::test]
async fn an_attacker_elsewhere_does_not_lock_out_an_owner() {
    let env = TestEnv::new();
    env.user("ed", "Viewer").await;
    let sessions = &env.use_cases.sessions;
    // An attacker with many addresses that never stops.
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
    let env = TestEnv::new();
    env.user("ed", "Viewer").await;
    let mut secrets = Vec::new();
    for _ in 0..4 {
        env.clock.advance(Duration::from_millis(1));
        let logged_in = env.use_cases.sessions.log_in("ed", PASSWORD, origin()).await.expect("signed in");
        secrets.push(logged_in.secret.reveal().to_owned());
    }
    assert!(
        env.use_cases.authenticator.authenticate_session(&secrets[0], None).await.is_err(),
        "three are the most"
    );
    let ed = SignedIn::request(&env.signed_in("ed").await).expect("a user");
    let sessions = env.use_cases.sessions.list(&ed).await.expect("listed");
    assert_eq!(sessions.len(), 3);
    env.use_cases.sessions.end(&ed, sessions[0].id).await.expect("ended");
    let again = env.use_cases.sessions.end(&ed, sessions[0].id).await;
    assert!(matches!(again, Err(ServiceError::NotFound(Missing::Session))), "{again:?}");
    env.use_cases.sessions.log_out(&ed).await.expect("signed out");
    env.use_cases.sessions.log_out(&ed).await.expect("signed out already");
    assert_eq!(env.use_cases.sessions.list(&ed).await.expect("listed").len(), 1);
}

#[tokio::test]
async fn sessions_are_ended_by_their_owner_alone() {
    let env = TestEnv::new();
    env.user("ed", "Viewer").await;
    env.user("eve", "Viewer").await;
    let [ed, eve] = [env.signed_in("ed").await, env.signed_in("eve").await]
        .map(|caller| SignedIn::request(&caller).expect("a user"));
    let own = env.use_cases.sessions.list(&ed).await.expect("listed");
    let refused = env.use_cases.sessions.end(&eve, own[0].id).await;
    assert!(matches!(refused, Err(ServiceError::NotFound(Missing::Session))), "{refused:?}");
}

#[tokio::test]
async fn a_new_password_ends_all_sessions() {
    let env = TestEnv::new();
    let user = env.user("ed", "Viewer").await;
    let caller = env.signed_in("ed").await;
    let ed = SignedIn::request(&caller).expect("a user");
    let (sessions, users) = (&env.use_cases.sessions, &env.use_cases.users);
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

/// A hasher whose cost was raised: every hash is upgraded, once, unless that fails.
struct Raised {
    hasher: Arc<dyn PasswordHasher>,
    fails: bool,
}

impl Raised {
    const MARK: &str = "$argon2id$v=19$m=8,t=1,p=1$cmFpc2Vk";

    fn env(fails: bool) -> TestEnv {
        TestEnv::hashing(settings(Reveal::Always), |hasher| Arc::new(Self { hasher, fails }))
    }
}

#[async_trait]
impl PasswordHasher for Raised {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashingError> {
        self.hasher.hash(password).await
    }

    async fn verify(&self, text: &str, hash: Option<PasswordHash>) -> Result<bool, HashingError> {
        match hash {
            Some(PasswordHash(hash)) if *hash == *Self::MARK => Ok(text == PASSWORD),
            other => self.hasher.verify(text, other).await,
        }
    }

    async fn upgrade(
        &self,
        _: &str,
        PasswordHash(hash): &PasswordHash,
    ) -> Result<Option<PasswordHash>, HashingError> {
        if self.fails {
            return Err(HashingError("no memory".into()));
        }
        Ok((**hash != *Self::MARK).then(|| PasswordHash(Self::MARK.into())))
    }
}

#[tokio::test]
async fn a_hash_of_a_lower_cost_is_upgraded_when_its_user_signs_in() {
    let env = Raised::env(false);
    let ed = env.user("ed", "Viewer").await;
    let stored = async || env.store.find_account(ed.id).await.expect("found").expect("there").password;
    let first = env.use_cases.sessions.log_in("ed", PASSWORD, origin()).await.expect("signed in");
    assert_eq!(stored().await, Some(PasswordHash(Raised::MARK.into())));
    env.use_cases.sessions.log_in("ed", "wrong horse", origin()).await.expect_err("wrong");
    env.use_cases.sessions.log_in("ed", PASSWORD, origin()).await.expect("signed in by the new hash");
    let authenticator = &env.use_cases.authenticator;
    authenticator.authenticate_session(first.secret.reveal(), None).await.expect("its session goes on");
    assert_eq!(env.kinds_since(1).await, [EventKind::SessionStarted; 2]);
}

#[tokio::test]
async fn a_login_succeeds_where_the_upgrade_fails() {
    let env = Raised::env(true);
    let ed = env.user("ed", "Viewer").await;
    let stored = async || env.store.find_account(ed.id).await.expect("found").expect("there").password;
    let before = stored().await;
    env.use_cases.sessions.log_in("ed", PASSWORD, origin()).await.expect("signed in");
    assert_eq!(stored().await, before);
}

#[tokio::test]
async fn a_hash_that_is_upgraded_while_it_is_checked_is_no_failure() {
    let env = Raised::env(false);
    env.user("ed", "Viewer").await;
    let sessions = &env.use_cases.sessions;
    // Each from an address of its own, so that they do not take turns.
    let logins = (1..=8).map(|host| sessions.log_in("ed", PASSWORD, from(&format!("192.0.2.{host}"))));
    for login in futures_util::future::join_all(logins).await {
        login.expect("signed in");
    }
}
