//! What is done to many tokens that were selected in the list. Each is a change of its own, with an event of its own.

use std::time::Duration;

use actix_web::http::StatusCode;
use askama::Template;
use latchkey_domain::{ApiToken, Enabled, Timestamp};
use latchkey_http::pages::{ApiError, ApiResult, Detail, RawBody};
use latchkey_service::{Patched, Rule, ServiceError, TokenPatch, TokenReference};

use super::{listing::Listing, reach::Reach};
use crate::{
    form::Form,
    frame::{Frame, Section},
    page::see_other,
    problem,
    visitor::Visitor,
};

/// The most tokens that are changed at once: as many as a page of the API has.
const MOST: usize = 1_000;
/// By how many days tokens can be extended.
const DAYS: [u64; 3] = [30, 90, 365];

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Revoke,
    Disable,
    Enable,
    /// Move the end so many days from now.
    Extend(u64),
}

impl Action {
    fn named(name: &str) -> Option<Self> {
        match name {
            "revoke" => Some(Self::Revoke),
            "disable" => Some(Self::Disable),
            "enable" => Some(Self::Enable),
            other => {
                let days = other.strip_prefix("extend-")?.parse().ok()?;
                DAYS.contains(&days).then_some(Self::Extend(days))
            }
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Revoke => "tokens-revoked",
            Self::Disable => "tokens-disabled",
            Self::Enable => "tokens-enabled",
            Self::Extend(_) => "tokens-extended",
        }
    }
}

#[derive(Template)]
#[template(path = "tokens/selected.html")]
struct SelectedPage {
    frame: Frame,
    root: String,
    action: Action,
    name: String,
    tokens: Vec<ApiToken>,
    /// The tokens with which it could not be done: the path of each, its id, and why.
    failures: Vec<(String, String, String)>,
}

impl SelectedPage {
    fn is_revocation(&self) -> bool {
        self.action == Action::Revoke
    }
}

pub(super) async fn act(visitor: Visitor, reach: Reach, body: RawBody) -> ApiResult {
    let form = Form::read(body).await?;
    let name = form.value("_action").to_owned();
    let unknown = || {
        let problem = Rule::named("choose-action").says("Choose what to do with the selected tokens.");
        ApiError::BadInput(vec![Detail::of_field("_action", problem)])
    };
    let action = Action::named(&name).ok_or_else(unknown)?;
    let root = reach.path();
    let listing = Listing::of(&visitor, reach)?;
    match action {
        Action::Revoke => listing.check_ending(&visitor)?,
        Action::Disable | Action::Enable | Action::Extend(_) => listing.check_changing(&visitor)?,
    }
    let ids: Vec<_> = form
        .all("token")
        .take(MOST)
        .filter_map(|id| match TokenReference::parse(id) {
            Some(reference @ TokenReference::Id(_)) => Some((id.to_owned(), reference)),
            _ => None,
        })
        .collect();
    if ids.is_empty() {
        return Ok(see_other(&format!("{root}?done=none-selected")));
    }
    // What cannot be undone is asked about first.
    if action == Action::Revoke && form.value("_confirmed") != "true" {
        return confirm(&visitor, (&listing, root), (action, name), &ids).await;
    }
    let mut failures = Vec::new();
    for (id, reference) in &ids {
        let (at, outcome) = match listing.reach(&visitor, reference).await {
            Ok(reach) => (reach.path(), apply(&visitor, &reach, reference, action).await),
            Err(error) => (root.clone(), Err(error)),
        };
        if let Err(error) = outcome {
            if matches!(error, ServiceError::Unavailable(_) | ServiceError::Internal(_)) {
                return Err(error.into());
            }
            let problem = problem::said(visitor.browser.words, &error.into());
            failures.push((format!("{at}/{id}"), id.clone(), problem));
        }
    }
    if failures.is_empty() {
        return Ok(see_other(&format!("{root}?done={}", action.done())));
    }
    let frame = visitor.frame(Section::Tokens);
    let page = SelectedPage { frame, root, action, name, tokens: Vec::new(), failures };
    visitor.browser.show_with(StatusCode::CONFLICT, &page)
}

async fn confirm(
    visitor: &Visitor,
    (listing, root): (&Listing, String),
    (action, name): (Action, String),
    ids: &[(String, TokenReference)],
) -> ApiResult {
    let mut tokens = Vec::with_capacity(ids.len());
    for (_, reference) in ids {
        match listing.get(visitor, reference).await {
            Ok(token) => tokens.push(token),
            // Another visitor was faster.
            Err(ServiceError::NotFound(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let frame = visitor.frame(Section::Tokens);
    visitor.browser.show(&SelectedPage { frame, root, action, name, tokens, failures: Vec::new() })
}

async fn apply(
    visitor: &Visitor,
    reach: &Reach,
    reference: &TokenReference,
    action: Action,
) -> Result<(), ServiceError> {
    let patch = match action {
        Action::Revoke => return reach.delete(visitor, reference).await,
        Action::Disable => TokenPatch { enabled: Patched::Set(Enabled(false)), ..TokenPatch::default() },
        Action::Enable => TokenPatch { enabled: Patched::Set(Enabled(true)), ..TokenPatch::default() },
        Action::Extend(days) => {
            let end: Timestamp = visitor.use_cases().now().plus(Duration::from_secs(days * 86_400))?;
            TokenPatch { expires_at: Patched::Set(end), ..TokenPatch::default() }
        }
    };
    reach.update(visitor, reference, &patch).await
}
