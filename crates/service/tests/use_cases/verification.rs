//! Whether tokens are good, and for what.

use std::time::Duration;

use latchkey_domain::{EnvironmentName, ProjectScope, TokenAccess, TokenKind};
use latchkey_service::{AuthenticationError, Requirement, ServiceError, TokenReference};

use crate::support::{House, client_of, project_id, system};

fn in_environment(name: &str) -> Requirement {
    Requirement { environment: EnvironmentName::new(name).ok(), ..Requirement::default() }
}

#[tokio::test]
async fn good_ones_are_told_in_the_order_asked() {
    let house = House::new();
    let client = house.token(client_of(ProjectScope::one(project_id("default")))).await;
    let admin = house.token(TokenAccess::Admin).await;
    let [client_secret, admin_secret] =
        [&client, &admin].map(|token| token.secret.as_ref().expect("shown").reveal().to_owned());
    let asked = [admin_secret.as_str(), "unknown", "a b", &client_secret, &admin_secret];
    let found = house.use_cases.verification.verify_all(&asked).await.expect("asked");
    let ids: Vec<_> = found
        .iter()
        .map(|found| found.as_ref().and_then(|found| found.verified_token()).map(|token| token.id))
        .collect();
    assert_eq!(ids, [Some(admin.token.id), None, None, Some(client.token.id), Some(admin.token.id)]);

    let reference = TokenReference::Id(client.token.id);
    house.use_cases.instance_tokens.delete(&system(), &reference).await.expect("deleted");
    let found = house.use_cases.verification.verify_all(&[&client_secret]).await.expect("asked");
    assert_eq!(found, [None], "refused at once");
}

#[tokio::test]
async fn a_token_is_good_for_what_it_reaches() {
    let house = House::new();
    let token = house.token(client_of(ProjectScope::one(project_id("default")))).await;
    let secret = token.secret.expect("shown");
    let principal = house.use_cases.authenticator.authenticate(secret.reveal()).await.expect("recognised");
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
        let checked = house.use_cases.verification.check(&principal, &requirement);
        assert_eq!(checked.is_ok(), is_good, "{requirement:?}");
        assert!(is_good || matches!(checked, Err(ServiceError::NotPermitted(_))));
    }
}

#[tokio::test]
async fn an_admin_token_is_good_for_everything_and_a_person_is_no_token() {
    let house = House::new();
    let admin = house.token(TokenAccess::Admin).await;
    let secret = admin.secret.expect("shown");
    let principal = house.use_cases.authenticator.authenticate(secret.reveal()).await.expect("recognised");
    let requirement = Requirement { project: Some(project_id("any")), ..in_environment("any") };
    house.use_cases.verification.check(&principal, &requirement).expect("good");

    house.user("ed", "Admin").await;
    let caller = house.signed_in("ed").await;
    let person = caller.principal().expect("a user");
    let refused = house.use_cases.verification.check(person, &Requirement::default());
    assert!(matches!(refused, Err(ServiceError::NotPermitted(_))), "{refused:?}");
}

#[tokio::test]
async fn a_flood_of_guesses_reaches_the_store_so_often_and_no_more() {
    let house = House::new();
    let token = house.token(TokenAccess::Admin).await;
    let secret = token.secret.expect("shown");
    house.use_cases.follow_changes().await.expect("followed");
    let authenticator = &house.use_cases.authenticator;
    let mut unknown = 0;
    let mut busy = 0;
    for guess in 0..2_000 {
        match authenticator.authenticate(&format!("guess-{guess}")).await {
            Err(AuthenticationError::Unknown) => unknown += 1,
            Err(AuthenticationError::Busy) => busy += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((unknown, busy), (500, 1_500));
    authenticator.authenticate(secret.reveal()).await.expect("a real one is looked up all the same");
    house.clock.advance(Duration::from_secs(1));
    let next = authenticator.authenticate("guess-next").await;
    assert!(matches!(next, Err(AuthenticationError::Unknown)), "{next:?}");
}
