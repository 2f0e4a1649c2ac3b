//! Lists of tokens that are too long for one portion.

use std::{pin::pin, task::Poll};

use actix_web::{
    body::{BodySize, MessageBody},
    http::Method,
    test::TestRequest,
};
use futures_util::{future::poll_fn, poll};
use latchkey_domain::{Actor, ApiToken, EventKind, NewEvent, Origin, ProjectScope, TokenId, TokenKind};
use latchkey_ports::{KeyId, Quota, SecretDigest, SecretRecord, StoredToken};
use latchkey_service::TokenFilter;
use latchkey_testkit::{
    app::{As, TOKENS, TestApp},
    samples::{access, api_token, project_id, timestamp},
};
use serde_json::json;

const ALL: &str = "/api/admin/api-tokens";

/// An application with this many frontend tokens that show no secret.
async fn app_with(tokens: u64, projects: ProjectScope) -> TestApp {
    let app = TestApp::new().await;
    let at = timestamp(1);
    let access = access(TokenKind::Frontend, projects);
    for number in 0..tokens {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_be_bytes());
        let mut entropy = [0; 10];
        entropy[2..].copy_from_slice(&number.to_be_bytes());
        let token = ApiToken { id: TokenId::new(at, entropy), access: access.clone(), ..api_token(at) };
        let secret = SecretRecord { digest: SecretDigest(digest), key: KeyId([0; 4]), sealed: None };
        let event = NewEvent::new(EventKind::ApiTokenCreated, Actor::System, Origin::default(), at);
        let stored = StoredToken { token, secret, alias: None };
        app.store.create_token(&stored, Quota(u64::MAX), &event).await.expect("stored");
    }
    app
}

/// Reads a body to its end. Returns its parts, and how often it let other tasks run.
async fn read(body: impl MessageBody) -> (Vec<Vec<u8>>, usize) {
    let (mut parts, mut yields) = (Vec::new(), 0);
    let mut body = pin!(body);
    poll_fn(|context| {
        while let Poll::Ready(part) = body.as_mut().poll_next(context) {
            match part {
                None => return Poll::Ready(()),
                Some(part) => parts.push(part.ok().expect("a part").to_vec()),
            }
        }
        yields += 1;
        Poll::Pending
    })
    .await;
    (parts, yields)
}

#[actix_web::test]
async fn a_list_of_100_000_tokens_leaves_the_worker_to_other_requests_and_takes_bounded_memory() {
    const TOKENS: usize = 100_000;
    // The application has a frontend token of its own.
    let app = app_with(TOKENS as u64 - 1, ProjectScope::All).await;
    let portion = usize::try_from(TokenFilter::MAX).expect("few");
    let portions = TOKENS.div_ceil(portion);

    // The list is read once for its tag, before the status is sent.
    let mut list =
        pin!(app.respond(As::Admin, TestRequest::get().uri("/api/admin/api-tokens?type=frontend")));
    let mut yields = 0;
    let response = loop {
        match poll!(&mut list) {
            Poll::Ready(response) => break response,
            Poll::Pending if yields % 20 == 0 => {
                assert_eq!(app.get(As::Anonymous, "/health").await.status, 200, "a request meanwhile");
            }
            Poll::Pending => {}
        }
        yields += 1;
    };
    // The time limit of handlers polls once more before it lets other tasks run.
    assert!(yields >= portions - 2, "{yields} turns for others");
    assert_eq!(response.status(), 200);

    let body = response.into_body();
    assert_eq!(body.size(), BodySize::Stream);
    let (parts, yields) = read(body).await;
    assert_eq!(parts.len(), portions, "one part for each portion");
    assert!(yields >= portions - 1, "{yields} turns for others");
    let tokens_of = |part: &[u8]| String::from_utf8_lossy(part).matches(r#""tokenName":"#).count();
    assert!(parts.iter().all(|part| tokens_of(part) <= portion));
    let text = parts.concat();
    assert!(text.starts_with(br#"{"tokens":[{"#) && text.ends_with(b"}]}"));
    assert_eq!(tokens_of(&text), TOKENS);
}

#[actix_web::test]
async fn a_streamed_list_reads_like_its_pages() {
    let app = app_with(2_100, ProjectScope::one(project_id("default"))).await;
    for (path, filter) in [(TOKENS, ""), (ALL, "type=frontend&project=default")] {
        let mut pages = Vec::new();
        for offset in [0, 1_000, 2_000] {
            let page = app.get(As::Admin, &format!("{path}?{filter}&limit=1000&offset={offset}")).await;
            pages.extend(page.json()["tokens"].as_array().expect("tokens").clone());
        }
        assert_eq!(pages.len(), 2_100);
        let answer = app.get(As::Admin, &format!("{path}?{filter}")).await;
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.json(), json!({"tokens": pages}), "{path}");

        let answer = app.get(As::Admin, &format!("{path}?{filter}&offset=50")).await;
        assert_eq!(answer.json(), json!({"tokens": pages[50..], "nextCursor": null}), "{path}");
        // All names are equal, so the order is that of ids.
        let answer = app.get(As::Admin, &format!("{path}?{filter}&sortBy=tokenName")).await;
        assert_eq!(answer.json(), json!({"tokens": pages}), "{path}");
        pages.reverse();
        let answer = app.get(As::Admin, &format!("{path}?{filter}&sortOrder=desc")).await;
        assert_eq!(answer.json(), json!({"tokens": pages}), "{path}");
    }
}

#[actix_web::test]
async fn a_streamed_list_that_the_client_has_is_a_304() {
    let app = app_with(1_100, ProjectScope::one(project_id("default"))).await;
    let get = || TestRequest::get().uri(TOKENS);
    let list = app.send(As::Admin, get()).await;
    let tag = list.header("etag").expect("a tag").to_owned();
    let length = format!("W/\"{:x}-", list.bytes.len());
    assert!(tag.starts_with(&length), "{tag} of {} bytes", list.bytes.len());

    let known = app.send(As::Admin, get().insert_header(("if-none-match", tag.clone()))).await;
    assert_eq!((known.status.as_u16(), known.bytes.len()), (304, 0));
    assert_eq!(known.header("etag"), Some(tag.as_str()));

    let head = app.respond(As::Admin, get().method(Method::HEAD)).await;
    assert_eq!(head.headers().get("etag").expect("a tag"), tag.as_str());
    assert_eq!(head.into_body().size(), BodySize::Sized(list.bytes.len() as u64), "and nothing is read");

    app.store
        .record_token_use(&[(TokenId::new(timestamp(1), [0; 10]), timestamp(2))])
        .await
        .expect("recorded");
    let changed = app.send(As::Admin, get().insert_header(("if-none-match", tag))).await;
    assert_eq!(changed.status, 200, "it changed");
}
