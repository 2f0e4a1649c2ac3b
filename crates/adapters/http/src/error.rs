//! Every way in which a request can fail, and the one place where it becomes the error object of the wire.

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderName},
    },
};
use latchkey_domain::{Denied, Permission, Reason};
use latchkey_ports::{Entity, ErrorChain, StoreError};
use latchkey_service::{AuthenticationError, Field, Refusal, ServiceError, SpendError, whole_seconds};
use uuid::Uuid;

use crate::{
    error_body::{Detail, ErrorBody},
    rate_headers,
};

/// The member of a body that lists tokens.
pub(crate) const TOKENS: &str = "tokens";

/// The path at which a client can log in.
const LOGIN_PATH: &str = "/auth/simple/login";
/// The header that says why a token is refused, for gateways that do not read bodies.
const REASON: HeaderName = HeaderName::from_static("x-latchkey-reason");
/// How long a client should wait before it retries at an unavailable service, in seconds.
const RETRY_AFTER: &str = "1";
/// The body of an error whose own body cannot be serialized.
const FALLBACK_BODY: &str =
    r#"{"name":"UnknownError","message":"Something went wrong inside.","details":[]}"#;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request has no credentials.
    #[error(
        "You must log in to use Latchkey. Your request had no authorization header, so we could not authorize you. \
         Try logging in at {LOGIN_PATH}."
    )]
    NoCredentials,
    /// The credentials of the request are not valid.
    #[error(
        "Your credentials are unknown, revoked or expired. Send a valid token in the Authorization header."
    )]
    BadCredentials,
    /// The token that is to be verified is refused.
    #[error(transparent)]
    NotVerified(#[from] Refusal),
    /// The request has to be signed, and is not, or not rightly.
    #[error("{0}.")]
    BadSignature(&'static str),
    /// The route demands a client certificate, and the connection has none.
    #[error(
        "This route needs a client certificate of an authority that this server trusts. Connect with TLS and send one."
    )]
    NoClientCertificate,
    /// Another site made a browser send a change with its user's cookie.
    #[error("This change was requested by another site and was not made.")]
    CrossSite,
    /// A use case refused.
    #[error(transparent)]
    Refused(#[from] ServiceError),
    /// The request is malformed; every problem is listed.
    #[error("{}", bad_input(.0))]
    BadInput(Vec<Detail>),
    /// The content type or encoding of the body is not accepted.
    #[error("{0}")]
    ContentType(String),
    /// The body is larger than allowed.
    #[error("The body must have at most {0} bytes.")]
    TooLarge(usize),
    /// Requests in progress hold all the memory that they may.
    #[error("Too many large requests are in progress at the moment. Try again later.")]
    NoMemory,
    /// The target is longer than allowed.
    #[error("The URL must have at most {0} bytes.")]
    TargetTooLong(usize),
    /// There is no such route.
    #[error("The path you were looking for ({0}) is not available.")]
    UnknownPath(String),
    /// There is no such route in a process that only verifies tokens.
    #[error(
        "The path you were looking for ({0}) is not available here: this server only verifies tokens (server.role = \
         \"verifier\"). Send administration to a server of the primary, whose role is full."
    )]
    NotOfVerifier(String),
    /// The route does not support the method; these are the methods that it supports.
    #[error("This path supports only these methods: {0}.")]
    WrongMethod(String),
    /// Too many unknown credentials are being looked up.
    #[error("Too many unknown credentials are being tried at the moment. Try again later.")]
    Busy,
    /// The connection has too many requests in progress.
    #[error(
        "This connection has too many requests in progress. Wait for some of their responses, then try again."
    )]
    TooManyStreams,
    /// As many event streams are open as there may be.
    #[error(
        "As many event streams are open as limits.event_streams allows. Close one, raise the limit, or try again later."
    )]
    TooManyEventStreams,
    /// The request took too long.
    #[error("The request took too long and was given up. Try again later.")]
    TimedOut,
    /// The handler panicked.
    #[error("Something went wrong inside. If you report it, send the id along.")]
    Panicked,
}

impl From<AuthenticationError> for ApiError {
    fn from(error: AuthenticationError) -> Self {
        match error {
            AuthenticationError::Unknown | AuthenticationError::Refused { .. } => Self::BadCredentials,
            AuthenticationError::Limited(refusal) => Self::NotVerified(refusal),
            AuthenticationError::Busy => Self::Busy,
            AuthenticationError::Store(error) => Self::Refused(error.into()),
        }
    }
}

impl From<SpendError> for ApiError {
    fn from(error: SpendError) -> Self {
        match error {
            SpendError::Refused(refusal) => Self::NotVerified(refusal),
            SpendError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

fn bad_input(details: &[Detail]) -> String {
    const START: &str = "Request validation failed: your request body or params contain invalid data";
    match details {
        [one] => format!("{START}: {}", one.message),
        _ => format!("{START}. Refer to the `details` list for more information."),
    }
}

impl ApiError {
    /// Returns an error that is logged in full and tells the client nothing but that it occurred.
    pub fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Refused(ServiceError::Internal(error.into()))
    }

    /// Returns the status and the kind of the error object.
    #[must_use]
    pub fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoCredentials => (StatusCode::UNAUTHORIZED, "AuthenticationRequired"),
            Self::BadCredentials | Self::BadSignature(_) => (StatusCode::UNAUTHORIZED, "UnauthorizedError"),
            Self::NotVerified(refusal) => match refusal.reason {
                Reason::Unknown | Reason::Expired | Reason::Disabled => {
                    (StatusCode::UNAUTHORIZED, "UnauthorizedError")
                }
                Reason::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "RateLimitError"),
                _ => (StatusCode::FORBIDDEN, "OperationDeniedError"),
            },
            Self::NoClientCertificate => (StatusCode::FORBIDDEN, "NoAccessError"),
            Self::Refused(refusal) => match refusal.of_any_entry() {
                ServiceError::WrongTokenKind(_) | ServiceError::Denied(_) => {
                    (StatusCode::FORBIDDEN, "NoAccessError")
                }
                ServiceError::NotPermitted(_) => (StatusCode::FORBIDDEN, "OperationDeniedError"),
                ServiceError::WrongPassword => (StatusCode::UNAUTHORIZED, "PasswordMismatch"),
                ServiceError::TooManyAttempts(_) => (StatusCode::TOO_MANY_REQUESTS, "RateLimitError"),
                ServiceError::Invalid { .. } | ServiceError::WeakPassword(_) => {
                    (StatusCode::BAD_REQUEST, "BadDataError")
                }
                ServiceError::NotFound(_) => (StatusCode::NOT_FOUND, "NotFoundError"),
                ServiceError::Exists(_) => (StatusCode::CONFLICT, "NameExistsError"),
                ServiceError::LimitReached { .. } => (StatusCode::BAD_REQUEST, "ExceedsLimitError"),
                ServiceError::KeyReused => (StatusCode::UNPROCESSABLE_ENTITY, "UnprocessableError"),
                ServiceError::Overtaken | ServiceError::Unavailable(_) => {
                    (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableError")
                }
                ServiceError::Internal(_) | ServiceError::Entry { .. } => {
                    (StatusCode::INTERNAL_SERVER_ERROR, "UnknownError")
                }
            },
            Self::CrossSite => (StatusCode::FORBIDDEN, "OperationDeniedError"),
            Self::BadInput(_) => (StatusCode::BAD_REQUEST, "BadDataError"),
            Self::ContentType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "ContentTypeError"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeError"),
            Self::TargetTooLong(_) => (StatusCode::URI_TOO_LONG, "UriTooLongError"),
            Self::UnknownPath(_) | Self::NotOfVerifier(_) => (StatusCode::NOT_FOUND, "NotFoundError"),
            Self::WrongMethod(_) => (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowedError"),
            Self::TimedOut
            | Self::Busy
            | Self::NoMemory
            | Self::TooManyStreams
            | Self::TooManyEventStreams => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableError"),
            Self::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, "UnknownError"),
        }
    }

    /// Returns the message for the client. An internal error reveals nothing but that it occurred.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Refused(ServiceError::Internal(_)) => Self::Panicked.to_string(),
            Self::Refused(ServiceError::Unavailable(_)) => {
                "The service cannot reach its database at the moment. Try again later.".to_owned()
            }
            Self::Refused(ServiceError::Exists(entity)) => exists(entity),
            Self::Refused(refusal)
                if matches!(
                    refusal.of_any_entry(),
                    ServiceError::Invalid { .. } | ServiceError::WeakPassword(_)
                ) =>
            {
                bad_input(&self.details(""))
            }
            other => other.to_string(),
        }
    }

    /// Returns each problem by itself.
    #[must_use]
    pub fn problems(&self) -> Vec<Detail> {
        self.details(&self.message())
    }

    /// Returns the permissions of which any one would have done.
    #[must_use]
    pub fn permissions(&self) -> &[Permission] {
        match self {
            Self::Refused(ServiceError::Denied(Denied { any_of, .. })) => any_of,
            _ => &[],
        }
    }

    fn details(&self, message: &str) -> Vec<Detail> {
        match self {
            Self::BadInput(details) => details.clone(),
            Self::Refused(refusal) => details_of(refusal, message),
            _ => vec![Detail { message: message.into(), path: None }],
        }
    }

    /// Returns why a token that was to be verified is refused, or one with limits elsewhere.
    fn reason(&self) -> Option<Reason> {
        match self {
            Self::NotVerified(refusal) => Some(refusal.reason),
            _ => None,
        }
    }

    /// Returns the error object, with the id that the log line of this occurrence has too.
    pub(crate) fn body(&self, id: Uuid) -> ErrorBody {
        let message = self.message();
        let permissions = self.permissions();
        let login = matches!(self, Self::NoCredentials);
        ErrorBody {
            id,
            name: self.kind().1,
            details: self.details(&message),
            message,
            code: self.reason().map(Reason::as_str),
            permissions: (!permissions.is_empty())
                .then(|| permissions.iter().copied().map(Permission::as_str).collect()),
            path: login.then_some(LOGIN_PATH),
            login: login.then_some("password"),
        }
    }

    /// Returns the response, with the id that the log line of this occurrence has too.
    pub(crate) fn response(&self, id: Uuid) -> HttpResponse {
        let mut response = HttpResponse::build(self.kind().0);
        response.insert_header((header::CONTENT_TYPE, "application/json"));
        if let Some(reason) = self.reason() {
            response.insert_header((REASON, reason.as_str()));
        }
        match self {
            Self::NoCredentials | Self::BadCredentials => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            Self::NotVerified(_) if self.kind().0 == StatusCode::UNAUTHORIZED => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            Self::NotVerified(Refusal { rate: Some(left), .. }) => {
                response.insert_header((header::RETRY_AFTER, whole_seconds(left.resets_in).max(1)));
                for header in rate_headers::of(left) {
                    response.insert_header(header);
                }
            }
            Self::BadSignature(_) => {
                response.insert_header((header::WWW_AUTHENTICATE, "HMAC"));
            }
            Self::WrongMethod(allow) => {
                response.insert_header((header::ALLOW, allow.as_str()));
            }
            Self::Refused(ServiceError::TooManyAttempts(wait)) => {
                response.insert_header((header::RETRY_AFTER, whole_seconds(*wait)));
            }
            _ if self.kind().0 == StatusCode::SERVICE_UNAVAILABLE => {
                response.insert_header((header::RETRY_AFTER, RETRY_AFTER));
            }
            _ => {}
        }
        response.body(serde_json::to_string(&self.body(id)).unwrap_or_else(|_| FALLBACK_BODY.to_owned()))
    }

    /// Returns whether an operator must act: not for a conflict with another change, for too many guesses, or for an
    /// unavailable store.
    fn is_fault(&self) -> bool {
        match self {
            Self::Busy
            | Self::NoMemory
            | Self::TooManyStreams
            | Self::TooManyEventStreams
            | Self::Refused(ServiceError::Overtaken | ServiceError::Unavailable(_)) => false,
            other => other.kind().0.is_server_error(),
        }
    }

    /// Logs the occurrence with its id: a fault of this side at ERROR and an unavailable store at WARN, both with all
    /// causes; any other at DEBUG.
    pub(crate) fn log(&self, id: Uuid) {
        let (status, name) = self.kind();
        let status = status.as_u16();
        if self.is_fault() {
            tracing::error!(error_id = %id, status, name, error = %ErrorChain(self), "request failed");
        } else if let Self::Refused(ServiceError::Unavailable(_)) = self {
            tracing::warn!(error_id = %id, status, name, error = %ErrorChain(self), "store unavailable");
        } else {
            tracing::debug!(error_id = %id, status, name, "request refused");
        }
    }
}

/// Lets handlers return the error. The status alone: the middleware replaces the response by `ApiError::response`, whose
/// body has the id under which the error is logged.
impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.kind().0
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

fn details_of(refusal: &ServiceError, message: &str) -> Vec<Detail> {
    match refusal {
        ServiceError::Invalid { field, message } => {
            vec![Detail { message: message.clone(), path: field.map(pointer) }]
        }
        ServiceError::WeakPassword(faults) => faults.iter().copied().map(Detail::of_password).collect(),
        ServiceError::KeyReused => vec![Detail::of_header("idempotency-key", message)],
        // The only list whose entries a use case refuses.
        ServiceError::Entry { index, error } => {
            let details = details_of(error, message).into_iter();
            details.map(|detail| detail.in_entry(TOKENS, *index)).collect()
        }
        _ => vec![Detail { message: message.into(), path: None }],
    }
}

/// Returns a part of the request as a JSON pointer.
fn pointer(field: Field) -> String {
    match field {
        Field::Body(member) => format!("/body/{member}"),
        Field::Query(parameter) => format!("/query/{parameter}"),
    }
}

fn exists(entity: &Entity) -> String {
    match entity {
        Entity::Secret => "This secret is in use already.".to_owned(),
        other => {
            let text = format!("{other} exists already.");
            let mut characters = text.chars();
            characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_is_no_fault_of_the_server() {
        let error = ApiError::from(StoreError::Stale(Entity::Secret));
        assert_eq!(error.kind().0, StatusCode::SERVICE_UNAVAILABLE);
        assert!(error.message().starts_with("This was changed by another request"), "{}", error.message());
        assert!(!error.is_fault() && !ApiError::Busy.is_fault());
        assert!(ApiError::TimedOut.is_fault() && ApiError::Panicked.is_fault());
    }
}
