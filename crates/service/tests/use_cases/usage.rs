//! When tokens were last seen: written in batches, and never lost.

use std::{sync::Arc, time::Duration};

use crate::{
    one_token::{OneToken, away, events_at, found},
    support::{House, client_of, moment, project_id},
};
use latchkey_domain::ProjectScope;
use latchkey_ports::{MockPersonalTokenRepository, MockTokenRepository, TokenRepository as _};
use latchkey_service::UsageRecorder;

#[tokio::test]
async fn being_seen_is_written_in_a_batch_and_never_lost() {
    let house = House::new();
    let token = house.token(client_of(ProjectScope::one(project_id("default")))).await;
    let secret = token.secret.expect("shown");
    house.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("recognised");
    house.clock.advance(Duration::from_secs(3));
    house.use_cases.authenticator.authenticate(secret.reveal(), None).await.expect("recognised");
    let seen = || async {
        house.store.find_token(token.token.id).await.expect("found").expect("there").token.last_used_at
    };
    assert_eq!(seen().await, None);
    house.use_cases.flush_usage().await.expect("flushed");
    assert_eq!(seen().await, Some(moment(1_700_000_003_000)));
}

#[tokio::test]
async fn a_failed_flush_keeps_its_notes() {
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
    authenticator.authenticate(one.secret.reveal(), None).await.expect("recognised");
    let personal = MockPersonalTokenRepository::new();
    assert!(seen.flush(&*tokens, &personal).await.is_err());
    seen.flush(&*tokens, &personal).await.expect("the second time");
    seen.flush(&*tokens, &personal).await.expect("nothing left to write");
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
            authenticator.authenticate(one.secret.reveal(), None).await.expect("recognised");
        }
        seen.flush(&*tokens, &MockPersonalTokenRepository::new()).await.expect("written");
    }
}
