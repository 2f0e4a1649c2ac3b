//! Tokens: the list, one token, and everything that can be done to them, in one project or in all.
//!
//! Both have the same pages. [`reach::Reach`] says which tokens a page is about and calls the use cases for them. A list can also be
//! of all projects that the visitor may read ([`listing::Listing`]); each of its tokens leads to the pages of a project.

mod change;
mod create;
mod end;
pub(crate) mod expiry;
mod export;
mod list;
mod listing;
mod one;
mod projects;
mod reach;
mod rotate;
mod secret;
mod selection;
mod snippets;

use actix_web::web::{self, ServiceConfig};

pub(crate) use self::{
    list::Row,
    one::columns,
    projects::{projects, reads_all},
    reach::Reach,
};

/// The pages of the tokens of all projects, and of one.
const PLACES: [&str; 2] = [path!("tokens"), path!("projects/{projectId}/tokens")];

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.route(path!("choices/projects"), web::get().to(projects::offer));
    for place in PLACES {
        config.service(
            web::scope(place)
                .route("", web::get().to(list::show))
                .route("/export.csv", web::get().to(export::csv))
                .service(web::resource("/new").get(create::show).post(create::create))
                .route("/selected", web::post().to(selection::act))
                .route("/{token}", web::get().to(one::show))
                .service(web::resource("/{token}/edit").get(change::show).post(change::change))
                .service(web::resource("/{token}/rotate").get(rotate::show).post(rotate::rotate))
                .service(web::resource("/{token}/revoke").get(end::show).post(end::revoke))
                .route("/{token}/enabled", web::post().to(end::enable)),
        );
    }
}
