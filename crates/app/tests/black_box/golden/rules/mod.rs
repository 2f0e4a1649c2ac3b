//! Differences from Unleash that many responses share. One module for each subject; this one lists them all.

mod errors;
mod events;
mod people;
mod places;
mod tokens;

use serde_json::{Map, Value};

use crate::golden::{Case, expected::Expected, recordings::Recording};

/// A difference that many responses share.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    /// The statement of `docs/reference/wire-contract.md` that requires it.
    pub(crate) why: &'static str,
    /// The recordings that it is applied to; each needs it.
    pub(crate) to: &'static [Recording],
    /// Turns the response of Unleash into that of Latchkey.
    apply: fn(&Case, &mut Expected),
}

/// Returns every rule, in the order of application.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> {
    [errors::RULES, tokens::RULES, people::RULES, places::RULES, events::RULES].into_iter().flatten()
}

/// Returns the rules for these cases.
pub(crate) fn of(recording: Recording) -> impl Iterator<Item = &'static Rule> {
    all().filter(move |rule| rule.to.contains(&recording))
}

/// Returns the response of Unleash with all rules applied except one of this name.
pub(crate) fn with_rules_but(recording: Recording, case: &Case, left_out: Option<&str>) -> Expected {
    let mut expected = Expected::recorded(case);
    for rule in of(recording).filter(|rule| Some(rule.name) != left_out) {
        (rule.apply)(case, &mut expected);
    }
    expected
}

/// Calls the function for every object within a value, the innermost first.
fn each_object(value: &mut Value, act: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Array(entries) => entries.iter_mut().for_each(|entry| each_object(entry, act)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| each_object(member, act));
            act(members);
        }
        _ => {}
    }
}
