//! Revoking a token, and disabling and enabling it.

use std::time::Duration;

use actix_web::http::StatusCode;
use askama::Template;
use latchkey_domain::{ApiToken, Timestamp};
use latchkey_http::pages::{ApiResult, PatchTokenBody, PathParameters, RawBody};

use super::reach::{Reach, reference};
use crate::{
    form::Form,
    frame::{Frame, Section},
    page::see_other,
    visitor::Visitor,
};

/// A token that was used so lately is revoked only by people who type its name.
const IN_USE: Duration = Duration::from_secs(7 * 86_400);

#[derive(Template)]
#[template(path = "tokens/revoke.html")]
struct RevokePage {
    frame: Frame,
    root: String,
    token: ApiToken,
    is_in_use: bool,
    problem: bool,
}

fn is_in_use(token: &ApiToken, now: Timestamp) -> bool {
    let since = now.minus(IN_USE).unwrap_or(now);
    token.last_used_at.is_some_and(|used| used >= since)
}

fn page(visitor: &Visitor, reach: &Reach, token: ApiToken, problem: bool) -> RevokePage {
    let frame = visitor.frame(Section::Tokens);
    RevokePage { is_in_use: is_in_use(&token, frame.now), frame, root: reach.path(), token, problem }
}

pub(super) async fn show(visitor: Visitor, reach: Reach, path: PathParameters) -> ApiResult {
    reach.check_ending(&visitor)?;
    let token = reach.get(&visitor, &reference(&path)?).await?;
    visitor.browser.show(&page(&visitor, &reach, token, false))
}

pub(super) async fn revoke(visitor: Visitor, reach: Reach, path: PathParameters, body: RawBody) -> ApiResult {
    reach.check_ending(&visitor)?;
    let form = Form::read(body).await?;
    let reference = reference(&path)?;
    let token = reach.get(&visitor, &reference).await?;
    let is_confirmed = form.value("_name").trim() == token.name.as_str();
    if is_in_use(&token, visitor.use_cases().now()) && !is_confirmed {
        return visitor.browser.show_with(StatusCode::BAD_REQUEST, &page(&visitor, &reach, token, true));
    }
    reach.delete(&visitor, &reference).await?;
    Ok(see_other(&format!("{}?done=token-revoked", reach.path())))
}

/// Disables a token or enables it, as the field `enabled:flag` says.
pub(super) async fn enable(visitor: Visitor, reach: Reach, path: PathParameters, body: RawBody) -> ApiResult {
    reach.check_changing(&visitor)?;
    let form = Form::read(body).await?;
    let reference = reference(&path)?;
    let change: PatchTokenBody = form.body()?;
    reach.update(&visitor, &reference, &change.into()).await?;
    let done = if form.has("enabled:flag", "true") { "token-enabled" } else { "token-disabled" };
    Ok(see_other(&format!("{}/{}?done={done}", reach.path(), path.text("token")?)))
}
