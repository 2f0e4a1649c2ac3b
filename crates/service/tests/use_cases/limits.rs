//! Limits of tokens, as one or several processes over a store count them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use latchkey_domain::{
    IsoDuration, RateLimit, Reason, Refill, Timestamp, TokenId, TokenLimits, Uses, testing::api_token,
};
use latchkey_memory::MemoryStore;
use latchkey_ports::{
    BudgetRepository, ManualClock, NewToken, Quota, RateGrant, StoreError, StoredToken, TakenUses,
    TokenRepository, UsesDemand,
};
use latchkey_service::{Allowance, LimitKeeper, RateLeft, SpendError, WhenStale};

use crate::{
    one_token::{away, event},
    support::{moment, sealer},
};

/// A store that counts its calls and can be away.
struct Counted {
    inner: MemoryStore,
    is_away: AtomicBool,
    calls: AtomicU64,
}

impl Counted {
    fn call(&self) -> Result<&MemoryStore, StoreError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.is_away.load(Ordering::SeqCst) { Err(away()) } else { Ok(&self.inner) }
    }
}

#[async_trait::async_trait]
impl BudgetRepository for Counted {
    async fn lease_rate(
        &self,
        token: TokenId,
        limit: &RateLimit,
        wanted: u32,
        now: Timestamp,
    ) -> Result<RateGrant, StoreError> {
        let store = self.call()?;
        // Others run meanwhile.
        tokio::task::yield_now().await;
        store.lease_rate(token, limit, wanted, now).await
    }

    async fn return_rate(&self, token: TokenId, window: Timestamp, unused: u64) -> Result<(), StoreError> {
        self.call()?.return_rate(token, window, unused).await
    }

    async fn take_uses(
        &self,
        token: TokenId,
        uses: &Uses,
        demand: UsesDemand,
        now: Timestamp,
    ) -> Result<TakenUses, StoreError> {
        let store = self.call()?;
        // As long as a statement takes, by the clock of the runtime, which tests pause.
        tokio::time::sleep(Duration::from_millis(1)).await;
        store.take_uses(token, uses, demand, now).await
    }

    async fn uses_left(&self, tokens: &[(TokenId, Uses)], now: Timestamp) -> Result<Vec<u64>, StoreError> {
        self.inner.uses_left(tokens, now).await
    }
}

/// Processes over one store, which knows one token.
struct Env {
    clock: Arc<ManualClock>,
    store: Arc<Counted>,
    token: TokenId,
    processes: Vec<LimitKeeper>,
}

impl Env {
    async fn of(processes: usize, when_stale: WhenStale) -> Self {
        let clock = Arc::new(ManualClock::at(moment(0)));
        let inner = MemoryStore::new(moment(0));
        let token = api_token(moment(0));
        let id = token.id;
        let secret = latchkey_domain::TokenSecret::parse("*:*.some").expect("a secret");
        let token = StoredToken { token, secret: sealer().record(&secret), alias: None };
        let event = event(latchkey_domain::EventKind::ApiTokenCreated);
        inner.create_tokens(&[NewToken { token, quota: Quota(9), event }]).await.expect("created");
        let store = Arc::new(Counted { inner, is_away: AtomicBool::new(false), calls: AtomicU64::new(0) });
        let keeper = || LimitKeeper::new(Some(store.clone()), clock.clone(), when_stale);
        let processes = std::iter::repeat_with(keeper).take(processes).collect();
        Self { clock, store, token: id, processes }
    }

    async fn spend(&self, process: usize, limits: TokenLimits, cost: u32) -> Result<Allowance, SpendError> {
        let process = self.processes.get(process).expect("a process");
        process.spend(self.token, limits, cost).await
    }

    /// Sends requests at once to a process; returns how many were accepted.
    async fn burst(&self, process: usize, limits: TokenLimits, requests: usize) -> usize {
        let all = (0..requests).map(|_| self.spend(process, limits, 1));
        join_all(all).await.into_iter().flatten().count()
    }

    fn calls(&self) -> u64 {
        self.store.calls.swap(0, Ordering::SeqCst)
    }

    fn set_away(&self, is_away: bool) {
        self.store.is_away.store(is_away, Ordering::SeqCst);
    }

    fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

fn minute() -> IsoDuration {
    IsoDuration::new(Duration::from_secs(60))
}

fn rate(requests: u32) -> TokenLimits {
    TokenLimits { rate: RateLimit::new(requests, minute(), 0).ok(), uses: None }
}

fn uses(remaining: u64) -> TokenLimits {
    TokenLimits { rate: None, uses: Uses::new(remaining, None).ok() }
}

fn reason_of(spent: Result<Allowance, SpendError>) -> Option<Reason> {
    match spent {
        Err(SpendError::Refused(refusal)) => Some(refusal.reason),
        _ => None,
    }
}

fn is_unavailable(spent: &Result<Allowance, SpendError>) -> bool {
    matches!(spent, Err(SpendError::Store(StoreError::Unavailable(_))))
}

#[tokio::test(start_paused = true)]
async fn three_processes_together_accept_as_many_as_the_limit_in_each_window() {
    let env = Env::of(3, WhenStale::Refuse).await;
    for (number, shares) in
        [[1, 1, 1], [3, 0, 0], [0, 2, 1], [1, 0, 2]].into_iter().cycle().take(10).enumerate()
    {
        let mut accepted = 0;
        // Half as many again as are allowed, in small steps.
        for _ in 0..500 {
            for (process, share) in shares.into_iter().enumerate() {
                accepted += env.burst(process, rate(1_000), share).await;
            }
        }
        assert!((950..=1_000).contains(&accepted), "window {number}: {accepted}");
        let calls = env.calls();
        assert!(calls < 250, "window {number}: {calls} statements");
        env.advance(60);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_told() {
    let env = Env::of(1, WhenStale::Refuse).await;
    let left = env.spend(0, rate(1_000), 1).await.expect("accepted");
    let in_a_window = |remaining, passed: u64| RateLeft {
        limit: 1_000,
        remaining,
        resets_at: moment(60_000),
        resets_in: Duration::from_secs(60 - passed),
    };
    assert_eq!(left, Allowance { rate: Some(in_a_window(999, 0)), uses: None });
    env.advance(59);
    assert_eq!(env.burst(0, rate(1_000), 999).await, 999);
    match env.spend(0, rate(1_000), 1).await {
        Err(SpendError::Refused(refusal)) => {
            assert_eq!(
                (refusal.reason, refusal.rate.map(|left| *left)),
                (Reason::RateLimited, Some(in_a_window(0, 59)))
            );
        }
        other => panic!("{other:?}"),
    }
    env.advance(1);
    assert!(env.spend(0, rate(1_000), 1).await.is_ok(), "the next window");
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_window_costs_no_statement() {
    let env = Env::of(1, WhenStale::Refuse).await;
    assert_eq!(env.burst(0, rate(10), 50).await, 10);
    assert_eq!(env.burst(0, uses(10), 50).await, 10);
    env.calls();
    assert_eq!(env.burst(0, rate(10), 100).await, 0);
    assert_eq!(env.burst(0, uses(10), 100).await, 0);
    assert_eq!(env.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_costly_use_needs_as_many() {
    let env = Env::of(1, WhenStale::Refuse).await;
    let both = TokenLimits { uses: uses(50).uses, ..rate(1_000) };
    assert_eq!(env.spend(0, both, 40).await.expect("accepted").uses, Some(10));
    assert_eq!(reason_of(env.spend(0, both, 11).await), Some(Reason::NoUsesLeft));
    let left = env.spend(0, both, 10).await.expect("accepted");
    assert_eq!(
        (left.uses, left.rate.expect("a limit").remaining),
        (Some(0), 950),
        "the refused use cost nothing"
    );
    assert_eq!(reason_of(env.spend(0, rate(1_000), 951).await), Some(Reason::RateLimited));
    assert!(env.spend(0, rate(1_000), 950).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn unused_portions_go_back() {
    let env = Env::of(2, WhenStale::Refuse).await;
    assert!(env.spend(0, rate(1_000), 1).await.is_ok());
    assert_eq!(env.processes[0].held_requests(), 9);
    env.processes[0].settle().await.expect("settled");
    assert_eq!(env.processes[0].held_requests(), 9, "it was used a moment ago");
    env.advance(6);
    env.processes[0].settle().await.expect("settled");
    assert_eq!(env.processes[0].held_requests(), 0);
    assert_eq!(env.burst(1, rate(1_000), 1_100).await, 999, "the other process has all of them");
    env.advance(60);
    assert!(env.spend(0, rate(1_000), 1).await.is_ok());
    env.processes[0].finish().await.expect("finished");
    assert_eq!(env.burst(1, rate(1_000), 1_100).await, 999, "also when the process stops");
}

#[tokio::test(start_paused = true)]
async fn a_changed_limit_holds_at_once() {
    let env = Env::of(1, WhenStale::Refuse).await;
    assert_eq!(env.burst(0, rate(10), 20).await, 10);
    assert_eq!(env.burst(0, rate(15), 20).await, 5);
    assert_eq!(env.burst(0, rate(5), 20).await, 0);
    assert_eq!(env.burst(0, uses(3), 20).await, 3);
    let anew = Uses::new(2, None).expect("uses").set_at(moment(1), moment(0));
    assert_eq!(env.burst(0, TokenLimits { rate: None, uses: Some(anew) }, 20).await, 2);
}

#[tokio::test(start_paused = true)]
async fn uses_are_exact_and_requests_that_wait_share_a_statement() {
    let env = Env::of(3, WhenStale::Refuse).await;
    let limits = uses(100);
    let all = (0..300).map(|number| env.spend(number % 3, limits, 1));
    let spent = join_all(all).await;
    assert_eq!(spent.iter().filter(|spent| spent.is_ok()).count(), 100);
    assert!(
        spent.into_iter().filter(Result::is_err).all(|spent| reason_of(spent) == Some(Reason::NoUsesLeft))
    );
    let calls = env.calls();
    assert!(calls < 15, "{calls} statements");
}

#[tokio::test(start_paused = true)]
async fn uses_come_back() {
    let env = Env::of(1, WhenStale::Refuse).await;
    let refill = Refill::new(3, minute()).ok();
    let limits = TokenLimits { rate: None, uses: Uses::new(1, refill).ok() };
    assert_eq!(env.burst(0, limits, 5).await, 1);
    env.advance(59);
    assert_eq!(env.burst(0, limits, 5).await, 0);
    env.advance(1);
    assert_eq!(env.burst(0, limits, 5).await, 3);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_given_up_keeps_no_other_waiting() {
    let env = Env::of(1, WhenStale::Refuse).await;
    for limits in [rate(1_000), uses(1_000)] {
        let mut given_up = Box::pin(env.spend(0, limits, 1));
        assert!(futures_util::poll!(given_up.as_mut()).is_pending(), "it waits for the store");
        drop(given_up);
        assert!(env.spend(0, limits, 1).await.is_ok());
        // One that waits with another goes on when the other is given up.
        env.advance(60);
        let mut given_up = Box::pin(env.spend(0, limits, 1));
        let mut waits = Box::pin(env.spend(0, limits, 1));
        assert!(futures_util::poll!(given_up.as_mut()).is_pending());
        let _ = futures_util::poll!(waits.as_mut());
        drop(given_up);
    }
}

#[tokio::test(start_paused = true)]
async fn without_its_store_a_process_refuses_or_counts_alone() {
    let refusing = Env::of(1, WhenStale::Refuse).await;
    refusing.set_away(true);
    for limits in [rate(10), uses(10)] {
        assert!(is_unavailable(&refusing.spend(0, limits, 1).await));
    }
    refusing.set_away(false);
    for limits in [rate(10), uses(10)] {
        assert_eq!(refusing.burst(0, limits, 20).await, 10, "nothing was counted");
    }

    let serving = Env::of(2, WhenStale::Serve).await;
    assert_eq!(serving.burst(0, rate(10), 4).await, 4);
    assert_eq!(serving.burst(0, uses(10), 4).await, 4);
    serving.set_away(true);
    serving.calls();
    for process in [0, 1] {
        let expected = if process == 0 { 6 } else { 10 };
        assert_eq!(serving.burst(process, rate(10), 20).await, expected, "each for itself");
        assert_eq!(serving.burst(process, uses(10), expected - 5).await, expected - 5);
    }
    assert!(serving.calls() <= 4, "a store that does not answer is not asked by each request");
    assert_eq!(reason_of(serving.spend(0, rate(10), 1).await), Some(Reason::RateLimited));
    serving.set_away(false);
    serving.advance(60);
    for process in &serving.processes {
        process.settle().await.expect("settled");
    }
    assert_eq!(serving.burst(0, uses(10), 20).await, 0, "4 were counted, and 1 + 5 are owed");
    assert_eq!(serving.burst(0, rate(10), 20).await, 10, "a new window is shared again");
    assert_eq!(serving.burst(1, rate(10), 20).await, 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_store_that_can_be_written_nothing_is_accepted_unless_it_is_served() {
    let clock = Arc::new(ManualClock::at(moment(0)));
    let token = api_token(moment(0)).id;
    let refusing = LimitKeeper::new(None, clock.clone(), WhenStale::Refuse);
    assert!(is_unavailable(&refusing.spend(token, rate(10), 1).await));
    let serving = LimitKeeper::new(None, clock, WhenStale::Serve);
    for limits in [rate(10), uses(10)] {
        for _ in 0..10 {
            assert!(serving.spend(token, limits, 1).await.is_ok());
        }
        assert!(reason_of(serving.spend(token, limits, 1).await).is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_removed_is_unknown() {
    let env = Env::of(1, WhenStale::Refuse).await;
    env.store
        .inner
        .delete_token(env.token, &event(latchkey_domain::EventKind::ApiTokenDeleted))
        .await
        .expect("removed");
    for limits in [rate(10), uses(10)] {
        assert_eq!(reason_of(env.spend(0, limits, 1).await), Some(Reason::Unknown));
    }
}
