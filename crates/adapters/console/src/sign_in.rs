//! Signing in and out.

use actix_web::{
    HttpRequest,
    http::StatusCode,
    web::{self, Data, ServiceConfig},
};
use askama::Template;
use latchkey_http::{
    Context,
    pages::{ApiResult, Client, RawBody},
};
use latchkey_service::ServiceError;

use crate::{
    form::Form,
    frame::{Frame, query_value},
    front::local,
    page::see_other,
    session::{SIGN_IN, signed_in, signed_out, to_wait},
    set_up::{self, SetUp},
    visitor::{Browser, Visitor},
};

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource(SIGN_IN).get(show).post(sign_in))
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

async fn show(browser: Browser, state: Data<SetUp>, context: Data<Context>) -> ApiResult {
    if state.is_needed(&context).await? {
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
            (StatusCode::TOO_MANY_REQUESTS, to_wait(browser.words, wait))
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

async fn sign_out(visitor: Visitor, request: HttpRequest, context: Data<Context>) -> ApiResult {
    visitor.use_cases().sessions.log_out(&visitor.signed_in).await?;
    Ok(signed_out(&request, &context, "signed-out"))
}
