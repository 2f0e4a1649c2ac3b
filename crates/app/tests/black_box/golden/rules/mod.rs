//! Where Latchkey differs from the reference in one and the same way in many answers. One module for each matter; this
//! one lists them all.

mod errors;
mod events;
mod people;
mod places;
mod tokens;

use serde_json::{Map, Value};

use crate::golden::{Case, expected::Expected, recordings::Recording};

/// A difference that holds for every answer that it applies to.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    /// The row of the contract that asks for it.
    pub(crate) why: &'static str,
    /// The recordings that cannot be held without it. It is applied to no other.
    pub(crate) to: &'static [Recording],
    /// Turns what the reference answered into what Latchkey does.
    apply: fn(&Case, &mut Expected),
}

/// Every rule, in the order in which they are applied.
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> {
    [errors::RULES, tokens::RULES, people::RULES, places::RULES, events::RULES].into_iter().flatten()
}

/// The rules for these cases.
pub(crate) fn of(recording: Recording) -> impl Iterator<Item = &'static Rule> {
    all().filter(move |rule| rule.to.contains(&recording))
}

/// What the reference answered, with all rules applied but one that is left out by name.
pub(crate) fn with_rules_but(recording: Recording, case: &Case, left_out: Option<&str>) -> Expected {
    let mut expected = Expected::recorded(case);
    for rule in of(recording).filter(|rule| Some(rule.name) != left_out) {
        (rule.apply)(case, &mut expected);
    }
    expected
}

/// Does something to every object within a value, the innermost first.
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
