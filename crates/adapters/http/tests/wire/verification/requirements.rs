//! The requirements of a gateway for a token, in the query and in headers.

use actix_web::{
    http::header::{HeaderName, HeaderValue},
    test::TestRequest,
};
use latchkey_domain::{ProjectScope, TokenAccess, TokenKind};
use latchkey_testkit::{
    app::{As, Response, TestApp},
    samples::{access, project_id},
};

use super::Secrets;
use crate::expectations::faults;

/// The client token's own scope is `default` in `development`.
const MET_AND_NOT: [(&str, &str, &str); 3] = [
    ("project", "default", "elsewhere"),
    ("environment", "development", "production"),
    ("type", "client", "frontend"),
];

/// Verifies a token with these requirement headers (`project` and so on) and that path.
async fn ask(app: &TestApp, secret: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = TestRequest::get().uri(path);
    for (name, value) in headers {
        let name: HeaderName = format!("x-latchkey-require-{name}").parse().expect("a name");
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
        request = request.append_header((name, value));
    }
    app.send_by(secret, request).await
}

#[actix_web::test]
async fn each_is_met_or_not_by_query_and_by_header() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    for (name, met, unmet) in MET_AND_NOT {
        for (value, status) in [(met, 200), (unmet, 403)] {
            let by_query = ask(&app, &good, &format!("/auth/verify?{name}={value}"), &[]).await;
            assert_eq!(by_query.status.as_u16(), status, "?{name}={value}");
            for path in ["/auth/verify", "/auth/verify/", "/auth/verify/request/x"] {
                let by_header = ask(&app, &good, path, &[(name, value)]).await;
                assert_eq!(by_header.status.as_u16(), status, "{path}, {name}: {value}");
            }
        }
    }
    let all = "/auth/verify?project=default&environment=development&type=CLIENT&other=passed-over";
    assert_eq!(ask(&app, &good, all, &[]).await.status, 200);
}

#[actix_web::test]
async fn a_refusal_says_what_the_token_is_not_good_for() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    let mut messages = Vec::new();
    for (name, _, unmet) in MET_AND_NOT {
        let answer = ask(&app, &good, &format!("/auth/verify?{name}={unmet}"), &[]).await;
        answer.is(403, "OperationDeniedError");
        assert_eq!(answer.header("x-latchkey-token-name"), None);
        messages.push(answer.json()["message"].clone());
    }
    insta::assert_json_snapshot!(messages, @r#"
    [
      "This token is not good for the project \"elsewhere\".",
      "This token is not good for the environment \"production\".",
      "This is a client token; a frontend token is needed."
    ]
    "#);
}

#[actix_web::test]
async fn requirements_in_two_places_must_both_be_met() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    for (name, met, unmet) in MET_AND_NOT {
        for (query, header, status) in [(met, met, 200), (met, unmet, 403), (unmet, met, 403)] {
            let path = format!("/auth/verify?{name}={query}");
            let answer = ask(&app, &good, &path, &[(name, header)]).await;
            assert_eq!(answer.status.as_u16(), status, "{path}, {name}: {header}");
        }
    }
}

/// Envoy appends the path and query of the original request, whose client must not choose the requirements.
#[actix_web::test]
async fn behind_the_prefix_the_query_says_nothing() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    for query in ["project=default", "project=elsewhere", "project=", "type=shoes&type=boots", "%00&project"]
    {
        let path = format!("/auth/verify/request/shop?{query}");
        assert_eq!(ask(&app, &good, &path, &[]).await.status, 200, "{query}");
        assert_eq!(ask(&app, &good, &path, &[("project", "default")]).await.status, 200, "{query}");
        let answer = ask(&app, &good, &path, &[("project", "elsewhere")]).await;
        answer.is(403, "OperationDeniedError");
    }
    let root = ask(&app, &good, "/auth/verify/?project=default", &[("project", "elsewhere")]).await;
    root.is(403, "OperationDeniedError");
}

/// Without a path behind the prefix, the query is the gateway's and must not be ignored.
#[actix_web::test]
async fn behind_the_prefix_stands_a_path() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    for path in [
        "/",
        "//",
        "/x",
        "%2F",
        "%2f/x",
        "./",
        "%2E",
        "..%2F",
        "%5C/",
        "%20",
        "%00",
        "%3F",
        "%2F%3Fproject=x",
    ] {
        for query in ["", "?project=elsewhere", "?project=default"] {
            let path = format!("/auth/verify/{path}{query}");
            ask(&app, &good, &path, &[]).await.is(404, "NotFoundError");
            app.get(As::Anonymous, &path).await.is(404, "NotFoundError");
        }
    }
    ask(&app, &good, "/auth/verify%2F?project=elsewhere", &[]).await.is(404, "NotFoundError");
    ask(&app, &good, "/auth/verify/?project=elsewhere", &[]).await.is(403, "OperationDeniedError");
    for path in ["-/healthy", ".well-known/x", "~", "x//", "%C3%A9"] {
        assert_eq!(
            ask(&app, &good, &format!("/auth/verify/{path}?project=x"), &[]).await.status,
            200,
            "{path}"
        );
    }
}

#[actix_web::test]
async fn an_unknown_requirement_refuses_every_token() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    for name in ["projects", "environments", "types", "scopes", "Project", "TYPE", "Environments"] {
        for path in ["/auth/verify", "/auth/verify/"] {
            let answer = ask(&app, &good, &format!("{path}?project=default&{name}=default"), &[]).await;
            assert_eq!(faults(&answer), [format!("/query/{name}")]);
        }
        let path = format!("/auth/verify/request/x?{name}=default");
        assert_eq!(ask(&app, &good, &path, &[]).await.status, 200, "{name}, the client's");
    }
    for name in ["projects", "environments", "kind", "x"] {
        for path in ["/auth/verify", "/auth/verify/request/x"] {
            let answer = ask(&app, &good, path, &[(name, "default"), ("type", "client")]).await;
            assert_eq!(faults(&answer), [format!("/headers/x-latchkey-require-{name}")], "{path}");
        }
    }
    let answer = ask(&app, &good, "/auth/verify?projects=default", &[]).await;
    assert_eq!(
        answer.json()["details"][0]["message"],
        "projects requires nothing: write project, environment, type or scope."
    );
}

#[actix_web::test]
async fn what_cannot_be_read_is_refused_and_not_passed_over() {
    let app = TestApp::new().await;
    let good = Secrets::of(&app).await.good;
    for query in ["project=", "project", "project=a%20b", "project=%C3%A9", "project=default&project=default"]
    {
        assert_eq!(
            faults(&ask(&app, &good, &format!("/auth/verify?{query}"), &[]).await),
            ["/query/project"],
            "{query}"
        );
    }
    let several = ask(&app, &good, "/auth/verify?type=none&environment=a%2Fb&project=a,b", &[]).await;
    assert_eq!(faults(&several), ["/query/environment", "/query/project", "/query/type"]);
    insta::assert_json_snapshot!(several.json()["details"], @r#"
    [
      {
        "message": "The environment name may contain only the characters A-Z, a-z, 0-9, _, ~, . and -.",
        "path": "/query/environment"
      },
      {
        "message": "The project id may contain only the characters A-Z, a-z, 0-9, _, ~, . and -.",
        "path": "/query/project"
      },
      {
        "message": "type must be client (or backend), frontend or admin.",
        "path": "/query/type"
      }
    ]
    "#);
    assert_eq!(faults(&ask(&app, &good, "/auth/verify?project=a%00", &[]).await), ["/query/project"]);
    for headers in
        [&[("project", "")][..], &[("project", "é")], &[("project", "default"), ("project", "default")]]
    {
        let answer = ask(&app, &good, "/auth/verify", headers).await;
        assert_eq!(faults(&answer), ["/headers/x-latchkey-require-project"], "{headers:?}");
    }
}

#[actix_web::test]
async fn an_invalid_token_is_refused_before_requirements_are_checked() {
    let app = TestApp::new().await;
    let revoked = Secrets::of(&app).await.revoked;
    ask(&app, &revoked, "/auth/verify?type=none", &[]).await.is(401, "UnauthorizedError");
    app.get(As::Anonymous, "/auth/verify?type=none").await.is(401, "AuthenticationRequired");
}

#[actix_web::test]
async fn tokens_of_all_projects_and_admin_tokens_match_unknown_projects() {
    let app = TestApp::new().await;
    let all = app.token(access(TokenKind::Client, ProjectScope::All)).await;
    let admin = app.token(TokenAccess::Admin).await;
    let elsewhere = app.token(access(TokenKind::Client, ProjectScope::one(project_id("elsewhere")))).await;
    for (secret, query, status) in [
        (&all, "project=nosuch", 200),
        (&all, "project=nosuch&environment=production", 403),
        (&admin, "project=nosuch&environment=nosuch", 200),
        (&admin, "type=client", 403),
        (&all, "type=backend", 200),
        (&elsewhere, "project=elsewher", 403),
        (&elsewhere, "project=Elsewhere", 403),
        (&elsewhere, "project=elsewhere", 200),
    ] {
        let answer = ask(&app, secret, &format!("/auth/verify?{query}"), &[]).await;
        assert_eq!(answer.status.as_u16(), status, "{query}");
    }
}
