//! The outermost middleware of every request: its id, its span, its limits and the body of its error.

use std::{net::IpAddr, rc::Rc, time::Duration};

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::BoxBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, Url, forward_ready},
    error::InternalError,
    http::{
        Method, StatusCode, Version,
        header::{HeaderMap, HeaderName, HeaderValue, ORIGIN},
    },
    web::Data,
};
use futures_util::future::{LocalBoxFuture, Ready, ready};
use latchkey_ports::EntropyExt;
use tracing::{Instrument, Level, Span, field};
use uuid::Uuid;

use crate::{
    connection::{Connection, Streams, Transport},
    context::Context,
    cors,
    error::ApiError,
    extract::{Client, path::routing_uri},
    hot_path::{HotPath, handle_validate, handle_verify},
    limits::guarded,
    memory::{in_pieces, is_long},
    observability::{Answered, RoutePattern},
    pages::PageRequest,
    paths::{VALIDATE, VERIFY},
    protection::protect,
    traces::{Recorded, Trace},
    warnings,
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
    has_hot_path: bool,
}

impl RequestScope {
    /// The middleware of an application with this state, whose verifications take the short cut if it has any.
    pub(crate) fn new(context: Data<Context>, has_hot_path: bool) -> Self {
        Self { context, has_hot_path }
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
        let (context, has_hot_path) = (self.context.clone(), self.has_hot_path);
        ready(Ok(RequestScopeService { router: Rc::new(router), context, has_hot_path }))
    }
}

/// The router of an application within [`RequestScope`].
pub(crate) struct RequestScopeService<S> {
    router: Rc<S>,
    context: Data<Context>,
    has_hot_path: bool,
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
            let recorded = self.choose(&request);
            let mut response = self.answer(request, recorded, preflight);
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
    /// Decides whether a request is recorded.
    fn choose(&self, request: &ServiceRequest) -> Option<Recorded> {
        Recorded::choose(request.request(), &self.context)
    }

    /// Answers a request before it reaches the router.
    fn answer(
        &self,
        request: ServiceRequest,
        recorded: Option<Recorded>,
        response: HttpResponse,
    ) -> ServiceResponse<BoxBody> {
        let scope = Scope::of(&request, recorded, &self.context);
        scope.finish(ServiceResponse::new(request.into_parts().0, response))
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
                let recorded = self.choose(&request);
                Box::pin(ready(Ok(self.answer(request, recorded, refused))))
            }
            None => self.handle(request),
        }
    }

    fn handle(
        &self,
        request: ServiceRequest,
    ) -> LocalBoxFuture<'static, Result<ServiceResponse<BoxBody>, Error>> {
        let context = self.context.clone();
        // A span costs more than a look-up in the cache, so frequent requests get one only if they fail or are recorded. Each
        // of them has a future of its own, because a smaller one is faster to move.
        let recorded = self.choose(&request);
        let takes_hot_path = self.has_hot_path && recorded.is_none() && !tracing::enabled!(Level::DEBUG);
        let hot_path = if takes_hot_path { HotPath::of(&request) } else { None };
        match hot_path {
            Some(HotPath::Verify) => Box::pin(async move {
                let (id, started) = (request_id(&context, request.headers()), context.use_cases.monotonic());
                let response = handle_verify(request, &context).await;
                Ok(finish_frequent(response, id, (VERIFY, started), &context))
            }),
            Some(HotPath::Validate) => Box::pin(async move {
                let (id, started) = (request_id(&context, request.headers()), context.use_cases.monotonic());
                let response = handle_validate(request, &context).await;
                Ok(finish_frequent(response, id, (VALIDATE, started), &context))
            }),
            None if request
                .uri()
                .path_and_query()
                .is_some_and(|target| target.as_str().len() > MAX_TARGET_BYTES) =>
            {
                let refused = HttpResponse::from_error(ApiError::TargetTooLong(MAX_TARGET_BYTES));
                Box::pin(ready(Ok(self.answer(request, recorded, refused))))
            }
            None => {
                let router = Rc::clone(&self.router);
                Box::pin(async move {
                    let scope = Scope::of(&request, recorded, &context);
                    let limit = context.settings.request_timeout;
                    let handled = router.call(matched_as_sent(request)).instrument(scope.innermost().clone());
                    match guarded(limit, handled).await {
                        Ok(response) => Ok(scope.finish(response?)),
                        Err(error) => Err(scope.unfinished(error)),
                    }
                })
            }
        }
    }
}

/// What is known of a request from the start.
struct Scope<'c> {
    span: Span,
    trace: Option<Trace>,
    id: HeaderValue,
    method: Method,
    address: Option<IpAddr>,
    is_encrypted: bool,
    started: Duration,
    page: Option<PageRequest>,
    context: &'c Context,
}

impl<'c> Scope<'c> {
    /// The scope of a request, which starts now.
    fn of(request: &ServiceRequest, recorded: Option<Recorded>, context: &'c Context) -> Self {
        let started = context.use_cases.monotonic();
        let id = request_id(context, request.headers());
        let span = new_span(&id, request.method());
        let client = Client::new(request.request(), context);
        let address = client.keep_address();
        let trace = recorded.and_then(|recorded| Trace::start(recorded, &span, client));
        if let Some(trace) = &trace {
            span.record("trace_id", field::display(trace.id()));
        }
        let is_encrypted = is_encrypted(request.request());
        let is_page = context.pages.as_ref().is_some_and(|pages| pages.has(request.path()));
        let page = is_page.then(|| PageRequest::of(request.request()));
        Self {
            span,
            trace,
            id,
            method: request.method().clone(),
            address,
            is_encrypted,
            started,
            page,
            context,
        }
    }

    /// Returns the span for what handles the request.
    fn innermost(&self) -> &Span {
        self.trace.as_ref().map_or(&self.span, Trace::span)
    }

    /// Completes the response.
    fn finish(self, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        let shown = Shown { context: self.context, page: self.page.as_ref() };
        let (mut response, error) =
            complete(response, self.id.clone(), self.is_encrypted, shown, |_| self.span.clone());
        warnings::add_header(&mut response);
        self.observe(Some(response.request()), response.status(), error);
        response
    }

    /// Returns the response to a request that was dropped with its handler. It has to be an error, because the framework
    /// returns no other response without its request.
    fn unfinished(self, error: ApiError) -> Error {
        let shown = Shown { context: self.context, page: self.page.as_ref() };
        let (mut response, id) = self.span.in_scope(|| shown.error(&error, None));
        add_headers(response.headers_mut(), self.id.clone(), self.is_encrypted);
        self.observe(None, response.status(), Some(id));
        InternalError::from_response(error, response).into()
    }

    fn observe(&self, request: Option<&HttpRequest>, status: StatusCode, error: Option<Uuid>) {
        let Self { context, address, .. } = *self;
        let duration = context.use_cases.monotonic().saturating_sub(self.started);
        let page = request.filter(|_| self.page.is_some()).and_then(RoutePattern::of_page);
        let answered = Answered { request, page, status: status.as_u16(), duration, client: address, error };
        if let Some(trace) = &self.trace {
            trace.finish(&self.method, &answered);
        }
        context.requests.record(answered.route(), &self.method, answered.status, duration);
        answered.log(&self.span, context.settings.access_log);
    }
}

/// Completes the response to a request that took the short cut.
fn finish_frequent(
    response: ServiceResponse<BoxBody>,
    id: HeaderValue,
    (route, started): (&str, Duration),
    context: &Context,
) -> ServiceResponse<BoxBody> {
    let (method, is_encrypted) = (response.request().method().clone(), is_encrypted(response.request()));
    let shown = Shown { context, page: None };
    let (response, _) = complete(response, id, is_encrypted, shown, |id| new_span(id, &method));
    let duration = context.use_cases.monotonic().saturating_sub(started);
    context.requests.record(route, &method, response.status().as_u16(), duration);
    response
}

/// Completes a response: the body of an error, the headers of every response, and long bodies in pieces. Returns the id of the
/// error.
fn complete(
    mut response: ServiceResponse<BoxBody>,
    id: HeaderValue,
    is_encrypted: bool,
    shown: Shown<'_>,
    span: impl FnOnce(&HeaderValue) -> Span,
) -> (ServiceResponse<BoxBody>, Option<Uuid>) {
    let mut error_id = None;
    if let Some(error) = response.response().error() {
        let request = response.request();
        let response_of = |error: &ApiError| span(&id).in_scope(|| shown.error(error, Some(request)));
        let (full, of_error) = match error.as_error::<ApiError>() {
            Some(error) => response_of(error),
            None => response_of(&ApiError::internal(error.to_string())),
        };
        error_id = Some(of_error);
        response = response.into_response(full);
    }
    add_headers(response.headers_mut(), id, is_encrypted);
    if is_long(response.response().body()) {
        response = response.map_body(|_, body| in_pieces(body));
    }
    (response, error_id)
}

/// Adds the headers of every response.
fn add_headers(headers: &mut HeaderMap, id: HeaderValue, is_encrypted: bool) {
    headers.insert(REQUEST_ID, id);
    protect(headers, is_encrypted);
}

/// Returns whether the connection of a request to this server is encrypted.
fn is_encrypted(request: &HttpRequest) -> bool {
    matches!(Connection::transport_of(request), Some(Transport::Tls { .. }))
}

/// Makes the router match the path as it was sent.
fn matched_as_sent(mut request: ServiceRequest) -> ServiceRequest {
    if let Some(uri) = routing_uri(request.uri()) {
        request.match_info_mut().set(Url::new(uri));
    }
    request
}

fn new_span(id: &HeaderValue, method: &Method) -> Span {
    tracing::info_span!(
        "request",
        request_id = id.to_str().unwrap_or_default(),
        method = method.as_str(),
        trace_id = field::Empty,
    )
}

/// How an error is shown: to a program, or on a page.
#[derive(Clone, Copy)]
struct Shown<'c> {
    context: &'c Context,
    page: Option<&'c PageRequest>,
}

impl Shown<'_> {
    /// Returns the response to an error and its id, under which it is logged.
    fn error(self, error: &ApiError, request: Option<&HttpRequest>) -> (HttpResponse, Uuid) {
        let id = self.context.entropy.uuid();
        error.log(id);
        let response = match (&self.context.pages, self.page) {
            (Some(pages), Some(page)) => pages.failure(page, request, error, id),
            _ => error.response(id),
        };
        (response, id)
    }
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
