//! Which clients and requests are refused, and with which error.

use latchkey_testkit::{
    env::Store,
    raw_http::Request,
    server::{TOKENS, percent_encoded},
};
use serde_json::json;

use super::fixtures::{FIRST, Fixture};
use crate::refusals::assert_refused;

fn all_routes(project: &str) -> [(&'static str, String); 3] {
    let tokens = format!("/api/admin/projects/{project}/api-tokens");
    [("GET", tokens.clone()), ("POST", tokens.clone()), ("DELETE", format!("{tokens}/x"))]
}

pub(super) fn listing_is_refused_to_other_clients(store: Store) {
    let fixture = Fixture::on(store);
    for (method, target) in all_routes("default") {
        let anonymous = fixture.server.send(&Request::new(method, &target));
        assert_refused(&anonymous, 401, "AuthenticationRequired", &["/auth/simple/login"], method);
        let body = anonymous.json();
        assert_eq!((&body["path"], &body["type"]), (&json!("/auth/simple/login"), &json!("password")));
        assert_eq!(anonymous.header("www-authenticate"), Some("Bearer"));
        let unknown = fixture.server.send(&Request::new(method, &target).by("default:development.unknown"));
        assert_refused(&unknown, 401, "UnauthorizedError", &[], method);
        assert_eq!(unknown.header("www-authenticate"), Some("Bearer"));
        let client = fixture.server.send(&Request::new(method, &target).by(FIRST));
        assert_refused(
            &client,
            403,
            "NoAccessError",
            &["invalid token: expected a different token type for this endpoint"],
            method,
        );
    }
    let unknown_project = fixture.server.as_admin(Request::get("/api/admin/projects/nope/api-tokens"));
    assert_refused(&unknown_project, 404, "NotFoundError", &["nope"], "an unknown project");
}

pub(super) fn a_missing_permission_is_named_and_tells_nothing_else(store: Store) {
    let fixture = Fixture::on(store);
    let others = fixture.others.as_ref().expect("users");
    for project in ["default", "nope"] {
        for ((method, target), permission) in all_routes(project)
            .into_iter()
            .zip(["READ", "CREATE", "DELETE"].map(|verb| format!("{verb}_PROJECT_API_TOKEN")))
        {
            for caller in [&others.viewer, &others.member_of_p2] {
                let answer = fixture.server.send(&Request::new(method, &target).by(caller));
                let message = format!(
                    "You need the \\\"{permission}\\\" permission to perform this action in the \\\"{project}\\\" project."
                );
                assert_refused(&answer, 403, "NoAccessError", &[&message], method);
                assert_eq!(answer.json()["permissions"], json!([permission]));
            }
        }
    }
    let of_p2 = Request::get("/api/admin/projects/p2/api-tokens").by(&others.member_of_p2);
    let listed = fixture.server.send(&of_p2);
    assert_eq!((listed.status, listed.json()["tokens"][0]["tokenName"].as_str()), (200, Some("two")));
}

pub(super) fn other_methods_and_routes_are_refused(store: Store) {
    let fixture = Fixture::on(store);
    let item = format!("{TOKENS}/{}", percent_encoded(FIRST));
    for (method, target, allowed) in [
        ("PUT", TOKENS, &["GET", "HEAD", "POST"][..]),
        ("PATCH", TOKENS, &["GET", "HEAD", "POST"]),
        ("DELETE", TOKENS, &["GET", "HEAD", "POST"]),
        ("PUT", &item, &["GET", "HEAD", "DELETE"]),
        ("POST", &item, &["GET", "HEAD", "DELETE"]),
    ] {
        let answer = fixture.server.as_admin(Request::new(method, target));
        assert_refused(&answer, 405, "MethodNotAllowedError", &[], &format!("{method} {target}"));
        let allow = answer.header("allow").unwrap_or_default();
        assert!(allowed.iter().all(|method| allow.contains(method)), "{method} {target}: Allow: {allow}");
    }
    for target in [
        "/nope",
        "/api/admin/nope",
        "/api/admin/projects/default/API-TOKENS",
        "/api//admin/projects/default/api-tokens",
    ] {
        assert_refused(&fixture.server.as_admin(Request::get(target)), 404, "NotFoundError", &[], target);
    }
    let head = fixture.server.as_admin(Request::new("HEAD", TOKENS));
    let get = fixture.server.as_admin(Request::get(TOKENS));
    assert_eq!((head.status, head.text().as_str()), (200, ""));
    assert_eq!(head.header("content-length"), Some(get.body.len().to_string().as_str()));
}
