//! The forms in which events are exported, over HTTP and by the command line.

use std::{error::Error, str::FromStr};

use latchkey_domain::Event;
use serde_json::Value;

use super::body::{EVENT_BYTES, EventBody};
use crate::table::{plain, table};

/// A form of exported events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// A table with a line of names (RFC 4180).
    Csv,
    /// A JSON object in each line.
    JsonLines,
}

/// The text names no format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the format must be csv or jsonl")]
pub struct UnknownExportFormat;

impl FromStr for ExportFormat {
    type Err = UnknownExportFormat;

    fn from_str(text: &str) -> Result<Self, UnknownExportFormat> {
        match text {
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::JsonLines),
            _ => Err(UnknownExportFormat),
        }
    }
}

/// The columns of a table, named as in JSON.
const COLUMNS: [&str; 13] = [
    "id",
    "createdAt",
    "type",
    "createdBy",
    "createdByUserId",
    "project",
    "environment",
    "ip",
    "userAgent",
    "label",
    "summary",
    "data",
    "preData",
];

impl ExportFormat {
    /// Returns what stands before all events.
    ///
    /// # Errors
    /// None that is known.
    pub fn start(self) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        match self {
            Self::Csv => table(std::iter::once(COLUMNS.map(str::to_owned))),
            Self::JsonLines => Ok(Vec::new()),
        }
    }

    /// Returns these events.
    ///
    /// # Errors
    /// If one of them cannot be written as JSON; none is known.
    pub fn lines(self, events: &[Event]) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
        match self {
            Self::Csv => table(events.iter().map(cells)),
            Self::JsonLines => {
                let mut text = Vec::with_capacity(EVENT_BYTES * events.len());
                for event in events {
                    serde_json::to_writer(&mut text, &EventBody::of(event))?;
                    text.push(b'\n');
                }
                Ok(text)
            }
        }
    }
}

fn cells(event: &Event) -> [String; COLUMNS.len()] {
    let body = EventBody::of(event);
    let json = |value: Option<Value>| value.map(|value| value.to_string()).unwrap_or_default();
    [
        body.id.to_string(),
        event.record.at.to_string(),
        body.r#type.to_owned(),
        plain(body.created_by),
        body.created_by_user_id.to_string(),
        plain(&body.project.map(|project| project.text()).unwrap_or_default()),
        plain(body.environment.unwrap_or_default()),
        body.ip.unwrap_or_default(),
        plain(body.user_agent.unwrap_or_default()),
        body.label.to_owned(),
        plain(&body.summary),
        json(body.data),
        json(body.pre_data),
    ]
}
