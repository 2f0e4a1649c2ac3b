//! What errors say, in the visitor's language. The API says it in English, and what identifies it is the kind of the error or the
//! rule that was broken; `locales/<language>/problems.ftl` has the words for these. What has none is said in English.

use latchkey_domain::{Place, Reason};
use latchkey_http::pages::{ApiError, Detail};
use latchkey_ports::Entity;
use latchkey_service::{Fault as _, Missing, Rule, ServiceError, whole_seconds};

use crate::words::Words;

/// One problem with what was sent.
pub(crate) struct Problem {
    pub(crate) text: String,
    /// Where it is, as a JSON pointer from the request.
    pub(crate) path: Option<String>,
    /// Whether the sentence leaves it to its place to say what it is about.
    needs_place: bool,
}

impl Problem {
    fn of(words: &Words, Detail { message, path }: Detail) -> Self {
        let said = message.rule().and_then(|rule| words.of_rule(rule));
        Self { needs_place: said.is_some(), text: said.unwrap_or_else(|| message.to_string()), path }
    }

    /// Returns the text for a place that is not that of the member.
    pub(crate) fn with_its_member(self) -> String {
        let member = self.path.as_deref().and_then(|path| path.strip_prefix("/body/"));
        match member.filter(|_| self.needs_place) {
            Some(member) => format!("{}: {}", member.replace('/', "."), self.text),
            None => self.text,
        }
    }
}

/// Returns each problem by itself.
pub(crate) fn all_of(words: &Words, error: &ApiError) -> Vec<Problem> {
    match kind(error).and_then(|rule| words.of_rule(&rule)) {
        Some(text) => vec![Problem { text, path: None, needs_place: false }],
        None => error.problems().into_iter().map(|detail| Problem::of(words, detail)).collect(),
    }
}

/// Returns all that an error says.
pub(crate) fn said(words: &Words, error: &ApiError) -> String {
    if let Some(text) = kind(error).and_then(|rule| words.of_rule(&rule)) {
        return text;
    }
    let problems = all_of(words, error);
    if problems.is_empty() || problems.iter().any(|problem| !problem.needs_place) {
        return error.message();
    }
    let texts: Vec<_> = problems.into_iter().map(Problem::with_its_member).collect();
    texts.join(" ")
}

/// Returns what identifies an error; `None` if its details have it.
fn kind(error: &ApiError) -> Option<Rule> {
    Some(match error {
        ApiError::Refused(refusal) => return of_refusal(refusal.of_any_entry()),
        ApiError::NotVerified(refusal) if refusal.reason == Reason::RateLimited => {
            Rule::named("rate-limited")
        }
        ApiError::CrossSite => Rule::named("cross-site"),
        ApiError::TooLarge(max) => Rule::named("body-large").with("max", max),
        ApiError::TargetTooLong(max) => Rule::named("target-long").with("max", max),
        ApiError::NoMemory | ApiError::Busy | ApiError::TooManyStreams => Rule::named("busy"),
        ApiError::TimedOut => Rule::named("timed-out"),
        ApiError::UnknownPath(path) => Rule::named("path-unknown").with("path", path),
        ApiError::WrongMethod(methods) => Rule::named("method").with("methods", methods),
        ApiError::Panicked => Rule::named("internal"),
        _ => return None,
    })
}

fn of_refusal(error: &ServiceError) -> Option<Rule> {
    Some(match error {
        ServiceError::Denied(denied) => match &denied.place {
            Place::Instance => denied.rule().with("place", "instance").with("project", ""),
            Place::Project(project) => denied.rule().with("place", "project").with("project", project),
        },
        ServiceError::NotPermitted(message) => return message.rule().cloned(),
        ServiceError::WrongTokenKind(_) => Rule::named("token-kind"),
        ServiceError::WrongPassword => Rule::named("login-wrong"),
        ServiceError::TooManyAttempts(wait) => {
            Rule::named("login-wait").with("seconds", whole_seconds(*wait))
        }
        ServiceError::NotFound(missing) => of_missing(missing),
        ServiceError::Exists(entity) => of_existing(entity),
        ServiceError::LimitReached { limit } => Rule::named("limit-reached").with("limit", limit),
        ServiceError::Overtaken => Rule::named("overtaken"),
        ServiceError::KeyReused => Rule::named("key-reused"),
        ServiceError::Unavailable(_) => Rule::named("unavailable"),
        ServiceError::Internal(_) => Rule::named("internal"),
        ServiceError::Invalid { .. } | ServiceError::WeakPassword(_) | ServiceError::Entry { .. } => {
            return None;
        }
    })
}

fn of_missing(missing: &Missing) -> Rule {
    let (what, name) = match missing {
        Missing::Project(id) => ("project", id.as_str()),
        Missing::Token => ("token", ""),
        Missing::User => ("user", ""),
        Missing::Role => ("role", ""),
        Missing::Group => ("group", ""),
        Missing::PersonalToken => ("personal-token", ""),
        Missing::Environment(name) => ("environment", name.as_str()),
        Missing::Session => ("session", ""),
        Missing::Webhook => ("webhook", ""),
        Missing::Delivery => ("delivery", ""),
    };
    Rule::named("missing").with("what", what).with("name", name)
}

fn of_existing(entity: &Entity) -> Rule {
    let (what, name) = match entity {
        Entity::Secret => ("secret", ""),
        Entity::Project(id) => ("project", id.as_str()),
        Entity::Environment(name) => ("environment", name.as_str()),
        Entity::UserIdentity => ("identity", ""),
        Entity::PersonalTokenDescription => ("personal-token", ""),
        Entity::Membership => ("membership", ""),
        Entity::RoleName => ("role", ""),
        Entity::GroupName => ("group", ""),
        Entity::Token(_)
        | Entity::User(_)
        | Entity::Role(_)
        | Entity::PersonalToken(_)
        | Entity::Group(_)
        | Entity::Session(_)
        | Entity::Answer
        | Entity::Webhook(_)
        | Entity::Delivery(_) => ("other", ""),
    };
    Rule::named("exists").with("what", what).with("name", name)
}

#[cfg(test)]
mod tests;
