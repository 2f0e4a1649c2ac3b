use proptest::prelude::*;

use super::*;
use crate::{Enabled, Hour, RotationMark, TokenAccess, testing::api_token};

const DAY: i64 = 86_400_000;

/// The moment that many milliseconds after 2020 began.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_577_836_800_000 + millis).expect("in range")
}

fn term(days: u64) -> Term {
    Term::new(Duration::from_secs(days * 86_400)).expect("a term")
}

fn days(numbers: &[u16]) -> NoticeDays {
    NoticeDays::new(numbers.iter().copied()).expect("few")
}

fn ending(end: i64) -> ApiToken {
    ApiToken { expires_at: Some(at(end)), ..api_token(at(0)) }
}

fn disabled(mut token: ApiToken) -> ApiToken {
    token.attributes.enabled = Enabled(false);
    token
}

#[test]
fn numbers_of_days_are_kept_in_order_and_once() {
    assert_eq!(days(&[3, 14, 0, 3]).iter().collect::<Vec<_>>(), [0, 3, 14]);
    assert_eq!(days(&[3, 14, 0]).horizon(at(0)), Some(at(14 * DAY)));
    assert_eq!((days(&[]), NoticeDays::NONE.horizon(at(0))), (NoticeDays::NONE, None));
    assert!(NoticeDays::new(1..=8).is_ok());
    assert_eq!(NoticeDays::new(1..=9), Err(TooManyNoticeDays));
}

#[test]
fn the_lowest_number_of_days_that_is_reached_is_noticed() {
    let token = ending(100 * DAY);
    let found = |now| match token.expiry_notice(days(&[14, 3, 0]), at(now)) {
        Some(NoticeCause::Expiring { days, .. }) => Some(days),
        other => {
            assert_eq!(other, None);
            None
        }
    };
    for (now, expected) in [
        (0, None),
        (86 * DAY - 1, None),
        (86 * DAY, Some(14)),
        (97 * DAY - 1, Some(14)),
        (97 * DAY, Some(3)),
        (100 * DAY - 1, Some(3)),
        (100 * DAY, Some(0)),
        (107 * DAY - 1, Some(0)),
        (107 * DAY, None),
    ] {
        assert_eq!(found(now), expected, "{now}");
    }
    assert_eq!(token.expiry_notice(days(&[14, 3]), at(100 * DAY)), None, "it has ended");
    assert_eq!(token.expiry_notice(NoticeDays::NONE, at(100 * DAY)), None);
    assert_eq!(disabled(token).expiry_notice(days(&[0]), at(100 * DAY)), None);
    assert_eq!(api_token(at(0)).expiry_notice(days(&[14]), at(100 * DAY)), None);
}

#[test]
fn a_token_that_lives_shortly_is_noticed_only_when_it_has_ended() {
    let hour = ending(3_600_000);
    assert_eq!(hour.expiry_notice(days(&[14, 3, 0]), at(3_599_999)), None);
    let notice = NoticeCause::Expiring { at: at(3_600_000), days: 0 };
    assert_eq!(hour.expiry_notice(days(&[14, 3, 0]), at(3_600_000)), Some(notice));
    assert_eq!(ending(14 * DAY).expiry_notice(days(&[14]), at(0)), None, "it was created so");
    assert_eq!(ending(-1).expiry_notice(days(&[14, 0]), at(0)), None, "it was created expired");
}

#[test]
fn a_token_is_expiring_until_it_has_ended() {
    let token = ending(100 * DAY);
    for (now, expected) in
        [(86 * DAY - 1, false), (86 * DAY, true), (100 * DAY - 1, true), (100 * DAY, false)]
    {
        assert_eq!(token.is_expiring(days(&[14, 0]), at(now)), expected, "{now}");
    }
    assert!(!token.is_expiring(NoticeDays::NONE, at(99 * DAY)));
    assert!(!disabled(token).is_expiring(days(&[14]), at(99 * DAY)));
    assert!(!api_token(at(0)).is_expiring(days(&[14]), at(0)));
}

#[test]
fn a_token_is_used_after_its_end_if_it_was_refused_since() {
    let token = ending(100 * DAY);
    let hour = Hour::of(at(100 * DAY));
    let notice = Some(NoticeCause::ExpiredInUse { ended: at(100 * DAY) });
    assert_eq!(token.expired_in_use_notice(hour, at(100 * DAY)), notice);
    assert_eq!(token.expired_in_use_notice(hour, at(100 * DAY - 1)), None);
    assert_eq!(token.expired_in_use_notice(Hour(hour.0 - 1), at(101 * DAY)), None, "of an end before");
    assert_eq!(disabled(token).expired_in_use_notice(hour, at(101 * DAY)), None);
    assert_eq!(api_token(at(0)).expired_in_use_notice(hour, at(101 * DAY)), None);
}

#[test]
fn a_rotation_is_due_after_the_creation_and_after_the_last_one() {
    let mut token = api_token(at(0));
    assert_eq!((token.rotation_due_at(), token.rotation_notice(at(1_000 * DAY))), (None, None));
    token.attributes.rotate_every = Some(term(90));
    assert_eq!(token.rotation_due_at(), Some(at(90 * DAY)));
    assert_eq!(token.rotation_notice(at(90 * DAY - 1)), None);
    assert_eq!(token.rotation_notice(at(90 * DAY)), Some(NoticeCause::RotationDue { at: at(90 * DAY) }));
    token.attributes.rotated = Some(RotationMark::new(at(50 * DAY)));
    assert_eq!(token.rotation_due_at(), Some(at(140 * DAY)));
    let late = ApiToken { expires_at: Some(at(200 * DAY)), ..token };
    assert!(late.rotation_notice(at(200 * DAY - 1)).is_some());
    assert_eq!(late.rotation_notice(at(200 * DAY)), None);
    assert_eq!(disabled(late).rotation_notice(at(150 * DAY)), None);
}

#[test]
fn a_disabling_waits_for_its_notice() {
    let unused = Unused::new(Some(term(30)), None).expect("in order");
    assert!(unused.is_noticed_enough(None, at(0)), "there is none to wait for");
    let unused = unused.with_notice(Some(term(20))).expect("in order");
    let token = api_token(at(0));
    assert_eq!(unused.notice_of(&token, at(20 * DAY - 1)), None);
    assert_eq!(unused.notice_of(&token, at(20 * DAY)), Some(NoticeCause::Unused { since: at(0) }));
    for (noticed, now, expected) in [
        (None, 1_000, false),
        (Some(20), 29, false),
        (Some(20), 30, true),
        (Some(500), 509, false),
        (Some(500), 510, true),
        // The clock was set back since.
        (Some(500), 100, false),
    ] {
        let noticed = noticed.map(|day: i64| at(day * DAY));
        assert_eq!(unused.is_noticed_enough(noticed, at(now * DAY)), expected, "{noticed:?} {now}");
    }
    let admin = ApiToken { access: TokenAccess::Admin, ..api_token(at(0)) };
    for other in [admin, disabled(api_token(at(0))), ending(DAY)] {
        assert_eq!(unused.notice_of(&other, at(1_000 * DAY)), None);
    }
}

#[test]
fn each_broken_rule_has_a_notice() {
    let policy = Policy { max_lifetime: Some(term(10)), require_description: true, ..Policy::default() };
    assert!(policy.has_rules() && !Policy::default().has_rules());
    let texts = |policy: Policy, token: &ApiToken| {
        let notices = policy.violation_notices(token, at(0));
        notices.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let late = format!("policy/max_lifetime/P10D/{}", at(11 * DAY).millis());
    assert_eq!(texts(policy, &ending(11 * DAY)), [late.as_str(), "policy/require_description"]);
    assert_eq!(texts(policy, &api_token(at(0)))[0], "policy/max_lifetime/P10D/never");
    assert_eq!(texts(policy, &ending(0)), [""; 0]);
}

fn any_cause() -> impl Strategy<Value = NoticeCause> {
    let moment = || (0..3_i64).prop_map(at);
    prop_oneof![
        (moment(), 0..3_u16).prop_map(|(at, days)| NoticeCause::Expiring { at, days }),
        moment().prop_map(|ended| NoticeCause::ExpiredInUse { ended }),
        moment().prop_map(|since| NoticeCause::Unused { since }),
        moment().prop_map(|at| NoticeCause::RotationDue { at }),
        (1..3_u64, prop::option::of(moment())).prop_map(|(days, end)| NoticeCause::PolicyViolated {
            rule: PolicyRule::MaxLifetime,
            beyond: Some((term(days), end)),
        }),
        Just(NoticeCause::PolicyViolated { rule: PolicyRule::RequireExpiry, beyond: None }),
        Just(NoticeCause::PolicyViolated { rule: PolicyRule::RequireDescription, beyond: None }),
    ]
}

proptest! {
    #[test]
    fn different_notices_have_different_keys(one in any_cause(), other in any_cause()) {
        prop_assert_eq!(one == other, one.to_string() == other.to_string());
    }
}
