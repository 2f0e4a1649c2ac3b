//! `/auth/simple/login` and `/logout`

use actix_web::test::TestRequest;
use serde_json::json;

mod cross_site;
mod logout;
mod sign_in;
mod throttle;

const LOGIN: &str = "/auth/simple/login";
const LOGOUT: &str = "/logout";
const ME: &str = "/api/admin/user";

fn attempt(username: &str, password: &str) -> TestRequest {
    TestRequest::post().uri(LOGIN).set_json(json!({"username": username, "password": password}))
}

fn me() -> TestRequest {
    TestRequest::get().uri(ME)
}
