//! The arguments of a handler that is not written with extractors yet.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::{FromRequest, HttpRequest, dev::Payload, web::Data};
use latchkey_service::Caller;
use serde_json::Value;

use crate::{
    context::Context,
    error::ApiError,
    extract::{
        Client,
        body::{RawBody, object},
        fields::Query,
        path,
    },
};

pub(crate) struct Call {
    pub(crate) request: HttpRequest,
    pub(crate) context: Arc<Context>,
    payload: Payload,
}

impl FromRequest for Call {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Context::of(request).map(|context| Self {
            request: request.clone(),
            context: Data::clone(context).into_inner(),
            payload: payload.take(),
        }))
    }
}

impl Call {
    pub(crate) fn client(&self) -> Client<'_> {
        Client::new(&self.request, &self.context)
    }

    pub(crate) async fn caller(&self) -> Result<Caller, ApiError> {
        self.client().caller().await
    }

    pub(crate) fn parameter(&self, name: &str) -> Result<String, ApiError> {
        path::parameter(&self.request, name)
    }

    pub(crate) fn query(&self) -> Result<Query, ApiError> {
        Query::of(&self.request)
    }

    pub(crate) async fn json(self) -> Result<Value, ApiError> {
        let raw = RawBody::new(self.request, self.payload, Data::from(self.context));
        object(&raw.json_bytes().await?).map(Value::Object)
    }
}
