//! The choice of when a token ends.

use std::time::Duration;

use latchkey_domain::{Policy, Timestamp};
use latchkey_http::pages::{ApiError, Detail};
use latchkey_service::{Message, Rule};
use serde_json::{Map, Value};

use crate::form::Form;

const DAY: u64 = 86_400;

/// A choice of the form.
pub(crate) struct Choice {
    /// The value of the field.
    pub(crate) value: String,
    /// The key of its words.
    pub(crate) key: &'static str,
    pub(crate) days: u64,
    /// Whether the policy rules it out.
    pub(crate) is_ruled_out: bool,
}

/// The lifetimes that can be chosen, in days.
const DAYS: [u64; 4] = [7, 30, 90, 365];

/// Returns the choices, of which a policy rules some out.
pub(crate) fn choices(policy: Policy) -> Vec<Choice> {
    let most = policy.max_lifetime.map(|term| term.span().as_secs());
    let mut choices: Vec<_> = DAYS
        .into_iter()
        .map(|days| Choice {
            value: days.to_string(),
            key: "expiry-days",
            days,
            is_ruled_out: most.is_some_and(|most| days * DAY > most),
        })
        .collect();
    choices.push(Choice { value: "on".to_owned(), key: "expiry-on", days: 0, is_ruled_out: false });
    let never = policy.require_expiry || most.is_some();
    choices.push(Choice { value: "never".to_owned(), key: "expiry-never", days: 0, is_ruled_out: never });
    choices
}

/// Returns the choices for a personal access token, which always ends, and about which there are no policies.
pub(crate) fn of_personal_tokens() -> Vec<Choice> {
    let mut choices = choices(Policy::default());
    choices.retain(|choice| choice.value != "never");
    choices
}

/// Adds the member `expiresAt` to those of a body, if the form says anything of it.
///
/// # Errors
/// [`ApiError::BadInput`] for a date that is none.
pub(crate) fn add_to(members: &mut Map<String, Value>, form: &Form, now: Timestamp) -> Result<(), ApiError> {
    if let Some(end) = chosen(form, now)? {
        members.insert("expiresAt".to_owned(), end);
    }
    Ok(())
}

fn chosen(form: &Form, now: Timestamp) -> Result<Option<Value>, ApiError> {
    let bad = |problem: Message| ApiError::BadInput(vec![Detail::of_field("_expiresOn", problem)]);
    match form.value("_expires") {
        "" | "keep" => Ok(None),
        "never" => Ok(Some(Value::Null)),
        "on" => match form.value("_expiresOn").trim() {
            "" => Err(bad(Rule::named("choose-day").says("Choose the day on which the token expires."))),
            // The last second of that day, so that the token is good on it.
            day => Ok(Some(Value::from(format!("{day}T23:59:59.000Z")))),
        },
        days => {
            let unknown = |_| bad(Rule::named("choose-expiry").says("Choose when the token expires."));
            let days: u64 = days.parse().map_err(unknown)?;
            let end = days.checked_mul(DAY).and_then(|seconds| now.plus(Duration::from_secs(seconds)).ok());
            let too_late = || bad(Rule::named("choose-earlier-day").says("Choose an earlier day."));
            let end = end.ok_or_else(too_late)?;
            Ok(Some(Value::from(end.to_string())))
        }
    }
}
