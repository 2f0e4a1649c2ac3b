//! The error object of `docs/reference/wire-contract.md`, and the problems that it lists.

use latchkey_domain::PasswordFault;
use latchkey_service::{Fault as _, Message};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

/// The error object of every 4xx and 5xx response.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = errorSchema)]
pub(crate) struct ErrorBody {
    /// The id of this occurrence, also in the log.
    #[schema(value_type = String, example = "9c40958a-daac-400e-98fb-3bb438567008")]
    pub(crate) id: Uuid,
    /// The kind of error.
    #[schema(example = "NotFoundError")]
    pub(crate) name: &'static str,
    /// What went wrong.
    #[schema(example = "Could not find the addon with ID \"12345\".")]
    pub(crate) message: String,
    /// Each problem by itself.
    pub(crate) details: Vec<Detail>,
    /// Why a token that was to be verified is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "wrong_project")]
    pub(crate) code: Option<&'static str>,
    /// Any one of these permissions would have done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) permissions: Option<Vec<&'static str>>,
    /// Where to log in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<&'static str>,
    /// How to log in.
    #[serde(skip_serializing_if = "Option::is_none", rename = "type")]
    pub(crate) login: Option<&'static str>,
}

/// One problem with what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Detail {
    /// What to change.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String)]
    pub message: Message,
    /// Where it is, as a JSON pointer from the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/body/type")]
    pub path: Option<String>,
}

impl Detail {
    /// A problem with one member of the body.
    #[must_use]
    pub fn of_field(field: &str, message: impl Into<Message>) -> Self {
        Self { message: message.into(), path: Some(format!("/body/{field}")) }
    }

    /// A problem with a new password.
    pub(crate) fn of_password(fault: PasswordFault) -> Self {
        Self::of_field("password", fault.rule().says(fault.to_string()))
    }

    /// A problem with the body as a whole.
    pub(crate) fn of_body(message: impl Into<Message>) -> Self {
        Self { message: message.into(), path: Some("/body".to_owned()) }
    }

    /// The same problem of an entry of a list in the body.
    pub(crate) fn in_entry(self, list: &str, index: usize) -> Self {
        let member = self.path.as_deref().and_then(|path| path.strip_prefix("/body")).unwrap_or_default();
        Self { path: Some(format!("/body/{list}/{index}{member}")), ..self }
    }

    /// A problem with a part of the path.
    pub(crate) fn of_parameter(name: &str, message: impl Into<Message>) -> Self {
        Self { message: message.into(), path: Some(format!("/params/{name}")) }
    }

    /// A problem with a parameter of the query.
    pub(crate) fn of_query(name: &str, message: impl Into<Message>) -> Self {
        Self { message: message.into(), path: Some(format!("/query/{name}")) }
    }

    /// A problem with a header.
    pub(crate) fn of_header(name: &str, message: impl Into<Message>) -> Self {
        Self { message: message.into(), path: Some(format!("/headers/{name}")) }
    }
}

fn as_text<S: Serializer>(message: &Message, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(message.as_str())
}
