use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{Enabled, EnvironmentName, Scope, TokenAttributes, TokenDescription, testing::api_token};

const DAY: u64 = 86_400;

fn term(days: u64) -> Term {
    Term::new(Duration::from_secs(days * DAY)).expect("a term")
}

/// The moment that many days after the first of 1970.
fn day(days: i64) -> Timestamp {
    Timestamp::from_millis(days * 86_400_000).expect("in range")
}

fn unused(disable: Option<u64>, delete: Option<u64>) -> Unused {
    Unused::new(disable.map(term), delete.map(term)).expect("in order")
}

fn any_term() -> impl Strategy<Value = Option<Term>> {
    prop::option::of((1..=5_u64).prop_map(term))
}

fn any_unused() -> impl Strategy<Value = Unused> {
    (any_term(), any_term(), any_term()).prop_map(|(notice, disable, delete)| {
        let unused = Unused::new(disable, delete).unwrap_or_else(|UnusedOutOfOrder| unused(Some(1), None));
        unused.with_notice(notice).unwrap_or(unused)
    })
}

prop_compose! {
    fn any_policy()(
        max_lifetime in any_term(),
        default_lifetime in any_term(),
        require_expiry: bool,
        require_description: bool,
        allow_all_projects: bool,
        unused in any_unused(),
    ) -> Policy {
        Policy { max_lifetime, default_lifetime, require_expiry, require_description, allow_all_projects, unused }
    }
}

fn access(kind: u8, projects: ProjectScope) -> TokenAccess {
    let scope = Scope { projects, environment: EnvironmentName::new("e").expect("a name") };
    match kind {
        0 => TokenAccess::Admin,
        1 => TokenAccess::Client(scope),
        _ => TokenAccess::Frontend(scope),
    }
}

prop_compose! {
    /// A token that was created on the first day.
    fn any_token()(
        kind in 0..3_u8,
        projects in crate::scope::tests::project_scope(),
        expires in prop::option::of(0..8_i64),
        last_used in prop::option::of(0..8_i64),
        description in prop::option::of("[a ]?"),
        enabled: bool,
        mark in prop::option::of(0..8_i64),
    ) -> ApiToken {
        ApiToken {
            access: access(kind, projects),
            expires_at: expires.map(day),
            last_used_at: last_used.map(day),
            attributes: TokenAttributes {
                description: description.map(|text| TokenDescription::new(&text).expect("short")),
                enabled: Enabled(enabled),
                disuse: mark.map(|at| DisuseMark::new(day(at))),
                ..TokenAttributes::default()
            },
            ..api_token(day(0))
        }
    }
}

proptest! {
    #[test]
    fn a_tightened_policy_is_within_both(one in any_policy(), other in any_policy()) {
        let both = one.tightened(other);
        prop_assert!(both.is_within(one) && both.is_within(other));
        prop_assert!(both.is_within(Policy::default()) && one.is_within(one));
    }

    #[test]
    fn the_order_and_the_number_of_policies_do_not_matter(
        one in any_policy(),
        other in any_policy(),
        third in any_policy(),
    ) {
        prop_assert_eq!(one.tightened(other), other.tightened(one));
        prop_assert_eq!(one.tightened(one), one);
        prop_assert_eq!(one.tightened(other).tightened(third), one.tightened(other.tightened(third)));
        prop_assert_eq!(one.tightened(Policy::default()), one);
    }

    #[test]
    fn a_project_is_never_looser_than_the_instance(
        instance in any_policy(),
        project in any_policy(),
        token in any_token(),
        now in 0..8_i64,
    ) {
        let effective = instance.tightened(project);
        let broken = effective.violations(&token, day(now));
        for policy in [instance, project] {
            for rule in policy.violations(&token, day(now)) {
                prop_assert!(broken.contains(&rule), "{rule}");
            }
            // What is not used ends no later.
            if policy.unused.step(&token, day(now)) == Some(UnusedStep::Disable) {
                prop_assert_eq!(effective.unused.step(&token, day(now)), Some(UnusedStep::Disable));
            }
            let ends = |policy: Policy| policy.default_expiry(day(now));
            if let Some(end) = ends(policy) {
                prop_assert!(ends(effective).is_some_and(|earlier| earlier <= end));
            }
        }
    }

    #[test]
    fn times_of_unused_tokens_stay_in_order(one in any_unused(), other in any_unused()) {
        let both = one.tightened(other);
        let ordered = Unused::new(both.disable(), both.delete()).expect("in order");
        prop_assert_eq!(ordered.with_notice(both.notice()), Ok(both));
    }

    #[test]
    fn time_breaks_no_rule(policy in any_policy(), token in any_token(), now in 0..8_i64, later in 0..8_i64) {
        let before = policy.violations(&token, day(now));
        let after = policy.violations(&token, day(now + later));
        prop_assert!(after.iter().all(|rule| before.contains(rule)));
    }

    #[test]
    fn a_default_expiry_breaks_no_rule_about_ends(policy in any_policy(), token in any_token(), now in 0..8_i64) {
        if let Some(end) = policy.default_expiry(day(now)) {
            let broken = policy.violations(&ApiToken { expires_at: Some(end), ..token }, day(now));
            prop_assert!(!broken.contains(&PolicyRule::MaxLifetime) && !broken.contains(&PolicyRule::RequireExpiry));
        }
    }

    #[test]
    fn an_unused_token_is_disabled_before_it_is_deleted(unused in any_unused(), token in any_token(), now in 0..20_i64) {
        match unused.step(&token, day(now)) {
            Some(UnusedStep::Disable) => prop_assert!(token.attributes.enabled.is_on()),
            Some(UnusedStep::Delete) => {
                prop_assert!(!token.attributes.enabled.is_on() && token.attributes.disuse.is_some());
            }
            None => {}
        }
        if token.access == TokenAccess::Admin || token.is_expired_at(day(now)) {
            prop_assert_eq!(unused.step(&token, day(now)), None);
        }
    }

    #[test]
    fn a_policy_survives_a_round_trip(policy in any_policy()) {
        let json = Value::Object(policy.to_json()).to_string();
        prop_assert_eq!(json.parse::<Policy>().expect("a policy"), policy);
    }
}

#[test]
fn only_what_is_set_is_kept() {
    assert_eq!(Policy::default().to_json(), Map::new());
    let policy = Policy {
        max_lifetime: Some(term(90)),
        default_lifetime: Some(Term::new(Duration::from_secs(3_600)).expect("a term")),
        require_expiry: true,
        require_description: true,
        allow_all_projects: false,
        unused: unused(Some(30), Some(60)).with_notice(Some(term(20))).expect("in order"),
    };
    let expected = json!({
        "maxLifetime": "P90D",
        "defaultLifetime": "PT1H",
        "requireExpiry": true,
        "requireDescription": true,
        "allowAllProjects": false,
        "unusedNotice": "P20D",
        "unusedDisable": "P30D",
        "unusedDelete": "P60D",
    });
    assert_eq!(Value::Object(policy.to_json()), expected);
    assert_eq!(Snapshot::from(&policy).to_json(), expected);
    for broken in [
        r#"{"unusedNotice":"P2D","unusedDisable":"P2D"}"#,
        r#"{"unusedDelete":"P1D"}"#,
        r#"{"maxLifetime":"PT0S"}"#,
        r#"{"maxLifetime":90}"#,
        "true",
    ] {
        assert!(broken.parse::<Policy>().is_err(), "{broken}");
    }
}

#[test]
fn unused_tokens_are_deleted_after_they_are_disabled_alone() {
    for (disable, delete) in [(None, Some(1)), (Some(1), Some(1)), (Some(2), Some(1))] {
        assert_eq!(Unused::new(disable.map(term), delete.map(term)), Err(UnusedOutOfOrder));
    }
    let policy = unused(Some(10), Some(15));
    let used = ApiToken { last_used_at: Some(day(5)), ..api_token(day(0)) };
    assert_eq!(policy.step(&used, day(14)), None);
    assert_eq!(policy.step(&used, day(15)), Some(UnusedStep::Disable));
    assert_eq!(unused(None, None).step(&used, day(1_000)), None);

    let disabled = |mark: Option<i64>| {
        let mut token = used.clone();
        token.attributes.enabled = Enabled(false);
        token.attributes.disuse = mark.map(|at| DisuseMark::new(day(at)));
        token
    };
    // It was disabled late, and is deleted as late.
    assert_eq!(policy.step(&disabled(Some(100)), day(104)), None);
    assert_eq!(policy.step(&disabled(Some(100)), day(105)), Some(UnusedStep::Delete));
    assert_eq!(policy.step(&disabled(None), day(1_000)), None, "it was disabled by hand");
    assert_eq!(unused(Some(10), None).step(&disabled(Some(100)), day(1_000)), None);

    // A token that was enabled again has the whole time anew.
    let mut again = used.clone();
    again.attributes.disuse = Some(DisuseMark::new(day(100)));
    assert_eq!(again.unused_since(), day(100));
    assert_eq!(policy.step(&again, day(109)), None);
    assert_eq!(policy.step(&again, day(110)), Some(UnusedStep::Disable));

    let admin = ApiToken { access: TokenAccess::Admin, ..used.clone() };
    assert_eq!(policy.step(&admin, day(1_000)), None);
    assert_eq!(policy.step(&ApiToken { expires_at: Some(day(20)), ..used }, day(20)), None);
}

#[test]
fn each_rule_is_broken_by_what_it_forbids() {
    let now = day(100);
    let token = ApiToken { expires_at: Some(day(110)), ..api_token(day(0)) };
    let of = |policy: Policy, token: &ApiToken| policy.violations(token, now);
    let max = Policy { max_lifetime: Some(term(10)), ..Policy::default() };
    assert_eq!(of(max, &token), []);
    let late = ApiToken { expires_at: Timestamp::from_millis(day(110).millis() + 1).ok(), ..token.clone() };
    assert_eq!(of(max, &late), [PolicyRule::MaxLifetime]);
    let endless = ApiToken { expires_at: None, ..token.clone() };
    assert_eq!(of(max, &endless), [PolicyRule::MaxLifetime]);
    let expiry = Policy { require_expiry: true, ..Policy::default() };
    assert_eq!((of(expiry, &token), of(expiry, &endless)), (vec![], vec![PolicyRule::RequireExpiry]));

    let described = Policy { require_description: true, ..Policy::default() };
    let with = |text: &str| {
        let mut token = token.clone();
        token.attributes.description = Some(TokenDescription::new(text).expect("short"));
        token
    };
    assert_eq!(of(described, &with("why")), []);
    for undescribed in [&token, &with("")] {
        assert_eq!(of(described, undescribed), [PolicyRule::RequireDescription]);
    }

    let named = Policy { allow_all_projects: false, ..Policy::default() };
    assert_eq!(of(named, &token), [PolicyRule::AllowAllProjects]);
    assert_eq!(of(named, &ApiToken { access: TokenAccess::Admin, ..token }), []);
    for rule in PolicyRule::ALL {
        assert_eq!(rule.as_str().parse(), Ok(*rule));
    }
    assert!("max".parse::<PolicyRule>().is_err());
}
