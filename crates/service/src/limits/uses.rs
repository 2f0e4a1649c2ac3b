//! Uses of tokens, which are counted exactly: none is accepted that the store has not counted.
//!
//! Requests for one token that come while a statement runs share the next one. While the store does not answer and
//! `verify.when_stale = "serve"`, they are counted here and owed to the store.

use std::sync::Arc;

use futures_util::FutureExt as _;
use latchkey_domain::{Timestamp, TokenId, Uses};
use latchkey_ports::{StoreError, TakenUses, UsesDemand};
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::{
    budgets::Budgets,
    flight::{Flight, Slot, for_one},
    shards::Shards,
    spending::{SpendError, no_uses_left, not_spent},
};

/// The uses of all tokens that have a limit of them.
pub(super) struct UseAccounts {
    budgets: Arc<Budgets>,
    accounts: Shards<Account>,
}

/// What this process knows of the uses of a token.
struct Account {
    uses: Uses,
    /// How many were left when the store was last asked, and until when there are no more.
    left: Option<(u64, Option<Timestamp>)>,
    /// How many were accepted that the store has not counted.
    owed: u64,
    waiting: Vec<Waiting>,
    call: Slot,
}

/// A request that waits for its uses.
struct Waiting {
    cost: u64,
    answer: oneshot::Sender<Answer>,
}

/// How many uses are left, after those of the request were taken or because they were not.
type Answer = Result<Result<u64, u64>, Arc<StoreError>>;

impl Account {
    fn new(uses: Uses) -> Self {
        Self { uses, left: None, owed: 0, waiting: Vec::new(), call: Slot::default() }
    }

    /// Learns of uses that were set later.
    fn learn(&mut self, token: TokenId, uses: Uses) {
        if uses.since(token) > self.uses.since(token) {
            (self.uses, self.left, self.owed) = (uses, None, 0);
        }
    }

    /// Returns how many are left, if that cannot become more until now.
    fn known_left(&self, now: Timestamp) -> Option<u64> {
        self.left.filter(|(_, until)| until.is_none_or(|until| now < until)).map(|(left, _)| left)
    }

    fn note_left(&mut self, token: TokenId, left: u64, now: Timestamp) {
        self.left = Some((left, self.uses.next_refill(token, now)));
    }

    /// Accepts a use without the store, if there is one left as far as that is known.
    fn owe(&mut self, cost: u64) -> Result<u64, u64> {
        let left = self.left.map_or(self.uses.granted(), |(left, _)| left).saturating_sub(self.owed);
        if cost > left {
            return Err(left);
        }
        self.owed += cost;
        Ok(left - cost)
    }
}

impl UseAccounts {
    pub(super) fn new(budgets: Arc<Budgets>) -> Self {
        Self { budgets, accounts: Shards::new() }
    }

    /// Counts uses of the token, and returns how many are left.
    pub(super) async fn spend(
        self: &Arc<Self>,
        token: TokenId,
        uses: Uses,
        cost: u64,
    ) -> Result<u64, SpendError> {
        let mut answer = self.enqueue(token, uses, cost).map_err(no_uses_left)?;
        loop {
            let call = self.call(token, uses);
            // The answers to those that waited tell of its errors.
            let _ = call.await;
            match answer.try_recv() {
                Ok(Ok(spent)) => return spent.map_err(|left| no_uses_left(left).into()),
                Ok(Err(error)) => return Err(not_spent(for_one(error))),
                // It came too late for that call.
                Err(TryRecvError::Empty) => {}
                Err(error @ TryRecvError::Closed) => {
                    return Err(SpendError::Store(StoreError::Unavailable(error.into())));
                }
            }
        }
    }

    /// Adds a request to those that wait, unless it is known that there are too few uses; their number is the error.
    fn enqueue(&self, token: TokenId, uses: Uses, cost: u64) -> Result<oneshot::Receiver<Answer>, u64> {
        let now = self.budgets.clock.now();
        let mut accounts = self.accounts.lock(token);
        let account = accounts.entry(token).or_insert_with(|| Account::new(uses));
        account.learn(token, uses);
        if let Some(left) = account.known_left(now).filter(|left| *left < cost) {
            return Err(left);
        }
        let (sender, answer) = oneshot::channel();
        account.waiting.push(Waiting { cost, answer: sender });
        Ok(answer)
    }

    /// Returns the call that is under way, or the next one.
    fn call(self: &Arc<Self>, token: TokenId, uses: Uses) -> Flight {
        let mut accounts = self.accounts.lock(token);
        let account = accounts.entry(token).or_insert_with(|| Account::new(uses));
        let current = account.call.current();
        current.unwrap_or_else(|| account.call.begin(Arc::clone(self).take(token).boxed()))
    }

    /// Takes the uses of those that wait.
    async fn take(self: Arc<Self>, token: TokenId) -> Result<(), Arc<StoreError>> {
        let now = self.budgets.clock.now();
        let begun = self.accounts.lock(token).get_mut(&token).map(|account| {
            let mut waiting = std::mem::take(&mut account.waiting);
            // Those that gave up take nothing.
            waiting.retain(|waiting| !waiting.answer.is_closed());
            (account.uses, waiting)
        });
        let Some((uses, waiting)) = begun else { return Ok(()) };
        let mut answers = Vec::new();
        let outcome = match self.settle_one(token).await {
            Ok(()) => self.take_for(token, &uses, waiting, &mut answers, now).await,
            Err(error) => Err((waiting, error)),
        };
        let mut accounts = self.accounts.lock(token);
        if let Some(account) = accounts.get_mut(&token) {
            account.call.clear();
            match outcome {
                Ok(Some(left)) if account.uses == uses => account.note_left(token, left, now),
                Ok(_) => {}
                Err((waiting, error)) => {
                    let is_done_without = self.budgets.is_done_without(&error);
                    let error = Arc::new(error);
                    for waiting in waiting {
                        let answer =
                            if is_done_without { Ok(account.owe(waiting.cost)) } else { Err(error.clone()) };
                        answers.push((waiting, answer));
                    }
                }
            }
        }
        drop(accounts);
        for (waiting, answer) in answers {
            // The one that gave up meanwhile has used its share.
            let _ = waiting.answer.send(answer);
        }
        Ok(())
    }

    /// Takes uses for all of those, or, if there are too few, for as many as possible in the order in which they came. Returns how
    /// many are left, if that was asked.
    async fn take_for(
        &self,
        token: TokenId,
        uses: &Uses,
        mut waiting: Vec<Waiting>,
        answers: &mut Vec<(Waiting, Answer)>,
        now: Timestamp,
    ) -> Result<Option<u64>, (Vec<Waiting>, StoreError)> {
        let mut known = None;
        while !waiting.is_empty() {
            let wanted = waiting.iter().map(|waiting| waiting.cost).sum();
            let demand = UsesDemand::all_or_none(wanted);
            let TakenUses { taken: got, left } = match self.ask(token, uses, demand, now).await {
                Ok(answer) => answer,
                Err(error) => return Err((waiting, error)),
            };
            known = Some(left);
            if got == wanted {
                answers.extend(waiting.drain(..).map(|waiting| (waiting, Ok(Ok(left)))));
                continue;
            }
            let mut rest = left;
            for one in std::mem::take(&mut waiting) {
                match rest.checked_sub(one.cost) {
                    Some(less) => {
                        rest = less;
                        waiting.push(one);
                    }
                    None => answers.push((one, Ok(Err(left)))),
                }
            }
        }
        Ok(known)
    }

    async fn ask(
        &self,
        token: TokenId,
        uses: &Uses,
        demand: UsesDemand,
        now: Timestamp,
    ) -> Result<TakenUses, StoreError> {
        let store = self.budgets.store()?;
        self.budgets.note(store.take_uses(token, uses, demand, now).await)
    }

    /// Has the store count the uses that it has not heard of.
    pub(super) async fn settle(&self) -> Result<(), StoreError> {
        let mut owing = Vec::new();
        for mut accounts in self.accounts.all() {
            owing.extend(accounts.iter().filter(|(_, account)| account.owed > 0).map(|(token, _)| *token));
            // What is known of the others is one statement away.
            accounts.retain(|_, account| {
                account.owed > 0 || !account.waiting.is_empty() || account.call.current().is_some()
            });
        }
        let mut outcome = Ok(());
        for token in owing {
            outcome = outcome.and(self.settle_one(token).await);
        }
        outcome
    }

    async fn settle_one(&self, token: TokenId) -> Result<(), StoreError> {
        let owing = self.accounts.lock(token).get_mut(&token).and_then(|account| {
            let owed = std::mem::take(&mut account.owed);
            (owed > 0).then_some((account.uses, owed))
        });
        let Some((uses, owed)) = owing else { return Ok(()) };
        match self.ask(token, &uses, UsesDemand::up_to(owed), self.budgets.clock.now()).await {
            Err(error @ StoreError::Unavailable(_)) => {
                if let Some(account) = self.accounts.lock(token).get_mut(&token) {
                    account.owed += owed;
                }
                Err(error)
            }
            // A token that is gone owes nothing.
            Ok(_) | Err(StoreError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
