//! The list of events: filters and page are in its address, so that it can be linked and kept.

use actix_web::http::StatusCode;
use askama::Template;
use latchkey_domain::{EventKind, ProjectId};
use latchkey_http::pages::ApiResult;
use latchkey_ports::Page;
use latchkey_service::{EventFilter, ReadEvents, ServiceError};

use super::{
    entry::Entry,
    filters::{Filters, ROOT},
};
use crate::{
    frame::{Frame, Section},
    happened::title,
    paging::{self, Paging},
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "audit/list.html")]
struct ListPage {
    frame: Frame,
    filters: Filters,
    entries: Vec<Entry>,
    paging: Paging,
    kinds: Vec<(&'static str, String)>,
    projects: Vec<ProjectId>,
    /// Whether the visitor may read every event, and so export them.
    reads_all: bool,
    /// Where what is newer is asked for; `None` where the newest events are not shown.
    news: Option<String>,
}

pub(super) async fn show(visitor: Visitor) -> ApiResult {
    let target = &visitor.browser.target;
    let (filters, filter) = Filters::read(target);
    let offset = paging::offset(target);
    let frame = visitor.frame(Section::Audit);
    let use_cases = visitor.use_cases();
    let status = if filter.is_some() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    // Before the events are read, so that none is missing between them and what is asked for later.
    let newest = if offset == 0 && filters.is_any() { newest(&visitor).await? } else { 0 };
    let mut events = match filter {
        Some(filter) => {
            let page = paging::asked(offset);
            use_cases.audit_trail.search(visitor.caller(), filter, page).await?.events
        }
        None => Vec::new(),
    };
    let paging = Paging::cut(&mut events, offset);
    let newest = events.iter().map(|event| event.id.0).max().unwrap_or(0).max(newest);
    let has_news = offset == 0 && status == StatusCode::OK;
    let news = has_news.then(|| filters.newer(newest, frame.now));
    let page = ListPage {
        entries: events.iter().map(|event| Entry::of(event, &frame)).collect(),
        filters,
        paging,
        kinds: kinds(&frame),
        projects: visitor.projects().await?.into_iter().map(|overview| overview.project.id).collect(),
        reads_all: visitor.may::<ReadEvents>().is_ok(),
        news,
        frame,
    };
    visitor.browser.show_with(status, &page)
}

/// Returns the number of the newest event of all that the visitor may read; 0 if there is none.
async fn newest(visitor: &Visitor) -> Result<i64, ServiceError> {
    let trail = &visitor.use_cases().audit_trail;
    let page = trail.search(visitor.caller(), EventFilter::default(), Page::first(1)).await?;
    Ok(page.events.first().map_or(0, |event| event.id.0))
}

/// Returns the types of events with their titles, by title.
fn kinds(frame: &Frame) -> Vec<(&'static str, String)> {
    let titled = |kind: &EventKind| (kind.as_str(), frame.t(&title(*kind)).into_owned());
    let mut kinds: Vec<_> = EventKind::ALL.iter().map(titled).collect();
    kinds.sort_by(|one, other| one.1.cmp(&other.1));
    kinds
}

#[cfg(test)]
mod tests {
    use latchkey_http::pages::event_label;

    use super::*;
    use crate::words::Words;

    #[test]
    fn every_type_of_event_has_a_title_which_is_that_of_the_api() {
        for kind in EventKind::ALL {
            let key = title(*kind);
            for words in Words::all() {
                assert!(words.has(&key), "{} has no words for {key}", words.tag);
            }
            let english = Words::all().first().expect("English");
            assert_eq!(english.get(&key), event_label(*kind));
        }
    }
}
