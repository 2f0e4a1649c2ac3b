//! Users, service accounts, groups and roles, each under a tab of its own.
//!
//! Users and service accounts are accounts of two kinds: they have the same list (`accounts`) and the same form
//! (`account_form`). `question` asks before something is deleted, and `matrix` shows permissions as rows.

mod account_form;
mod accounts;
mod group_form;
mod groups;
mod matrix;
mod names;
mod place;
mod question;
mod role_form;
mod roles;
mod service_accounts;
mod tabs;
mod tokens;
mod users;

use actix_web::web::{self, ServiceConfig};

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(
        web::scope(path!("people"))
            .route("", web::get().to(tabs::first))
            .configure(configure_accounts)
            .configure(configure_groups)
            .configure(configure_roles),
    );
}

fn configure_accounts(config: &mut ServiceConfig) {
    config
        .route("/users", web::get().to(accounts::users))
        .service(web::resource("/users/new").get(users::new).post(users::create))
        .route("/users/{id}", web::get().to(users::show))
        .service(web::resource("/users/{id}/edit").get(users::edit).post(users::update))
        .service(web::resource("/users/{id}/password").get(users::password).post(users::set_password))
        .service(web::resource("/users/{id}/delete").get(users::ask).post(users::delete))
        .route("/service-accounts", web::get().to(accounts::service_accounts))
        .service(
            web::resource("/service-accounts/new").get(service_accounts::new).post(service_accounts::create),
        )
        .route("/service-accounts/{id}", web::get().to(service_accounts::show))
        .service(
            web::resource("/service-accounts/{id}/edit")
                .get(service_accounts::edit)
                .post(service_accounts::update),
        )
        .service(
            web::resource("/service-accounts/{id}/delete")
                .get(service_accounts::ask)
                .post(service_accounts::delete),
        )
        .service(web::resource("/service-accounts/{id}/tokens/new").get(tokens::new).post(tokens::create))
        .service(
            web::resource("/service-accounts/{id}/tokens/{token}/revoke")
                .get(tokens::ask)
                .post(tokens::revoke),
        );
}

fn configure_groups(config: &mut ServiceConfig) {
    config
        .route("/groups", web::get().to(groups::list))
        .service(web::resource("/groups/new").get(group_form::new).post(group_form::create))
        .route("/groups/{id}", web::get().to(groups::show))
        .service(web::resource("/groups/{id}/edit").get(group_form::edit).post(group_form::update))
        .service(web::resource("/groups/{id}/delete").get(groups::ask).post(groups::delete))
        .route("/groups/{id}/members", web::post().to(groups::add_member))
        .route("/groups/{id}/members/{user}/remove", web::post().to(groups::remove_member));
}

fn configure_roles(config: &mut ServiceConfig) {
    config
        .route("/roles", web::get().to(roles::list))
        .service(web::resource("/roles/new").get(role_form::new).post(role_form::create))
        .route("/roles/{id}", web::get().to(roles::show))
        .service(web::resource("/roles/{id}/edit").get(role_form::edit).post(role_form::update))
        .service(web::resource("/roles/{id}/delete").get(roles::ask).post(roles::delete));
}
