//! One token: everything that is known of it, its use, and what happened to it.

use std::time::Duration;

use askama::Template;
use latchkey_domain::{ApiToken, Timestamp};
use latchkey_http::pages::{ApiResult, PathParameters};
use latchkey_ports::{Page, SeenAddress};
use latchkey_service::{EventFilter, UsageInterval, UsageQuery, UsageReport};

use super::{
    list::Row,
    reach::{Allowed, Reach, reference},
};
use crate::{
    chart::{Chart, Column},
    frame::{Frame, Section, query_value},
    happened::Happened,
    moment,
    visitor::Visitor,
};

/// The events that are shown.
const EVENTS: u32 = 20;
/// The hours and the days of a chart.
const HOURS: u64 = 48;
const DAYS: u64 = 30;
const HOUR: u64 = 3_600;

#[derive(Template)]
#[template(path = "tokens/one.html")]
struct OnePage {
    frame: Frame,
    reach: Reach,
    root: String,
    row: Row,
    allowed: Allowed,
    chart: Chart,
    is_by_day: bool,
    verified: u64,
    refused: u64,
    addresses: Vec<SeenAddress>,
    /// Until when the secrets before this one are good.
    previous: Vec<Timestamp>,
    events: Vec<Happened>,
}

impl OnePage {
    fn token(&self) -> &ApiToken {
        &self.row.token
    }

    fn is_used(&self) -> bool {
        self.verified > 0 || self.refused > 0
    }

    fn metadata(&self) -> String {
        serde_json::to_string_pretty(self.token().attributes.metadata.members()).unwrap_or_default()
    }
}

pub(super) async fn show(visitor: Visitor, reach: Reach, path: PathParameters) -> ApiResult {
    let token = reach.get(&visitor, &reference(&path)?).await?;
    let frame = visitor.frame(Section::Tokens);
    let is_by_day = query_value(&visitor.browser.target, "per").as_deref() == Some("day");
    let use_cases = visitor.use_cases();
    let (report, addresses) = use_cases.usage_reports.of_token(&token, query(frame.now, is_by_day)).await?;
    let previous = use_cases.issuer.previous_secret_ends(&token).await?;
    let filter = EventFilter { text: Some(token.id.to_string()), ..EventFilter::default() };
    let events = use_cases.audit_trail.search(visitor.caller(), filter, Page::first(EVENTS)).await?.events;
    let events = events.into_iter().map(Happened::of).collect();
    let (verified, refused) = report.points.iter().fold((0_u64, 0_u64), |(verified, refused), point| {
        (verified + point.verified, refused + point.refused.values().sum::<u64>())
    });
    let title = frame.t(if is_by_day { "usage-per-day" } else { "usage-per-hour" }).into_owned();
    let chart = Chart::of(title, columns(&report, &frame));
    let allowed = reach.allowed_with(&visitor, &token);
    let row = Row::of(token, frame.now);
    let root = reach.path();
    visitor.browser.show(&OnePage {
        frame,
        reach,
        root,
        row,
        allowed,
        chart,
        is_by_day,
        verified,
        refused,
        addresses,
        previous,
        events,
    })
}

fn query(now: Timestamp, is_by_day: bool) -> UsageQuery {
    let (per, hours) = if is_by_day { (UsageInterval::Day, DAYS * 24) } else { (UsageInterval::Hour, HOURS) };
    UsageQuery { from: now.minus(Duration::from_secs((hours - 1) * HOUR)).ok(), to: None, per }
}

/// Returns a column for every interval of a report, also for those without a use.
pub(crate) fn columns(report: &UsageReport, frame: &Frame) -> Vec<Column> {
    let length = match report.per {
        UsageInterval::Hour => Duration::from_secs(HOUR),
        UsageInterval::Day => Duration::from_secs(24 * HOUR),
    };
    let mut points = report.points.iter().peekable();
    let mut columns = Vec::new();
    let mut at = report.from;
    while at < report.to {
        let point = points.next_if(|point| point.at == at);
        let accepted = point.map_or(0, |point| point.verified);
        let refused = point.map_or(0, |point| point.refused.values().sum());
        let label = format!(
            "{}: {}, {}",
            moment::in_utc(at),
            frame.number("usage-verified", "count", &accepted),
            frame.number("usage-refused", "count", &refused),
        );
        columns.push(Column { label, accepted, refused });
        let Ok(next) = at.plus(length) else { break };
        at = next;
    }
    columns
}
