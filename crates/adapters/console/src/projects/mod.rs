//! Projects: the list, one project, and everything that can be done to it, its members and its policy.
//!
//! The tokens of a project are in `tokens`, whose scope `/console/projects/{projectId}/tokens` is registered before these routes.

mod address;
mod change;
mod create;
mod end;
mod list;
mod member;
mod members;
mod mode;
mod one;
mod policy;

use actix_web::web::{self, ServiceConfig};

use self::address::LIST;

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
