//! Notices of tokens, each of which is recorded once.

use std::sync::Arc;

use latchkey_domain::{Event, EventId, EventKind, NewEvent, Notice, NoticeCause, PolicyRule, Subject, Term};
use latchkey_ports::{NewNotice, Store, StoredToken};

use crate::{
    harness::{all_events, run_concurrently},
    samples::{event, extreme_moments, moment, only, project_removal, token, token_deleted},
    setup,
};

fn due(at: i64) -> NoticeCause {
    NoticeCause::RotationDue { at: moment(at) }
}

fn notice(stored: &StoredToken, cause: NoticeCause) -> Notice {
    Notice { token: stored.token.id, cause }
}

/// The notice of a token, recorded at that time.
fn at(millis: i64, stored: &StoredToken, cause: NoticeCause) -> NewNotice {
    let event = NewEvent {
        at: moment(millis),
        subject: Some(Subject::Token(stored.token.id)),
        projects: Some(only(&["default"])),
        ..event(cause.event_kind())
    };
    NewNotice { notice: notice(stored, cause), event }
}

async fn record(store: &dyn Store, notices: &[NewNotice]) -> Vec<Option<EventId>> {
    store.record_notices(notices).await.expect("recorded")
}

/// Each new notice is recorded with its event, in their order; one that was recorded before has neither, not even in one call.
pub async fn a_notice_is_recorded_once(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (one, other) = (token(1, &["default"]), token(2, &["default"]));
    setup::tokens(store, &[one.clone(), other.clone()]).await;
    let before = all_events(store).await.len();
    let (first, second, third) = (at(10, &other, due(1)), at(20, &one, due(1)), at(30, &one, due(2)));
    assert_eq!(record(store, &[]).await, []);
    let ids = record(store, &[first.clone(), second.clone(), at(25, &one, due(1))]).await;
    let [Some(one_id), Some(two_id), None] = ids[..] else { panic!("{ids:?}") };
    assert!(one_id < two_id);
    let ids = record(store, &[at(40, &other, due(1)), third.clone(), at(40, &one, due(1))]).await;
    let [None, Some(three_id), None] = ids[..] else { panic!("{ids:?}") };
    assert_eq!(record(store, &[first.clone(), third.clone()]).await, [None, None]);
    let events = all_events(store).await.split_off(before);
    let recorded: Vec<_> = events.into_iter().map(|event| (event.id, event.record)).collect();
    assert_eq!(recorded, [(one_id, first.event), (two_id, second.event), (three_id, third.event)]);
    let asked = [notice(&one, due(2)), notice(&one, due(3)), notice(&other, due(1)), notice(&one, due(1))];
    let times = store.notice_times(&asked).await.expect("times");
    assert_eq!(times, [Some(moment(30)), None, Some(moment(10)), Some(moment(20))]);
    assert_eq!(store.notice_times(&[]).await.expect("times"), []);
}

/// Notices of every kind, with the first and the last moment, are told apart.
pub async fn every_cause_is_a_notice_of_its_own(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let stored = token(1, &["default"]);
    setup::token(store, &stored).await;
    let term: Term = "P3650D".parse().expect("a term");
    let rule = PolicyRule::MaxLifetime;
    let mut causes: Vec<_> = PolicyRule::ALL
        .iter()
        .map(|rule| NoticeCause::PolicyViolated { rule: *rule, beyond: None })
        .chain([NoticeCause::PolicyViolated { rule, beyond: Some((term, None)) }])
        .collect();
    for moment in extreme_moments() {
        causes.extend([
            NoticeCause::Expiring { at: moment, days: 0 },
            NoticeCause::Expiring { at: moment, days: 365 },
            NoticeCause::ExpiredInUse { ended: moment },
            NoticeCause::Unused { since: moment },
            NoticeCause::RotationDue { at: moment },
            NoticeCause::PolicyViolated { rule, beyond: Some((term, Some(moment))) },
        ]);
    }
    let new: Vec<_> = causes.iter().map(|cause| at(5, &stored, *cause)).collect();
    assert!(record(store, &new).await.iter().all(Option::is_some));
    assert!(record(store, &new).await.iter().all(Option::is_none));
    let asked: Vec<_> = new.iter().map(|new| new.notice).collect();
    let times = store.notice_times(&asked).await.expect("times");
    assert!(times.iter().all(|time| *time == Some(moment(5))), "{times:?}");
}

/// Of a token that is not there, or no longer, nothing is recorded; its notices end with it, and others are recorded beside.
pub async fn notices_end_with_the_token(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a"]).await;
    let (deleted, of_project, kept) = (token(1, &["default"]), token(2, &["a"]), token(3, &["default"]));
    setup::tokens(store, &[deleted.clone(), of_project.clone(), kept.clone()]).await;
    let all = [at(1, &deleted, due(1)), at(1, &of_project, due(1)), at(1, &token(9, &["default"]), due(1))];
    let ids = record(store, &all).await;
    assert_eq!(ids.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false]);
    store.delete_token(deleted.token.id, &token_deleted(&deleted)).await.expect("removed");
    store.delete_project(&project_removal("a")).await.expect("removed");
    let asked = all.clone().map(|new| new.notice);
    assert_eq!(store.notice_times(&asked).await.expect("times"), [None; 3]);
    let before = all_events(store).await.len();
    let [first, second, third] = all;
    let ids = record(store, &[first, second, third, at(2, &kept, due(1))]).await;
    assert_eq!(ids.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, false, true]);
    assert_eq!(all_events(store).await.len(), before + 1);
}

/// Processes that record the same notices at once, in any order, while tokens are removed, record each of them once, and none
/// after the removal.
pub async fn of_concurrent_processes_one_records_a_notice(store: &Arc<dyn Store>) {
    const PROCESSES: usize = 8;
    let tokens: Vec<_> = (0..20).map(|number| token(number, &["default"])).collect();
    setup::tokens(store.as_ref(), &tokens).await;
    let before = all_events(store.as_ref()).await.len();
    let calls = (0..PROCESSES).map(|process| {
        let store = Arc::clone(store);
        let of_token = |stored: &StoredToken| [at(1, stored, due(1)), at(1, stored, due(2))];
        let mut all: Vec<_> = tokens.iter().flat_map(of_token).collect();
        if process % 2 == 0 {
            all.reverse();
        }
        let removed = (process % 4 == 0).then(|| tokens[process].clone());
        async move {
            if let Some(removed) = removed {
                store.delete_token(removed.token.id, &token_deleted(&removed)).await.expect("removed");
            }
            record(store.as_ref(), &all).await.iter().flatten().count()
        }
    });
    let recorded: usize = run_concurrently(calls).await.into_iter().sum();
    let events = all_events(store.as_ref()).await.split_off(before);
    let of_kind = |kind| events.iter().filter(move |event| event.record.kind == kind);
    assert_eq!(of_kind(EventKind::ApiTokenRotationDue).count(), recorded);
    let removed = of_kind(EventKind::ApiTokenDeleted).count();
    assert_eq!(removed, 2);
    for stored in &tokens {
        let own = |event: &&Event| event.record.subject == Some(Subject::Token(stored.token.id));
        let last = events.iter().rfind(own).expect("an event");
        let notices = of_kind(EventKind::ApiTokenRotationDue).filter(own).count();
        match of_kind(EventKind::ApiTokenDeleted).find(own) {
            Some(deletion) => assert!(notices <= 2 && last.id == deletion.id, "{notices}"),
            None => assert_eq!(notices, 2),
        }
    }
    assert!(recorded >= 2 * (tokens.len() - removed));
}
