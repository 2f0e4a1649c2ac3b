//! Digests of events for recipients of mail.

use std::collections::BTreeMap;

use async_trait::async_trait;
use latchkey_domain::{Day, DeliveryState, Timestamp};
use latchkey_ports::{
    ConsumerMove, DigestDay, DigestId, MailAttempt, MailDigest, MailRepository, NewMail, StoreError,
};

use crate::{
    MemoryStore,
    kept_digest::{DigestKey, KeptDigest},
    state::{State, count, to_usize},
};

fn key_of(DigestId { recipient, day }: &DigestId) -> DigestKey {
    (recipient.key(), *day)
}

impl KeptDigest {
    fn claimed(&self, day: Day, now: Timestamp) -> MailDigest {
        let shown = to_usize(MailDigest::MAX_ITEMS);
        MailDigest {
            id: DigestId { recipient: self.address.clone(), day },
            message_id: self.message_id.clone(),
            attempts: self.attempts,
            began_at: self.began_at.unwrap_or(now),
            items: self.items.values().take(shown).cloned().collect(),
            left_out: count(self.items.keys().skip(shown)),
        }
    }
}

impl State {
    fn file(&mut self, DigestDay { first, at }: DigestDay, new: &NewMail) {
        let mut key = (new.recipient.key(), first);
        while self.digests.get(&key).is_some_and(|kept| kept.attempts > 0) {
            key.1 = key.1.next();
        }
        let due_at = at.on(key.1);
        let kept = self.digests.entry(key).or_insert_with(|| KeptDigest {
            address: new.recipient.clone(),
            message_id: new.message_id.clone(),
            state: DeliveryState::Waiting,
            attempts: 0,
            due_at,
            began_at: None,
            next_at: Some(due_at),
            ended_at: None,
            items: BTreeMap::new(),
        });
        kept.items.extend(new.items.iter().map(|item| (item.event, item.clone())));
    }
}

#[async_trait]
impl MailRepository for MemoryStore {
    async fn file_mails(
        &self,
        step: ConsumerMove,
        day: DigestDay,
        mails: &[NewMail],
    ) -> Result<bool, StoreError> {
        let mut state = self.state();
        let has_moved = state.move_consumer(step);
        if has_moved {
            for new in mails {
                state.file(day, new);
            }
        }
        Ok(has_moved)
    }

    async fn claim_digests(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<MailDigest>, StoreError> {
        let mut state = self.state();
        let due = state.digests.iter().filter_map(|(key, kept)| {
            let at = kept.next_at.filter(|at| *at <= now)?;
            Some((at, key.clone()))
        });
        let mut due: Vec<_> = due.collect();
        due.sort_unstable();
        due.truncate(to_usize(limit));
        let claimed = due.into_iter().filter_map(|(_, key)| {
            let kept = state.digests.get_mut(&key)?;
            kept.attempts += 1;
            kept.next_at = Some(until);
            kept.began_at = kept.began_at.or(Some(now));
            Some(kept.claimed(key.1, now))
        });
        Ok(claimed.collect())
    }

    async fn end_mail_attempt(&self, attempt: &MailAttempt) -> Result<bool, StoreError> {
        let mut state = self.state();
        let Some(kept) = state.digests.get_mut(&key_of(&attempt.digest)) else { return Ok(false) };
        if kept.state != DeliveryState::Waiting || kept.attempts != attempt.number {
            return Ok(false);
        }
        (kept.state, kept.next_at) = (attempt.outcome.state(), attempt.outcome.next_at());
        kept.ended_at = (kept.state != DeliveryState::Waiting).then_some(attempt.ended_at);
        Ok(true)
    }

    async fn forget_mails(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut state = self.state();
        let there = state.digests.len();
        state.digests.retain(|_, kept| kept.ended_at.is_none_or(|ended_at| ended_at >= before));
        Ok(count(state.digests.len()..there))
    }

    async fn count_due_digests(&self, now: Timestamp) -> Result<u64, StoreError> {
        let state = self.state();
        let is_due = |kept: &&KeptDigest| kept.state == DeliveryState::Waiting && kept.due_at <= now;
        Ok(count(state.digests.values().filter(is_due)))
    }
}
