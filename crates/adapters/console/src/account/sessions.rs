//! The visitor's own sessions.

use actix_web::HttpRequest;
use askama::Template;
use latchkey_domain::{Session, SessionId, UserCredential};
use latchkey_http::pages::{ApiError, ApiResult, PathParameters, RawBody};
use latchkey_service::{Missing, ServiceError};

use crate::{
    form::Form,
    frame::{Frame, Section},
    page::see_other,
    session::signed_out,
    visitor::Visitor,
};

/// A session as the page shows it.
pub(super) struct Shown {
    pub(super) session: Session,
    /// Where it began.
    pub(super) address: String,
    /// Whether it is the session of this request.
    pub(super) is_current: bool,
}

impl Shown {
    pub(super) fn of(session: Session, current: Option<SessionId>) -> Self {
        let address = session.origin.address.map(|address| address.to_string());
        Self { address: address.unwrap_or_default(), is_current: current == Some(session.id), session }
    }
}

pub(super) async fn end(
    visitor: Visitor,
    path: PathParameters,
    request: HttpRequest,
    body: RawBody,
) -> ApiResult {
    Form::read(body).await?;
    let missing = || ApiError::from(ServiceError::NotFound(Missing::Session));
    let id = SessionId::parse(&path.text("id")?).ok_or_else(missing)?;
    visitor.use_cases().sessions.end(&visitor.signed_in, id).await?;
    if current_session(&visitor) == Some(id) {
        return Ok(signed_out(&request, visitor.context(), "signed-out"));
    }
    Ok(see_other(path!("account?done=account-session-ended")))
}

/// Asks before all sessions are ended.
#[derive(Template)]
#[template(path = "account/sign_out_everywhere.html")]
struct AskPage {
    frame: Frame,
}

pub(super) async fn ask_all(visitor: Visitor) -> ApiResult {
    visitor.browser.show(&AskPage { frame: visitor.frame(Section::Account) })
}

/// Ends all sessions: this one last, so that a failure leaves the visitor able to try again.
pub(super) async fn end_all(visitor: Visitor, request: HttpRequest, body: RawBody) -> ApiResult {
    Form::read(body).await?;
    let sessions = &visitor.use_cases().sessions;
    let current = current_session(&visitor);
    let own = sessions.list(&visitor.signed_in).await?;
    let others = own.into_iter().map(|session| session.id).filter(|id| Some(*id) != current);
    for id in others.chain(current) {
        match sessions.end(&visitor.signed_in, id).await {
            // It ended meanwhile.
            Ok(()) | Err(ServiceError::NotFound(Missing::Session)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    match current {
        Some(_) => Ok(signed_out(&request, visitor.context(), "signed-out-everywhere")),
        None => Ok(see_other(path!("account?done=account-sessions-ended"))),
    }
}

/// Returns the session of this request. A visitor who came by a personal access token has none.
pub(super) fn current_session(visitor: &Visitor) -> Option<SessionId> {
    match visitor.signed_in.credential() {
        UserCredential::Session(id) => Some(id),
        UserCredential::PersonalToken(_) => None,
    }
}
