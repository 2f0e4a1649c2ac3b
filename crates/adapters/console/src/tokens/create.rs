//! A new token: the form, and the page that shows the secret, once.

use actix_web::{HttpRequest, http::StatusCode};
use askama::Template;
use futures_util::future::try_join;
use latchkey_domain::{EnvironmentName, Policy, ProjectId, TokenKind};
use latchkey_http::pages::{ApiError, ApiResult, Client, CreateTokenBody, RawBody, parse};
use latchkey_service::{ServiceError, TokenReference, TokenRequest};

use super::{
    change::values,
    expiry::{self, Choice},
    list,
    projects::projects,
    reach::Reach,
    secret::{self, Occasion},
};
use crate::{
    form::{Empty, Form},
    frame::{Frame, Section, query_value},
    visitor::Visitor,
};

#[derive(Template)]
#[template(path = "tokens/new.html")]
struct NewPage {
    frame: Frame,
    reach: Reach,
    root: String,
    form: Form,
    /// Under which the answer is kept, so that a form that is sent twice makes one token.
    key: String,
    kinds: Vec<TokenKind>,
    projects: Vec<ProjectId>,
    environments: Vec<EnvironmentName>,
    expiries: Vec<Choice>,
    policy: Policy,
}

impl NewPage {
    /// Whether a token can be made that works in all environments.
    fn has_admin(&self) -> bool {
        self.kinds.contains(&TokenKind::Admin)
    }
}

pub(super) async fn show(visitor: Visitor, reach: Reach) -> ApiResult {
    reach.check_creating(&visitor)?;
    let like = query_value(&visitor.browser.target, "like");
    let form = match like.as_deref().and_then(TokenReference::parse) {
        Some(reference @ TokenReference::Id(_)) => {
            let token = reach.get(&visitor, &reference).await?;
            let mut form = values(&token);
            form.set("type", token.access.kind().as_str());
            form.set(
                "environment",
                token.access.environment().map_or("", |environment| environment.as_str()),
            );
            token.access.projects().shown().into_iter().for_each(|project| form.add("projects[]", project));
            form
        }
        _ => Form::of([("type", TokenKind::Client.as_str().to_owned())]),
    };
    let key = visitor.context().new_id().to_string();
    let page = page(&visitor, reach, form, key).await?;
    visitor.browser.show(&page)
}

async fn page(visitor: &Visitor, reach: Reach, form: Form, key: String) -> Result<NewPage, ServiceError> {
    let (projects, choices) = try_join(projects(visitor), list::choices(visitor)).await?;
    let policy = reach.policy(visitor).await?;
    let kinds = [TokenKind::Client, TokenKind::Frontend, TokenKind::Admin].into_iter();
    let kinds = kinds.filter(|kind| match &reach {
        Reach::Project(_) => *kind != TokenKind::Admin,
        Reach::Instance => {
            let is_possible = *kind != TokenKind::Admin || visitor.use_cases().issuer.settings().allow_admin;
            is_possible && reach.allowed(visitor, *kind).create
        }
    });
    Ok(NewPage {
        frame: visitor.frame(Section::Tokens),
        root: reach.path(),
        form,
        key,
        kinds: kinds.collect(),
        projects,
        environments: choices.environments,
        expiries: expiry::choices(policy),
        policy,
        reach,
    })
}

pub(super) async fn create(visitor: Visitor, reach: Reach, request: HttpRequest, body: RawBody) -> ApiResult {
    reach.check_creating(&visitor)?;
    let form = Form::read(body).await?;
    let answer = match read(&visitor, &reach, &form) {
        Ok(sent) => {
            let attempt = async |keeper| Ok(vec![reach.create(&visitor, sent, keeper).await?]);
            secret::answer(&visitor, &request, &form, attempt).await
        }
        Err(error) => Err(error),
    };
    match answer {
        Ok(shown) => {
            let server = Client::new(&request, visitor.context()).base_url();
            secret::show(&visitor, &reach, shown, Occasion::Created, &server).await
        }
        Err(error) => again(&visitor, reach, form, error).await,
    }
}

/// Reads the body of the API that the form stands for.
fn read(visitor: &Visitor, reach: &Reach, form: &Form) -> Result<TokenRequest, ApiError> {
    let mut members = form.members(Empty::Absent);
    expiry::add_to(&mut members, form, visitor.use_cases().now())?;
    let body: CreateTokenBody = parse(members, "body")?;
    Ok(match reach {
        Reach::Project(_) => body.into_request()?,
        Reach::Instance => body.into_instance_request()?,
    })
}

/// Shows the form again, with what is wrong with it.
async fn again(visitor: &Visitor, reach: Reach, form: Form, error: ApiError) -> ApiResult {
    let key = form.value("_key").to_owned();
    let (status, form) = form.with_problems(visitor.browser.words, error)?;
    // A key that was used for another form would refuse this one again.
    let key =
        if status == StatusCode::UNPROCESSABLE_ENTITY { visitor.context().new_id().to_string() } else { key };
    let page = page(visitor, reach, form, key).await?;
    visitor.browser.show_with(status, &page)
}
