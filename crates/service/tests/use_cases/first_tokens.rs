//! What an instance starts with.

use crate::support::{House, client_of, project_id};
use latchkey_domain::{AccessError, ProjectScope, TokenAccess, TokenKind};
use latchkey_service::{InitFault, InitTokens, InitVariable, ServiceError};

const ADMIN: InitVariable = InitVariable { name: "INIT_ADMIN_API_TOKENS", kind: TokenKind::Admin };
const CLIENT: InitVariable = InitVariable { name: "INIT_CLIENT_API_TOKENS", kind: TokenKind::Client };
const FRONTEND: InitVariable = InitVariable { name: "INIT_FRONTEND_API_TOKENS", kind: TokenKind::Frontend };

fn init(entries: &[(InitVariable, &str)]) -> InitTokens {
    let mut tokens = InitTokens::default();
    for (variable, list) in entries {
        tokens.add(*variable, list).expect("good entries");
    }
    tokens
}

#[tokio::test]
async fn the_prefix_of_a_secret_gives_its_scope() {
    let house = House::new();
    let tokens = init(&[
        (ADMIN, "*:*.adm1, *:*.adm2"),
        (CLIENT, "default:development.cli"),
        (FRONTEND, "*:production.fro"),
    ]);
    assert!(house.use_cases.first_tokens.create(tokens).await.expect("created"));
    for (secret, kind) in [
        ("*:*.adm1", TokenKind::Admin),
        ("*:*.adm2", TokenKind::Admin),
        ("default:development.cli", TokenKind::Client),
        ("*:production.fro", TokenKind::Frontend),
    ] {
        let principal = house.use_cases.authenticator.authenticate(secret, None).await.expect("recognised");
        let latchkey_domain::Principal::ApiToken { access, .. } = &*principal else { panic!("an API token") };
        assert_eq!(access.kind(), kind);
    }
    let default = house.tokens_of("default").await;
    assert_eq!(default.len(), 1);
    assert_eq!(default[0].access, client_of(ProjectScope::one(project_id("default"))));
    assert_eq!(house.events().await.len(), 4);
    assert!(house.events().await.iter().all(|event| event.record.actor.user_id() == -1337));
}

#[tokio::test]
async fn they_are_made_only_where_there_is_no_token_yet() {
    let house = House::new();
    house.token(TokenAccess::Admin).await;
    assert!(!house.use_cases.first_tokens.create(init(&[(ADMIN, "*:*.late")])).await.expect("asked"));
    assert!(house.use_cases.authenticator.authenticate("*:*.late", None).await.is_err());
    assert!(house.use_cases.first_tokens.create_admin().await.expect("asked").is_none());
}

#[tokio::test]
async fn an_admin_token_is_made_where_none_was_given() {
    let house = House::new();
    let secret = house.use_cases.first_tokens.create_admin().await.expect("asked").expect("made");
    assert!(secret.reveal().starts_with("*:*.") && secret.has_valid_checksum());
    house.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("recognised");
}

#[tokio::test]
async fn an_unknown_project_makes_none_of_them() {
    let house = House::new();
    let tokens = init(&[(ADMIN, "*:*.adm"), (CLIENT, "nope:development.x")]);
    let refusal = house.use_cases.first_tokens.create(tokens).await.expect_err("no such project");
    assert!(matches!(refusal, ServiceError::NotFound(_)), "{refusal:?}");
    assert!(house.use_cases.authenticator.authenticate("*:*.adm", None).await.is_err());
    assert!(house.events().await.is_empty());
}

#[tokio::test]
async fn a_secret_in_two_variables_takes_the_later_type() {
    let house = House::new();
    let tokens = init(&[(CLIENT, "default:development.x"), (FRONTEND, "default:development.x")]);
    house.use_cases.first_tokens.create(tokens).await.expect("created");
    let made = house.tokens_of("default").await;
    assert_eq!(made.iter().map(|token| token.access.kind()).collect::<Vec<_>>(), [TokenKind::Frontend]);
}

#[test]
fn a_malformed_entry_is_named_by_its_place_and_not_by_its_secret() {
    let fault = |variable, list: &str| {
        let error = InitTokens::default().add(variable, list).expect_err("malformed");
        assert!(!error.to_string().contains("hush"), "{error}");
        error
    };
    let error = fault(ADMIN, "*:*.hush,nocolonhush");
    assert_eq!((error.variable, error.entry), ("INIT_ADMIN_API_TOKENS", 2));
    assert!(matches!(fault(ADMIN, "*:*.hush,").fault, InitFault::Secret(_)));
    assert!(matches!(fault(CLIENT, ":development.hush").fault, InitFault::Prefix(_)));
    assert!(matches!(fault(CLIENT, "[]:development.hush").fault, InitFault::Prefix(_)));
    assert_eq!(fault(ADMIN, "default:*.hush").fault, InitFault::Access(AccessError::AdminNeedsAllProjects));
    assert_eq!(
        fault(FRONTEND, "default:*.hush").fault,
        InitFault::Access(AccessError::NeedsOneEnvironment(TokenKind::Frontend))
    );
}
