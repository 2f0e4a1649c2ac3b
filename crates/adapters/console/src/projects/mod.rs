//! Projects: the list, one project, and everything that can be done to it, its members and its policy.
//!
//! The tokens of a project are in `tokens`, whose scope `/console/projects/{projectId}/tokens` is registered before these routes.

mod change;
mod create;
mod end;
mod list;
mod member;
mod members;
mod one;
mod policy;

use actix_web::web::{self, ServiceConfig};
use latchkey_domain::{ProjectId, ProjectMode};
use latchkey_http::pages::{ApiError, PathParameters};

use crate::frame::Frame;

const LIST: &str = path!("projects");

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .route(LIST, web::get().to(list::show))
        // Not within `projects`: a project can have any id.
        .service(web::resource(path!("new-project")).get(create::show).post(create::create))
        .route(path!("projects/{projectId}"), web::get().to(one::show))
        .service(web::resource(path!("projects/{projectId}/edit")).get(change::show).post(change::change))
        .route(path!("projects/{projectId}/archive"), web::post().to(end::archive))
        .route(path!("projects/{projectId}/revive"), web::post().to(end::revive))
        .service(web::resource(path!("projects/{projectId}/delete")).get(end::ask).post(end::delete))
        .route(path!("projects/{projectId}/environments"), web::post().to(one::add_environment))
        .route(
            path!("projects/{projectId}/environments/{environment}/remove"),
            web::post().to(one::remove_environment),
        )
        .route(path!("projects/{projectId}/members"), web::get().to(members::show))
        .service(
            web::resource(path!("projects/{projectId}/members/add")).get(members::choose).post(members::add),
        )
        .service(
            web::resource(path!("projects/{projectId}/members/{kind}/{holder}"))
                .get(member::show)
                .post(member::change),
        )
        .route(path!("projects/{projectId}/members/{kind}/{holder}/remove"), web::post().to(member::remove))
        .service(web::resource(path!("projects/{projectId}/policy")).get(policy::show).post(policy::set));
}

/// Returns where the page of a project is.
pub(crate) fn root(project: &ProjectId) -> String {
    format!("{LIST}/{}", crate::page::escaped(project.as_str()))
}

/// Returns the id that the path names, which may be that of no project.
fn id(path: &PathParameters) -> Result<String, ApiError> {
    path.text("projectId")
}

/// Which users see a project, as forms offer it.
struct Mode {
    value: &'static str,
    label: String,
    hint: String,
}

impl Mode {
    fn of(frame: &Frame, mode: ProjectMode) -> Self {
        let (label, hint) = match mode {
            ProjectMode::Open => ("project-open", "project-open-hint"),
            ProjectMode::Protected => ("project-protected", "project-protected-hint"),
            ProjectMode::Private => ("project-private", "project-private-hint"),
        };
        Self { value: mode.as_str(), label: frame.t(label).into_owned(), hint: frame.t(hint).into_owned() }
    }

    fn all(frame: &Frame) -> Vec<Self> {
        ProjectMode::ALL.iter().map(|mode| Self::of(frame, *mode)).collect()
    }
}
