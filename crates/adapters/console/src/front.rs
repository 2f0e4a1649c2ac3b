//! The choice of language and colours, and paths that lead nowhere.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    http::header::LOCATION,
    web::{self, ServiceConfig},
};
use latchkey_http::pages::{ApiError, ApiResult, RawBody};

use crate::{
    form::Form,
    frame::Theme,
    paths::ROOT,
    visitor::{THEME_COOKIE, Visitor},
    words::{LANGUAGE_COOKIE, Words},
};

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.route(path!("preferences"), web::post().to(preferences));
}

/// Registers what answers every other path of the console.
pub(crate) fn configure_unknown(config: &mut ServiceConfig) {
    config.route(path!("{rest:.*}"), web::to(unknown));
}

async fn unknown(_: Visitor, request: HttpRequest) -> ApiResult {
    Err(ApiError::UnknownPath(request.path().to_owned()))
}

/// Keeps the language and the colours that a visitor has chosen, in cookies that hold nothing else.
async fn preferences(body: RawBody) -> ApiResult {
    body.client().refuse_cross_site()?;
    let form = Form::read_from_anyone(body).await?;
    let mut response = HttpResponse::SeeOther();
    let back = local(form.value("_back"));
    response.insert_header((LOCATION, back));
    if let Some(words) = Words::all().iter().find(|words| words.tag == form.value("language")) {
        response.cookie(kept(LANGUAGE_COOKIE, words.tag));
    }
    if !form.value("theme").is_empty() {
        response.cookie(kept(THEME_COOKIE, Theme::named(form.value("theme")).as_str()));
    }
    Ok(response.finish())
}

fn kept(name: &'static str, value: &'static str) -> Cookie<'static> {
    let year = Duration::days(365);
    Cookie::build(name, value).path(ROOT).http_only(true).same_site(SameSite::Lax).max_age(year).finish()
}

/// Returns a target if it is one of the console, else the console itself: what a query or a form says could lead to another site.
pub(crate) fn local(target: &str) -> &str {
    let is_local =
        target.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    if is_local && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        target
    } else {
        ROOT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_leads_to_no_other_site() {
        assert_eq!(local("/console/tokens?name=a"), "/console/tokens?name=a");
        for elsewhere in [
            "//evil.example",
            "https://evil.example",
            "/console.evil",
            "/console/\\evil",
            "/console/a\r\nb",
            "",
        ] {
            assert_eq!(local(elsewhere), ROOT, "{elsewhere}");
        }
    }
}
