//! The list of projects, and that of the archived ones.

use askama::Template;
use latchkey_domain::Permission;
use latchkey_http::pages::ApiResult;
use latchkey_ports::ProjectOverview;
use latchkey_service::{CreateProjects, ReadTokens};

use super::address::{LIST, root};
use crate::{
    frame::{Frame, Section, query_value},
    paging::{self, Paging},
    paths::with_query,
    visitor::Visitor,
};

/// How many characters of a description are shown.
const DESCRIBED: usize = 120;

#[derive(Template)]
#[template(path = "projects/list.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    is_archived: bool,
    paging: Paging,
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
        let archived = self.is_archived.then(|| ("archived", "true".to_owned()));
        let offset = (offset > 0).then(|| ("offset", offset.to_string()));
        with_query(LIST, archived.into_iter().chain(offset))
    }
}

pub(super) async fn show(visitor: Visitor) -> ApiResult {
    let target = &visitor.browser.target;
    let is_archived = query_value(target, "archived").as_deref() == Some("true");
    let offset = paging::offset(target);
    let list = &visitor.use_cases().projects;
    let mut projects = list.list(visitor.caller(), is_archived, paging::asked(offset)).await?;
    let paging = Paging::cut(&mut projects, offset);
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
        paging,
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
