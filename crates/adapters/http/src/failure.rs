//! Everything that can go wrong with a request, and the one place where it becomes the contract's error object.

use actix_web::{HttpResponse, http::StatusCode, http::header};
use latchkey_domain::{Denied, Permission};
use latchkey_ports::{Entity, ErrorChain, StoreError};
use latchkey_service::{AuthenticationError, Field, ServiceError, whole_seconds};
use uuid::Uuid;

use crate::{
    answers::JSON,
    error_body::{Detail, ErrorBody},
};

/// Where somebody without credentials can get some.
const LOGIN_PATH: &str = "/auth/simple/login";
/// How long a client should wait before it asks an unavailable service again, in seconds.
const RETRY_AFTER: &str = "1";

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// No credentials came along.
    #[error(
        "You must log in to use Latchkey. Your request had no authorization header, so we could not authorize you. \
         Try logging in at {LOGIN_PATH}."
    )]
    NoCredentials,
    /// The credentials that came along are nobody's.
    #[error(
        "Your credentials are unknown, revoked or expired. Send a valid token in the Authorization header."
    )]
    BadCredentials,
    /// Another site had a browser ask for a change with its user's cookie.
    #[error("This change was asked for by another site, and is not made.")]
    CrossSite,
    /// A use case refused.
    #[error(transparent)]
    Refused(#[from] ServiceError),
    /// What was sent cannot be understood; every problem is listed.
    #[error("{}", bad_input(.0))]
    BadInput(Vec<Detail>),
    /// The body is not declared as JSON.
    #[error("{0}")]
    ContentType(String),
    /// The body is larger than allowed.
    #[error("The body must have at most {0} bytes.")]
    TooLarge(usize),
    /// There is no such route.
    #[error("The path you were looking for ({0}) is not available.")]
    UnknownPath(String),
    /// The route has no such method.
    #[error("This path takes {0} and nothing else.")]
    WrongMethod(&'static str),
    /// Too many guesses at credentials are under way.
    #[error("Too many unknown credentials are being tried at the moment. Try again later.")]
    Busy,
    /// It took too long.
    #[error("The request took too long and was given up. Try again later.")]
    TimedOut,
    /// A handler panicked.
    #[error("Something went wrong inside. If you report it, send the id along.")]
    Panicked,
}

impl From<AuthenticationError> for Failure {
    fn from(error: AuthenticationError) -> Self {
        match error {
            AuthenticationError::Unknown => Self::BadCredentials,
            AuthenticationError::Busy => Self::Busy,
            AuthenticationError::Store(error) => Self::Refused(error.into()),
        }
    }
}

impl From<StoreError> for Failure {
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

impl Failure {
    /// Status and kind, as the contract's list of kinds has them.
    pub(crate) fn kind(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NoCredentials => (StatusCode::UNAUTHORIZED, "AuthenticationRequired"),
            Self::BadCredentials => (StatusCode::UNAUTHORIZED, "UnauthorizedError"),
            Self::Refused(refusal) => match refusal {
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
                ServiceError::Overtaken | ServiceError::Unavailable(_) => {
                    (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableError")
                }
                ServiceError::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "UnknownError"),
            },
            Self::CrossSite => (StatusCode::FORBIDDEN, "OperationDeniedError"),
            Self::BadInput(_) => (StatusCode::BAD_REQUEST, "BadDataError"),
            Self::ContentType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "ContentTypeError"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeError"),
            Self::UnknownPath(_) => (StatusCode::NOT_FOUND, "NotFoundError"),
            Self::WrongMethod(_) => (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowedError"),
            Self::TimedOut | Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailableError"),
            Self::Panicked => (StatusCode::INTERNAL_SERVER_ERROR, "UnknownError"),
        }
    }

    /// What the caller is told. Of a fault inside, nothing but that there was one.
    fn message(&self) -> String {
        match self {
            Self::Refused(ServiceError::Internal(_)) => Self::Panicked.to_string(),
            Self::Refused(ServiceError::Unavailable(_)) => {
                "The service cannot reach its database at the moment. Try again later.".to_owned()
            }
            Self::Refused(ServiceError::Exists(entity)) => exists(entity),
            Self::Refused(ServiceError::Invalid { .. } | ServiceError::WeakPassword(_)) => {
                bad_input(&self.details(""))
            }
            other => other.to_string(),
        }
    }

    fn details(&self, message: &str) -> Vec<Detail> {
        match self {
            Self::BadInput(details) => details.clone(),
            Self::Refused(ServiceError::Invalid { field, message }) => {
                vec![Detail { message: message.clone(), path: field.map(pointer) }]
            }
            Self::Refused(ServiceError::WeakPassword(faults)) => {
                faults.iter().map(|fault| Detail::of_field("password", fault.to_string())).collect()
            }
            _ => vec![Detail { message: message.to_owned(), path: None }],
        }
    }

    /// The answer, under the id that the log line of this occurrence has too.
    pub(crate) fn present(&self, id: Uuid) -> HttpResponse {
        let (status, name) = self.kind();
        let message = self.message();
        let permissions = match self {
            Self::Refused(ServiceError::Denied(Denied { any_of, .. })) => {
                Some(any_of.iter().copied().map(Permission::as_str).collect())
            }
            _ => None,
        };
        let login = matches!(self, Self::NoCredentials);
        let body = ErrorBody {
            id,
            name,
            details: self.details(&message),
            message,
            permissions,
            path: login.then_some(LOGIN_PATH),
            login: login.then_some("password"),
        };
        let mut answer = HttpResponse::build(status);
        answer.insert_header((header::CONTENT_TYPE, JSON));
        match self {
            Self::NoCredentials | Self::BadCredentials => {
                answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            Self::WrongMethod(allow) => {
                answer.insert_header((header::ALLOW, *allow));
            }
            Self::Refused(ServiceError::TooManyAttempts(wait)) => {
                answer.insert_header((header::RETRY_AFTER, whole_seconds(*wait)));
            }
            _ if status == StatusCode::SERVICE_UNAVAILABLE => {
                answer.insert_header((header::RETRY_AFTER, RETRY_AFTER));
            }
            _ => {}
        }
        // Strings and lists of strings: they always serialise.
        answer.body(serde_json::to_vec(&body).unwrap_or_default())
    }

    /// Whether something is wrong here; not where somebody else was faster, or guesses too much.
    fn is_fault(&self) -> bool {
        match self {
            Self::Busy | Self::Refused(ServiceError::Overtaken) => false,
            other => other.kind().0.is_server_error(),
        }
    }

    /// Writes the occurrence down under its id: a fault inside loudly and with all its causes, a client's quietly.
    pub(crate) fn log(&self, id: Uuid) {
        let (status, name) = self.kind();
        let status = status.as_u16();
        if self.is_fault() {
            tracing::error!(error_id = %id, status, name, error = %ErrorChain(self), "request failed");
        } else {
            tracing::debug!(error_id = %id, status, name, "request refused");
        }
    }
}

/// A part of what was sent, as a JSON pointer from the request.
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
    fn who_was_slower_is_told_so_and_nobody_is_woken() {
        let failure = Failure::from(StoreError::Stale(Entity::Secret));
        assert_eq!(failure.kind().0, StatusCode::SERVICE_UNAVAILABLE);
        assert!(
            failure.message().starts_with("This was changed by another request"),
            "{}",
            failure.message()
        );
        assert!(!failure.is_fault() && !Failure::Busy.is_fault());
        assert!(Failure::TimedOut.is_fault() && Failure::Panicked.is_fault());
    }
}
