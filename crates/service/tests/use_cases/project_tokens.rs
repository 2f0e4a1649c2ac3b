//! The rules for the tokens of a project.

use std::sync::Arc;

use crate::support::{
    QUOTA, TestEnv, client_of, draft, moment, origin, permit, project_id, sealer, settings, user, user_with,
};
use latchkey_domain::{
    EnvironmentName, EnvironmentScope, EventKind, Grants, Permission, Place, Principal, ProjectScope,
    ProjectSet, TokenAccess, TokenKind, TokenName,
};
use latchkey_service::{
    Caller, CreateTokens, DeleteTokens, Field, Initiator, Missing, Permit, ReadTokens, Reveal, ServiceError,
    TokenDraft, TokenReference, TokenRequest, UpdateTokens,
};

fn invalid_field(refusal: &ServiceError) -> Option<Field> {
    match refusal {
        ServiceError::Invalid { field, .. } => *field,
        other => panic!("expected Invalid, got {other:?}"),
    }
}

#[tokio::test]
async fn a_created_token_is_listed_with_the_same_secret() {
    let env = TestEnv::new();
    let created = env.use_cases.project_tokens.create(&permit("default"), draft("x")).await.expect("created");
    let secret = created.secret.expect("shown");
    assert!(secret.reveal().starts_with("default:development.") && secret.has_valid_checksum());
    assert!(!created.secure);

    let listed = env.listed("default").await.expect("listed");
    let [token] = listed.as_slice() else { panic!("one token, not {listed:?}") };
    assert_eq!(token.token, created.token);
    assert_eq!(token.secret.as_ref().expect("shown").reveal(), secret.reveal());
}

#[tokio::test]
async fn a_list_has_the_tokens_that_name_the_project_in_order_of_creation() {
    let env = TestEnv::new();
    env.project("p2").await;
    let both = ProjectSet::new([project_id("p2"), project_id("default")]).expect("two");
    env.token(TokenAccess::Admin).await;
    env.token(client_of(ProjectScope::All)).await;
    let shared = env.token(client_of(ProjectScope::Only(both))).await;
    env.token(client_of(ProjectScope::one(project_id("p2")))).await;
    env.clock.advance(std::time::Duration::from_millis(1));
    let own = env.token(client_of(ProjectScope::one(project_id("default")))).await;

    let ids: Vec<_> = env.tokens_of("default").await.into_iter().map(|token| token.id).collect();
    assert_eq!(ids, [shared.token.id, own.token.id]);
}

#[tokio::test]
async fn an_unknown_project_is_not_found_by_those_who_may_ask() {
    let env = TestEnv::new();
    let listed = env.listed("nope").await;
    assert!(matches!(listed, Err(ServiceError::NotFound(Missing::Project(_)))), "{listed:?}");
    let created = env.use_cases.project_tokens.create(&permit("nope"), draft("x")).await;
    assert!(matches!(created, Err(ServiceError::NotFound(Missing::Project(_)))), "{created:?}");
    assert!(env.events().await.is_empty());
}

#[tokio::test]
async fn a_wrong_environment_is_told_before_an_unknown_project() {
    let env = TestEnv::new();
    let environment = EnvironmentScope::Only(EnvironmentName::new("nowhere").expect("name"));
    let asked = TokenRequest { environment: Some(environment), ..draft("x") };
    let refusal = env.use_cases.project_tokens.create(&permit("nope"), asked).await.expect_err("refused");
    assert_eq!(invalid_field(&refusal), Some(Field::Body("environment")));
}

#[tokio::test]
async fn a_project_creates_tokens_for_itself_alone() {
    let env = TestEnv::new();
    env.project("p2").await;
    let set = |ids: [&str; 2]| ProjectScope::Only(ProjectSet::new(ids.map(project_id)).expect("some"));
    let bad = [
        (TokenRequest { kind: TokenKind::Admin, ..draft("x") }, "type"),
        (TokenRequest { projects: Some(ProjectScope::All), ..draft("x") }, "projects"),
        (TokenRequest { projects: Some(set(["p2", "p2"])), ..draft("x") }, "projects"),
        (TokenRequest { projects: Some(set(["default", "p2"])), ..draft("x") }, "projects"),
        (TokenRequest { environment: Some(EnvironmentScope::All), ..draft("x") }, "environment"),
    ];
    for (asked, field) in bad {
        let refusal = env.use_cases.project_tokens.create(&permit("default"), asked).await.expect_err(field);
        assert_eq!(invalid_field(&refusal), Some(Field::Body(field)));
    }
    assert!(env.tokens_of("default").await.is_empty());

    let twice = TokenRequest { projects: Some(set(["default", "default"])), ..draft("x") };
    env.use_cases.project_tokens.create(&permit("default"), twice).await.expect("named twice is named once");
}

#[tokio::test]
async fn a_full_project_takes_no_more() {
    let env = TestEnv::new();
    for count in 0..QUOTA {
        let created = env.use_cases.project_tokens.create(&permit("default"), draft("x")).await;
        created.unwrap_or_else(|error| panic!("token {count}: {error}"));
    }
    let refusal =
        env.use_cases.project_tokens.create(&permit("default"), draft("x")).await.expect_err("full");
    assert!(matches!(refusal, ServiceError::LimitReached { limit: QUOTA }), "{refusal:?}");
    assert_eq!(env.events().await.len(), usize::try_from(QUOTA).expect("small"), "one for each token");
}

#[tokio::test]
async fn deleting_needs_the_secret_or_the_id_and_happens_once() {
    let env = TestEnv::new();
    let tokens = &env.use_cases.project_tokens;
    for by_id in [false, true] {
        let created = tokens.create(&permit("default"), draft("x")).await.expect("created");
        let secret = created.secret.expect("shown");
        let text = if by_id { created.token.id.to_string() } else { secret.reveal().to_owned() };
        let reference = TokenReference::parse(&text).expect("a reference");
        tokens.delete(&permit("default"), &reference).await.expect("deleted");
        let again = tokens.delete(&permit("default"), &reference).await;
        assert!(matches!(again, Err(ServiceError::NotFound(Missing::Token))), "{again:?}");
    }
    let kinds: Vec<_> = env.events().await.iter().map(|event| event.record.kind).collect();
    let (created, deleted) = (EventKind::ApiTokenCreated, EventKind::ApiTokenDeleted);
    assert_eq!(kinds, [created, deleted, created, deleted]);
}

#[tokio::test]
async fn tokens_of_elsewhere_cannot_be_deleted_here() {
    let env = TestEnv::new();
    env.project("p2").await;
    let both = ProjectSet::new([project_id("p2"), project_id("default")]).expect("two");
    let elsewhere =
        [TokenAccess::Admin, client_of(ProjectScope::All), client_of(ProjectScope::one(project_id("p2")))];
    let tokens = &env.use_cases.project_tokens;
    for access in elsewhere {
        let token = env.token(access).await;
        let deleted = tokens.delete(&permit("default"), &TokenReference::Id(token.token.id)).await;
        assert!(matches!(deleted, Err(ServiceError::NotFound(Missing::Token))), "{deleted:?}");
    }
    let shared = env.token(client_of(ProjectScope::Only(both))).await;
    let deleted = tokens.delete(&permit("default"), &TokenReference::Id(shared.token.id)).await;
    assert_eq!(invalid_field(&deleted.expect_err("shared")), None);
}

#[tokio::test]
async fn an_event_says_who_from_where_and_what_without_the_secret() {
    let env = TestEnv::new();
    let ends = Some(moment(1_800_000_000_000));
    let asked = TokenRequest { expires_at: ends.into(), ..draft("x") };
    let created = env.use_cases.project_tokens.create(&permit("default"), asked).await.expect("created");
    let secret = created.secret.expect("shown").reveal().to_owned();
    let reference = TokenReference::parse(&secret).expect("a reference");
    env.use_cases.project_tokens.delete(&permit("default"), &reference).await.expect("deleted");

    let events = env.events().await;
    let [first, second] = events.as_slice() else { panic!("two events, not {events:?}") };
    for event in [first, second] {
        assert_eq!(event.record.actor.user_id(), 7);
        assert_eq!(event.record.actor.name(), "ed@example.com");
        assert_eq!(event.record.origin, origin());
        assert_eq!(event.record.projects, Some(ProjectScope::one(project_id("default"))));
        let random = secret.rsplit_once('.').expect("a dot").1;
        assert!(!format!("{event:?}").contains(random));
    }
    let after = first.record.after.as_ref().expect("what was made").to_json();
    assert_eq!(after["tokenName"], "x");
    assert_eq!(after["expiresAt"], "2027-01-15T08:00:00.000Z");
    assert_eq!(first.record.before, None);
    assert_eq!(second.record.before, first.record.after);
    assert_eq!(second.record.after, None);
}

#[tokio::test]
async fn a_show_once_token_is_listed_without_its_secret() {
    let env = TestEnv::revealing(Reveal::Once);
    let created = env.use_cases.project_tokens.create(&permit("default"), draft("x")).await.expect("created");
    assert!(created.secure && created.secret.is_some());
    let listed = env.listed("default").await.expect("listed");
    assert!(listed.iter().all(|token| token.secure && token.secret.is_none()));
}

#[test]
fn a_permit_needs_the_permission_in_that_project() {
    let ask = |caller: &Caller, project: &str| Permit::<CreateTokens>::request(caller, project_id(project));
    assert!(ask(&user_with::<CreateTokens>("a"), "a").is_ok());
    for denied in [
        ask(&user_with::<CreateTokens>("a"), "b"),
        ask(&user_with::<ReadTokens>("a"), "a"),
        ask(&user_with::<DeleteTokens>("a"), "a"),
        ask(&user(Grants::default()), "a"),
    ] {
        let Err(ServiceError::Denied(denied)) = denied else { panic!("expected Denied, got {denied:?}") };
        assert_eq!(denied.any_of, [Permission::CreateProjectApiToken]);
        assert!(matches!(denied.place, Place::Project(_)));
    }
    assert!(ask(&user(Grants::admin()), "a").is_ok());
}

#[test]
fn rotating_needs_both_permissions() {
    let ask = |caller: &Caller| Permit::<UpdateTokens>::request(caller, project_id("a"));
    assert!(ask(&user_with::<UpdateTokens>("a")).is_ok());
    for caller in [user_with::<CreateTokens>("a"), user_with::<DeleteTokens>("a")] {
        assert!(matches!(ask(&caller), Err(ServiceError::Denied(_))));
    }
}

#[tokio::test]
async fn client_tokens_administer_nothing() {
    let env = TestEnv::new();
    let token = env.token(client_of(ProjectScope::one(project_id("default")))).await;
    let principal = Arc::new(Principal::of_token(&token.token, None));
    let message = Caller::admit(principal, origin()).expect_err("refused").to_string();
    assert_eq!(message, "invalid token: expected a different token type for this endpoint");
}

#[tokio::test]
async fn what_was_made_to_be_shown_again_is_hidden_once_secrets_are_shown_once() {
    let open = TestEnv::new();
    let made = open.token(client_of(ProjectScope::one(project_id("default")))).await;
    assert!(!made.secure);
    let strict = open.beside(sealer(), settings(Reveal::Once));
    for (env, is_shown) in [(&open, true), (&strict, false)] {
        let listed = env.listed("default").await.expect("listed");
        assert_eq!(listed.iter().map(|token| token.secret.is_some()).collect::<Vec<_>>(), [is_shown]);
        assert_eq!(listed[0].secure, !is_shown);
    }
}

#[tokio::test]
async fn there_is_always_room_for_an_admin_token() {
    let env = TestEnv::new();
    for _ in 0..QUOTA {
        env.token(client_of(ProjectScope::All)).await;
    }
    let full = env.use_cases.issuer.issue(client_draft(), &Initiator::system()).await.expect_err("full");
    assert!(matches!(full, ServiceError::LimitReached { limit: QUOTA }), "{full:?}");
    env.token(TokenAccess::Admin).await;
}

fn client_draft() -> TokenDraft {
    let name = TokenName::new("x").expect("name");
    TokenDraft::new(name, client_of(ProjectScope::All))
}
