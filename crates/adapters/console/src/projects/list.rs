//! The list of projects, and that of the archived ones.

use askama::Template;
use latchkey_domain::Permission;
use latchkey_http::pages::ApiResult;
use latchkey_ports::{Page, ProjectOverview};
use latchkey_service::{CreateProjects, ReadTokens};

use super::address::{LIST, root};
use crate::{
    frame::{Frame, Section, query_value},
    visitor::Visitor,
};

/// The projects on a page.
const SHOWN: u32 = 50;
/// How many characters of a description are shown.
const DESCRIBED: usize = 120;

#[derive(Template)]
#[template(path = "projects/list.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    is_archived: bool,
    offset: u64,
    has_more: bool,
    may_create: bool,
}

/// A project in the list.
struct Row {
    overview: ProjectOverview,
    root: String,
    /// The beginning of its description.
    description: String,
    /// Whether the visitor may read its tokens, and its members.
    has_tokens: bool,
    has_members: bool,
}

impl ListPage {
    /// Returns the address of the page that begins there.
    fn at(&self, offset: u64) -> String {
        let archived = self.is_archived.then(|| "archived=true".to_owned());
        let offset = (offset > 0).then(|| format!("offset={offset}"));
        let query: Vec<_> = archived.into_iter().chain(offset).collect();
        if query.is_empty() { LIST.to_owned() } else { format!("{LIST}?{}", query.join("&")) }
    }

    fn before(&self) -> String {
        self.at(self.offset.saturating_sub(SHOWN.into()))
    }

    fn next(&self) -> String {
        self.at(self.offset.saturating_add(SHOWN.into()))
    }

    /// Returns the place of the last project that is shown.
    fn last(&self) -> u64 {
        self.offset.saturating_add(self.rows.len().try_into().unwrap_or(u64::MAX))
    }
}

pub(super) async fn show(visitor: Visitor) -> ApiResult {
    let target = &visitor.browser.target;
    let is_archived = query_value(target, "archived").as_deref() == Some("true");
    let offset = query_value(target, "offset").and_then(|offset| offset.parse().ok()).unwrap_or(0);
    // One more than is shown says whether there are more.
    let page = Page { limit: Some(SHOWN + 1), offset };
    let mut projects = visitor.use_cases().projects.list(visitor.caller(), is_archived, page).await?;
    let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
    let has_more = projects.len() > shown;
    projects.truncate(shown);
    let row = |overview: ProjectOverview| {
        let id = &overview.project.id;
        Row {
            root: root(id),
            description: beginning(overview.project.description.as_str()),
            has_tokens: visitor.may_in::<ReadTokens>(id.as_str()).is_ok(),
            has_members: visitor.has_in(Permission::UpdateProject, id),
            overview,
        }
    };
    visitor.browser.show(&ListPage {
        frame: visitor.frame(Section::Projects),
        rows: projects.into_iter().map(row).collect(),
        is_archived,
        offset,
        has_more,
        may_create: visitor.may::<CreateProjects>().is_ok(),
    })
}

/// Returns the beginning of a text, whole if it is short.
fn beginning(text: &str) -> String {
    match text.char_indices().nth(DESCRIBED) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text).trim_end()),
        None => text.to_owned(),
    }
}
