//! Requests of any kind: bodies of every route, queries, paths, cookies, credentials, `X-Forwarded-*` and `Forwarded`.
//!
//! The input is a request as text: a line with the method and the target, lines with headers, an empty line, the body. Whatever
//! it is, it is answered, and the answer is no 500.
#![no_main]

use std::{cell::RefCell, future::Future, net::SocketAddr, pin::Pin, rc::Rc};

use actix_http::{HttpMessage as _, Method, Request, Uri, header};
use actix_web::{
    HttpResponse,
    body::{BoxBody, to_bytes},
    dev::Service as _,
    rt::{System, SystemRunner},
    test::TestRequest,
};
use latchkey_testkit::app::{As, TestApp};
use libfuzzer_sys::fuzz_target;

/// After so many requests, the application begins anew: it holds no more than they have created.
const REQUESTS_OF_ONE_APP: u32 = 20_000;

type Response = Pin<Box<dyn Future<Output = HttpResponse<BoxBody>>>>;

/// An application, and the admin token for requests without credentials.
struct Server {
    admin: header::HeaderValue,
    send: Box<dyn Fn(Request) -> Response>,
    requests: u32,
}

thread_local! {
    static SYSTEM: SystemRunner = System::new();
    static SERVER: RefCell<Option<Server>> = const { RefCell::new(None) };
}

fuzz_target!(|input: &[u8]| {
    let Some(request) = request(input) else { return };
    SYSTEM.with(|system| {
        SERVER.with_borrow_mut(|server| {
            let started = server.get_or_insert_with(|| system.block_on(start()));
            system.block_on(started.check(request));
            if started.requests == REQUESTS_OF_ONE_APP {
                *server = None;
            }
        });
    });
});

/// Starts an application that trusts the proxy that sends the requests.
async fn start() -> Server {
    let app = TestApp::with(|settings| {
        settings.http.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
        settings.use_cases.index.unknown_per_second = u32::MAX;
    })
    .await;
    let secret = app.secret_of(As::Admin).expect("the admin token");
    let admin = header::HeaderValue::from_str(secret).expect("a header");
    let service = Rc::new(app.service().await);
    let send = move |request| -> Response {
        let service = Rc::clone(&service);
        Box::pin(async move {
            let response = service.call(request).await;
            response.map_or_else(|error| error.error_response(), |response| response.into_parts().1)
        })
    };
    Server { admin, send: Box::new(send), requests: 0 }
}

impl Server {
    /// Sends a request, as an administrator if it has no credentials.
    async fn check(&mut self, mut request: Request) {
        self.requests += 1;
        if !request.headers().contains_key(header::AUTHORIZATION) {
            request.headers_mut().insert(header::AUTHORIZATION, self.admin.clone());
        }
        let response = (self.send)(request).await;
        let status = response.status();
        let body = to_bytes(response.into_body()).await;
        assert_ne!(status.as_u16(), 500, "{body:?}");
    }
}

/// Reads the input; `None` if no HTTP server passes such a request on.
fn request(input: &[u8]) -> Option<Request> {
    let (head, body) = split(input, b"\n\n").unwrap_or((input, b""));
    let mut lines = head.split(|byte| *byte == b'\n');
    let (method, target) = split(lines.next()?, b" ")?;
    let uri = Uri::try_from(target).ok().filter(|uri| uri.path().starts_with('/'))?;
    let proxy = SocketAddr::from(([127, 0, 0, 1], 4_000));
    let mut request = TestRequest::default().method(Method::from_bytes(method).ok()?).peer_addr(proxy);
    request = request.uri(&uri.to_string()).set_payload(body.to_vec());
    for line in lines {
        let (name, value) = split(line, b": ")?;
        let name = header::HeaderName::from_bytes(name).ok()?;
        request = request.append_header((name, header::HeaderValue::from_bytes(value).ok()?));
    }
    Some(request.to_request())
}

fn split<'b>(bytes: &'b [u8], at: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let found = bytes.windows(at.len()).position(|window| window == at)?;
    Some((&bytes[..found], &bytes[found + at.len()..]))
}
