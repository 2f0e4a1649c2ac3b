//! Importing keys of other systems, and secrets in the second form of Unleash.

use std::sync::Arc;

use latchkey_domain::{ProjectScope, TokenAccess, TokenName, TokenSecret, TokenSelector};
use latchkey_ports::{ForeignDigest, IncomingSecret, SecretForm, SecretSealer, TokenRepository as _};
use latchkey_service::{
    ImportedKey, Initiator, IssuingSettings, KeyFinding, Overlap, ReadInstanceTokens, Reveal, ServiceError,
    Settings, TokenDraft, TokenFormat, TokenReference,
};
use proptest::prelude::*;

use crate::{
    master_keys::{env, is_accepted, ring, under},
    support::{TestEnv, client_of, draft, holding, project_id, sealer, settings, system},
};

fn secret(text: &str) -> TokenSecret {
    TokenSecret::parse(text).expect("a secret")
}

fn sha256(text: &str) -> ForeignDigest {
    sealer().foreign_digest(&secret(text))
}

fn key(secret: IncomingSecret) -> ImportedKey {
    let name = TokenName::new("imported").expect("a name");
    ImportedKey { draft: TokenDraft::new(name, client_of(ProjectScope::one(project_id("default")))), secret }
}

fn hashed(text: &str) -> ImportedKey {
    let selector = secret(text).selector();
    key(IncomingSecret::Sha256 { digest: sha256(text), selector })
}

fn plain(text: &str) -> ImportedKey {
    key(IncomingSecret::Plain(secret(text)))
}

async fn examine(env: &TestEnv, keys: &[ImportedKey]) -> Vec<KeyFinding> {
    env.use_cases.key_import.examination().examine(keys).await.expect("examined")
}

async fn import(env: &TestEnv, keys: &[ImportedKey]) {
    assert!(examine(env, keys).await.iter().all(|finding| *finding == KeyFinding::New));
    env.use_cases.key_import.create(keys.to_vec(), &Initiator::system()).await.expect("created");
}

/// A secret in the second form of Unleash, made of a number.
fn v2(number: u8) -> String {
    let selector = TokenSelector::mint([number; 16]);
    TokenSecret::mint_v2(&client_of(ProjectScope::All), &selector, [number; 32]).reveal().to_owned()
}

#[tokio::test]
async fn an_imported_digest_accepts_its_secret_and_no_other() {
    let env = TestEnv::new();
    import(&env, &[hashed(&v2(1)), hashed("a-key-of-another-system"), plain("sk_live_0123456789")]).await;
    env.use_cases.follow_changes().await.expect("followed");
    for good in [&v2(1), "a-key-of-another-system", "sk_live_0123456789"] {
        assert!(is_accepted(&env, good).await, "{good}");
    }
    let selector = secret(&v2(1)).selector().expect("a selector");
    let digest = sha256(&v2(1)).0.iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
    for bad in [v2(2), v2(1).to_lowercase(), selector.to_string(), digest] {
        assert!(!is_accepted(&env, &bad).await, "{bad}");
    }
    assert_eq!(env.events().await.len(), 3, "one event for each");
}

#[tokio::test]
async fn a_second_import_changes_nothing_also_after_use() {
    let env = TestEnv::new();
    let keys = [hashed(&v2(1)), plain("sk_live_0123456789"), hashed("default:development.of-old")];
    import(&env, &keys).await;
    for text in [v2(1), "sk_live_0123456789".to_owned(), "default:development.of-old".to_owned()] {
        assert!(is_accepted(&env, &text).await, "{text}");
    }
    env.use_cases.flush_rekeyings().await.expect("written");
    assert_eq!(examine(&env, &keys).await, [KeyFinding::Present, KeyFinding::Present, KeyFinding::Present]);
    // The plain form of what is there as a digest is known too.
    let again = [plain(&v2(1)), plain("default:development.of-old")];
    assert_eq!(examine(&env, &again).await, [KeyFinding::Present, KeyFinding::Present]);
    let mut renamed = keys[0].clone();
    renamed.draft.name = TokenName::new("another").expect("a name");
    let id = env.tokens_of("default").await[0].id;
    assert_eq!(examine(&env, &[renamed]).await, [KeyFinding::Different(id)]);
}

#[tokio::test]
async fn faults_are_found_before_anything_is_written() {
    let env = TestEnv::new();
    import(&env, &[hashed(&v2(9))]).await;
    let selector = secret(&v2(9)).selector();
    let unknown_project = ImportedKey {
        draft: TokenDraft {
            access: client_of(ProjectScope::one(project_id("nowhere"))),
            ..hashed("x").draft
        },
        ..hashed("a-key-of-no-project")
    };
    let keys = [
        plain("user:0123456789abcdef"),
        plain("session:0123456789abcdef"),
        plain("too-short"),
        plain(&v2(1)),
        hashed(&v2(1)),
        unknown_project,
        key(IncomingSecret::Sha256 { digest: sha256("another"), selector }),
    ];
    let findings = examine(&env, &keys).await;
    let refusal = |finding: &KeyFinding| match finding {
        KeyFinding::Refused(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    assert!(refusal(&findings[0]).contains("taken for that of a person"));
    assert!(refusal(&findings[1]).contains("taken for that of a person"));
    assert!(refusal(&findings[2]).contains("has 9 characters"));
    assert_eq!(findings[3..5], [KeyFinding::New, KeyFinding::Repeated(3)]);
    assert!(refusal(&findings[5]).contains("there is no project \"nowhere\""));
    assert!(refusal(&findings[6]).contains("its selector is that of the token"));
    let refused =
        env.use_cases.key_import.create(vec![plain(&v2(2)), plain(&v2(2))], &Initiator::system()).await;
    assert!(refused.is_err());
    assert!(!is_accepted(&env, &v2(2)).await, "all or none");
}

#[tokio::test]
async fn an_imported_digest_moves_to_a_new_master_key_when_it_is_used() {
    let old = env("a", Reveal::Always);
    import(&old, &[hashed(&v2(1)), hashed(&v2(2))]).await;
    let both = old.beside(ring("ba"), settings(Reveal::Always));
    assert!(is_accepted(&both, &v2(1)).await);
    both.use_cases.flush_rekeyings().await.expect("written");
    assert_eq!(under(&both, "a").await, [(SecretForm::ShownOnce, 1)]);
    assert_eq!(under(&both, "b").await, [(SecretForm::ShownOnce, 1)]);
    let keys = [hashed(&v2(1)), hashed(&v2(2))];
    assert_eq!(
        examine(&both, &keys).await,
        [KeyFinding::Present, KeyFinding::Present],
        "in the form that it had"
    );
    let new = old.beside(ring("b"), settings(Reveal::Always));
    assert!(is_accepted(&new, &v2(1)).await && !is_accepted(&new, &v2(2)).await);
}

fn with_v2(reveal: Reveal) -> Settings {
    let settings = settings(reveal);
    Settings { tokens: IssuingSettings { format: TokenFormat::UnleashV2, ..settings.tokens }, ..settings }
}

#[tokio::test]
async fn new_tokens_of_the_second_form_are_shown_once_and_keep_their_selector() {
    let env = TestEnv::with(with_v2(Reveal::Always));
    let tokens = &env.use_cases.instance_tokens;
    let made = tokens.create(&system(), draft("x")).await.expect("created");
    let shown = made.secret.expect("shown").reveal().to_owned();
    let selector = secret(&shown).selector().expect("the second form");
    assert!(shown.starts_with("*:development.v2_") && made.secure, "{shown}");
    assert_eq!(made.token.selector, Some(selector.clone()));
    assert!(is_accepted(&env, &shown).await);
    let listed = tokens.named(&system(), "x").await.expect("listed").tokens;
    assert!(listed[0].secret.is_none() && listed[0].secure);

    for named in [selector.as_str(), &shown] {
        let reference = TokenReference::parse(named).expect("a reference");
        let overlap = Overlap::new(std::time::Duration::ZERO).expect("none");
        let rotated = tokens.rotate(&system(), &reference, overlap).await;
        if named == shown {
            assert!(matches!(rotated, Err(ServiceError::NotFound(_))), "it was replaced");
            continue;
        }
        let rotated = rotated.expect("rotated").secret.expect("shown");
        assert_eq!(rotated.selector().as_ref(), Some(&selector));
        assert!(is_accepted(&env, rotated.reveal()).await && !is_accepted(&env, &shown).await);
    }
    let by_selector = tokens.named(&system(), selector.as_str()).await.expect("found").tokens;
    assert_eq!(by_selector[0].token.id, made.token.id);
    let none = holding::<ReadInstanceTokens>(&[latchkey_domain::Permission::ReadFrontendApiToken]);
    assert!(tokens.named(&none, selector.as_str()).await.expect("found").tokens.is_empty());
    let reference = TokenReference::parse(selector.as_str()).expect("a reference");
    tokens.delete(&system(), &reference).await.expect("deleted");
    assert!(env.store.find_token(made.token.id).await.expect("a look-up").is_none());
}

#[tokio::test]
async fn a_token_of_our_form_keeps_it_where_new_ones_have_another() {
    let env = TestEnv::new();
    let made = env.token(client_of(ProjectScope::All)).await;
    let beside = env.beside(sealer(), with_v2(Reveal::Always));
    let reference = TokenReference::Id(made.token.id);
    let overlap = Overlap::new(std::time::Duration::ZERO).expect("none");
    let rotated =
        beside.use_cases.instance_tokens.rotate(&system(), &reference, overlap).await.expect("rotated");
    assert!(rotated.secret.expect("shown").has_valid_checksum());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Of any set of secrets, imported plain or as digests, each finds exactly its token, under any ring of keys.
    #[test]
    fn a_stored_digest_finds_exactly_its_token(
        secrets in prop::collection::hash_set("[!-~]{16,40}", 2..12),
        others in prop::collection::vec("[!-~]{16,40}", 4),
        kinds in prop::collection::vec(any::<bool>(), 12),
    ) {
        let secrets: Vec<String> = secrets.into_iter().filter(|text| !text.starts_with("user:") && !text.starts_with("session:")).collect();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let env = TestEnv::new();
            let keys: Vec<_> = secrets.iter().zip(&kinds).map(|(text, is_plain)| {
                let mut key = if *is_plain { plain(text) } else { hashed(text) };
                key.draft.name = TokenName::new(&format!("of {text}")).expect("a name");
                key
            }).collect();
            import(&env, &keys).await;
            let all: Arc<dyn SecretSealer> = sealer();
            for text in secrets.iter().chain(&others) {
                let found = env.store.find_tokens_by_digests(&all.digests(&secret(text))).await.expect("a look-up");
                let names: Vec<_> = found.iter().map(|found| found.stored.token.name.to_string()).collect();
                let expected: Vec<_> = secrets.iter().filter(|one| *one == text).map(|text| format!("of {text}")).collect();
                assert_eq!(names, expected);
            }
        });
    }
}

#[tokio::test]
async fn an_admin_token_is_imported_too() {
    let env = TestEnv::new();
    let name = TokenName::new("ops").expect("a name");
    let admin =
        ImportedKey { draft: TokenDraft::new(name, TokenAccess::Admin), ..plain("*:*.0123456789abcdef") };
    import(&env, &[admin]).await;
    assert!(is_accepted(&env, "*:*.0123456789abcdef").await);
}
