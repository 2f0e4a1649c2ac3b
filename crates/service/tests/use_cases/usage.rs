//! Last uses of tokens: written in batches, and never lost.

use std::{sync::Arc, time::Duration};

use crate::{
    one_token::{OneToken, away, events_at, found},
    support::{TestEnv, client_of, moment, project_id},
};
use latchkey_domain::ProjectScope;
use latchkey_ports::{
    MockPersonalTokenRepository, MockTokenRepository, MockUsageRepository, TokenRepository as _,
};
use latchkey_service::UsageRecorder;

#[tokio::test]
async fn last_uses_are_written_in_a_batch_and_never_lost() {
    let env = TestEnv::new();
    let token = env.token(client_of(ProjectScope::one(project_id("default")))).await;
    let secret = token.secret.expect("shown");
    env.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("accepted");
    env.clock.advance(Duration::from_secs(3));
    env.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("accepted");
    let seen = || async {
        env.store.find_token(token.token.id).await.expect("found").expect("there").token.last_used_at
    };
    assert_eq!(seen().await, None);
    env.use_cases.flush_usage().await.expect("flushed");
    assert_eq!(seen().await, Some(moment(1_700_000_003_000)));
}

/// A store that adds to the counts of one token.
fn usage_of_one() -> MockUsageRepository {
    let mut usage = MockUsageRepository::new();
    usage.expect_record_usage().returning(|usage| {
        assert_eq!(usage.len(), 1);
        Ok(())
    });
    usage
}

#[tokio::test]
async fn a_failed_flush_keeps_its_entries() {
    let one = OneToken::new();
    let mut tokens = MockTokenRepository::new();
    let stored = one.stored.clone();
    tokens.expect_find_token_by_digest().returning(move |_| Ok(Some(found(&stored))));
    let mut failures = 1;
    tokens.expect_record_token_use().times(2).returning(move |seen| {
        assert_eq!(seen.len(), 1);
        failures -= 1;
        if failures == 0 { Err(away()) } else { Ok(()) }
    });
    let tokens = Arc::new(tokens);
    let seen = Arc::new(UsageRecorder::default());
    let authenticator = one.authenticator(tokens.clone(), &one.index(), seen.clone());
    authenticator.authenticate(one.secret.reveal(), None).await.expect("accepted");
    let (personal, usage) = (MockPersonalTokenRepository::new(), usage_of_one());
    assert!(seen.flush(&*tokens, &personal, &usage).await.is_err());
    seen.flush(&*tokens, &personal, &usage).await.expect("the second time");
    seen.flush(&*tokens, &personal, &usage).await.expect("nothing left to write");
}

#[tokio::test]
async fn a_token_used_a_thousand_times_is_one_write_a_flush() {
    let one = OneToken::new();
    let index = one.index();
    let mut tokens = MockTokenRepository::new();
    let stored = one.stored.clone();
    tokens.expect_find_token_by_digest().times(1).returning(move |_| Ok(Some(found(&stored))));
    let mut flushed = 0;
    let id = one.stored.token.id;
    tokens.expect_record_token_use().times(2).returning(move |seen| {
        flushed += 1;
        // The last use of each minute, to the millisecond; the clock of the test began at one second.
        assert_eq!(seen, [(id, moment(1_000 + flushed * 1_000 * 60))]);
        Ok(())
    });
    let tokens = Arc::new(tokens);
    let seen = Arc::new(UsageRecorder::default());
    let authenticator = one.authenticator(tokens.clone(), &index, seen.clone());
    for _ in 0..2 {
        for _ in 0..1_000 {
            one.clock.advance(Duration::from_millis(60));
            index.follow(&events_at(1)).await.expect("followed");
            authenticator.authenticate(one.secret.reveal(), None).await.expect("accepted");
        }
        seen.flush(&*tokens, &MockPersonalTokenRepository::new(), &usage_of_one()).await.expect("written");
    }
}
