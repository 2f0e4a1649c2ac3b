//! What is said of an event: what happened to which token, and what to do about it.

use latchkey_domain::{Event, EventKind, Snapshot};
use latchkey_ports::EventWriter;
use serde_json::Value;

/// The kinds of events that are mailed always.
pub(super) const NOTICES: [EventKind; 7] = [
    EventKind::ApiTokenExpiring,
    EventKind::ApiTokenExpiredInUse,
    EventKind::ApiTokenUnused,
    EventKind::ApiTokenPolicyViolated,
    EventKind::ApiTokenRotationDue,
    EventKind::ApiTokenLeaked,
    EventKind::PersonalTokenLeaked,
];

/// Returns one paragraph on an event.
pub(super) fn text(event: &Event, writer: &dyn EventWriter) -> String {
    let record = &event.record;
    let notice = record.said().and_then(|said| notice(record.kind, said));
    let text = notice.unwrap_or_else(|| writer.sentence(event));
    // A line break or a bell in a name must not shape the mail.
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Returns the paragraph on a notice, from what the event says of the token; `None` for any other event.
fn notice(kind: EventKind, said: &Snapshot) -> Option<String> {
    let end = || moment(said.text("expiresAt"));
    Some(match kind {
        EventKind::ApiTokenExpiring if days(said) == 0 => format!(
            "{} expired at {}, and is refused now. If it is still needed, set a later expiry; if not, delete it.",
            token(said),
            end()
        ),
        EventKind::ApiTokenExpiring => format!(
            "{} expires at {}, in {} or less. If it is still needed by then, set a later expiry, or replace it.",
            token(said),
            end(),
            match days(said) {
                1 => "1 day".to_owned(),
                days => format!("{days} days"),
            }
        ),
        EventKind::ApiTokenExpiredInUse => format!(
            "{} expired at {}, and clients still use it: they are refused. Set a later expiry, or give them another token.",
            token(said),
            end()
        ),
        EventKind::ApiTokenUnused => format!(
            "{} was not used since {}. If nothing needs it, delete it.",
            token(said),
            moment(said.text("unusedSince"))
        ),
        EventKind::ApiTokenPolicyViolated => format!(
            "{} breaks the rule {} of its policy. Change or replace it.",
            token(said),
            said.text("rule").unwrap_or("unknown")
        ),
        EventKind::ApiTokenRotationDue => format!(
            "{} was to be rotated by {}. Rotate it, and give its clients the new secret.",
            token(said),
            moment(said.text("rotationDueAt"))
        ),
        EventKind::ApiTokenLeaked => {
            leak(kind, &token(said), said, "Rotate it without an overlap, or delete it.")
        }
        EventKind::PersonalTokenLeaked => {
            let description = said.text("description").unwrap_or_default();
            let user = said.members().get("userId").and_then(Value::as_i64).unwrap_or_default();
            let token = format!("Personal access token \"{description}\" (user {user})");
            leak(kind, &token, said, "Delete it, and create another if one is needed.")
        }
        _ => return None,
    })
}

/// Returns what is said of a token whose secret has leaked.
fn leak(kind: EventKind, token: &str, said: &Snapshot, advice: &str) -> String {
    let leak = said.members().get("leak");
    let member = |name: &str| leak.and_then(|leak| leak.get(name)?.as_str());
    let place = member("url").map(|url| format!(", at {url}")).unwrap_or_default();
    let (state, advice) = match member("action") {
        Some("disable") if kind == EventKind::ApiTokenLeaked => ("It was disabled at once.", advice),
        // A personal access token cannot be disabled.
        Some("disable" | "revoke") => ("It was revoked at once.", "Its clients need another token."),
        _ => ("It still works.", advice),
    };
    format!("{token} has leaked: its secret was found where it does not belong{place}. {state} {advice}")
}

/// Returns what names an API token.
fn token(said: &Snapshot) -> String {
    let name = said.text("tokenName").unwrap_or_default();
    let mut facts: Vec<String> = said.text(Snapshot::ID).map(|id| format!("id {id}")).into_iter().collect();
    let projects = said.members().get("projects").and_then(Value::as_array);
    let projects: Vec<&str> = projects.into_iter().flatten().filter_map(Value::as_str).collect();
    facts.extend(match &*projects {
        [] => None,
        ["*"] => Some("all projects".to_owned()),
        [one] => Some(format!("project {one}")),
        more => Some(format!("projects {}", more.join(", "))),
    });
    let environment = said.text("environment").filter(|environment| *environment != "*");
    facts.extend(environment.map(|environment| format!("environment {environment}")));
    format!("API token \"{name}\" ({})", facts.join("; "))
}

fn days(said: &Snapshot) -> u64 {
    said.members().get("days").and_then(Value::as_u64).unwrap_or_default()
}

/// Returns a moment for people.
pub(super) fn moment(text: Option<&str>) -> String {
    let minute = text.and_then(|text| text.get(..16));
    minute.map_or_else(|| "an unknown time".to_owned(), |minute| format!("{} UTC", minute.replace('T', " ")))
}

#[cfg(test)]
mod tests {
    use latchkey_domain::{Actor, EventId, NewEvent, Origin, Timestamp};
    use latchkey_ports::PlainWriter;
    use serde_json::json;

    use super::*;

    fn said(kind: EventKind, members: &Value) -> String {
        let mut all = json!({
            "id": "01981f4e-7a4c-7c3e-8a55-0123456789ab",
            "tokenName": "web",
            "projects": ["shop"],
            "environment": "production",
            "expiresAt": "2026-12-14T07:05:00.000Z",
        });
        for (name, value) in members.as_object().expect("an object") {
            all[name] = value.clone();
        }
        let at = Timestamp::from_millis(0).expect("in range");
        let record = NewEvent {
            after: Snapshot::from_record(all),
            ..NewEvent::new(kind, Actor::System, Origin::default(), at)
        };
        text(&Event { id: EventId(1), record }, &PlainWriter)
    }

    const WEB: &str =
        "API token \"web\" (id 01981f4e-7a4c-7c3e-8a55-0123456789ab; project shop; environment production)";

    #[test]
    fn each_notice_says_what_happened_and_what_to_do() {
        use EventKind as K;
        for (kind, members, expected) in [
            (
                K::ApiTokenExpiring,
                json!({"days": 14}),
                " expires at 2026-12-14 07:05 UTC, in 14 days or less. If it is still needed by then, set a later expiry, or \
                 replace it.",
            ),
            (
                K::ApiTokenExpiring,
                json!({"days": 0}),
                " expired at 2026-12-14 07:05 UTC, and is refused now. If it is still needed, set a later expiry; if not, \
                 delete it.",
            ),
            (
                K::ApiTokenExpiredInUse,
                json!({}),
                " expired at 2026-12-14 07:05 UTC, and clients still use it: they are refused. Set a later expiry, or give \
                 them another token.",
            ),
            (
                K::ApiTokenUnused,
                json!({"unusedSince": "2026-09-01T00:00:00.000Z"}),
                " was not used since 2026-09-01 00:00 UTC. If nothing needs it, delete it.",
            ),
            (
                K::ApiTokenPolicyViolated,
                json!({"rule": "max_lifetime"}),
                " breaks the rule max_lifetime of its policy. Change or replace it.",
            ),
            (
                K::ApiTokenRotationDue,
                json!({"rotationDueAt": "2026-11-30T12:00:00.000Z"}),
                " was to be rotated by 2026-11-30 12:00 UTC. Rotate it, and give its clients the new secret.",
            ),
            (
                K::ApiTokenLeaked,
                json!({"leak": {"url": "https://example.com/x", "source": null, "action": "nothing"}}),
                " has leaked: its secret was found where it does not belong, at https://example.com/x. It still works. Rotate it \
                 without an overlap, or delete it.",
            ),
            (
                K::ApiTokenLeaked,
                json!({"leak": {"url": null, "source": null, "action": "revoke"}}),
                " has leaked: its secret was found where it does not belong. It was revoked at once. Its clients need another \
                 token.",
            ),
        ] {
            assert_eq!(said(kind, &members), format!("{WEB}{expected}"));
        }
        let personal = said(
            K::PersonalTokenLeaked,
            &json!({"description": "ci", "userId": 7, "leak": {"url": null, "action": "disable"}}),
        );
        assert!(personal.starts_with("Personal access token \"ci\" (user 7) has leaked"), "{personal}");
    }

    #[test]
    fn every_notice_has_its_own_words() {
        for kind in EventKind::ALL {
            let has_own_words = said(*kind, &json!({})) != kind.as_str();
            assert_eq!(has_own_words, NOTICES.contains(kind), "{kind}");
        }
    }

    #[test]
    fn names_do_not_shape_the_mail() {
        let odd = said(
            EventKind::ApiTokenUnused,
            &json!({"tokenName": "a\r\nBcc: x\u{7}", "projects": ["*"], "environment": "*"}),
        );
        assert!(
            odd.starts_with(
                "API token \"a  Bcc: x \" (id 01981f4e-7a4c-7c3e-8a55-0123456789ab; all projects) was"
            ),
            "{odd}"
        );
        let two = said(EventKind::ApiTokenUnused, &json!({"projects": ["a", "b"]}));
        assert!(two.contains("projects a, b; environment production"), "{two}");
    }
}
