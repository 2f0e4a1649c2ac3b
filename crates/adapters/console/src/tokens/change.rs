//! Changing what is known of a token.

use actix_web::http::StatusCode;
use askama::Template;
use latchkey_domain::{ApiToken, Policy};
use latchkey_http::pages::{ApiError, ApiResult, PatchTokenBody, PathParameters, RawBody, parse};
use latchkey_service::ServiceError;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{
    expiry::{self, Choice},
    reach::{Reach, reference},
};
use crate::{
    assets::short,
    form::{Empty, Form},
    frame::{Frame, Section},
    page::see_other,
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "tokens/edit.html")]
struct EditPage {
    frame: Frame,
    root: String,
    token: ApiToken,
    form: Form,
    expiries: Vec<Choice>,
    policy: Policy,
}

/// Returns the fields of a form that begins with what a token has.
pub(super) fn values(token: &ApiToken) -> Form {
    let attributes = &token.attributes;
    let text = |value: Option<String>| value.unwrap_or_default();
    let (rate, uses) = (attributes.rate_limit, attributes.uses);
    let metadata = attributes.metadata.members();
    let metadata = if metadata.is_empty() {
        String::new()
    } else {
        serde_json::to_string_pretty(metadata).unwrap_or_default()
    };
    let lines = |lines: Vec<String>| lines.join("\n");
    Form::of([
        ("description", text(attributes.description.as_ref().map(ToString::to_string))),
        ("owner", text(attributes.owner.as_ref().map(ToString::to_string))),
        ("scopes[]", lines(attributes.scopes.as_slice().iter().map(ToString::to_string).collect())),
        (
            "allowedNetworks[]",
            lines(attributes.allowed_networks.as_slice().iter().map(ToString::to_string).collect()),
        ),
        ("rateLimit.requests:number", text(rate.map(|rate| rate.requests().to_string()))),
        ("rateLimit.per", text(rate.map(|rate| rate.per().to_string()))),
        ("rateLimit.burst:number", text(rate.map(|rate| rate.burst().to_string()))),
        ("uses.remaining:number", text(uses.map(|uses| uses.granted().to_string()))),
        (
            "uses.refill.amount:number",
            text(uses.and_then(|uses| uses.refill()).map(|refill| refill.amount().to_string())),
        ),
        (
            "uses.refill.every",
            text(uses.and_then(|uses| uses.refill()).map(|refill| refill.every().to_string())),
        ),
        ("rotateEvery", text(attributes.rotate_every.map(|term| term.to_string()))),
        ("metadata:json", metadata),
    ])
}

/// Returns a digest of what a form shows of a token, which tells whether it was changed meanwhile.
fn seen(token: &ApiToken) -> String {
    let mut digest = Sha256::new();
    values(token).bytes().for_each(|part| digest.update(part));
    digest.update(token.expires_at.map(|end| end.to_string()).unwrap_or_default());
    short(&digest.finalize())
}

pub(super) async fn show(visitor: Visitor, reach: Reach, path: PathParameters) -> ApiResult {
    reach.check_changing(&visitor)?;
    let token = reach.get(&visitor, &reference(&path)?).await?;
    let form = values(&token);
    let page = page(&visitor, &reach, token, form).await?;
    visitor.browser.show(&page)
}

async fn page(
    visitor: &Visitor,
    reach: &Reach,
    token: ApiToken,
    mut form: Form,
) -> Result<EditPage, ServiceError> {
    form.set("_seen", &seen(&token));
    let policy = reach.policy(visitor).await?;
    Ok(EditPage {
        frame: visitor.frame(Section::Tokens),
        root: reach.path(),
        token,
        form,
        expiries: expiry::choices(policy),
        policy,
    })
}

pub(super) async fn change(visitor: Visitor, reach: Reach, path: PathParameters, body: RawBody) -> ApiResult {
    reach.check_changing(&visitor)?;
    let mut form = Form::read(body).await?;
    let reference = reference(&path)?;
    let token = reach.get(&visitor, &reference).await?;
    if form.value("_seen") != seen(&token) {
        form.refuse(visitor.browser.words.get("token-changed-meanwhile").into_owned());
        let page = page(&visitor, &reach, token, form).await?;
        return visitor.browser.show_with(StatusCode::CONFLICT, &page);
    }
    let changed = async {
        let sent = patch(&visitor, &token, &form)?;
        Ok(reach.update(&visitor, &reference, &sent.into()).await?)
    };
    match changed.await {
        Ok(()) => Ok(see_other(&format!("{}/{}?done=token-changed", reach.path(), token.id))),
        Err(error) => {
            let (status, form) = form.with_problems(visitor.browser.words, error)?;
            let page = page(&visitor, &reach, token, form).await?;
            visitor.browser.show_with(status, &page)
        }
    }
}

/// Returns the merge patch that leads from the token to the form. What the form left as it was is not in it, so that limits do
/// not begin again.
fn patch(visitor: &Visitor, token: &ApiToken, form: &Form) -> Result<PatchTokenBody, ApiError> {
    let before = values(token).members(Empty::Null);
    let mut after = form.members(Empty::Null);
    after.retain(|name, value| before.get(name) != Some(value));
    if let (Some(Value::Object(new)), Some(Value::Object(old))) =
        (after.get_mut("metadata"), before.get("metadata"))
    {
        remove_missing(old, new);
    }
    expiry::add_to(&mut after, form, visitor.use_cases().now())?;
    Ok(parse(after, "body")?)
}

/// Adds null for every member that is gone: in a merge patch, a member that is absent stays.
fn remove_missing(old: &Map<String, Value>, new: &mut Map<String, Value>) {
    for (name, value) in old {
        match (value, new.get_mut(name)) {
            (_, None) => drop(new.insert(name.clone(), Value::Null)),
            (Value::Object(old), Some(Value::Object(new))) => remove_missing(old, new),
            _ => {}
        }
    }
}
