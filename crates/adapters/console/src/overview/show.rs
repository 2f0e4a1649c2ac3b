//! The overview itself.

use std::collections::BTreeMap;

use askama::Template;
use latchkey_domain::{ProjectId, Reason};
use latchkey_http::pages::ApiResult;
use latchkey_ports::{Page, UsedToken};
use latchkey_service::{EventFilter, ReadInstanceTokens, ReadTokens, RecentUsage, ServiceError, UsageReport};

use super::{
    address::reach,
    tiles::{self, Tile},
};
use crate::{
    chart::Chart,
    frame::{Frame, Section},
    happened::Happened,
    tokens::{Reach, columns, projects, reads_all},
    visitor::Visitor,
};

/// The events that are shown.
const EVENTS: u32 = 10;
/// The most used tokens that are shown.
const TOP: usize = 10;

#[derive(Template)]
#[template(path = "overview/show.html")]
struct OverviewPage {
    frame: Frame,
    reach: Reach,
    root: String,
    /// The projects whose tokens the visitor may read.
    projects: Vec<ProjectId>,
    /// Whether the visitor may read the tokens of the instance.
    reads_all: bool,
    tiles: Vec<Tile>,
    chart: Chart,
    verified: u64,
    refused: u64,
    /// By the reason, as responses name it.
    reasons: Vec<(&'static str, u64)>,
    top: Vec<UsedToken>,
    events: Vec<Happened>,
}

/// What a visitor is shown who may read no tokens.
#[derive(Template)]
#[template(path = "overview/nothing.html")]
struct NothingPage {
    frame: Frame,
}

pub(super) async fn show(visitor: Visitor) -> ApiResult {
    let projects = projects(&visitor).await?;
    let frame = visitor.frame(Section::Overview);
    let Some(reach) = reach(&visitor, &projects).await? else {
        return visitor.browser.show(&NothingPage { frame });
    };
    let tiles = tiles::all(&visitor, &reach, frame.now).await?;
    let RecentUsage { report, mut top } = usage(&visitor, &reach).await?;
    top.truncate(TOP);
    let events = events(&visitor, &reach).await?;
    let reasons = reasons(&report);
    let verified = report.points.iter().map(|point| point.verified).sum();
    let refused = reasons.iter().map(|(_, count)| count).sum();
    let chart = Chart::of(frame.t("overview-per-hour").into_owned(), columns(&report, &frame));
    let root = reach.path();
    visitor.browser.show(&OverviewPage {
        frame,
        reach,
        root,
        projects,
        reads_all: reads_all(&visitor),
        tiles,
        chart,
        verified,
        refused,
        reasons,
        top,
        events,
    })
}

async fn usage(visitor: &Visitor, reach: &Reach) -> Result<RecentUsage, ServiceError> {
    let reports = &visitor.use_cases().usage_reports;
    match reach {
        Reach::Project(project) => reports.recent_in_project(&visitor.may_in::<ReadTokens>(project)?).await,
        Reach::Instance => reports.recent_in_instance(&visitor.may::<ReadInstanceTokens>()?).await,
    }
}

/// Sums the refused uses by reason, most first.
fn reasons(report: &UsageReport) -> Vec<(&'static str, u64)> {
    let mut sums = BTreeMap::<Reason, u64>::new();
    for (reason, count) in report.points.iter().flat_map(|point| &point.refused) {
        *sums.entry(*reason).or_default() += count;
    }
    let mut sums: Vec<_> = sums.into_iter().map(|(reason, count)| (reason.as_str(), count)).collect();
    sums.sort_by(|(_, one), (_, other)| other.cmp(one));
    sums
}

/// Returns the latest events that the visitor may read: of the project that the overview is about, or all. Read in an index.
async fn events(visitor: &Visitor, reach: &Reach) -> Result<Vec<Happened>, ServiceError> {
    let project = reach.project().and_then(|project| ProjectId::new(project).ok());
    let filter = EventFilter { projects: project.into_iter().collect(), ..EventFilter::default() };
    let trail = &visitor.use_cases().audit_trail;
    let found = trail.search(visitor.caller(), filter, Page::first(EVENTS)).await?;
    Ok(found.events.into_iter().map(Happened::of).collect())
}
