//! What is sent to webhooks: events as the API has them, or a sentence for people.

use latchkey_domain::{Event, Snapshot, Timestamp, WebhookTemplate};
use latchkey_ports::EventWriter;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    body::EventBody,
    words::{label, sentence},
};
use crate::wire_time::WireTime;

/// Writes events for webhooks.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventPayloads;

/// The envelope of Standard Webhooks.
#[derive(Serialize)]
struct Envelope<'e, D> {
    r#type: &'e str,
    timestamp: WireTime,
    data: D,
}

impl<D: Serialize> Envelope<'_, D> {
    /// None of what is sent is a map with keys that are no text, which is all that can fail.
    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl EventWriter for EventPayloads {
    fn event(&self, event: &Event, template: WebhookTemplate) -> String {
        let record = &event.record;
        match template {
            WebhookTemplate::Standard => {
                let data = EventBody::of(event);
                Envelope { r#type: record.kind.as_str(), timestamp: WireTime(record.at), data }.text()
            }
            WebhookTemplate::Slack => message(&self.sentence(event)),
        }
    }

    fn sentence(&self, Event { record, .. }: &Event) -> String {
        let data = record.said().map(Snapshot::to_json);
        format!("{}: {}", label(record.kind), sentence(record, data.as_ref(), str::to_owned))
    }

    fn ping(&self, at: Timestamp, template: WebhookTemplate) -> String {
        match template {
            WebhookTemplate::Standard => {
                Envelope { r#type: "ping", timestamp: WireTime(at), data: Map::<String, Value>::new() }.text()
            }
            WebhookTemplate::Slack => message("Latchkey sends a test."),
        }
    }
}

/// Returns a message of Slack's incoming webhooks. Names in it cannot become links or mentions.
fn message(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    json!({ "text": text }).to_string()
}

#[cfg(test)]
mod tests {
    use latchkey_domain::{Actor, EventId, EventKind, NewEvent, Origin, ProjectId, ProjectScope};

    use super::*;

    fn event(name: &str) -> Event {
        let at = Timestamp::from_millis(1_681_892_114_000).expect("in range");
        let actor = Actor::AdminToken { name: "admin".to_owned() };
        let after = Snapshot::from_record(json!({ "tokenName": name })).expect("an object");
        let record = NewEvent {
            projects: Some(ProjectScope::one(ProjectId::new("shop").expect("an id"))),
            after: Some(after),
            ..NewEvent::new(EventKind::ApiTokenCreated, actor, Origin::default(), at)
        };
        Event { id: EventId(7), record }
    }

    fn written(name: &str, template: WebhookTemplate) -> Value {
        serde_json::from_str(&EventPayloads.event(&event(name), template)).expect("JSON")
    }

    #[test]
    fn the_envelope_has_the_event_as_the_api_has_it() {
        let written = written("ci", WebhookTemplate::Standard);
        let data = serde_json::to_value(EventBody::of(&event("ci"))).expect("JSON");
        let expected =
            json!({ "type": "api-token-created", "timestamp": "2023-04-19T08:15:14.000Z", "data": data });
        assert_eq!(written, expected);
        assert_eq!((&written["data"]["id"], &written["data"]["project"]), (&json!(7), &json!("shop")));
    }

    #[test]
    fn a_message_cannot_mention_or_link() {
        let text = written("<!channel> & <https://evil.example|x>", WebhookTemplate::Slack);
        let expected = "API token created: admin created API token &lt;!channel&gt; &amp; \
                        &lt;https://evil.example|x&gt;";
        assert_eq!(text, json!({ "text": expected }));
    }

    #[test]
    fn a_test_has_no_data() {
        let at = Timestamp::from_millis(0).expect("in range");
        let ping = |template| EventPayloads.ping(at, template);
        let expected = r#"{"type":"ping","timestamp":"1970-01-01T00:00:00.000Z","data":{}}"#;
        assert_eq!(ping(WebhookTemplate::Standard), expected);
        assert_eq!(ping(WebhookTemplate::Slack), r#"{"text":"Latchkey sends a test."}"#);
    }
}
