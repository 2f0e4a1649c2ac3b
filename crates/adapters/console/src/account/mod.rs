//! The visitor's own account: password, sessions, personal access tokens.

mod password;
mod sessions;
mod show;
mod tokens;

use actix_web::web::{self, ServiceConfig};

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(
        web::scope(path!("account"))
            .route("", web::get().to(show::show))
            .route("/password", web::post().to(password::change))
            .service(web::resource("/sign-out-everywhere").get(sessions::ask_all).post(sessions::end_all))
            .route("/sessions/{id}/end", web::post().to(sessions::end))
            .service(web::resource("/tokens/new").get(tokens::show_new).post(tokens::create))
            .service(web::resource("/tokens/{id}/revoke").get(tokens::ask).post(tokens::revoke)),
    );
}
