//! `GET …/api-tokens/{token}`

use actix_web::test::TestRequest;
use latchkey_domain::{ProjectScope, ProjectSet, TokenAccess, TokenKind};
use latchkey_service::Reveal;
use latchkey_testkit::{
    app::{As, TOKENS, TestApp},
    samples::{access, project_id},
};

use crate::expectations::{READERS, only};

fn of_default() -> TokenAccess {
    access(TokenKind::Client, ProjectScope::one(project_id("default")))
}

#[actix_web::test]
async fn a_token_is_found_by_its_secret_and_by_its_id() {
    let app = TestApp::new().await;
    let (secret, token_id) = app.token_and_id(of_default()).await;
    app.clock.advance(std::time::Duration::from_secs(1));
    app.token(of_default()).await;
    let listed = app.get(As::Member, TOKENS).await.json()["tokens"][0].clone();
    let escaped = secret.replace(':', "%3A").replace('.', "%2E");
    for reference in [secret.as_str(), &escaped, &token_id, &token_id.to_uppercase()] {
        let answer = app.get(As::Member, &format!("{TOKENS}/{reference}")).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, listed.clone()), "{reference}");
        assert!(answer.header("etag").is_some());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let head = TestRequest::with_uri(&format!("{TOKENS}/{token_id}")).method(actix_web::http::Method::HEAD);
    assert_eq!(app.send(As::Member, head).await.status, 200);
}

#[actix_web::test]
async fn a_token_of_several_projects_is_found_in_each() {
    let app = TestApp::new().await;
    let both = ProjectSet::new(["default", "elsewhere"].map(project_id)).expect("two");
    let token = app.token(access(TokenKind::Client, ProjectScope::Only(both))).await;
    for (who, project) in [(As::Member, "default"), (As::MemberElsewhere, "elsewhere")] {
        let path = format!("/api/admin/projects/{project}/api-tokens/{token}");
        assert_eq!(app.get(who, &path).await.status, 200, "{project}");
    }
}

#[actix_web::test]
async fn a_show_once_token_hides_its_secret_from_its_holder() {
    let app = TestApp::with(|settings| settings.use_cases.tokens.reveal = Reveal::Once).await;
    let (secret, token_id) = app.token_and_id(of_default()).await;
    let answer = app.get(As::Admin, &format!("{TOKENS}/{secret}")).await;
    assert_eq!(answer.json()["secret"], token_id);
    assert_eq!(answer.json()["secure"], true);
}

#[actix_web::test]
async fn tokens_that_are_not_here_are_not_found() {
    let app = TestApp::new().await;
    let everywhere = app.token(access(TokenKind::Client, ProjectScope::All)).await;
    let (elsewhere, elsewhere_id) =
        app.token_and_id(access(TokenKind::Client, ProjectScope::one(project_id("elsewhere")))).await;
    let (here, _) = app.token_and_id(of_default()).await;
    let admin = app.secret_of(As::Admin).expect("signed in").to_owned();
    let personal = app.secret_of(As::Root).expect("signed in").to_owned();
    for token in [
        everywhere.as_str(),
        &elsewhere,
        &elsewhere_id,
        &admin,
        &personal,
        "nosuch",
        "9c40958a-daac-400e-98fb-3bb438567008",
        "%C3%A9:*.unleash4all",
        "a%20b",
        "%20",
        &"x".repeat(2_000),
    ] {
        app.get(As::Admin, &format!("{TOKENS}/{token}")).await.is(404, "NotFoundError");
    }
    for project in ["nosuch", "a%20b"] {
        let path = format!("/api/admin/projects/{project}/api-tokens/{here}");
        app.get(As::Admin, &path).await.is(404, "NotFoundError");
    }
    for unreadable in ["%FF", "a%00b"] {
        app.get(As::Admin, &format!("{TOKENS}/{unreadable}")).await.is(400, "BadDataError");
    }
}

#[actix_web::test]
async fn only_those_who_may_read_the_projects_tokens_may() {
    let app = TestApp::new().await;
    let token = app.token(of_default()).await;
    only(&app, READERS, 200, || TestRequest::get().uri(&format!("{TOKENS}/{token}"))).await;
    only(&app, READERS, 404, || TestRequest::get().uri(&format!("{TOKENS}/nosuch"))).await;
}
