//! The form that creates a webhook and changes one.

use latchkey_domain::{EventKind, Webhook, WebhookTarget, WebhookTemplate};
use latchkey_http::pages::{ApiError, WebhookDraftBody};
use latchkey_service::ServiceError;

use crate::{form::Form, visitor::Visitor};

/// Returns what the form of a new webhook begins with.
pub(super) fn new() -> Form {
    Form::of([
        ("events[]", "*".to_owned()),
        ("projects[]", "*".to_owned()),
        ("enabled:flag", "true".to_owned()),
        ("template", WebhookTemplate::default().as_str().to_owned()),
    ])
}

/// Returns the form of a webhook as it is.
pub(super) fn of(webhook: &Webhook) -> Form {
    let WebhookTarget { url, events, projects, enabled, template } = &webhook.target;
    let mut form = Form::of([
        ("url", url.as_str().to_owned()),
        ("enabled:flag", enabled.to_string()),
        ("template", template.as_str().to_owned()),
    ]);
    events.shown().into_iter().for_each(|event| form.add("events[]", event));
    projects.shown().into_iter().for_each(|project| form.add("projects[]", project));
    form
}

/// Reads the body of the API that the form stands for.
pub(super) fn read(form: &Form) -> Result<WebhookTarget, ApiError> {
    let body: WebhookDraftBody = form.body()?;
    Ok(body.into())
}

/// Returns the types of events that can be chosen.
pub(super) fn kinds() -> &'static [EventKind] {
    EventKind::ALL
}

/// Returns the projects that can be chosen: those that there are, and those that the form names.
pub(super) async fn projects(visitor: &Visitor, form: &Form) -> Result<Vec<String>, ServiceError> {
    let found = visitor.projects().await?;
    let mut projects: Vec<_> =
        found.into_iter().map(|overview| overview.project.id.as_str().to_owned()).collect();
    for named in form.all("projects[]").filter(|named| !named.is_empty() && *named != "*") {
        if !projects.iter().any(|project| project == named) {
            projects.push(named.to_owned());
        }
    }
    Ok(projects)
}
