//! What has happened since a page was shown, which its script asks for every few seconds.

use std::time::Duration;

use actix_web::{HttpResponse, http::header::HeaderName};
use askama::Template;
use latchkey_domain::Timestamp;
use latchkey_http::pages::ApiResult;
use latchkey_ports::Page;
use latchkey_service::EventFilter;

use super::{entry::Entry, filters::Filters};
use crate::{
    frame::{Frame, Section, query_value},
    paging::{self, Paging},
    visitor::Visitor,
};

/// How long before the last answer an event can have happened that is in none yet: a transaction may take as long, and clocks differ.
const SLACK: Duration = Duration::from_secs(60);
/// The header that makes htmx load the whole page again.
const RELOAD: HeaderName = HeaderName::from_static("hx-refresh");

/// The new events, behind the element that asks for those to come and takes the place of the one that asked for these.
#[derive(Template)]
#[template(path = "audit/new.html")]
struct NewEvents {
    frame: Frame,
    filters: Filters,
    entries: Vec<Entry>,
    news: String,
}

pub(super) async fn show(visitor: Visitor) -> ApiResult {
    let target = &visitor.browser.target;
    let nothing = || Ok(HttpResponse::NoContent().finish());
    let number = |name| query_value(target, name).and_then(|value| value.parse::<i64>().ok());
    let since = number("since").and_then(|since| Timestamp::from_millis(since).ok());
    let (filters, Some(filter)) = Filters::read(target) else { return nothing() };
    let (Some(after), Some(since)) = (number("after"), since) else { return nothing() };
    let trail = &visitor.use_cases().audit_trail;
    // The newest event alone says that nothing is new, which is nearly always so. A text is then looked for in what is new only,
    // not in all events.
    let from = since.minus(SLACK).ok();
    let any = EventFilter { from, ..EventFilter::default() };
    let newest = trail.search(visitor.caller(), any, Page::first(1)).await?.events;
    let Some(newest) = newest.first().map(|event| event.id.0).filter(|newest| *newest > after) else {
        return nothing();
    };
    let filter = EventFilter { from: filter.from.max(from), ..filter };
    let events = trail.search(visitor.caller(), filter, paging::asked(0)).await?.events;
    let mut new: Vec<_> = events.iter().filter(|event| event.id.0 > after).collect();
    if Paging::cut(&mut new, 0).has_more {
        // Between these and those that are shown there are others.
        return Ok(HttpResponse::NoContent().insert_header((RELOAD, "true")).finish());
    }
    let frame = visitor.frame(Section::Audit);
    let entries = new.into_iter().map(|event| Entry::of(event, &frame)).collect();
    let news = filters.newer(newest, frame.now);
    visitor.browser.show(&NewEvents { frame, filters, entries, news })
}
