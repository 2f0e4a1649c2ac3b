//! Signing in and out.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::Cookie,
    http::{
        StatusCode,
        header::{CLEAR_SITE_DATA, LOCATION},
    },
    web::{self, Data, ServiceConfig},
};
use askama::Template;
use latchkey_http::{
    Context,
    pages::{ApiError, ApiResult, Client, RawBody, expired_cookie, session_cookie},
};
use latchkey_service::{LoggedIn, ServiceError, whole_seconds};

use crate::{
    form::Form,
    frame::{Frame, query_value},
    front::local,
    page::see_other,
    set_up,
    visitor::{Browser, Visitor},
};

const PATH: &str = path!("sign-in");

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource(PATH).get(show).post(sign_in))
        .route(path!("sign-out"), web::post().to(sign_out));
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    next: String,
    username: String,
    problem: Option<String>,
}

async fn show(browser: Browser, context: Data<Context>) -> ApiResult {
    if set_up::is_needed(&context).await? {
        return Ok(see_other(set_up::PATH));
    }
    let next = query_value(&browser.target, "next").unwrap_or_default();
    let page = SignInPage { frame: browser.frame(), next, username: String::new(), problem: None };
    browser.show(&page)
}

async fn sign_in(browser: Browser, request: HttpRequest, body: RawBody, context: Data<Context>) -> ApiResult {
    let client = Client::new(&request, &context);
    // Another site could otherwise sign its visitor in as a user of its own, and read what the visitor then does.
    client.refuse_cross_site()?;
    let form = Form::read_from_anyone(body).await?;
    let username = form.value("username").trim();
    let sessions = &context.use_cases().sessions;
    let (status, problem) = match sessions.log_in(username, form.value("password"), client.origin()).await {
        Ok(logged_in) => return Ok(signed_in(client, &logged_in, local(form.value("_next")))),
        Err(ServiceError::WrongPassword) => {
            (StatusCode::UNAUTHORIZED, browser.words.get("sign-in-wrong").into_owned())
        }
        Err(ServiceError::TooManyAttempts(wait)) => {
            let seconds = i64::try_from(whole_seconds(wait)).unwrap_or(i64::MAX);
            let problem = browser.words.with("sign-in-wait", [("seconds", seconds.into())]).into_owned();
            (StatusCode::TOO_MANY_REQUESTS, problem)
        }
        Err(other) => return Err(other.into()),
    };
    let page = SignInPage {
        frame: browser.frame(),
        next: form.value("_next").to_owned(),
        username: username.to_owned(),
        problem: Some(problem),
    };
    browser.show_with(status, &page)
}

/// Returns the response that begins a session and leads to a page.
pub(crate) fn signed_in(client: Client<'_>, logged_in: &LoggedIn, next: &str) -> HttpResponse {
    with_cookie(
        HttpResponse::SeeOther().insert_header((LOCATION, next)).finish(),
        &session_cookie(client, logged_in),
    )
}

async fn sign_out(visitor: Visitor, request: HttpRequest, context: Data<Context>) -> ApiResult {
    visitor.use_cases().sessions.log_out(&visitor.signed_in).await?;
    Ok(signed_out(&request, &context, "signed-out"))
}

/// Returns the response to a browser whose session has ended, by what has been done.
pub(crate) fn signed_out(request: &HttpRequest, context: &Context, done: &str) -> HttpResponse {
    let response = HttpResponse::SeeOther()
        .insert_header((LOCATION, format!("{PATH}?done={done}")))
        .insert_header((CLEAR_SITE_DATA, r#""cache""#))
        .finish();
    with_cookie(response, &expired_cookie(Client::new(request, context)))
}

fn with_cookie(mut response: HttpResponse, cookie: &Cookie<'_>) -> HttpResponse {
    match response.add_cookie(cookie) {
        Ok(()) => response,
        // A cookie of our own making is always a header.
        Err(error) => HttpResponse::from_error(ApiError::internal(error.to_string())),
    }
}
