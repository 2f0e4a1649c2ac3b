//! What the tests of pages do to an application: ask for pages, and send forms.

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, Response, TestApp};

/// Asks for a page that is there, and returns its text.
pub(crate) async fn page(app: &TestApp, who: As, path: &str) -> String {
    text(&app.get(who, path).await, 200)
}

/// Sends a form.
pub(crate) async fn form(app: &TestApp, who: As, path: &str, fields: &[(&str, &str)]) -> Response {
    app.send(who, TestRequest::post().uri(path).set_form(fields)).await
}

/// Returns the text of a page with this status.
#[track_caller]
pub(crate) fn text(response: &Response, status: u16) -> String {
    let text = response.text();
    assert_eq!(response.status.as_u16(), status, "{text}");
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"), "{text}");
    let policy = response.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
    text
}

/// Returns where a response leads to.
#[track_caller]
pub(crate) fn leads_to(response: &Response) -> String {
    assert_eq!(response.status.as_u16(), 303, "{}", response.text());
    response.header("location").expect("a location").to_owned()
}

/// Returns the text between two others in a page.
#[track_caller]
pub(crate) fn between<'p>(page: &'p str, start: &str, end: &str) -> &'p str {
    let (_, rest) = page.split_once(start).unwrap_or_else(|| panic!("no {start} in {page}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no {end} after {start}")).0
}
