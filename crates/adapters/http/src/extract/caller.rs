//! The caller of a request, and what the caller is permitted to do.

use std::{net::IpAddr, sync::Arc};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderValue},
};
use futures_util::future::LocalBoxFuture;
use latchkey_domain::{Permission, Principal, Reason, UserCredential};
use latchkey_service::{
    Caller, InstanceAction, InstancePermit, Permit, ProjectAction, ProjectsPermit, Refusal, SignedIn,
};

use super::{client::Client, path::parameter};
use crate::{context::Context, error::ApiError, observability::PrincipalId};

/// The cookie that holds a session's secret.
pub(crate) const SESSION_COOKIE: &str = "latchkey-session";
/// The path parameter that holds the id of a project.
pub(crate) const PROJECT: &str = "projectId";

/// The caller, or a permit that the caller was granted. The one extractor that can fail: with 401, then with 403.
pub(crate) struct Authorized<P>(pub(crate) P);

/// Whether an authentication is a use of the credentials, or that of before goes on.
#[derive(Debug, Clone, Copy)]
enum Use {
    New,
    Same,
}

/// What a handler can require of its caller.
pub(crate) trait Authorize: Sized {
    /// Asks for it.
    fn authorize(caller: Caller, request: &HttpRequest) -> Result<Self, ApiError>;

    /// Returns the sentence that says which callers are refused, for the OpenAPI document.
    fn refusal() -> String;
}

impl Authorize for Caller {
    fn authorize(caller: Caller, _: &HttpRequest) -> Result<Self, ApiError> {
        Ok(caller)
    }

    fn refusal() -> String {
        "The caller is a client or frontend token.".to_owned()
    }
}

impl Authorize for SignedIn {
    fn authorize(caller: Caller, _: &HttpRequest) -> Result<Self, ApiError> {
        Ok(Self::request(&caller)?)
    }

    fn refusal() -> String {
        "The caller is an API token, not a user.".to_owned()
    }
}

impl<A: InstanceAction> Authorize for InstancePermit<A> {
    fn authorize(caller: Caller, _: &HttpRequest) -> Result<Self, ApiError> {
        Ok(Self::request(&caller)?)
    }

    fn refusal() -> String {
        missing("Each", A::ANY_OF)
    }
}

/// For the project that the path names as [`PROJECT`].
impl<A: ProjectAction> Authorize for Permit<A> {
    fn authorize(caller: Caller, request: &HttpRequest) -> Result<Self, ApiError> {
        Ok(Self::request_for(&caller, &parameter(request, PROJECT)?)?)
    }

    fn refusal() -> String {
        missing("One", A::PERMISSIONS)
    }
}

/// For all projects in which the caller may do it.
impl<A: ProjectAction> Authorize for ProjectsPermit<A> {
    fn authorize(caller: Caller, _: &HttpRequest) -> Result<Self, ApiError> {
        Ok(Self::request(&caller)?)
    }

    fn refusal() -> String {
        missing("One", A::PERMISSIONS)
    }
}

fn missing(quantifier: &str, permissions: &[Permission]) -> String {
    match permissions {
        [one] => format!("The permission {one} is missing."),
        several => {
            let names: Vec<_> = several.iter().map(|permission| permission.as_str()).collect();
            format!("{quantifier} of the permissions {} is missing.", names.join(", "))
        }
    }
}

impl<P: Authorize + 'static> FromRequest for Authorized<P> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let caller = Client::new(&request, Context::of(&request)?).caller().await?;
            P::authorize(caller, &request).map(Self)
        })
    }
}

impl Client<'_> {
    /// Authenticates the caller and admits them to the administrative routes.
    ///
    /// # Errors
    /// As `Client::authenticate`; [`ApiError::CrossSite`] for a change that another site made a browser send with its
    /// user's cookie; [`ApiError::Refused`] for client and frontend tokens.
    pub async fn caller(self) -> Result<Caller, ApiError> {
        let principal = self.authenticate().await?;
        self.admit(principal)
    }

    /// As [`Client::caller`], for a request that is still being answered: that is no further use of the credentials.
    pub(crate) async fn caller_again(self) -> Result<Caller, ApiError> {
        let principal = self.by_header_or_session(Use::Same).await?;
        self.admit(principal)
    }

    fn admit(self, principal: Arc<Principal>) -> Result<Caller, ApiError> {
        if matches!(*principal, Principal::User { credential: UserCredential::Session(_), .. }) {
            self.refuse_cross_site()?;
        }
        Ok(Caller::admit(principal, self.origin())?)
    }

    /// Authenticates the caller. As in Unleash, an API token takes precedence over a session, a session over a personal
    /// access token, and a bad header does not invalidate a good session.
    ///
    /// # Errors
    /// [`ApiError::NoCredentials`], [`ApiError::BadCredentials`], or that the store is unavailable.
    pub(crate) async fn authenticate(self) -> Result<Arc<Principal>, ApiError> {
        let principal = self.by_header_or_session(Use::New).await?;
        PrincipalId::keep(self.request, &principal);
        Ok(principal)
    }

    async fn by_header_or_session(self, kind: Use) -> Result<Arc<Principal>, ApiError> {
        let by_header = self.by_header(kind).await;
        let Some(secret) = self.session_secret() else { return by_header };
        match by_header {
            Ok(principal) if matches!(*principal, Principal::ApiToken { .. }) => return Ok(principal),
            Ok(_) | Err(ApiError::NoCredentials | ApiError::BadCredentials) => {}
            Err(error) => return Err(error),
        }
        match self.context.use_cases.authenticator.authenticate_session(&secret, self.address()).await {
            Err(error) if error.reason().is_some() => by_header,
            found => Ok(found?),
        }
    }

    async fn by_header(self, kind: Use) -> Result<Arc<Principal>, ApiError> {
        let authenticator = &self.context.use_cases.authenticator;
        let (secret, address) = (self.header_secret()?, self.address());
        Ok(match kind {
            Use::New => authenticator.authenticate(secret, address).await?,
            Use::Same => authenticator.authenticate_again(secret, address).await?,
        })
    }

    /// Returns the secret in `Authorization`.
    pub(crate) fn header_secret(&self) -> Result<&str, ApiError> {
        let header = self.request.headers().get(header::AUTHORIZATION).ok_or(ApiError::NoCredentials)?;
        let secret = secret_in(header)?;
        if secret.is_empty() { Err(ApiError::NoCredentials) } else { Ok(secret) }
    }

    /// Verifies the token that a gateway forwards from the client of this address: in the header that the settings name, or in
    /// `Authorization`.
    ///
    /// # Errors
    /// [`ApiError::NoCredentials`], [`ApiError::NotVerified`], or that the store is unavailable.
    pub(crate) async fn presented_token(self, address: Option<IpAddr>) -> Result<Arc<Principal>, ApiError> {
        let named = self.context.settings.verify_header.as_ref();
        let secret = match named.and_then(|name| self.request.headers().get(name)) {
            Some(header) => secret_in(header),
            None => self.header_secret(),
        };
        // What cannot be read is as unknown as what is not found.
        let unreadable = |error| match error {
            ApiError::BadCredentials => Refusal::from(Reason::Unknown).into(),
            error => error,
        };
        let verified = self.context.use_cases.verification.verify(secret.map_err(unreadable)?, address).await;
        verified.map_err(|error| match error.reason() {
            Some(reason) => Refusal::from(reason).into(),
            None => error.into(),
        })
    }

    /// Authenticates a client that only verifies tokens. A cached result is good enough for that.
    pub(crate) async fn introspection_client(self) -> Result<Arc<Principal>, ApiError> {
        if self.session_secret().is_some() {
            return self.authenticate().await;
        }
        Ok(self.context.use_cases.verification.authenticate(self.header_secret()?, self.address()).await?)
    }

    fn session_secret(self) -> Option<String> {
        // Parses cookies only for the few requests that have any.
        self.request.headers().contains_key(header::COOKIE).then_some(())?;
        self.request.cookie(SESSION_COOKIE).map(|cookie| cookie.value().to_owned())
    }
}

fn secret_in(header: &HeaderValue) -> Result<&str, ApiError> {
    // `to_str` checks for control characters byte by byte; actix accepts no header that contains any.
    let text = std::str::from_utf8(header.as_bytes()).ok().filter(|text| text.is_ascii());
    text.map(|text| bearer(text.trim_ascii())).ok_or(ApiError::BadCredentials)
}

/// Returns the secret in `<secret>` or `Bearer <secret>`, with the scheme in any case (RFC 9110, section 11.1).
fn bearer(header: &str) -> &str {
    const SCHEME: &str = "bearer";
    match header.split_at_checked(SCHEME.len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => match rest.strip_prefix(' ') {
            Some(secret) => secret.trim_ascii_start(),
            None if rest.is_empty() => "",
            None => header,
        },
        _ => header,
    }
}
