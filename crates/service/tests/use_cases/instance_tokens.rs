//! The rules for tokens of any scope.

use latchkey_domain::{
    EnvironmentScope, EventKind, Permission as P, ProjectScope, ProjectSet, TokenAccess, TokenKind, TokenName,
};
use latchkey_ports::{Direction, TokenOrder};
use latchkey_service::{
    CreateInstanceTokens, DeleteInstanceTokens, Existed, Field, IssuingSettings, ReadInstanceTokens,
    ServiceError, TokenFilter, TokenReference, TokenRequest, UpdateInstanceTokens,
};

use crate::support::{TestEnv, client_of, draft, holding, moment, project_id, settings, system};

fn names(tokens: &[latchkey_service::RevealedToken]) -> Vec<&str> {
    tokens.iter().map(|token| token.token.name.as_str()).collect()
}

async fn env_with_three_kinds() -> TestEnv {
    let env = TestEnv::new();
    env.token(TokenAccess::Admin).await;
    env.clock.advance(std::time::Duration::from_millis(1));
    env.token(client_of(ProjectScope::All)).await;
    env.clock.advance(std::time::Duration::from_millis(1));
    let frontend = TokenAccess::new(
        TokenKind::Frontend,
        ProjectScope::one(project_id("default")),
        EnvironmentScope::Only("production".parse().expect("a name")),
    );
    env.token(frontend.expect("a scope")).await;
    env
}

#[tokio::test]
async fn those_kinds_are_listed_that_may_be_read() {
    let env = env_with_three_kinds().await;
    for (held, expected) in [
        (vec![P::Admin], vec![TokenKind::Admin, TokenKind::Client, TokenKind::Frontend]),
        (vec![P::ReadClientApiToken], vec![TokenKind::Client]),
        (vec![P::ReadFrontendApiToken], vec![TokenKind::Frontend]),
        (vec![P::ReadClientApiToken, P::ReadFrontendApiToken], vec![TokenKind::Client, TokenKind::Frontend]),
    ] {
        let permit = holding::<ReadInstanceTokens>(&held);
        let page = env.use_cases.instance_tokens.search(&permit, TokenFilter::default()).await;
        let page = page.expect("listed");
        let kinds: Vec<_> = page.tokens.iter().map(|token| token.token.access.kind()).collect();
        assert_eq!(kinds, expected, "{held:?}");
        assert_eq!(page.next, None);
    }
}

#[tokio::test]
async fn pages_follow_each_other_by_their_cursor() {
    let env = env_with_three_kinds().await;
    for direction in [Direction::Ascending, Direction::Descending] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let filter = TokenFilter { limit: Some(1), after, direction, ..TokenFilter::default() };
            let page = env.use_cases.instance_tokens.search(&system(), filter).await.expect("listed");
            seen.extend(page.tokens.iter().map(|token| token.token.access.kind()));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut expected = vec![TokenKind::Admin, TokenKind::Client, TokenKind::Frontend];
        if direction == Direction::Descending {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
    let filter = TokenFilter {
        order: TokenOrder::Name,
        after: Some(env.tokens_of("default").await[0].id),
        ..TokenFilter::default()
    };
    let refused = env.use_cases.instance_tokens.search(&system(), filter).await.expect_err("refused");
    assert!(
        matches!(refused, ServiceError::Invalid { field: Some(Field::Query("cursor")), .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_name_finds_its_tokens_and_an_id_finds_one_where_no_name_does() {
    let env = env_with_three_kinds().await;
    let tokens = &env.use_cases.instance_tokens;
    assert_eq!(tokens.named(&system(), "made").await.expect("found").tokens.len(), 3);
    assert!(tokens.named(&system(), "other").await.expect("found").tokens.is_empty());
    assert!(tokens.named(&system(), &"x".repeat(999)).await.expect("found").tokens.is_empty());
    let id = env.tokens_of("default").await[0].id;
    let found = tokens.named(&system(), &id.to_string()).await.expect("found").tokens;
    assert_eq!(found.iter().map(|token| token.token.id).collect::<Vec<_>>(), [id]);
    let reads_clients = holding::<ReadInstanceTokens>(&[P::ReadClientApiToken]);
    assert!(tokens.named(&reads_clients, &id.to_string()).await.expect("found").tokens.is_empty());

    let named = TokenRequest { name: TokenName::new(&id.to_string()).expect("a name"), ..draft("x") };
    tokens.create(&system(), named).await.expect("created");
    let found = tokens.named(&system(), &id.to_string()).await.expect("found").tokens;
    assert_eq!(names(&found), [id.to_string()], "the name goes first");
}

#[tokio::test]
async fn admin_tokens_are_made_only_where_the_policy_has_them() {
    let env = TestEnv::new();
    let asked = || TokenRequest { kind: TokenKind::Admin, ..draft("x") };
    let refused = env.use_cases.instance_tokens.create(&system(), asked()).await.expect_err("refused");
    assert!(matches!(refused, ServiceError::NotPermitted(_)), "{refused:?}");

    let mut settings = settings(latchkey_service::Reveal::Always);
    settings.tokens = IssuingSettings { allow_admin: true, ..settings.tokens };
    let env = TestEnv::with(settings);
    let tokens = &env.use_cases.instance_tokens;
    let made = tokens.create(&system(), asked()).await.expect("created");
    assert_eq!(made.token.access, TokenAccess::Admin);
    let clients_only = holding::<CreateInstanceTokens>(&[P::CreateClientApiToken]);
    assert!(matches!(tokens.create(&clients_only, asked()).await, Err(ServiceError::NotPermitted(_))));
    let scoped = TokenRequest { projects: Some(ProjectScope::one(project_id("default"))), ..asked() };
    let refused = tokens.create(&system(), scoped).await.expect_err("refused");
    assert!(
        matches!(refused, ServiceError::Invalid { field: Some(Field::Body("projects")), .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_token_of_no_named_project_is_for_all_and_unknown_ones_are_refused() {
    let env = TestEnv::new();
    let tokens = &env.use_cases.instance_tokens;
    let made = tokens.create(&system(), draft("x")).await.expect("created");
    assert_eq!(made.token.access.projects(), &ProjectScope::All);
    let both = ProjectSet::new(["default", "nope"].map(project_id)).expect("two");
    let asked = TokenRequest { projects: Some(ProjectScope::Only(both)), ..draft("x") };
    let refused = tokens.create(&system(), asked).await.expect_err("refused");
    assert!(
        matches!(refused, ServiceError::Invalid { field: Some(Field::Body("projects")), .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn each_kind_needs_its_own_permission() {
    let env = TestEnv::new();
    let tokens = &env.use_cases.instance_tokens;
    let clients = holding::<CreateInstanceTokens>(&[P::CreateClientApiToken]);
    let frontend = TokenRequest { kind: TokenKind::Frontend, ..draft("x") };
    assert!(matches!(tokens.create(&clients, frontend.clone()).await, Err(ServiceError::NotPermitted(_))));
    tokens.create(&clients, draft("x")).await.expect("created");

    let made = tokens.create(&system(), frontend).await.expect("created");
    let reference = TokenReference::Id(made.token.id);
    let updates = holding::<UpdateInstanceTokens>(&[P::UpdateClientApiToken]);
    assert!(matches!(
        tokens.change_expiry(&updates, &reference, None).await,
        Err(ServiceError::NotPermitted(_))
    ));
    let deletes = holding::<DeleteInstanceTokens>(&[P::DeleteClientApiToken]);
    assert!(matches!(tokens.delete(&deletes, &reference).await, Err(ServiceError::NotPermitted(_))));
    let deletes = holding::<DeleteInstanceTokens>(&[P::DeleteFrontendApiToken]);
    assert_eq!(tokens.delete(&deletes, &reference).await.expect("deleted"), Existed::Yes);
    assert_eq!(tokens.delete(&deletes, &reference).await.expect("gone"), Existed::No);
}

#[tokio::test]
async fn an_expiry_is_changed_with_its_event_and_an_unknown_token_is_no_matter() {
    let env = TestEnv::new();
    let tokens = &env.use_cases.instance_tokens;
    let made = tokens.create(&system(), draft("x")).await.expect("created");
    let reference = TokenReference::parse(made.secret.as_ref().expect("shown").reveal()).expect("a secret");
    let end = Some(moment(1_900_000_000_000));
    let change = async |token| tokens.change_expiry(&system(), token, end).await.expect("changed");
    assert_eq!(change(&reference).await, Existed::Yes);
    assert_eq!(change(&reference).await, Existed::Yes, "to what it is: no event");
    let unknown = TokenReference::parse("*:development.unknown").expect("a secret");
    assert_eq!(change(&unknown).await, Existed::No);
    assert_eq!(tokens.delete(&system(), &unknown).await.expect("no such token"), Existed::No);
    assert_eq!(env.kinds_since(1).await, [EventKind::ApiTokenUpdated]);
    let event = &env.events().await[1].record;
    let [before, after] = [&event.before, &event.after].map(|side| side.as_ref().expect("there").to_json());
    assert!(before["expiresAt"].is_null());
    assert_eq!(after["expiresAt"], "2030-03-17T17:46:40.000Z");
}
