//! The first visit of a new instance: the owner of the admin token that the server has printed makes the first user with the role Admin.

use std::sync::Arc;

use actix_web::{
    HttpRequest,
    web::{self, Data, ServiceConfig},
};
use askama::Template;
use latchkey_domain::{Email, PersonName, Principal, TokenKind, Username};
use latchkey_http::{
    Context,
    pages::{ApiError, ApiResult, Client, Detail, RawBody},
};
use latchkey_service::{Caller, InstancePermit, ManageUsers, RoleReference, ServiceError, UserDraft};

use crate::{form::Form, frame::Frame, page::see_other, session::signed_in, visitor::Browser};

pub(crate) const PATH: &str = path!("set-up");
/// The role of the first user.
const ADMIN: &str = "Admin";

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(web::resource(PATH).get(show).post(set_up));
}

#[derive(Template)]
#[template(path = "set_up.html")]
struct SetUpPage {
    frame: Frame,
    form: Form,
}

/// Returns whether the instance has no user yet who could make others.
pub(crate) async fn is_needed(context: &Context) -> Result<bool, ServiceError> {
    let permit = InstancePermit::<ManageUsers>::request(&Caller::system())?;
    let admins = context.use_cases().users.admin_count(&permit).await?;
    Ok(admins.with_password == 0)
}

async fn show(browser: Browser, context: Data<Context>) -> ApiResult {
    if !is_needed(&context).await? {
        return Ok(see_other(path!("sign-in")));
    }
    browser.show(&SetUpPage { frame: browser.frame(), form: Form::default() })
}

async fn set_up(browser: Browser, request: HttpRequest, body: RawBody, context: Data<Context>) -> ApiResult {
    let client = Client::new(&request, &context);
    client.refuse_cross_site()?;
    let form = Form::read_from_anyone(body).await?;
    if !is_needed(&context).await? {
        return Ok(see_other(path!("sign-in")));
    }
    let created = create(&form, client, &context).await;
    let (status, form) = match created {
        Ok(response) => return Ok(response),
        Err(error) => match form.clone().with_problems(&error) {
            Some(again) => again,
            None => return Err(error),
        },
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
    let refused =
        || ApiError::BadInput(vec![Detail::of_field("token", "This is not an admin token of this server.")]);
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

fn draft(form: &Form) -> Result<UserDraft, ApiError> {
    let problem = |field: &str, error: String| {
        ApiError::BadInput(vec![Detail::of_field(field, format!("The {error}."))])
    };
    let username =
        Username::new(form.value("username")).map_err(|error| problem("username", error.to_string()))?;
    let email = match form.value("email").trim() {
        "" => None,
        text => Some(Email::new(text).map_err(|error| problem("email", error.to_string()))?),
    };
    let name = match form.value("name").trim() {
        "" => None,
        text => Some(PersonName::new(text).map_err(|error| problem("name", error.to_string()))?),
    };
    Ok(UserDraft {
        username: Some(username),
        email,
        name,
        root_role: RoleReference::Name(ADMIN.to_owned()),
        password: Some(form.value("password").to_owned()),
    })
}
