//! Every recorded case about project tokens, replayed: each is held, or stands in the table of differences.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::golden::{
    Case,
    differences::{DIFFERENCES, Difference},
    expected::Expected,
    project_token_cases,
    rules::{RULES, with_rules_but},
    send, setup,
};

/// How many cases are replayed at once, each on a store and a server of its own.
const AT_ONCE: usize = 4;

/// What came of one case.
struct Outcome {
    /// Why the table and the answer do not agree; `None` where they do.
    fault: Option<String>,
    /// The rules that the case is not held without.
    rules_needed: Vec<&'static str>,
}

#[test]
fn every_recorded_case_is_held_or_listed() {
    let cases = project_token_cases();
    let outcomes = replay_all(&cases);
    assert_eq!(outcomes.len(), 98, "cases replayed");

    let mut faults: Vec<String> = outcomes.iter().filter_map(|outcome| outcome.fault.clone()).collect();
    faults.extend(strays(&cases));
    let needed: HashSet<&str> = outcomes.iter().flat_map(|outcome| &outcome.rules_needed).copied().collect();
    let idle = RULES.iter().filter(|rule| !needed.contains(rule.name));
    faults.extend(idle.map(|rule| format!("no case needs the rule {:?} ({}) any more", rule.name, rule.why)));
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

fn replay_all(cases: &[Case]) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let work = || {
        let turns = std::iter::from_fn(|| cases.get(next.fetch_add(1, Ordering::SeqCst)));
        turns.map(replay).collect::<Vec<Outcome>>()
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("all its cases were replayed")).collect()
    })
}

fn replay(case: &Case) -> Outcome {
    let (_ground, server, known) = setup::prepare(case);
    let answer = send(&server, &case.request, &known);
    let recorded = Expected::recorded(case);
    let departure = with_rules_but(&recorded, None).departure(&answer);
    let listed = DIFFERENCES.iter().find(|difference| difference.case == case.name);
    let rules_needed = match departure {
        Ok(()) => {
            let without = |name| with_rules_but(&recorded, Some(name)).departure(&answer);
            RULES.iter().map(|rule| rule.name).filter(|name| without(*name).is_err()).collect()
        }
        Err(_) => Vec::new(),
    };
    let fault = fault(listed, departure, |difference| difference.instead.expected().departure(&answer));
    Outcome { fault: fault.map(|fault| format!("{}: {fault}", case.name)), rules_needed }
}

fn fault(
    listed: Option<&Difference>,
    departure: Result<(), String>,
    departs_from_table: impl FnOnce(&Difference) -> Result<(), String>,
) -> Option<String> {
    match (listed, departure) {
        (None, Ok(())) => None,
        (None, Err(departure)) => Some(format!("neither held nor listed: {departure}")),
        (Some(Difference { why, .. }), Ok(())) => Some(format!("listed ({why}), but held")),
        (Some(difference), Err(_)) => {
            let departure = departs_from_table(difference).err()?;
            Some(format!("not answered as listed ({}): {departure}", difference.why))
        }
    }
}

/// Entries of the table that no case has the name of, or that are there twice.
fn strays(cases: &[Case]) -> Vec<String> {
    let names: HashSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let mut seen = HashSet::new();
    let is_stray = |name: &&'static str| !names.contains(name) || !seen.insert(*name);
    let strays = DIFFERENCES.iter().map(|difference| difference.case).filter(is_stray);
    strays.map(|name| format!("listed, but no case or listed twice: {name:?}")).collect()
}
