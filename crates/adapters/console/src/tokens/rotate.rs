//! Giving a token a new secret.

use std::borrow::Cow;

use actix_web::HttpRequest;
use askama::Template;
use latchkey_domain::ApiToken;
use latchkey_http::pages::{ApiError, ApiResult, Client, PathParameters, RawBody, RotateTokenBody};
use latchkey_service::Overlap;

use super::{
    reach::{Reach, reference},
    secret::{self, Occasion},
};
use crate::{
    form::Form,
    frame::{Frame, Section},
    visitor::Visitor,
};

/// The overlaps that can be chosen: the duration of ISO 8601, and the key of its words.
const OVERLAPS: [(&str, &str); 5] = [
    ("PT0S", "overlap-none"),
    ("PT1H", "overlap-hour"),
    ("PT24H", "overlap-day"),
    ("P7D", "overlap-week"),
    ("P30D", "overlap-month"),
];
const USUAL: &str = "PT24H";

#[derive(Template)]
#[template(path = "tokens/rotate.html")]
struct RotatePage {
    frame: Frame,
    root: String,
    token: ApiToken,
    form: Form,
    key: String,
}

impl RotatePage {
    fn overlaps(&self) -> [(&'static str, Cow<'_, str>); 5] {
        OVERLAPS.map(|(value, key)| (value, self.frame.t(key)))
    }
}

pub(super) async fn show(visitor: Visitor, reach: Reach, path: PathParameters) -> ApiResult {
    reach.check_changing(&visitor)?;
    let token = reach.get(&visitor, &reference(&path)?).await?;
    let form = Form::of([("overlap", USUAL.to_owned())]);
    let page = RotatePage {
        frame: visitor.frame(Section::Tokens),
        root: reach.path(),
        token,
        form,
        key: visitor.context().new_id().to_string(),
    };
    visitor.browser.show(&page)
}

pub(super) async fn rotate(
    visitor: Visitor,
    reach: Reach,
    path: PathParameters,
    request: HttpRequest,
    body: RawBody,
) -> ApiResult {
    reach.check_changing(&visitor)?;
    let form = Form::read(body).await?;
    let reference = reference(&path)?;
    let answer = match overlap(&form) {
        Ok(overlap) => {
            let attempt =
                async |keeper| Ok(vec![reach.rotate(&visitor, (&reference, overlap), keeper).await?]);
            secret::answer(&visitor, &request, &form, attempt).await
        }
        Err(error) => Err(error),
    };
    let error = match answer {
        Ok(shown) => {
            let server = Client::new(&request, visitor.context()).base_url();
            return secret::show(&visitor, &reach, shown, Occasion::Rotated, &server).await;
        }
        Err(error) => error,
    };
    let key = form.value("_key").to_owned();
    let (status, form) = form.with_problems(visitor.browser.words, error)?;
    let token = reach.get(&visitor, &reference).await?;
    let page = RotatePage { frame: visitor.frame(Section::Tokens), root: reach.path(), token, form, key };
    visitor.browser.show_with(status, &page)
}

fn overlap(form: &Form) -> Result<Overlap, ApiError> {
    let body: RotateTokenBody = form.body()?;
    body.overlap()
}
