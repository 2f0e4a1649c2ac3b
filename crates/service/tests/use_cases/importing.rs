//! Planning API tokens of another system that are known by their SHA-256.

use latchkey_domain::{ProjectScope, TokenName, TokenSecret, TokenSelector};
use latchkey_ports::{IncomingSecret, IncomingToken, Outcome, SecretForm};
use latchkey_service::{ImportPlan, Initiator, Reveal, TokenImport};

use crate::{
    master_keys::{env, is_accepted, ring, under},
    support::{TestEnv, client_of, moment, project_id, sealer, settings},
};

/// A secret in the second form of Unleash, with the selector and the random part made of these numbers.
fn v2(selector: u8, random: u8) -> TokenSecret {
    let access = client_of(ProjectScope::one(project_id("default")));
    TokenSecret::mint_v2(&access, &TokenSelector::mint([selector; 16]), [random; 32])
}

fn hashed(secret: &TokenSecret) -> IncomingToken {
    let digest = sealer().foreign_digest(secret);
    token(IncomingSecret::Sha256 { digest, selector: secret.selector() })
}

fn token(secret: IncomingSecret) -> IncomingToken {
    IncomingToken {
        secret,
        alias: None,
        name: TokenName::new("web").expect("a name"),
        access: client_of(ProjectScope::one(project_id("default"))),
        expires_at: None,
        created_at: moment(1_600_000_000_000),
        last_used_at: None,
        created_by: None,
    }
}

/// Imports these tokens at once, and returns what became of each.
async fn import(env: &TestEnv, tokens: Vec<IncomingToken>) -> Vec<Outcome> {
    let (importer, mut plan) = (&env.use_cases.importer, ImportPlan::default());
    let (mut earlier, by) = (TokenImport::default(), Initiator::system());
    importer.plan_tokens(&mut plan, tokens, &mut earlier, "unleash", &by).await.expect("planned");
    let outcomes = plan.findings.iter().map(|finding| finding.outcome).collect();
    importer.carry_out(plan).await.expect("imported");
    env.use_cases.follow_changes().await.expect("followed");
    outcomes
}

#[tokio::test]
async fn a_token_is_known_again_under_any_key_and_after_its_move_to_a_new_one() {
    let (old, secret) = (env("a", Reveal::Always), v2(1, 1));
    assert_eq!(import(&old, vec![hashed(&secret)]).await, [Outcome::Came]);
    let new = old.beside(ring("ba"), settings(Reveal::Always));
    assert_eq!(import(&new, vec![hashed(&secret)]).await, [Outcome::Present]);
    assert!(is_accepted(&new, secret.reveal()).await);
    new.use_cases.flush_rekeyings().await.expect("written");
    assert_eq!(under(&new, "b").await, [(SecretForm::ShownOnce, 1)]);
    assert_eq!(import(&new, vec![hashed(&secret)]).await, [Outcome::Present]);
    // Here, the secret itself is known.
    assert_eq!(import(&new, vec![token(IncomingSecret::Plain(secret))]).await, [Outcome::Present]);
}

#[tokio::test]
async fn a_selector_names_one_token() {
    let env = TestEnv::new();
    let [first, same_selector, later] = [v2(1, 1), v2(1, 2), v2(1, 3)];
    let outcomes = import(&env, vec![hashed(&first), hashed(&same_selector)]).await;
    assert_eq!(outcomes, [Outcome::Came, Outcome::LeftOut]);
    assert_eq!(import(&env, vec![hashed(&later)]).await, [Outcome::Present], "it is here by its selector");
    for (secret, accepted) in [(&first, true), (&same_selector, false), (&later, false)] {
        assert_eq!(is_accepted(&env, secret.reveal()).await, accepted);
    }
}

#[tokio::test]
async fn a_token_that_came_in_full_is_not_doubled_by_its_digest() {
    let (env, secret) = (TestEnv::new(), v2(1, 1));
    assert_eq!(import(&env, vec![token(IncomingSecret::Plain(secret.clone()))]).await, [Outcome::Came]);
    assert_eq!(import(&env, vec![hashed(&secret)]).await, [Outcome::Present]);
    assert_eq!(env.tokens_of("default").await.len(), 1);
}
