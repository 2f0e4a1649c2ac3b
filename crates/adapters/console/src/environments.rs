//! Environments: the list, which every user sees, and what administrators do with them.

use actix_web::{
    http::StatusCode,
    web::{self, ServiceConfig},
};
use askama::Template;
use latchkey_domain::{EnvironmentKind, EnvironmentName, Permission};
use latchkey_http::pages::{
    ApiError, ApiResult, CreateEnvironmentBody, PathParameters, RawBody, SortOrderBody,
    UpdateEnvironmentBody, parse,
};
use latchkey_ports::EnvironmentOverview;
use latchkey_service::{ManageEnvironments, Missing, ServiceError};
use serde_json::{Map, Value};

use crate::{
    form::Form,
    frame::{Frame, Section},
    mark::Mark,
    page::see_other,
    visitor::Visitor,
};

const LIST: &str = path!("environments");

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .route(LIST, web::get().to(list))
        .service(web::resource(path!("environments/new")).get(new).post(create))
        .route(path!("environments/order"), web::post().to(sort))
        .service(web::resource(path!("environments/{name}/edit")).get(edit).post(change))
        .route(path!("environments/{name}/enabled"), web::post().to(enable))
        .service(web::resource(path!("environments/{name}/delete")).get(ask).post(delete));
}

/// What an environment can be used for, as forms offer it.
struct Choice {
    value: &'static str,
    label: String,
}

impl Choice {
    fn all(frame: &Frame) -> Vec<Self> {
        let choice = |kind: &EnvironmentKind| Self { value: kind.as_str(), label: kind_label(frame, *kind) };
        EnvironmentKind::ALL.iter().map(choice).collect()
    }
}

/// Returns what an environment is used for, in words.
pub(crate) fn kind_label(frame: &Frame, kind: EnvironmentKind) -> String {
    let key = match kind {
        EnvironmentKind::Development => "environment-development",
        EnvironmentKind::Test => "environment-test",
        EnvironmentKind::PreProduction => "environment-pre-production",
        EnvironmentKind::Production => "environment-production",
    };
    frame.t(key).into_owned()
}

#[derive(Template)]
#[template(path = "environments/list.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    /// What was wrong with the places that were sent.
    form: Form,
    may_manage: bool,
}

/// An environment in the list.
struct Row {
    overview: EnvironmentOverview,
    kind: String,
    state: Mark,
    /// The field of its place, and what is in it.
    field: String,
    place: String,
}

#[derive(Template)]
#[template(path = "environments/new.html")]
struct NewPage {
    frame: Frame,
    form: Form,
    kinds: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "environments/edit.html")]
struct EditPage {
    frame: Frame,
    name: String,
    form: Form,
    kinds: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "environments/delete.html")]
struct DeletePage {
    frame: Frame,
    overview: EnvironmentOverview,
    problem: bool,
}

async fn list(visitor: Visitor) -> ApiResult {
    let page = list_page(&visitor, Form::default()).await?;
    visitor.browser.show(&page)
}

/// Returns the list, with the places that a form has.
async fn list_page(visitor: &Visitor, form: Form) -> Result<ListPage, ServiceError> {
    let frame = visitor.frame(Section::Environments);
    let row = |overview: EnvironmentOverview| {
        let field = place_field(&overview.environment.name);
        let sent = form.all(&field).last().map(ToOwned::to_owned);
        let place = sent.unwrap_or_else(|| overview.environment.sort_order.to_string());
        let kind = kind_label(&frame, overview.environment.kind);
        Row { kind, state: Mark::of_switch(overview.environment.enabled), overview, field, place }
    };
    let environments = visitor.use_cases().environments.list(visitor.caller()).await?;
    let rows = environments.into_iter().map(row).collect();
    Ok(ListPage { rows, frame, form, may_manage: visitor.has(Permission::Admin) })
}

/// Returns the field of an environment's place. A name can have dots, so it is no member that [`Form::members`] could make.
fn place_field(name: &EnvironmentName) -> String {
    format!("_place/{name}")
}

async fn sort(visitor: Visitor, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageEnvironments>()?;
    let form = Form::read(body).await?;
    let sorted = async {
        let SortOrderBody(places) = places(&visitor, &form).await?;
        Ok(visitor.use_cases().environments.sort(&permit, &places).await?)
    };
    let Err(error) = sorted.await else { return Ok(done("environments-sorted")) };
    let (status, form) = form.with_problems(visitor.browser.words, error)?;
    let page = list_page(&visitor, form).await?;
    visitor.browser.show_with(status, &page)
}

/// Reads the places of the environments that there are.
async fn places(visitor: &Visitor, form: &Form) -> Result<SortOrderBody, ApiError> {
    let mut members = Map::new();
    for overview in visitor.use_cases().environments.list(visitor.caller()).await? {
        let name = overview.environment.name;
        if let Some(place) = form.all(&place_field(&name)).last() {
            // What is no number is refused where it is read.
            let place = serde_json::from_str(place.trim()).unwrap_or_else(|_| Value::from(place));
            members.insert(name.to_string(), place);
        }
    }
    Ok(parse(members, "body")?)
}

async fn new(visitor: Visitor) -> ApiResult {
    visitor.may::<ManageEnvironments>()?;
    let form = Form::of([
        ("type", EnvironmentKind::Development.as_str().to_owned()),
        ("enabled:flag", "true".to_owned()),
    ]);
    visitor.browser.show(&new_page(&visitor, form))
}

fn new_page(visitor: &Visitor, form: Form) -> NewPage {
    let frame = visitor.frame(Section::Environments);
    NewPage { kinds: Choice::all(&frame), frame, form }
}

async fn create(visitor: Visitor, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageEnvironments>()?;
    let form = Form::read(body).await?;
    let created = async {
        let body: CreateEnvironmentBody = form.body()?;
        Ok(visitor.use_cases().environments.create(&permit, body.into()).await?)
    };
    let Err(error) = created.await else { return Ok(done("environment-created")) };
    let (status, form) = form.with_problems(visitor.browser.words, error)?;
    visitor.browser.show_with(status, &new_page(&visitor, form))
}

async fn edit(visitor: Visitor, path: PathParameters) -> ApiResult {
    visitor.may::<ManageEnvironments>()?;
    let environment = visitor.use_cases().environments.get(visitor.caller(), &path.text("name")?).await?;
    let form = Form::of([
        ("type", environment.kind.as_str().to_owned()),
        ("enabled:flag", environment.enabled.to_string()),
        ("sortOrder:number", environment.sort_order.to_string()),
    ]);
    visitor.browser.show(&edit_page(&visitor, environment.name.to_string(), form))
}

fn edit_page(visitor: &Visitor, name: String, form: Form) -> EditPage {
    let frame = visitor.frame(Section::Environments);
    EditPage { kinds: Choice::all(&frame), frame, name, form }
}

async fn change(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let Err((status, form)) = update(&visitor, &path, body).await? else {
        return Ok(done("environment-changed"));
    };
    let name = path.text("name")?;
    visitor.browser.show_with(status, &edit_page(&visitor, name, form))
}

/// Switches an environment on or off, as the field `enabled:flag` says.
async fn enable(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    match update(&visitor, &path, body).await? {
        Ok(true) => Ok(done("environment-enabled")),
        Ok(false) => Ok(done("environment-disabled")),
        Err((status, form)) => {
            let page = list_page(&visitor, form).await?;
            visitor.browser.show_with(status, &page)
        }
    }
}

/// Changes an environment as a form says, and returns whether it is switched on then; else the form with what is wrong with it.
async fn update(
    visitor: &Visitor,
    path: &PathParameters,
    body: RawBody,
) -> Result<Result<bool, (StatusCode, Form)>, ApiError> {
    let permit = visitor.may::<ManageEnvironments>()?;
    let form = Form::read(body).await?;
    let name = path.text("name")?;
    let updated = async {
        let body: UpdateEnvironmentBody = form.body()?;
        Ok(visitor.use_cases().environments.update(&permit, &name, body.into()).await?)
    };
    match updated.await {
        Ok(environment) => Ok(Ok(environment.enabled)),
        Err(error) => form.with_problems(visitor.browser.words, error).map(Err),
    }
}

async fn ask(visitor: Visitor, path: PathParameters) -> ApiResult {
    visitor.may::<ManageEnvironments>()?;
    let overview = overview(&visitor, &path.text("name")?).await?;
    let frame = visitor.frame(Section::Environments);
    visitor.browser.show(&DeletePage { frame, overview, problem: false })
}

async fn delete(visitor: Visitor, path: PathParameters, body: RawBody) -> ApiResult {
    let permit = visitor.may::<ManageEnvironments>()?;
    let form = Form::read(body).await?;
    let overview = overview(&visitor, &path.text("name")?).await?;
    let name = overview.environment.name.as_str();
    // What revokes tokens is confirmed by the name.
    if overview.tokens > 0 && form.value("_name").trim() != name {
        let frame = visitor.frame(Section::Environments);
        let page = DeletePage { frame, overview, problem: true };
        return visitor.browser.show_with(StatusCode::BAD_REQUEST, &page);
    }
    visitor.use_cases().environments.delete(&permit, name).await?;
    Ok(done("environment-deleted"))
}

async fn overview(visitor: &Visitor, name: &str) -> Result<EnvironmentOverview, ServiceError> {
    let environments = visitor.use_cases().environments.list(visitor.caller()).await?;
    let found = environments.into_iter().find(|overview| overview.environment.name.as_str() == name);
    Ok(found.ok_or_else(|| Missing::Environment(name.to_owned()))?)
}

/// Leads to the list, which says what was done.
fn done(what: &str) -> actix_web::HttpResponse {
    see_other(&format!("{LIST}?done={what}"))
}
