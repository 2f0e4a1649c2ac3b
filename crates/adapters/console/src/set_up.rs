//! The first visit of a new instance: the owner of the admin token that the server has printed makes the first user with the role Admin.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data, ServiceConfig},
};
use askama::Template;
use latchkey_domain::{Principal, TokenKind};
use latchkey_http::{
    Context,
    pages::{ApiError, ApiResult, Client, CreateUserBody, Detail, RawBody, parse},
};
use latchkey_service::{Caller, InstancePermit, ManageUsers, Rule, ServiceError, UserDraft};
use serde_json::Value;

use crate::{
    form::{Empty, Form},
    frame::Frame,
    page::see_other,
    paths::ROOT,
    session::signed_in,
    visitor::Browser,
};

pub(crate) const PATH: &str = path!("set-up");
/// The role of the first user.
const ADMIN: &str = "Admin";

pub(crate) fn configure(config: &mut ServiceConfig, state: &Arc<SetUp>) {
    config.app_data(Data::from(Arc::clone(state))).service(web::resource(PATH).get(show).post(set_up));
}

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpPage {
    frame: Frame,
    form: Form,
}

/// Whether this instance has a user yet who can make others.
#[derive(Debug, Default)]
pub(crate) struct SetUp {
    /// Once there is one, there always is: the last one cannot be deleted.
    is_done: AtomicBool,
}

impl SetUp {
    /// Returns whether the first user is to be made.
    pub(crate) async fn is_needed(&self, context: &Context) -> Result<bool, ServiceError> {
        if self.is_done.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let permit = InstancePermit::<ManageUsers>::request(&Caller::system())?;
        let admins = context.use_cases().users.admin_count(&permit).await?;
        let is_needed = admins.with_password == 0;
        self.is_done.store(!is_needed, Ordering::Relaxed);
        Ok(is_needed)
    }
}

/// The way from an instance that is set up: to the console, which asks those to sign in who have not.
fn done() -> HttpResponse {
    see_other(ROOT)
}

async fn show(browser: Browser, state: Data<SetUp>, context: Data<Context>) -> ApiResult {
    if !state.is_needed(&context).await? {
        return Ok(done());
    }
    browser.show(&SetUpPage { frame: browser.frame(), form: Form::default() })
}

async fn set_up(
    browser: Browser,
    request: HttpRequest,
    body: RawBody,
    state: Data<SetUp>,
    context: Data<Context>,
) -> ApiResult {
    let client = Client::new(&request, &context);
    client.refuse_cross_site()?;
    let form = Form::read_from_anyone(body).await?;
    if !state.is_needed(&context).await? {
        return Ok(done());
    }
    let created = create(&form, client, &context).await;
    let (status, form) = match created {
        Ok(response) => return Ok(response),
        Err(error) => form.with_problems(browser.words, error)?,
    };
    browser.show_with(status, &SetUpPage { frame: browser.frame(), form })
}

async fn create(form: &Form, client: Client<'_>, context: &Context) -> ApiResult {
    let use_cases = context.use_cases();
    let caller = admin(form.value("token").trim(), client, context).await?;
    let permit = InstancePermit::<ManageUsers>::request(&caller)?;
    let draft = draft(form)?;
    use_cases.users.create(&permit, draft).await?;
    let logged_in = use_cases
        .sessions
        .log_in(form.value("username").trim(), form.value("password"), client.origin())
        .await?;
    Ok(signed_in(client, &logged_in, path!("tokens")))
}

/// Returns the caller that the first admin token stands for.
async fn admin(secret: &str, client: Client<'_>, context: &Context) -> Result<Caller, ApiError> {
    let refused = || {
        let problem = Rule::named("no-admin-token").says("This is not an admin token of this server.");
        ApiError::BadInput(vec![Detail::of_field("token", problem)])
    };
    let authenticated = context.use_cases().authenticator.authenticate(secret, client.address()).await;
    let principal: Arc<Principal> = match authenticated.map_err(ApiError::from) {
        Ok(principal) => principal,
        Err(ApiError::BadCredentials) => return Err(refused()),
        Err(other) => return Err(other),
    };
    let is_admin =
        matches!(&*principal, Principal::ApiToken { access, .. } if access.kind() == TokenKind::Admin);
    if !is_admin {
        return Err(refused());
    }
    Ok(Caller::admit(principal, client.origin())?)
}

/// Reads the body of the API that the form stands for. A user name, which the API can do without, is needed to sign in.
fn draft(form: &Form) -> Result<UserDraft, ApiError> {
    let mut members = form.members(Empty::Absent);
    members.remove("token");
    members.entry("username").or_insert_with(|| Value::from(""));
    members.insert("rootRole".to_owned(), Value::from(ADMIN));
    let body: CreateUserBody = parse(members, "body")?;
    Ok(body.into())
}
