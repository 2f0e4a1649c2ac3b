//! `GET /.well-known/latchkey-secret-pattern`

use latchkey_domain::SECRET_PATTERN;
use latchkey_testkit::app::{As, TestApp};

const PATH: &str = "/.well-known/latchkey-secret-pattern";

#[actix_web::test]
async fn the_pattern_is_plain_text_that_caches_may_keep() {
    let app = TestApp::new().await;
    let answer = app.get(As::Anonymous, PATH).await;
    assert_eq!((answer.status.as_u16(), &*answer.text()), (200, SECRET_PATTERN));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("public, max-age=86400"));
}
