//! Whether tokens are good, and for what.

use std::time::Duration;

use latchkey_domain::{EnvironmentName, ProjectScope, TokenAccess, TokenKind, TokenSecret};
use latchkey_service::{AuthenticationError, Refusal, Requirement, TokenReference};

use crate::support::{TestEnv, client_of, project_id, system};

fn in_environment(name: &str) -> Requirement {
    Requirement { environment: EnvironmentName::new(name).ok(), ..Requirement::default() }
}

#[tokio::test]
async fn good_ones_are_told_in_the_order_asked() {
    let env = TestEnv::new();
    let client = env.token(client_of(ProjectScope::one(project_id("default")))).await;
    let admin = env.token(TokenAccess::Admin).await;
    let [client_secret, admin_secret] =
        [&client, &admin].map(|token| token.secret.as_ref().expect("shown").reveal().to_owned());
    let asked = [admin_secret.as_str(), "unknown", "a b", &client_secret, &admin_secret];
    let found = env.use_cases.verification.verify_all(&asked, None).await.expect("asked");
    let ids: Vec<_> = found
        .iter()
        .map(|found| found.as_ref().and_then(|found| found.verified_token()).map(|token| token.id))
        .collect();
    assert_eq!(ids, [Some(admin.token.id), None, None, Some(client.token.id), Some(admin.token.id)]);

    let reference = TokenReference::Id(client.token.id);
    env.use_cases.instance_tokens.delete(&system(), &reference).await.expect("deleted");
    let found = env.use_cases.verification.verify_all(&[&client_secret], None).await.expect("asked");
    assert_eq!(found, [None], "refused at once");
}

#[tokio::test]
async fn unknown_secrets_beyond_the_budget_do_not_fail_their_batch() {
    let env = TestEnv::new();
    let token = env.token(TokenAccess::Admin).await;
    let secret = token.secret.expect("shown");
    env.use_cases.follow_changes().await.expect("followed");
    let unknown: Vec<String> = (0..999).map(|number| format!("*:*.unknown{number}")).collect();
    let mut asked: Vec<&str> = unknown.iter().map(String::as_str).collect();
    asked.push(secret.reveal());
    let verification = &env.use_cases.verification;
    let found = verification.verify_all(&asked, None).await.expect("one batch");
    assert!(found.iter().take(999).all(Option::is_none));
    assert!(found.last().expect("the last").is_some());

    // The client has used up its budget: what is cached is answered, and nothing else is looked up.
    let found = verification.verify_all(&[secret.reveal(), "a b"], None).await.expect("cached");
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
    let refused = verification.verify_all(&["*:*.another"], None).await;
    assert!(matches!(refused, Err(AuthenticationError::Busy)), "{refused:?}");
}

#[tokio::test]
async fn a_token_is_good_for_what_it_reaches() {
    let env = TestEnv::new();
    let token = env.token(client_of(ProjectScope::one(project_id("default")))).await;
    let secret = token.secret.expect("shown");
    let principal = env.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("accepted");
    let project = |id: &str| Requirement { project: Some(project_id(id)), ..Requirement::default() };
    let kind = |kind| Requirement { kind: Some(kind), ..Requirement::default() };
    for (requirement, is_good) in [
        (Requirement::default(), true),
        (project("default"), true),
        (project("other"), false),
        (in_environment("development"), true),
        (in_environment("production"), false),
        (kind(TokenKind::Client), true),
        (kind(TokenKind::Admin), false),
    ] {
        let checked = env.use_cases.verification.check(&principal, &[&requirement], None);
        assert_eq!(checked.is_ok(), is_good, "{requirement:?}");
        assert!(is_good || matches!(checked, Err(Refusal { .. })));
    }
}

#[tokio::test]
async fn an_admin_token_is_good_for_everything_and_a_person_is_no_token() {
    let env = TestEnv::new();
    let admin = env.token(TokenAccess::Admin).await;
    let secret = admin.secret.expect("shown");
    let principal = env.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("accepted");
    let requirement = Requirement { project: Some(project_id("any")), ..in_environment("any") };
    env.use_cases.verification.check(&principal, &[&requirement], None).expect("good");

    env.user("ed", "Admin").await;
    let caller = env.signed_in("ed").await;
    let person = caller.principal().expect("a user");
    let refused = env.use_cases.verification.check(person, &[&Requirement::default()], None);
    assert!(matches!(refused, Err(Refusal { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_client_that_guesses_is_limited_and_others_are_not() {
    let env = TestEnv::new();
    let token = env.token(TokenAccess::Admin).await;
    let secret = token.secret.expect("shown");
    env.use_cases.follow_changes().await.expect("followed");
    let authenticator = &env.use_cases.authenticator;
    let [guesser, other] =
        ["192.0.2.66", "192.0.2.7"].map(|address| Some(address.parse().expect("an address")));
    let mut unknown = 0;
    let mut busy = 0;
    // Forged secrets have a valid checksum: it is public, so it proves nothing.
    for guess in 0..2_000_u64 {
        let mut entropy = [0; 24];
        entropy[..8].copy_from_slice(&guess.to_be_bytes());
        let forged = TokenSecret::mint_personal(entropy);
        match authenticator.authenticate(forged.reveal(), guesser).await {
            Err(AuthenticationError::Unknown) => unknown += 1,
            Err(AuthenticationError::Busy) => busy += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((unknown, busy), (500, 1_500));
    let refused = authenticator.authenticate(secret.reveal(), guesser).await;
    assert!(matches!(refused, Err(AuthenticationError::Busy)), "{refused:?}");
    authenticator.authenticate(secret.reveal(), other).await.expect("looked up for another client");
    env.clock.advance(Duration::from_secs(1));
    let next = authenticator.authenticate("guess-next", guesser).await;
    assert!(matches!(next, Err(AuthenticationError::Unknown)), "{next:?}");
}
