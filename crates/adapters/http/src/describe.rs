//! Describes operations in the OpenAPI document: what follows from the path and from the handler's signature.
//!
//! The attribute of a handler says only the rest. What it says of a status that is described here too is appended, such as
//! "Or the role is built in." to "The permission ADMIN is missing.".

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use utoipa::{
    IntoParams, PartialSchema, Path, ToSchema,
    openapi::{
        ContentBuilder, Header, HeaderBuilder, HttpMethod, ObjectBuilder, OpenApi, Ref, RefOr, Required,
        Response, Schema, Type,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
    },
};

use crate::{
    error::ApiError,
    error_responses::complete,
    extract::{
        Authorized, Body, IdempotencyKey, PathParameters, Query,
        body::RawBody,
        caller::Authorize,
        idempotency::{self, REPLAYED},
        unknown_members::warns,
    },
    response::{JSON, Tagged},
    warnings::{self, Warnings},
};

/// A type in the signature of a handler.
pub(crate) trait Describe {
    /// Adds what follows from the type to the entry of the operation.
    fn describe(_: &mut Entry) {}
}

/// The entry of an operation in the document.
pub(crate) struct Entry {
    operation: Operation,
    schemas: Vec<(String, RefOr<Schema>)>,
    /// The parts of the request that can be malformed.
    inputs: Vec<&'static str>,
    /// The statuses that follow from the signature, and why they are sent.
    statuses: BTreeMap<u16, Vec<String>>,
    is_change: bool,
    /// Whether a response can have warnings.
    has_warnings: bool,
    /// Whether the answer is kept for a request with an idempotency key.
    is_idempotent: bool,
}

/// Adds an operation to the document: what its attribute says, and what follows from the signature of its handler.
pub(crate) fn describe<D, Arguments, Output>(document: &mut OpenApi, tag: &str)
where
    D: Path + utoipa::__dev::SchemaReferences,
    Arguments: Describe,
    Output: Describe,
{
    let mut operation = D::operation();
    operation.tags = Some(vec![tag.to_owned()]);
    operation.operation_id = operation.operation_id.map(|id| camel_case(&id));
    let mut schemas = Vec::new();
    D::schemas(&mut schemas);
    let is_change = !D::methods().contains(&HttpMethod::Get);
    let (inputs, statuses, has_warnings, is_idempotent) = (Vec::new(), BTreeMap::new(), false, false);
    let mut entry = Entry { operation, schemas, inputs, statuses, is_change, has_warnings, is_idempotent };
    entry.add_path(&D::path());
    Arguments::describe(&mut entry);
    Output::describe(&mut entry);
    let (operation, schemas) = entry.finish();
    document.paths.add_path_operation(D::path(), D::methods(), operation);
    document.components.get_or_insert_default().schemas.extend(schemas);
}

impl Entry {
    /// Adds a reason for a status.
    pub(crate) fn add_status(&mut self, status: u16, reason: impl Into<String>) {
        self.statuses.entry(status).or_default().push(reason.into());
    }

    fn add_path(&mut self, path: &str) {
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            self.inputs = vec!["path"];
            let parameters = self.operation.parameters.get_or_insert_default();
            if !parameters.iter().any(|declared| matches!(declared, RefOr::T(one) if one.name == name)) {
                parameters.push(path_parameter(name).into());
            }
            match name {
                "name" => self.add_status(404, "There is no such environment."),
                "projectId" => self.add_status(404, "There is no such project."),
                _ => {}
            }
        }
    }

    fn add_schema<T: ToSchema>(&mut self) -> Ref {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        Ref::from_schema_name(T::name())
    }

    fn finish(mut self) -> (Operation, Vec<(String, RefOr<Schema>)>) {
        if !self.inputs.is_empty() {
            let inputs = self.inputs.join(" or the ");
            self.add_status(400, format!("The {inputs} is malformed; every problem is listed."));
        }
        let responses = &mut self.operation.responses.responses;
        for (status, mut reasons) in self.statuses {
            let response = responses.entry(status.to_string()).or_insert_with(|| Response::default().into());
            if let RefOr::T(response) = response {
                reasons.extend((!response.description.is_empty()).then(|| response.description.clone()));
                response.description = reasons.join(" ");
            }
        }
        for (status, response) in responses {
            if let RefOr::T(response) = response {
                complete(status, response);
                if self.has_warnings && status.starts_with('2') {
                    response.headers.insert(warnings::NAME.to_owned(), warnings_header().into());
                }
                if self.is_idempotent && status.starts_with('2') {
                    response.headers.insert(REPLAYED.to_owned(), replayed_header().into());
                }
            }
        }
        (self.operation, self.schemas)
    }
}

/// Describes the header of warnings.
fn warnings_header() -> Header {
    let description = "What the sender may have meant otherwise, as a list (RFC 9651); absent if there is nothing: \
                       `unknown-member;name=\"tokens/foo\"` for each member of the body that is not known and was ignored, at most \
                       ten; `already-expired`: a token was given an expiry that has passed; `no-such-token`: nothing was done.";
    let header = HeaderBuilder::new().schema(Some(String::schema())).description(Some(description));
    header.example(Some("unknown-member;name=\"foo\", already-expired".into())).build()
}

/// Describes the header of an answer that was kept.
fn replayed_header() -> Header {
    let description =
        "`true` if this is the answer to an earlier request with the same key; absent otherwise.";
    HeaderBuilder::new().schema(Some(String::schema())).description(Some(description)).build()
}

/// Returns the id of an operation: its handler's name, `get_roles`, as `getRoles`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |id, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or_default();
        id + &initial.to_ascii_uppercase() + rest
    })
}

/// Describes a parameter of a path by its name, which has the same meaning wherever the attribute says nothing else.
fn path_parameter(name: &str) -> Parameter {
    let (schema, description, example) = match name {
        "environment" | "name" => (String::schema(), "The name of the environment.", Some("staging")),
        "eventId" => (i64::schema(), "The id of the event.", None),
        "groupId" => (i64::schema(), "The id of the group.", None),
        "id" => (i64::schema(), "The id.", None),
        "projectId" => (String::schema(), "The id of the project.", Some("web-shop")),
        "tokenId" => (i64::schema(), "The id of the token.", None),
        "userId" => (i64::schema(), "The id of the user.", None),
        "webhookId" => (String::schema(), "The id of the webhook.", None),
        "token" => (String::schema(), "The token's secret, percent-encoded, or its id.", None),
        _ => (String::schema(), "", None),
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(schema))
        .example(example.map(Into::into))
        .build()
}

impl<P: Authorize> Describe for Authorized<P> {
    fn describe(entry: &mut Entry) {
        entry.add_status(401, "The credentials are missing or not valid.");
        entry.add_status(403, P::refusal());
        if entry.is_change {
            entry.add_status(403, "Or another site made a browser send the request.");
        }
        let reason =
            "The database does not answer, or another request changed the same thing at the same time.";
        entry.add_status(503, reason);
    }
}

impl<T: ToSchema + 'static> Describe for Body<T> {
    fn describe(entry: &mut Entry) {
        RawBody::describe(entry);
        entry.has_warnings |= warns::<T>();
        let content = ContentBuilder::new().schema(Some(entry.add_schema::<T>())).build();
        entry.operation.request_body.get_or_insert_with(|| {
            RequestBodyBuilder::new().content(JSON, content).required(Some(Required::True)).build().into()
        });
    }
}

impl Describe for RawBody {
    fn describe(entry: &mut Entry) {
        entry.inputs.push("body");
        entry.add_status(413, "The body is larger than 1 MiB.");
        entry.add_status(415, "The content type of the body is not accepted.");
    }
}

impl Describe for Warnings {
    fn describe(entry: &mut Entry) {
        entry.has_warnings = true;
    }
}

impl Describe for IdempotencyKey {
    fn describe(entry: &mut Entry) {
        entry.is_idempotent = true;
        entry.inputs.push("key");
        entry.add_status(422, "The key was sent before, with another body.");
        let description = "A key that the caller chooses for this request, such as a UUID. A request that is sent again with its \
                           key within 24 hours is answered as before, with the same secrets, and changes nothing again.";
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(idempotency::MAX_CHARACTERS))
            .pattern(Some("^[!-~]+$"));
        // Without an example: the page of the API would send it each time, and get the answer to the first request.
        let parameter = ParameterBuilder::new()
            .name(idempotency::NAME)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(description))
            .schema(Some(schema.build()));
        entry.operation.parameters.get_or_insert_default().push(parameter.build().into());
    }
}

impl<T: IntoParams> Describe for Query<T> {
    fn describe(entry: &mut Entry) {
        entry.inputs.push("query");
        let parameters = T::into_params(|| None).into_iter().map(|mut parameter| {
            // An empty parameter counts as absent. utoipa has no field for it.
            parameter.extensions.get_or_insert_default().insert("allowEmptyValue".to_owned(), true.into());
            RefOr::T(parameter)
        });
        entry.operation.parameters.get_or_insert_default().extend(parameters);
    }
}

impl Describe for Tagged {
    fn describe(entry: &mut Entry) {
        entry.add_status(304, "The client has the response already, as its If-None-Match says.");
    }
}

impl<T: Describe> Describe for Result<T, ApiError> {
    fn describe(entry: &mut Entry) {
        T::describe(entry);
    }
}

impl Describe for HttpRequest {}
impl Describe for HttpResponse {}
impl Describe for PathParameters {}
impl<T> Describe for Data<T> {}
impl Describe for () {}

/// Describes the arguments of a handler one after another.
macro_rules! describe_arguments {
    ($($argument:ident)+) => {
        impl<$($argument: Describe),+> Describe for ($($argument,)+) {
            fn describe(entry: &mut Entry) {
                $($argument::describe(entry);)+
            }
        }
    };
}
describe_arguments!(A);
describe_arguments!(A B);
describe_arguments!(A B C);
describe_arguments!(A B C D);
describe_arguments!(A B C D E);
