//! Events: what was done, by whom and where, without what may be a secret.

use latchkey_domain::{
    Actor, EnvironmentName, NewEvent, Origin, ProjectId, ProjectScope, ProjectSet, Snapshot, Timestamp,
};
use latchkey_ports::{Finding, IncomingEvent, RowKind};

use crate::{
    event_records::{EventRecord, OtherEvents},
    masking::{masked, masked_text},
    places::{ALL, time},
};

/// The number of an admin token, as a user.
const ADMIN_TOKEN: i32 = -42;
/// The name of an actor without a name.
const UNKNOWN: &str = "unknown";

/// Returns an event; `None` for one of a kind that there is not here.
pub(crate) fn event(
    record: EventRecord,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Option<IncomingEvent> {
    let kind = record.kind.parse().ok()?;
    let (name, mut was_masked) = masked_text(record.created_by.as_deref().unwrap_or(UNKNOWN));
    let is_by_user = record.created_by_number.is_none_or(|number| number > 0);
    let actor = match record.created_by_number {
        Some(ADMIN_TOKEN) => Actor::AdminToken { name },
        _ => Actor::Elsewhere { name },
    };
    let mut was_lost = false;
    let mut state = |json: Option<String>| match snapshot(json.as_deref()) {
        State::None => None,
        State::Lost => {
            was_lost = true;
            None
        }
        State::Read(state, masked) => {
            was_masked |= masked;
            Some(state)
        }
    };
    let (before, after) = (state(record.pre_data), state(record.data));
    let environment = record.environment.as_deref().and_then(|name| EnvironmentName::new(name).ok());
    let at = record.created.map_or(now, time);
    let record = IncomingEvent {
        number: record.number,
        record: NewEvent {
            projects: record.project.as_deref().and_then(projects),
            environment: environment.filter(|name| name.as_str() != ALL),
            before,
            after,
            ..NewEvent::new(kind, actor, Origin::default(), at)
        },
        is_by_user,
    };
    for (is_so, why) in [
        (was_masked, "what may be a secret in it is masked"),
        (was_lost, "its data cannot be read, or is no object, and is left out"),
    ] {
        if is_so {
            findings.push(Finding::changed(RowKind::Event, record.label(), why));
        }
    }
    Some(record)
}

/// What is known of a state before or after a change.
enum State {
    None,
    Lost,
    /// With whether something in it was masked.
    Read(Snapshot, bool),
}

fn snapshot(json: Option<&str>) -> State {
    let value = match json.map(serde_json::from_str::<serde_json::Value>) {
        None | Some(Ok(serde_json::Value::Null)) => return State::None,
        Some(Err(_)) => return State::Lost,
        Some(Ok(value)) => value,
    };
    let (value, was_masked) = masked(value);
    Snapshot::from_record(value).map_or(State::Lost, |state| State::Read(state, was_masked))
}

/// Returns the projects that an event names, also those that are gone; `None` if it names none.
fn projects(joined: &str) -> Option<ProjectScope> {
    if joined == ALL {
        return Some(ProjectScope::All);
    }
    let named = joined.split(',').filter_map(|id| ProjectId::new(id).ok());
    ProjectSet::new(named).ok().map(ProjectScope::Only)
}

/// Returns the finding about events of a kind that there is not here.
pub(crate) fn others(OtherEvents { kind, count }: OtherEvents) -> Finding {
    let why =
        format!("{count} events of a kind that there is not here, about flags as a rule, stay with Unleash");
    Finding::left_out(RowKind::Event, kind, why)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn row() -> EventRecord {
        EventRecord {
            number: 17,
            kind: "api-token-created".to_owned(),
            created: Some(NOW - 9),
            created_by: Some("ada@example.com".to_owned()),
            created_by_number: Some(1),
            project: Some("shop,blog".to_owned()),
            environment: Some("development".to_owned()),
            data: Some(json!({ "tokenName": "web" }).to_string()),
            pre_data: None,
        }
    }

    fn read(row: EventRecord) -> (IncomingEvent, Vec<String>) {
        let mut findings = Vec::new();
        let event = event(row, time(NOW), &mut findings).expect("a kind that there is here");
        (event, findings.into_iter().map(|finding| format!("{}: {}", finding.name, finding.why)).collect())
    }

    #[test]
    fn an_event_is_as_it_was() {
        let (event, findings) = read(row());
        let IncomingEvent { number, record, is_by_user } = event;
        assert_eq!((number, is_by_user, findings), (17, true, vec![]));
        assert_eq!(record.actor, Actor::Elsewhere { name: "ada@example.com".to_owned() });
        assert_eq!((record.at, record.subject, record.before), (time(NOW - 9), None, None));
        let ids: Vec<_> =
            record.projects.iter().flat_map(ProjectScope::named).map(ProjectId::as_str).collect();
        assert_eq!(ids, ["shop", "blog"]);
        assert_eq!(record.environment, EnvironmentName::new("development").ok());
        assert_eq!(record.after.expect("a state").to_json(), json!({ "tokenName": "web" }));
        assert!(event_of("feature-created").is_none());
    }

    fn event_of(kind: &str) -> Option<IncomingEvent> {
        event(EventRecord { kind: kind.to_owned(), ..row() }, time(NOW), &mut Vec::new())
    }

    #[test]
    fn actors_are_users_or_admin_tokens_or_known_by_a_name() {
        for (number, is_token, is_by_user) in [
            (Some(1), false, true),
            (None, false, true),
            (Some(-42), true, false),
            (Some(-1337), false, false),
            (Some(0), false, false),
        ] {
            let (event, _) = read(EventRecord { created_by_number: number, ..row() });
            assert_eq!(matches!(event.record.actor, Actor::AdminToken { .. }), is_token, "{number:?}");
            assert_eq!(event.is_by_user, is_by_user, "{number:?}");
        }
        let (event, _) = read(EventRecord { created_by: None, created: None, ..row() });
        assert_eq!((event.record.actor.name(), event.record.at), (UNKNOWN, time(NOW)));
    }

    #[test]
    fn places_that_are_no_names_are_left_out() {
        for (project, environment, expected) in [
            (Some("*"), Some("*"), Some(ProjectScope::All)),
            (Some("a b,shop"), None, Some(ProjectScope::one(ProjectId::new("shop").expect("an id")))),
            (Some("a b"), Some("a b"), None),
            (Some(""), Some(""), None),
            (None, None, None),
        ] {
            let text = |text: Option<&str>| text.map(str::to_owned);
            let (event, _) =
                read(EventRecord { project: text(project), environment: text(environment), ..row() });
            assert_eq!((event.record.projects, event.record.environment), (expected, None), "{project:?}");
        }
    }

    #[test]
    fn what_is_no_object_is_lost_and_what_may_be_a_secret_is_masked() {
        for (data, expected) in
            [("[1]", 1), ("\"text\"", 1), ("5", 1), ("{\"a\": \"\\ud800\"}", 1), ("null", 0), ("{}", 0)]
        {
            let (event, findings) = read(EventRecord { data: Some(data.to_owned()), ..row() });
            assert_eq!((findings.len(), event.record.after.is_some()), (expected, data == "{}"), "{data}");
        }
        let secret = "shop:development.0123456789abcdef";
        let data = Some(json!({ "secret": "x", "a": { "deep": [format!("made {secret}")] } }).to_string());
        let created_by = Some(format!("by {secret}"));
        let (event, findings) = read(EventRecord { pre_data: data, created_by, ..row() });
        assert_eq!(findings, ["17 api-token-created: what may be a secret in it is masked"]);
        let state = event.record.before.expect("a state").to_json();
        assert_eq!(state, json!({ "secret": "***", "a": { "deep": ["made ***"] } }));
        assert_eq!(event.record.actor.name(), "by ***");
    }
}
