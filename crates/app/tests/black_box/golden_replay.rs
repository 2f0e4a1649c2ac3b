//! Replays every recorded case on a store and a server of its own: each matches the recording or is a listed difference.
//! One test for each file of recordings.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use latchkey_testkit::raw_http::Response;

use crate::golden::{
    Case,
    differences::{self, Difference, Instead},
    elsewhere,
    expected::Expected,
    recordings::Recording,
    rules::{self, with_rules_but},
    send,
    setup::{self, Prepared},
};

/// The number of cases that are replayed at once.
const AT_ONCE: usize = 3;

macro_rules! replays {
    ($($test:ident: $recording:ident, $count:literal;)*) => {
        $(
            #[test]
            fn $test() {
                every_case_matches_or_is_a_listed_difference(Recording::$recording, $count);
            }
        )*

        #[test]
        fn every_file_of_recordings_is_replayed() {
            assert_eq!(Recording::ALL, [$(Recording::$recording),*]);
            let cases: usize = [$($count),*].iter().sum();
            assert_eq!(cases, 409);
        }
    };
}

replays! {
    access: Access, 22;
    auth_whoami: AuthWhoami, 32;
    events: Events, 24;
    init_limits: InitLimits, 10;
    instance_tokens: InstanceTokens, 64;
    ops_generic: OpsGeneric, 26;
    personal_tokens: PersonalTokens, 32;
    project_tokens: ProjectTokens, 98;
    projects_environments: ProjectsEnvironments, 30;
    token_use: TokenUse, 36;
    users: Users, 35;
}

/// The result of one case.
struct Outcome {
    /// Why the response is not the expected one; `None` if it is.
    fault: Option<String>,
    /// The rules without which the case would not match.
    rules_needed: Vec<&'static str>,
}

fn every_case_matches_or_is_a_listed_difference(recording: Recording, count: usize) {
    let cases = recording.cases();
    assert_eq!(cases.len(), count, "recorded cases");
    let outcomes = replay_all(recording, &cases);
    assert_eq!(outcomes.len(), count, "cases replayed");

    let mut faults: Vec<String> = outcomes.iter().filter_map(|outcome| outcome.fault.clone()).collect();
    faults.extend(strays(recording, &cases));
    let needed: HashSet<&str> = outcomes.iter().flat_map(|outcome| &outcome.rules_needed).copied().collect();
    let idle = rules::of(recording).filter(|rule| !needed.contains(rule.name));
    faults.extend(idle.map(|rule| format!("no case needs the rule {:?} ({}) here", rule.name, rule.why)));
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

fn replay_all(recording: Recording, cases: &[Case]) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let work = || {
        let turns = std::iter::from_fn(|| cases.get(next.fetch_add(1, Ordering::SeqCst)));
        turns.map(|case| replay(recording, case)).collect::<Vec<Outcome>>()
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("all its cases were replayed")).collect()
    })
}

fn replay(recording: Recording, case: &Case) -> Outcome {
    let Prepared { env: _ground, server, known, refused } = setup::prepare(case);
    let listed = differences::of(recording).iter().find(|difference| difference.case == case.name);
    let outcome = match refused {
        Some(refusal) => of_refused_set_up(&refusal, listed),
        None => of_answer(recording, case, listed, &send(&server, &case.request, &known)),
    };
    Outcome { fault: outcome.fault.map(|fault| format!("{}: {fault}", case.name)), ..outcome }
}

fn of_refused_set_up(refusal: &Response, listed: Option<&Difference>) -> Outcome {
    let fault = match listed {
        Some(Difference { instead: Instead::NoSetUp(status, kind), .. }) => {
            Expected::error(*status, kind).departure(refusal).err()
        }
        _ => Some(format!("its set-up is refused: {} {}", refusal.status, refusal.text())),
    };
    Outcome { fault, rules_needed: Vec::new() }
}

fn of_answer(recording: Recording, case: &Case, listed: Option<&Difference>, answer: &Response) -> Outcome {
    let departure = with_rules_but(recording, case, None).departure(answer);
    let as_listed = |left_out: Option<&str>| {
        let recorded = with_rules_but(recording, case, left_out);
        match listed {
            Some(difference) => difference.instead.expected(recorded).departure(answer),
            None => recorded.departure(answer),
        }
    };
    let rules_needed = if as_listed(None).is_ok() {
        let needed = |name: &&str| as_listed(Some(*name)).is_err();
        rules::of(recording).map(|rule| rule.name).filter(needed).collect()
    } else {
        Vec::new()
    };
    let fault = match (listed, departure) {
        (None, Ok(())) => None,
        (None, Err(departure)) => match elsewhere::answer(case) {
            Some((instead, why)) => {
                let departure = instead.departure(answer).err();
                departure.map(|departure| format!("not answered as elsewhere ({why}): {departure}"))
            }
            None => Some(format!("neither held nor listed: {departure}")),
        },
        (Some(Difference { why, .. }), Ok(())) => Some(format!("listed ({why}), but held")),
        (Some(Difference { why, .. }), Err(_)) => {
            let departure = as_listed(None).err();
            departure.map(|departure| format!("not answered as listed ({why}): {departure}"))
        }
    };
    Outcome { fault, rules_needed }
}

/// Returns the differences that name no case, or name one twice.
fn strays(recording: Recording, cases: &[Case]) -> Vec<String> {
    let names: HashSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let mut seen = HashSet::new();
    let is_stray = |name: &&'static str| !names.contains(name) || !seen.insert(*name);
    let strays = differences::of(recording).iter().map(|difference| difference.case).filter(is_stray);
    strays.map(|name| format!("listed, but no case or listed twice: {name:?}")).collect()
}

#[test]
fn every_rule_is_for_some_recording() {
    for rule in rules::all() {
        assert!(!rule.to.is_empty(), "{:?} is for none", rule.name);
    }
}

#[test]
fn every_route_that_is_elsewhere_was_asked_for_and_answered() {
    let cases: Vec<Case> = Recording::ALL.iter().flat_map(|recording| recording.cases()).collect();
    for path in elsewhere::paths() {
        let answered = cases.iter().filter(|case| elsewhere::is_below(case.path(), path)).any(|case| {
            let status = case.response["status"].as_u64();
            ![Some(401), Some(404)].contains(&status)
        });
        assert!(answered, "Unleash has no response at {path}");
    }
}
