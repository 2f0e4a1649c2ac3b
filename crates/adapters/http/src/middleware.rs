//! The outermost middleware of every request: its id, its span, its limits and the body of its error.

use std::rc::Rc;

use actix_web::{
    Error, HttpResponse,
    body::BoxBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, Url, forward_ready},
    error::InternalError,
    http::{
        Method, Version,
        header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, ORIGIN, X_CONTENT_TYPE_OPTIONS},
    },
    web::Data,
};
use futures_util::future::{LocalBoxFuture, Ready, ready};
use latchkey_ports::EntropyExt;
use tracing::{Instrument, Level, Span};

use crate::{
    api::ASCII_PARAMETER,
    connection::{Connection, Streams, Transport},
    context::Context,
    cors,
    error::ApiError,
    extract::path::routing_uri,
    hot_path::{HotPath, handle_validate, handle_verify},
    limits::guarded,
    memory::{in_pieces, is_long},
    protection::protect,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_ID_BYTES: usize = 128;
/// The longest target (path and query) of a request, in bytes. RFC 9110 (section 4.1) asks for 8,000 at least; actix reads 65,534.
const MAX_TARGET_BYTES: usize = 32 * 1024;
/// The paths that scripts of other origins may be allowed to use.
const API: &str = "/api/";

/// The outermost middleware. It is one layer, because each one of actix's costs every request an allocation.
pub(crate) struct RequestScope {
    context: Data<Context>,
}

impl RequestScope {
    /// The middleware of an application with this state.
    pub(crate) fn new(context: Data<Context>) -> Self {
        Self { context }
    }
}

impl<S> Transform<S, ServiceRequest> for RequestScope
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = RequestScopeService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, router: S) -> Self::Future {
        ready(Ok(RequestScopeService { router: Rc::new(router), context: self.context.clone() }))
    }
}

/// The router of an application within [`RequestScope`].
pub(crate) struct RequestScopeService<S> {
    router: Rc<S>,
    context: Data<Context>,
}

impl<S> Service<ServiceRequest> for RequestScopeService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(router);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        if self.context.settings.cors_origins.is_empty() {
            return self.limit_streams(request);
        }
        // Only there: a gateway would take the response to a preflight request at `/auth/verify` for that to a valid token.
        let origin = request.headers().get(ORIGIN).filter(|_| request.path().starts_with(API)).cloned();
        let Some(origin) = origin else { return self.limit_streams(request) };
        let context = self.context.clone();
        if let Some(preflight) = cors::preflight(&request, &context.settings.cors_origins, &origin) {
            let mut response = self.answer(request, preflight);
            cors::allow(response.headers_mut(), &context.settings.cors_origins, &origin);
            return Box::pin(ready(Ok(response)));
        }
        let handled = self.limit_streams(request);
        Box::pin(async move {
            let mut response = handled.await?;
            cors::allow(response.headers_mut(), &context.settings.cors_origins, &origin);
            Ok(response)
        })
    }
}

impl<S> RequestScopeService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
{
    /// Answers a request before it reaches the router.
    fn answer(&self, request: ServiceRequest, response: HttpResponse) -> ServiceResponse<BoxBody> {
        let id = request_id(&self.context, request.headers());
        finish(ServiceResponse::new(request.into_parts().0, response), id, None, &self.context)
    }

    fn limit_streams(
        &self,
        request: ServiceRequest,
    ) -> LocalBoxFuture<'static, Result<ServiceResponse<BoxBody>, Error>> {
        if request.head().version != Version::HTTP_2 {
            return self.handle(request);
        }
        // Requests on one HTTP/2 connection are handled at once; over HTTP/1.1, one after another.
        let open = Connection::streams_of(request.request()).map(Streams::open);
        match open {
            Some(Some(open)) => {
                let handled = self.handle(request);
                Box::pin(async move { Ok(handled.await?.map_body(|_, body| open.until_sent(body))) })
            }
            Some(None) => {
                let refused = HttpResponse::from_error(ApiError::TooManyStreams);
                Box::pin(ready(Ok(self.answer(request, refused))))
            }
            None => self.handle(request),
        }
    }

    fn handle(
        &self,
        request: ServiceRequest,
    ) -> LocalBoxFuture<'static, Result<ServiceResponse<BoxBody>, Error>> {
        let context = self.context.clone();
        // A span costs more than a look-up in the cache, so frequent requests get one only if they fail. Each of them has a
        // future of its own, because a smaller one is faster to move.
        let hot_path = if tracing::enabled!(Level::DEBUG) { None } else { HotPath::of(&request) };
        match hot_path {
            Some(HotPath::Verify) => Box::pin(async move {
                let id = request_id(&context, request.headers());
                Ok(finish(handle_verify(request, &context).await, id, None, &context))
            }),
            Some(HotPath::Validate) => Box::pin(async move {
                let id = request_id(&context, request.headers());
                Ok(finish(handle_validate(request, &context).await, id, None, &context))
            }),
            None if request
                .uri()
                .path_and_query()
                .is_some_and(|target| target.as_str().len() > MAX_TARGET_BYTES) =>
            {
                let refused = HttpResponse::from_error(ApiError::TargetTooLong(MAX_TARGET_BYTES));
                Box::pin(ready(Ok(self.answer(request, refused))))
            }
            None => {
                let router = Rc::clone(&self.router);
                Box::pin(async move {
                    let id = request_id(&context, request.headers());
                    let span = new_span(&id, request.method());
                    let limit = context.settings.request_timeout;
                    let handled = router.call(matched_as_sent(request)).instrument(span.clone());
                    match guarded(limit, handled).await {
                        Ok(response) => Ok(finish(response?, id, Some(span), &context)),
                        Err(error) => Err(unfinished(error, id, &span, &context)),
                    }
                })
            }
        }
    }
}

/// Completes the response to the request with this id: the body of an error, and the headers of every response.
fn finish(
    mut response: ServiceResponse<BoxBody>,
    id: HeaderValue,
    span: Option<Span>,
    context: &Context,
) -> ServiceResponse<BoxBody> {
    if let Some(error) = response.response().error() {
        let span = span.clone().unwrap_or_else(|| new_span(&id, response.request().method()));
        let response_of = |error: &ApiError| span.in_scope(|| error_response(context, error));
        let full = match error.as_error::<ApiError>() {
            Some(error) => response_of(error),
            None => response_of(&ApiError::internal(error.to_string())),
        };
        response = response.into_response(full);
    }
    add_headers(response.headers_mut(), id);
    if is_long(response.response().body()) {
        response = response.map_body(|_, body| in_pieces(body));
    }
    if let Some(span) = span {
        let is_encrypted =
            matches!(Connection::transport_of(response.request()), Some(Transport::Tls { .. }));
        protect(response.headers_mut(), is_encrypted);
        // The pattern, never the path: a path may hold a secret.
        let pattern =
            || response.request().match_pattern().map(|pattern| pattern.replace(ASCII_PARAMETER, ""));
        tracing::debug!(
            parent: &span,
            route = pattern().as_deref().unwrap_or("-"),
            status = response.status().as_u16(),
            "answered"
        );
    }
    response
}

/// Returns the response to a request that was dropped with its handler. It has to be an error, because the framework returns
/// no other response without its request.
fn unfinished(error: ApiError, id: HeaderValue, span: &Span, context: &Context) -> Error {
    let mut response = span.in_scope(|| error_response(context, &error));
    add_headers(response.headers_mut(), id);
    InternalError::from_response(error, response).into()
}

/// Adds the headers of every response.
fn add_headers(headers: &mut HeaderMap, id: HeaderValue) {
    headers.insert(REQUEST_ID, id);
    // A response without a body has no type that a browser could guess.
    if headers.contains_key(CONTENT_TYPE) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
}

/// Makes the router match the path as it was sent.
fn matched_as_sent(mut request: ServiceRequest) -> ServiceRequest {
    if let Some(uri) = routing_uri(request.uri()) {
        request.match_info_mut().set(Url::new(uri));
    }
    request
}

fn new_span(id: &HeaderValue, method: &Method) -> Span {
    tracing::info_span!("request", request_id = id.to_str().unwrap_or_default(), method = method.as_str())
}

/// Returns the response to an error, which is logged with the same id.
fn error_response(context: &Context, error: &ApiError) -> HttpResponse {
    let id = context.entropy.uuid();
    error.log(id);
    error.response(id)
}

/// Returns the client's own id if it fits into a header and a log line, else a new one.
fn request_id(context: &Context, headers: &HeaderMap) -> HeaderValue {
    let sent = headers.get(REQUEST_ID).filter(|value| {
        (1..=MAX_ID_BYTES).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
    });
    sent.cloned().unwrap_or_else(|| {
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let id = context.entropy.uuid().hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(id).unwrap_or(HeaderValue::from_static("-"))
    })
}
