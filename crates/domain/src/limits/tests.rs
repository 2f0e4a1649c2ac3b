use proptest::prelude::*;

use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::saturating_from_millis(millis)
}

fn span(seconds: u64) -> IsoDuration {
    IsoDuration::new(Duration::from_secs(seconds))
}

fn rate(requests: u32, seconds: u64, burst: u32) -> RateLimit {
    RateLimit::new(requests, span(seconds), burst).expect("a limit")
}

fn token() -> TokenId {
    TokenId::new(at(1_000), [7; 10])
}

fn uses(remaining: u64, refill: Option<(u64, u64)>) -> Uses {
    let refill = refill.map(|(amount, seconds)| Refill::new(amount, span(seconds)).expect("a refill"));
    Uses::new(remaining, refill).expect("uses")
}

#[test]
fn limits_have_bounds() {
    assert_eq!(RateLimit::new(0, span(60), 0), Err(LimitError::Requests));
    assert_eq!(RateLimit::new(1_000_000_001, span(60), 0), Err(LimitError::Requests));
    assert_eq!(RateLimit::new(1, span(0), 0), Err(LimitError::Per));
    assert_eq!(RateLimit::new(1, span(31 * 86_400 + 1), 0), Err(LimitError::Per));
    assert_eq!(RateLimit::new(1, span(60), 1_000_000_001), Err(LimitError::Burst));
    assert!(RateLimit::new(RateLimit::MAX, span(31 * 86_400), RateLimit::MAX).is_ok());
    assert_eq!(Uses::new(Uses::MAX + 1, None), Err(LimitError::Remaining));
    assert_eq!(Refill::new(0, span(60)), Err(LimitError::Amount));
    assert_eq!(Refill::new(1, span(0)), Err(LimitError::Every));
    assert_eq!(Refill::new(1, span(367 * 86_400)), Err(LimitError::Every));
    assert!(Uses::new(0, Refill::new(Uses::MAX, span(366 * 86_400)).ok()).is_ok());
}

#[test]
fn limits_are_written_as_on_the_wire_and_read_back() {
    let limit = rate(100, 60, 0);
    let json = serde_json::json!({ "requests": 100, "per": "PT1M" });
    assert_eq!(serde_json::to_value(limit).expect("JSON"), json);
    assert_eq!(serde_json::from_value::<RateLimit>(json).expect("a limit"), limit);
    let json = serde_json::json!({ "requests": 100, "per": "PT1M", "burst": 5 });
    assert_eq!(serde_json::to_value(rate(100, 60, 5)).expect("JSON"), json);
    assert!(
        serde_json::from_value::<RateLimit>(serde_json::json!({ "requests": 0, "per": "PT1M" })).is_err()
    );
    let set = uses(5, Some((10, 86_400))).set_at(at(7), at(0));
    let json = serde_json::json!({ "remaining": 5, "refill": { "amount": 10, "every": "P1D" }, "setAt": 7 });
    assert_eq!(serde_json::to_value(set).expect("JSON"), json);
    assert_eq!(serde_json::from_value::<Uses>(json).expect("uses"), set);
    assert_eq!(serde_json::to_value(uses(5, None)).expect("JSON"), serde_json::json!({ "remaining": 5 }));
}

#[test]
fn windows_are_counted_from_1970() {
    let minute = rate(1, 60, 0);
    for (now, start) in [(0, 0), (59_999, 0), (60_000, 60_000), (-1, -60_000)] {
        assert_eq!(minute.window(at(now)), at(start), "{now}");
        assert_eq!(minute.window_end(at(start)), at(start + 60_000), "{now}");
    }
    // A window that another length began ends where one of this length does.
    assert_eq!(rate(1, 3_600, 0).window_end(at(60_000)), at(3_600_000));
}

#[test]
fn a_window_begins_with_what_earlier_ones_left_over_up_to_the_burst() {
    let limit = rate(10, 60, 15);
    let first = limit.record_at(None, at(5));
    assert_eq!((first, limit.room(&first)), (RateRecord { window: at(0), used: 0, carried: 0 }, 10));
    let used = RateRecord { used: 8, ..first };
    assert_eq!(limit.record_at(Some(used), at(59_999)), used);
    let next = limit.record_at(Some(used), at(60_000));
    assert_eq!((next.carried, limit.room(&next)), (2, 12));
    let after_an_idle_one = limit.record_at(Some(used), at(120_000));
    assert_eq!((after_an_idle_one.carried, limit.room(&after_an_idle_one)), (12, 22));
    let much_later = limit.record_at(Some(used), at(i64::MAX / 1_000));
    assert_eq!(limit.room(&much_later), 25);
    assert_eq!(limit.room(&rate(10, 60, 0).record_at(Some(used), at(600_000))), 10);
}

#[test]
fn a_window_of_a_fast_clock_counts_and_one_of_a_wrong_clock_does_not() {
    let limit = rate(10, 60, 5);
    let ahead = RateRecord { window: at(120_000), used: 4, carried: 0 };
    assert_eq!(limit.record_at(Some(ahead), at(119_999)), ahead);
    let year = RateRecord { window: at(31_536_000_000), used: 4, carried: 0 };
    assert_eq!(
        limit.record_at(Some(year), at(61_000)),
        RateRecord { window: at(60_000), used: 0, carried: 5 }
    );
}

#[test]
fn a_wider_limit_is_not_within_another() {
    let is_within = |one: Option<RateLimit>, other: Option<RateLimit>| {
        TokenLimits::are_within((one, None), (other, None))
    };
    let limit = Some(rate(60, 60, 0));
    for (wider_or_not, expected) in [
        (limit, true),
        (Some(rate(59, 60, 0)), true),
        (Some(rate(1, 1, 0)), true),
        (Some(rate(60, 61, 0)), true),
        (Some(rate(60, 60, 1)), false),
        (Some(rate(61, 60, 0)), false),
        (Some(rate(3_600, 3_600, 0)), false),
        (Some(rate(2, 1, 0)), false),
        (None, false),
    ] {
        assert_eq!(is_within(wider_or_not, limit), expected, "{wider_or_not:?}");
    }
    assert!(is_within(limit, None) && is_within(None, None));
    let set = uses(5, None);
    let again = uses(4, None).set_at(at(1), at(0));
    for (one, other, expected) in [
        (Some(set), Some(set), true),
        (Some(again), Some(set), false),
        (None, Some(set), false),
        (Some(set), None, true),
    ] {
        assert_eq!(TokenLimits::are_within((None, one), (None, other)), expected);
    }
}

#[test]
fn uses_count_from_when_they_were_set() {
    let (id, plain) = (token(), uses(5, None));
    assert_eq!(plain.since(id), at(1_000), "with the token");
    let first = plain.record_at(id, None, at(2_000));
    assert_eq!(first, UsesRecord { since: at(1_000), left: 5, refills: 0 });
    let taken = UsesRecord { left: 1, ..first };
    assert_eq!(plain.record_at(id, Some(taken), at(9_000)), taken);
    let set = uses(3, None).set_at(at(9_000), plain.since(id));
    assert_eq!(set.record_at(id, Some(taken), at(9_001)).left, 3);
    let of_both = set.record_at(id, Some(taken), at(9_001));
    assert_eq!(plain.record_at(id, Some(of_both), at(9_002)), of_both, "the later setting counts");
    let again = uses(3, None).set_at(at(5_000), set.since(id));
    assert_eq!(again.since(id), at(9_001), "later than before, although the clock was set back");
}

#[test]
fn refills_come_at_their_times() {
    let (id, refilled) = (token(), uses(3, Some((10, 60))));
    let first = refilled.record_at(id, None, at(60_999));
    assert_eq!((first.left, first.refills), (3, 0));
    assert_eq!(refilled.next_refill(id, at(60_999)), Some(at(61_000)));
    let taken = UsesRecord { left: 0, ..first };
    let due = refilled.record_at(id, Some(taken), at(61_000));
    assert_eq!((due.left, due.refills), (10, 1));
    assert_eq!(refilled.next_refill(id, at(61_000)), Some(at(121_000)));
    let used = UsesRecord { left: 4, ..due };
    assert_eq!(refilled.record_at(id, Some(used), at(100_000)), used, "once for each time");
    assert_eq!(refilled.record_at(id, Some(used), at(2_000)), used, "also where the clock was set back");
    assert_eq!(refilled.record_at(id, Some(used), at(301_000)).left, 10);
    let many = UsesRecord { left: 50, ..due };
    assert_eq!(refilled.record_at(id, Some(many), at(301_000)).left, 50, "a refill takes nothing away");
    assert_eq!(
        refilled.record_at(id, None, at(301_000)),
        UsesRecord { since: at(1_000), left: 10, refills: 5 }
    );
    assert_eq!(uses(3, None).next_refill(id, at(0)), None);
}

proptest! {
    #[test]
    fn no_run_of_windows_gets_more_than_its_requests_and_one_burst(
        requests in 1..50_u32,
        burst in 0..100_u32,
        steps in prop::collection::vec((0..200_000_i64, 0..80_u64), 1..40),
    ) {
        let limit = rate(requests, 60, burst);
        let (mut now, mut kept, mut total) = (0, None, 0);
        for (pause, wanted) in steps {
            now += pause;
            let record = limit.record_at(kept, at(now));
            let granted = wanted.min(limit.room(&record));
            total += granted;
            kept = Some(RateRecord { used: record.used + granted, ..record });
            let windows = u64::try_from(now / 60_000 + 1).expect("positive");
            prop_assert!(total <= windows * u64::from(requests));
            prop_assert!(limit.room(&record) <= u64::from(requests) + u64::from(burst));
        }
    }
}
