//! Rules about several members of a body.

use latchkey_service::Rule;
use serde_json::{Map, Value};

use super::problems::{Problems, required};
use crate::error_body::Detail;

/// A rule about two members of a body.
pub(crate) enum MemberRule {
    /// One is the older name of the other, and one of them is required. Both are accepted if they say the same. A difference is
    /// reported at the old name.
    Renamed { name: &'static str, old: &'static str },
    /// They exclude each other. That both are sent is reported at the other.
    Exclusive { name: &'static str, other: &'static str },
    /// If both are text, they are the same. A difference is reported at the other.
    Same { name: &'static str, other: &'static str },
}

impl MemberRule {
    /// Checks the rule, and takes out the members that break it, so that they have no further problems.
    pub(super) fn check(&self, members: &mut Map<String, Value>, problems: &mut Problems) {
        match self {
            Self::Renamed { name, old } => match (members.get(*name), members.get(*old)) {
                (None, None) => problems.push(Detail::of_field(name, required(name))),
                (Some(new), Some(older)) if !say_the_same(new, older) => {
                    let message = format!(
                        "{old} is the old name of {name}, and says something else: send {name} alone."
                    );
                    problems.push(Detail::of_field(old, message));
                    members.remove(*name);
                    members.remove(*old);
                }
                _ => {}
            },
            Self::Exclusive { name, other } => {
                if members.contains_key(*name) && members.contains_key(*other) {
                    problems.push(Detail::of_field(other, format!("Send {name} or {other}, not both.")));
                    members.remove(*name);
                    members.remove(*other);
                }
            }
            Self::Same { name, other } => {
                let text = |member: &str| members.get(member).and_then(Value::as_str);
                if text(name).zip(text(other)).is_some_and(|(one, other)| one != other) {
                    let rule = Rule::named("same").with("name", name);
                    let text = format!("{other} must be the same as {name}.");
                    problems.push(Detail::of_field(other, rule.says(text)));
                }
            }
        }
    }
}

/// Whether two names are the same, but for blanks around them, which names do not keep.
fn say_the_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => one.trim() == other.trim(),
        _ => one == other,
    }
}
