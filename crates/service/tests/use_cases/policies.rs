//! Policies: what they hold for, and what they leave alone.

use std::time::Duration;

use latchkey_domain::{
    EnvironmentName, EventKind, Policy, PolicyRule, ProjectScope, Scope, Term, TokenAccess, TokenSecret,
};
use latchkey_ports::IncomingSecret;
use latchkey_service::{
    Field, ImportedKey, InitTokens, InitVariable, Initiator, Patched, PolicyDraft, Reveal, ServiceError,
    Settings, SignedRequest, TokenDraft, TokenPatch, TokenReference, TokenRequest, UpdateProject,
};

use crate::support::{TestEnv, client_of, draft, moment, origin, permit, project_id, settings, system};

const NOW: i64 = 1_700_000_000_000;
const DAY: i64 = 86_400_000;

fn term(days: u64) -> Term {
    Term::new(Duration::from_secs(days * 86_400)).expect("a term")
}

fn under(policy: Policy) -> TestEnv {
    TestEnv::with(Settings { policy, ..settings(Reveal::Always) })
}

fn of_default() -> TokenAccess {
    client_of(ProjectScope::one(project_id("default")))
}

fn field(refusal: ServiceError) -> Field {
    match refusal {
        ServiceError::Invalid { field: Some(field), .. } => field,
        other => panic!("expected Invalid, got {other:?}"),
    }
}

async fn issued(env: &TestEnv, access: TokenAccess) -> Result<Option<i64>, ServiceError> {
    let draft = TokenDraft::new(draft("x").name, access);
    let issued = env.use_cases.issuer.issue(draft, &Initiator::system()).await?;
    Ok(issued.token.expires_at.map(|end| end.millis() - NOW))
}

async fn set(env: &TestEnv, project: &str, draft: PolicyDraft) {
    let permit = permit::<UpdateProject>(project);
    env.use_cases.policies.set(&permit, &draft).await.expect("set");
}

#[tokio::test]
async fn the_command_line_keeps_the_policy_too() {
    let env = under(Policy { allow_all_projects: false, require_description: true, ..Policy::default() });
    for (access, member) in [
        (TokenAccess::Admin, "description"),
        (of_default(), "description"),
        (client_of(ProjectScope::All), "description"),
    ] {
        let refused = issued(&env, access).await.expect_err("not described");
        assert_eq!(field(refused), Field::Body(member));
    }
    let env = under(Policy { allow_all_projects: false, ..Policy::default() });
    let refused = issued(&env, client_of(ProjectScope::All)).await.expect_err("of all projects");
    assert_eq!(field(refused), Field::Body("projects"));
    assert_eq!(issued(&env, TokenAccess::Admin).await.expect("issued"), None);
    assert_eq!(issued(&env, of_default()).await.expect("issued"), None);
}

#[tokio::test]
async fn the_default_lifetime_is_that_of_the_tightest_policy() {
    let env = under(Policy { default_lifetime: Some(term(20)), ..Policy::default() });
    env.project("shop").await;
    set(&env, "shop", PolicyDraft { max_lifetime: Some(term(5)), ..PolicyDraft::default() }).await;
    set(&env, "default", PolicyDraft { default_lifetime: Some(term(10)), ..PolicyDraft::default() }).await;
    let both = latchkey_domain::ProjectSet::new([project_id("default"), project_id("shop")]).expect("two");
    for (access, days) in [
        (TokenAccess::Admin, 20),
        (client_of(ProjectScope::All), 20),
        (of_default(), 10),
        (client_of(ProjectScope::one(project_id("shop"))), 5),
        (client_of(ProjectScope::Only(both)), 5),
    ] {
        assert_eq!(issued(&env, access.clone()).await.expect("issued"), Some(days * DAY), "{access:?}");
    }
}

#[tokio::test]
async fn the_first_tokens_and_imported_ones_are_listed_and_not_refused() {
    let env = under(Policy { require_expiry: true, require_description: true, ..Policy::default() });
    let mut first = InitTokens::default();
    let variable = InitVariable { name: "INIT_CLIENT_API_TOKENS", kind: latchkey_domain::TokenKind::Client };
    first.add(variable, "default:development.first").expect("good entries");
    assert!(env.use_cases.first_tokens.create(first).await.expect("created"));
    let secret = IncomingSecret::Plain(TokenSecret::parse("sk_live_0123456789").expect("a secret"));
    let key = ImportedKey { draft: TokenDraft::new(draft("imported").name, of_default()), secret };
    env.use_cases.key_import.create(vec![key], &Initiator::system()).await.expect("created");

    let found = env.use_cases.policies.violations_in_instance(&system(), None).await.expect("listed");
    let rules = vec![PolicyRule::RequireExpiry, PolicyRule::RequireDescription];
    assert_eq!(
        found.violations.iter().map(|one| one.rules.clone()).collect::<Vec<_>>(),
        [rules.clone(), rules]
    );
    assert_eq!(found.next, None);
}

#[tokio::test]
async fn tokens_for_edge_keep_the_policy() {
    let scope = || Scope {
        projects: ProjectScope::one(project_id("default")),
        environment: EnvironmentName::new("development").expect("a name"),
    };
    let request = SignedRequest { at: moment(NOW), nonce: [7; 10], origin: origin() };
    let env = under(Policy { require_expiry: true, default_lifetime: Some(term(1)), ..Policy::default() });
    let issued = env.use_cases.edge_tokens.issue(&request, vec![scope()]).await.expect("issued");
    assert_eq!(issued.first().expect("one").token.expires_at, Some(moment(NOW + DAY)));
    let env = under(Policy { require_expiry: true, ..Policy::default() });
    let refused = env.use_cases.edge_tokens.issue(&request, vec![scope()]).await.expect_err("it never ends");
    let ServiceError::Entry { index: 0, error } = refused else { panic!("{refused:?}") };
    assert_eq!(field(*error), Field::Body("expiresAt"));
}

#[tokio::test]
async fn a_rotation_and_other_changes_of_a_token_that_breaks_the_policy_are_made() {
    let env = TestEnv::new();
    let of_default = TokenRequest { projects: Some(ProjectScope::one(project_id("default"))), ..draft("x") };
    let made = env.use_cases.instance_tokens.create(&system(), of_default).await.expect("created");
    set(
        &env,
        "default",
        PolicyDraft { require_expiry: Some(true), require_description: Some(true), ..PolicyDraft::default() },
    )
    .await;
    let reference = TokenReference::Id(made.token.id);
    let overlap = latchkey_service::Overlap::new(Duration::ZERO).expect("short");
    env.use_cases.instance_tokens.rotate(&system(), &reference, overlap).await.expect("rotated");
    let owner = latchkey_domain::TokenOwner::new("ada").expect("a name");
    let patch = TokenPatch { owner: Patched::Set(owner), ..TokenPatch::default() };
    env.use_cases.instance_tokens.update(&system(), &reference, &patch).await.expect("changed");
    let patch = TokenPatch { expires_at: Patched::Set(moment(NOW + DAY)), ..TokenPatch::default() };
    env.use_cases.instance_tokens.update(&system(), &reference, &patch).await.expect("it ends now");
    let patch = TokenPatch { expires_at: Patched::Removed, ..TokenPatch::default() };
    let refused = env.use_cases.instance_tokens.update(&system(), &reference, &patch).await;
    assert_eq!(field(refused.expect_err("it would never end")), Field::Body("expiresAt"));
}

#[tokio::test]
async fn the_list_of_a_project_is_about_its_own_policy() {
    let env = TestEnv::new();
    env.project("shop").await;
    let both = latchkey_domain::ProjectSet::new([project_id("default"), project_id("shop")]).expect("two");
    issued(&env, client_of(ProjectScope::Only(both))).await.expect("issued");
    set(&env, "shop", PolicyDraft { require_expiry: Some(true), ..PolicyDraft::default() }).await;
    assert_eq!(env.kinds_since(2).await, [EventKind::ProjectPolicyUpdated]);
    let policies = &env.use_cases.policies;
    let in_project = async |project: &str| {
        let found = policies.violations_in_project(&permit(project), None).await.expect("listed");
        found.violations.len()
    };
    assert_eq!((in_project("shop").await, in_project("default").await), (1, 0));
    let all = policies.violations_in_instance(&system(), None).await.expect("listed");
    assert_eq!(all.violations.len(), 1);
}
