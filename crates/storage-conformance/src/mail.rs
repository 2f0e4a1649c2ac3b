//! Digests of events for recipients of mail: each thing is said once, in one digest a day, which one process at a time sends.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use latchkey_domain::{Day, DigestTime, Email, EventConsumer, EventId, Timestamp};
use latchkey_ports::{
    ConsumerMove, DeliveryOutcome, DigestDay, DigestId, MailAttempt, MailDigest, MailItem, NewMail, Store,
};

use crate::{
    harness::run_concurrently,
    samples::{extreme_moments, moment},
};

const DAY: Day = Day(20_000);

fn seven() -> DigestTime {
    "07:00".parse().expect("a time of day")
}

fn due(day: Day) -> Timestamp {
    seven().on(day)
}

fn after(at: Timestamp, seconds: u64) -> Timestamp {
    at.plus(Duration::from_secs(seconds)).expect("in range")
}

fn email(address: &str) -> Email {
    Email::new(address).expect("an address")
}

fn item(event: i64) -> MailItem {
    MailItem { event: EventId(event), at: moment(event), text: format!("What <happened> at «{event}».") }
}

fn mail(address: &str, message_id: &str, events: &[i64]) -> NewMail {
    NewMail {
        recipient: email(address),
        message_id: message_id.to_owned(),
        items: events.iter().copied().map(item).collect(),
    }
}

/// Files mails from that day on, while the position moves between these events.
async fn file(store: &dyn Store, (from, to): (i64, i64), first: Day, mails: &[NewMail]) -> bool {
    let step = ConsumerMove { consumer: EventConsumer::Mail, from: EventId(from), to: EventId(to) };
    store.file_mails(step, DigestDay { first, at: seven() }, mails).await.expect("compared")
}

/// Claims for a minute.
async fn claim(store: &dyn Store, now: Timestamp, limit: u32) -> Vec<MailDigest> {
    let mut claimed = store.claim_digests(now, after(now, 60), limit).await.expect("claimed");
    claimed.sort_by_key(|digest| (digest.id.recipient.key(), digest.id.day));
    claimed
}

fn attempt(digest: &MailDigest, outcome: DeliveryOutcome, ended_at: Timestamp) -> MailAttempt {
    let error = (outcome != DeliveryOutcome::Delivered).then(|| "451 later".to_owned());
    MailAttempt { digest: digest.id.clone(), number: digest.attempts, outcome, ended_at, error }
}

async fn end(store: &dyn Store, attempt: &MailAttempt) -> bool {
    store.end_mail_attempt(attempt).await.expect("compared")
}

fn events(digest: &MailDigest) -> Vec<i64> {
    digest.items.iter().map(|item| item.event.0).collect()
}

/// The position moves from where it is alone, with what is said.
pub async fn mails_are_filed_with_the_move_of_the_consumer(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let position = async || store.consumed(EventConsumer::Mail).await.expect("a position").0;
    assert!(!file(store, (3, 5), DAY, &[mail("a@example.com", "1", &[4])]).await, "it is at 0");
    assert_eq!(position().await, 0);
    assert!(file(store, (0, 5), DAY, &[mail("a@example.com", "2", &[5, 1])]).await);
    assert!(!file(store, (0, 5), DAY, &[mail("a@example.com", "3", &[1])]).await);
    assert!(file(store, (5, 7), DAY, &[]).await);
    assert_eq!((position().await, store.consumed(EventConsumer::Webhooks).await.expect("its own").0), (7, 0));
    let claimed = claim(store, due(DAY), 9).await;
    let expected = MailDigest {
        id: DigestId { recipient: email("a@example.com"), day: DAY },
        message_id: "2".to_owned(),
        attempts: 1,
        began_at: due(DAY),
        items: vec![item(1), item(5)],
        left_out: 0,
    };
    assert_eq!(claimed, [expected]);
}

/// What is said to a recipient on one day is in one digest, in the order of events, however the address is spelled.
pub async fn a_recipient_has_one_digest_a_day(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    assert!(
        file(store, (0, 1), DAY, &[mail("Ed@Example.com", "1", &[1]), mail("al@example.com", "2", &[1])])
            .await
    );
    assert!(file(store, (1, 4), DAY, &[mail("ed@example.COM", "3", &[4, 3])]).await);
    assert!(file(store, (4, 5), DAY.next(), &[mail("ed@example.com", "4", &[5])]).await);
    let claimed = claim(store, due(DAY), 9).await;
    let [al, ed] = &*claimed else { panic!("{claimed:?}") };
    assert_eq!((al.id.recipient.as_str(), &*al.message_id, events(al)), ("al@example.com", "2", vec![1]));
    assert_eq!(
        (ed.id.recipient.as_str(), &*ed.message_id, events(ed)),
        ("Ed@Example.com", "1", vec![1, 3, 4])
    );
    let next = claim(store, due(DAY.next()), 9).await;
    let days: Vec<_> = next.iter().map(|digest| (digest.id.day, events(digest))).collect();
    // The claims of the first day have run out by then.
    assert_eq!(days, [(DAY, vec![1]), (DAY, vec![1, 3, 4]), (DAY.next(), vec![5])]);
}

/// Nothing is claimed before it is due, nor while it is claimed, nor after its end.
pub async fn a_digest_is_claimed_when_it_is_due(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    assert!(file(store, (0, 1), DAY, &[mail("a@example.com", "1", &[1])]).await);
    let now = due(DAY);
    let before = now.minus(Duration::from_millis(1)).expect("in range");
    assert_eq!(store.count_due_digests(before).await.expect("counted"), 0);
    assert!(claim(store, before, 9).await.is_empty());
    let first = claim(store, now, 9).await;
    assert_eq!((first.len(), first[0].attempts, first[0].began_at), (1, 1, now));
    assert!(claim(store, after(now, 59), 9).await.is_empty(), "it is claimed");
    assert_eq!(store.count_due_digests(after(now, 59)).await.expect("counted"), 1);
    let second = claim(store, after(now, 60), 9).await;
    assert_eq!((second.len(), second[0].attempts, second[0].began_at), (1, 2, now));
    let late = attempt(&first[0], DeliveryOutcome::Delivered, after(now, 61));
    assert!(!end(store, &late).await, "it was given up for lost");
    let retry = attempt(&second[0], DeliveryOutcome::Retry(after(now, 300)), after(now, 62));
    assert!(end(store, &retry).await);
    assert!(claim(store, after(now, 299), 9).await.is_empty(), "it is tried later");
    let third = claim(store, after(now, 300), 9).await;
    assert_eq!((third.len(), third[0].attempts), (1, 3));
    assert!(end(store, &attempt(&third[0], DeliveryOutcome::Delivered, after(now, 301))).await);
    assert!(!end(store, &attempt(&third[0], DeliveryOutcome::Failed, after(now, 302))).await, "it has ended");
    assert!(claim(store, after(now, 1_000_000), 9).await.is_empty());
    assert_eq!(store.count_due_digests(after(now, 1_000_000)).await.expect("counted"), 0);
    let unknown = DigestId { recipient: email("b@example.com"), day: DAY };
    let unknown = MailAttempt { digest: unknown, ..late };
    assert!(!end(store, &unknown).await);
}

/// A message stays as it was when it was first sent: what comes later is said on a later day, also if a clock went back.
pub async fn a_digest_that_was_tried_gets_no_more_items(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    assert!(file(store, (0, 1), DAY, &[mail("a@example.com", "1", &[1])]).await);
    let now = due(DAY);
    let first = claim(store, now, 9).await;
    assert!(file(store, (1, 2), DAY, &[mail("a@example.com", "2", &[2])]).await, "while it is sent");
    assert!(end(store, &attempt(&first[0], DeliveryOutcome::Retry(after(now, 60)), after(now, 1))).await);
    assert!(file(store, (2, 3), DAY, &[mail("A@example.com", "3", &[3])]).await, "while it waits");
    let again = claim(store, after(now, 60), 9).await;
    assert_eq!((again.len(), &*again[0].message_id, events(&again[0])), (1, "1", vec![1]));
    assert!(end(store, &attempt(&again[0], DeliveryOutcome::Delivered, after(now, 61))).await);
    assert!(file(store, (3, 4), DAY, &[mail("a@example.com", "4", &[4])]).await, "after it was sent");
    let next = claim(store, due(DAY.next()), 9).await;
    assert_eq!((next.len(), next[0].id.day, events(&next[0])), (1, DAY.next(), vec![2, 3, 4]));
    assert!(end(store, &attempt(&next[0], DeliveryOutcome::Failed, due(DAY.next()))).await);
    assert!(file(store, (4, 5), DAY, &[mail("a@example.com", "5", &[5])]).await, "two days are over");
    let last = claim(store, due(DAY.next().next()), 9).await;
    assert_eq!((last.len(), last[0].id.day, events(&last[0])), (1, DAY.next().next(), vec![5]));
}

/// What a digest has beyond the first items is counted.
pub async fn a_long_digest_is_cut(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let max = i64::from(MailDigest::MAX_ITEMS);
    let all: Vec<i64> = (1..=max + 7).rev().collect();
    assert!(file(store, (0, max + 7), DAY, &[mail("a@example.com", "1", &all)]).await);
    let claimed = claim(store, due(DAY), 9).await;
    let shown: Vec<i64> = (1..=max).collect();
    assert_eq!((events(&claimed[0]), claimed[0].left_out), (shown, 7));
}

/// Moments and texts are read back as they were.
pub async fn odd_items_are_read_back(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let texts = ["", "a\tb\\\"'%_", "日本語 🗝 \u{200f}", &"x".repeat(100_000), " "];
    let items: Vec<MailItem> = (1..)
        .zip(extreme_moments())
        .zip(texts)
        .map(|((event, at), text)| MailItem { event: EventId(event), at, text: text.to_owned() })
        .collect();
    let long = format!("{}@example.com", "é".repeat(100));
    let new = NewMail { recipient: email(&long), message_id: "1".to_owned(), items: items.clone() };
    assert!(file(store, (0, 9), DAY, &[new]).await);
    let claimed = claim(store, due(DAY), 9).await;
    assert_eq!((claimed[0].id.recipient.as_str(), &claimed[0].items), (&*long, &items));
}

/// Those that have waited longest are claimed first, as many as are asked for.
pub async fn claims_are_limited(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for number in 0..5 {
        let day = Day(DAY.0 + 4 - number);
        let new = mail(&format!("{number}@example.com"), "1", &[1]);
        assert!(file(store, (number.into(), i64::from(number) + 1), day, &[new]).await);
    }
    let now = due(Day(DAY.0 + 4));
    let days = |claimed: &[MailDigest]| {
        let mut days: Vec<_> = claimed.iter().map(|digest| digest.id.day.0 - DAY.0).collect();
        days.sort_unstable();
        days
    };
    assert_eq!(days(&claim(store, now, 2).await), [0, 1]);
    assert_eq!(days(&claim(store, now, 9).await), [2, 3, 4]);
    assert_eq!(store.count_due_digests(now).await.expect("counted"), 5);
}

/// Digests that have ended are deleted by their end, others stay.
pub async fn ended_digests_are_forgotten(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let addresses = ["a", "b", "c", "d"].map(|name| format!("{name}@example.com"));
    let mails: Vec<_> = addresses.iter().map(|address| mail(address, "1", &[1, 2])).collect();
    assert!(file(store, (0, 2), DAY, &mails).await);
    let now = due(DAY);
    let claimed = claim(store, now, 9).await;
    for (digest, (outcome, seconds)) in claimed.iter().zip([
        (DeliveryOutcome::Delivered, 10),
        (DeliveryOutcome::Failed, 20),
        (DeliveryOutcome::Delivered, 30),
        (DeliveryOutcome::Retry(after(now, 100)), 10),
    ]) {
        assert!(end(store, &attempt(digest, outcome, after(now, seconds))).await);
    }
    let forget = async |seconds| store.forget_mails(after(now, seconds)).await.expect("deleted");
    assert_eq!((forget(10).await, forget(30).await, forget(30).await, forget(1_000).await), (0, 2, 0, 1));
    let left = claim(store, after(now, 100), 9).await;
    assert_eq!(
        (left.len(), left[0].id.recipient.as_str(), events(&left[0])),
        (1, "d@example.com", vec![1, 2])
    );
    // A recipient whose digest of the day is forgotten can have another.
    assert!(file(store, (2, 3), DAY, &[mail("a@example.com", "2", &[3])]).await);
    assert_eq!(events(&claim(store, now, 9).await[0]), [3]);
}

/// Of processes that file the same events and claim at once, one does each: all is said once to each recipient, and no digest is sent by
/// two.
pub async fn processes_file_and_claim_once(store: &Arc<dyn Store>) {
    const PROCESSES: u64 = 6;
    const PORTIONS: i64 = 8;
    let now = due(DAY);
    let work = |store: Arc<dyn Store>| async move {
        let mut claimed = Vec::new();
        for portion in 0..PORTIONS {
            let (from, to) = (portion * 10, portion * 10 + 10);
            let all: Vec<i64> = (from + 1..=to).collect();
            let mails = ["a", "b", "c"].map(|name| mail(&format!("{name}@example.com"), "1", &all));
            let _ = file(&*store, (from, to), DAY, &mails).await;
            claimed.extend(store.claim_digests(now, after(now, 60), 2).await.expect("claimed"));
        }
        claimed
    };
    let claimed = run_concurrently((0..PROCESSES).map(|_| work(Arc::clone(store)))).await;
    let mut claimed: Vec<MailDigest> = claimed.into_iter().flatten().collect();
    let mut day = DAY;
    // What was said after the first claims is on later days.
    for _ in 0..=PORTIONS * 3 {
        day = day.next();
        claimed.extend(store.claim_digests(due(day), due(Day(DAY.0 + 1_000)), 9).await.expect("claimed"));
    }
    let mut said = BTreeMap::<String, Vec<i64>>::new();
    let mut digests = BTreeMap::<(String, Day), u32>::new();
    for digest in &claimed {
        let key = digest.id.recipient.key();
        *digests.entry((key.clone(), digest.id.day)).or_default() += 1;
        if digest.attempts == 1 {
            said.entry(key).or_default().extend(events(digest));
        }
    }
    let first_day: Vec<_> = digests.iter().filter(|((_, day), _)| *day == DAY).collect();
    // Once for their claim, and once because no end was recorded.
    assert!(first_day.iter().all(|(_, claims)| **claims <= 2), "{digests:?}");
    let all: Vec<i64> = (1..=PORTIONS * 10).collect();
    for name in ["a", "b", "c"] {
        let mut said = said.remove(&format!("{name}@example.com")).expect("something");
        said.sort_unstable();
        assert_eq!(said, all, "{name}");
    }
}
