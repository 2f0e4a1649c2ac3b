//! `DELETE …/api-tokens/{token}`

use latchkey_domain::{ProjectScope, ProjectSet, TokenAccess, TokenKind};
use latchkey_testkit::{
    app::{As, TOKENS, TestApp},
    samples::{access, project_id},
};

fn of_default() -> TokenAccess {
    access(TokenKind::Client, ProjectScope::one(project_id("default")))
}

#[actix_web::test]
async fn a_token_is_deleted_once_by_its_secret_as_it_is_or_escaped() {
    let app = TestApp::new().await;
    for escape in [false, true] {
        let secret = app.token(of_default()).await;
        let path = if escape { secret.replace(':', "%3A").replace('.', "%2E") } else { secret };
        let answer = app.delete(As::Member, &format!("{TOKENS}/{path}")).await;
        assert_eq!((answer.status.as_u16(), answer.bytes.len()), (200, 0));
        app.delete(As::Member, &format!("{TOKENS}/{path}")).await.is(404, "NotFoundError");
    }
}

#[actix_web::test]
async fn tokens_that_are_not_here_are_not_found() {
    let app = TestApp::new().await;
    let everywhere = app.token(access(TokenKind::Client, ProjectScope::All)).await;
    let elsewhere = app.token(access(TokenKind::Client, ProjectScope::one(project_id("elsewhere")))).await;
    let admin = app.secret_of(As::Admin).expect("signed in").to_owned();
    for token in [everywhere.as_str(), &elsewhere, &admin, "nosuch", "%C3%A9:*.unleash4all", "a%20b"] {
        app.delete(As::Admin, &format!("{TOKENS}/{token}")).await.is(404, "NotFoundError");
    }
    for token in ["%FF", "%00"] {
        app.delete(As::Admin, &format!("{TOKENS}/{token}")).await.is(400, "BadDataError");
    }
}

#[actix_web::test]
async fn a_token_of_several_projects_is_not_this_projects_to_delete() {
    let app = TestApp::new().await;
    let both = ProjectSet::new(["default", "elsewhere"].map(project_id)).expect("two");
    let token = app.token(access(TokenKind::Client, ProjectScope::Only(both))).await;
    app.delete(As::Admin, &format!("{TOKENS}/{token}")).await.is(400, "BadDataError");
}

#[actix_web::test]
async fn a_deleted_admin_token_is_refused_at_once() {
    let app = TestApp::new().await;
    let secret = app.token(of_default()).await;
    let path = format!("{TOKENS}/{secret}");
    app.delete(As::Viewer, &path).await.is(403, "NoAccessError");
    app.delete(As::MemberElsewhere, &path).await.is(403, "NoAccessError");
    app.delete(As::Anonymous, &path).await.is(401, "AuthenticationRequired");
    assert_eq!(app.delete(As::Editor, &path).await.status, 200);
}
