//! Lines of the log as JSON.
//!
//! As those of `tracing_subscriber::fmt::format::Json`, with its fields and in its order. That one writes each of some hundred parts of a
//! line through two adapters, each of which checks it, and parses the fields of each span again: half of what a list
//! of ten tokens spends on its line of the access log. Here a line is written into a buffer, at once.

use std::{fmt, str};

use serde::ser::{SerializeMap, Serializer as _};
use tracing::{Event, Subscriber};
use tracing_serde::SerdeMapVisitor;
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormattedFields,
        format::{JsonFields, Writer},
        time::{FormatTime, SystemTime},
    },
    registry::{self, LookupSpan},
};

/// The bytes of most lines.
const USUAL_BYTES: usize = 512;

/// The format of an event: an object with its fields, and those of the spans that it is in.
pub(crate) struct JsonLines;

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let mut line = Vec::with_capacity(USUAL_BYTES);
        write_line(&mut line, &timestamp, context, event).map_err(|_| fmt::Error)?;
        line.push(b'\n');
        writer.write_str(str::from_utf8(&line).map_err(|_| fmt::Error)?)
    }
}

fn write_line<S>(
    line: &mut Vec<u8>,
    timestamp: &str,
    context: &FmtContext<'_, S, JsonFields>,
    event: &Event<'_>,
) -> serde_json::Result<()>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let mut serializer = serde_json::Serializer::new(&mut *line);
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("timestamp", timestamp)?;
    map.serialize_entry("level", event.metadata().level().as_str())?;
    let mut fields = SerdeMapVisitor::new(map);
    event.record(&mut fields);
    let mut map = fields.take_serializer()?;
    map.serialize_entry("target", event.metadata().target())?;
    SerializeMap::end(map)?;
    if context.parent_span().is_some() {
        write_spans(line, context);
    }
    Ok(())
}

/// Adds the spans that the event is in to the object of its line, the outermost first.
fn write_spans<S>(line: &mut Vec<u8>, context: &FmtContext<'_, S, JsonFields>)
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    // The brace that ends the object.
    line.pop();
    line.extend_from_slice(b",\"spans\":[");
    for (place, span) in context.event_scope().into_iter().flat_map(registry::Scope::from_root).enumerate() {
        if place > 0 {
            line.push(b',');
        }
        let extensions = span.extensions();
        // They were formatted as an object when the span began.
        let fields = extensions.get::<FormattedFields<JsonFields>>().map_or("{}", |known| &known.fields);
        let fields = fields.strip_suffix('}').unwrap_or("{");
        let comma = if fields.len() > 1 { "," } else { "" };
        for part in [fields, comma, "\"name\":\"", span.name(), "\"}"] {
            line.extend_from_slice(part.as_bytes());
        }
    }
    line.extend_from_slice(b"]}");
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use serde_json::{Value, json};
    use tracing_subscriber::{fmt::layer, layer::SubscriberExt as _, registry};

    use super::*;

    /// What was written.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Returns the lines of what is logged.
    fn lines(log: impl FnOnce()) -> Vec<Value> {
        let written = Written::default();
        let writer = written.clone();
        let lines =
            layer().fmt_fields(JsonFields::new()).event_format(JsonLines).with_writer(move || writer.clone());
        tracing::subscriber::with_default(registry().with(lines), log);
        let bytes = written.0.lock().unwrap_or_else(PoisonError::into_inner);
        str::from_utf8(&bytes)
            .expect("text")
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    #[test]
    fn a_line_has_all_fields_and_spans() {
        let lines = lines(|| {
            let outer = tracing::info_span!("request", id = "a\"}b", late = tracing::field::Empty);
            outer.record("late", 7);
            let inner = tracing::info_span!(parent: &outer, "call");
            tracing::warn!(parent: &inner, count = 3, share = 0.5, name = %"line\nbreak", missing = None::<&str>, "done");
        });
        let [line] = &*lines else { panic!("one line: {lines:?}") };
        let timestamp = line["timestamp"].as_str().expect("a time");
        assert!(
            timestamp.ends_with('Z') && timestamp.len() == "2026-01-01T00:00:00.000000Z".len(),
            "{timestamp}"
        );
        let mut expected = json!({
            "level": "WARN", "message": "done", "count": 3, "share": 0.5, "name": "line\nbreak",
            "target": "latchkey::json_lines::tests",
            "spans": [{"id": "a\"}b", "late": 7, "name": "request"}, {"name": "call"}],
        });
        expected["timestamp"] = line["timestamp"].clone();
        assert_eq!(*line, expected);
    }

    #[test]
    fn a_line_outside_spans_names_none() {
        let lines = lines(|| tracing::info!("started"));
        assert_eq!(lines.iter().map(|line| line.get("spans")).collect::<Vec<_>>(), [None]);
    }
}
