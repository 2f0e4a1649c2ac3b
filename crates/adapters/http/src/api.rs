//! Registers operations: each one's route and its entry in the OpenAPI document in one call.

use std::collections::BTreeMap;

use actix_web::{
    FromRequest, Handler, HttpRequest, HttpResponse, Responder, Route, guard,
    http::{Method, header},
    web,
};
use utoipa::openapi::{HttpMethod, OpenApi};

use crate::{
    context::Context,
    describe::{Describe, describe},
    error::ApiError,
    extract::Client,
    observability::RoutePattern,
    response::ApiResult,
};

/// The routes under this path are in scopes by their next part, so that a request is compared with few of them.
const SCOPED: &str = "/api/admin/";

/// What a parameter of a path matches: visible ASCII but a slash.
const ASCII_PARAMETER: &str = ":[!-.0-~]+";

/// One operation: a method of a path, its handler and its entry in the OpenAPI document.
pub(crate) struct Operation {
    method: Method,
    path: String,
    route: Route,
    describe: DescribeOperation,
}

/// Adds an operation to the document, under a tag.
type DescribeOperation = fn(&mut OpenApi, &str);

/// Makes [`Operation`]s of handlers under `#[utoipa::path]`, which says their methods and paths.
macro_rules! operations {
    ($($handler:ident),+ $(,)?) => {
        ::pastey::paste! { [$($crate::api::Operation::new::<[<__path_ $handler>], _, _>($handler)),+] }
    };
}
pub(crate) use operations;

impl Operation {
    /// An operation whose method and path the description says.
    pub(crate) fn new<D, H, A>(handler: H) -> Self
    where
        D: utoipa::Path + utoipa::__dev::SchemaReferences,
        H: Handler<A>,
        A: FromRequest + Describe + 'static,
        H::Output: Responder + Describe + 'static,
    {
        let method = D::methods().first().map_or(Method::GET, method);
        let route = limited_to(&method, web::to(handler));
        Self { method, path: D::path(), route, describe: describe::<D, A, H::Output> }
    }
}

fn method(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Post => Method::POST,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}

/// Returns the methods of an operation: `GET` answers `HEAD` too.
fn methods_of(method: &Method) -> Vec<Method> {
    if *method == Method::GET { vec![Method::GET, Method::HEAD] } else { vec![method.clone()] }
}

/// Limits a route to the methods of an operation.
fn limited_to(method: &Method, route: Route) -> Route {
    let methods = methods_of(method);
    route.guard(guard::fn_guard(move |request| methods.contains(&request.head().method)))
}

/// All operations.
#[derive(Default)]
pub(crate) struct Api {
    resources: Vec<Resource>,
    descriptions: Vec<(DescribeOperation, &'static str)>,
    tag: &'static str,
}

/// The operations of one path, and the route for all other methods.
struct Resource {
    path: String,
    /// The methods of the operations.
    methods: Vec<Method>,
    routes: Vec<Route>,
    fallback: Route,
    /// The methods with which a fixed part of the path is the parameter of another path.
    elsewhere: Vec<Method>,
}

impl Api {
    /// Sets the tag of the operations that are added after it.
    pub(crate) fn tag(&mut self, tag: &'static str) -> &mut Self {
        self.tag = tag;
        self
    }

    /// Adds operations under the last tag. Other methods of their paths are refused, once the caller is authenticated.
    pub(crate) fn private<const N: usize>(&mut self, operations: [Operation; N]) {
        self.add(operations, &[], refuse_others_privately);
    }

    /// Adds an operation under the last tag, whose path another one matches too: that with a parameter in place of a fixed
    /// part. The methods of that path, which has been added, go there.
    pub(crate) fn private_beside_parameter(&mut self, operation: Operation, parameter: &str) {
        let beside = self.resources.iter().filter(|resource| resource.path == parameter);
        let elsewhere: Vec<_> = beside.flat_map(|resource| resource.methods.clone()).collect();
        self.add([operation], &elsewhere, refuse_others_privately);
    }

    /// Adds operations under the last tag, which need no credentials. Other methods of their paths are refused.
    pub(crate) fn public<const N: usize>(&mut self, operations: [Operation; N]) {
        self.add(operations, &[], refuse_other_methods);
    }

    /// Adds operations under the last tag, of paths that handle every method: those without an operation by another route.
    pub(crate) fn any_method<const N: usize>(&mut self, operations: [Operation; N], other: fn() -> Route) {
        self.add(operations, &[], |_| other());
    }

    /// Adds a page that the document does not describe.
    pub(crate) fn page(&mut self, path: &str, page: Route) {
        let methods = methods_of(&Method::GET);
        self.resources.push(Resource {
            path: path.to_owned(),
            routes: vec![limited_to(&Method::GET, page)],
            fallback: refuse_other_methods(allow(&methods)),
            methods,
            elsewhere: Vec::new(),
        });
    }

    /// Adds a path that the document does not describe and that handles every method.
    pub(crate) fn any_method_page(&mut self, path: &str, page: Route) {
        self.resources.push(Resource {
            path: path.to_owned(),
            methods: Vec::new(),
            routes: Vec::new(),
            fallback: page,
            elsewhere: Vec::new(),
        });
    }

    fn add<const N: usize>(
        &mut self,
        operations: [Operation; N],
        elsewhere: &[Method],
        fallback: impl Fn(String) -> Route,
    ) {
        let mut by_path = BTreeMap::<String, Vec<Operation>>::new();
        for operation in operations {
            self.descriptions.push((operation.describe, self.tag));
            by_path.entry(operation.path.clone()).or_default().push(operation);
        }
        for (path, operations) in by_path {
            let methods: Vec<_> =
                operations.iter().flat_map(|operation| methods_of(&operation.method)).collect();
            let fallback = fallback(allow(&[elsewhere, &methods].concat()));
            let routes = operations.into_iter().map(|operation| operation.route).collect();
            self.resources.push(Resource { path, methods, routes, fallback, elsewhere: elsewhere.to_vec() });
        }
    }

    /// Adds all operations to the document.
    pub(crate) fn describe(&self, document: &mut OpenApi) {
        self.descriptions.iter().for_each(|(describe, tag)| describe(document, tag));
    }

    /// Adds all routes to an application.
    pub(crate) fn configure(mut self, config: &mut web::ServiceConfig) {
        let order: Vec<_> =
            self.resources.iter().map(|resource| parts(&resource.path)[0].to_owned()).collect();
        // actix takes the first route that matches. Names go before parameters, from left to right:
        // `/projects/archive/events` archives the project `events`. For the same reason no project can be named like a fixed
        // part of a path (`ProjectId::RESERVED`, `EnvironmentName::RESERVED`).
        self.resources.sort_by_cached_key(|resource| {
            resource.path.split('/').map(|part| part.starts_with('{')).collect::<Vec<_>>()
        });
        let mut groups = BTreeMap::<_, Vec<_>>::new();
        for Resource { path, routes, fallback, elsewhere, .. } in self.resources {
            let [scope, parameter, rest] = parts(&path);
            let resource = web::resource(ascii_parameters(rest)).app_data(RoutePattern::new(&path));
            let resource = if elsewhere.is_empty() {
                resource
            } else {
                resource.guard(guard::fn_guard(move |request| !elsewhere.contains(&request.head().method)))
            };
            let resource =
                routes.into_iter().fold(resource, actix_web::Resource::route).default_service(fallback);
            groups.entry((scope.to_owned(), ascii_parameters(parameter))).or_default().push(resource);
        }
        let unscoped = groups.remove(&(String::new(), String::new())).unwrap_or_default();
        let mut scopes = BTreeMap::new();
        // Resources without a parameter are the first ones of their scope.
        for ((path, parameter), resources) in groups {
            let scope = scopes.remove(&path).unwrap_or_else(|| web::scope(&path));
            let with_resources = |scope| resources.into_iter().fold(scope, actix_web::Scope::service);
            let scope = if parameter.is_empty() {
                with_resources(scope)
            } else {
                scope.service(with_resources(web::scope(&parameter)))
            };
            scopes.insert(path, scope);
        }
        for scope in order.iter().filter_map(|path| scopes.remove(path)) {
            config.service(scope);
        }
        for resource in unscoped {
            config.service(resource);
        }
    }
}

/// Returns the part of a path that its scope matches, the parameter after it that a scope within that one matches, and the
/// rest; a path without a scope is all rest.
///
/// With the inner scope, a request is matched against one expression instead of one for each operation. The parameter must
/// have the same name in all paths of the outer scope: actix does not look further once a scope has matched.
fn parts(path: &str) -> [&str; 3] {
    let part = |path: &str| path.find('/').unwrap_or(path.len());
    let Some(scoped) = path.strip_prefix(SCOPED) else { return ["", "", path] };
    let (scope, rest) = path.split_at(SCOPED.len() + part(scoped));
    let (parameter, rest) = match rest.strip_prefix('/') {
        Some(parameter) if parameter.starts_with('{') => rest.split_at(1 + part(parameter)),
        _ => ("", rest),
    };
    [scope, parameter, rest]
}

/// Returns the path with parameters that match ASCII, because a path is ASCII until it is decoded: actix's own pattern
/// matches Unicode, which takes each worker twice as long to compile when it starts.
fn ascii_parameters(path: &str) -> String {
    if path.contains(':') { path.to_owned() } else { path.replace('}', &format!("{ASCII_PARAMETER}}}")) }
}

/// Returns methods as `Allow` lists them.
fn allow(methods: &[Method]) -> String {
    methods.iter().map(Method::as_str).collect::<Vec<_>>().join(",")
}

/// As [`refuse_other_methods`], once the caller is authenticated.
fn refuse_others_privately(allow: String) -> Route {
    web::to(move |request: HttpRequest| {
        let allow = allow.clone();
        async move {
            Client::new(&request, Context::of(&request)?).authenticate().await?;
            other_method(&request, allow)
        }
    })
}

/// Returns the route of the methods that a path has no operation for.
fn refuse_other_methods(allow: String) -> Route {
    web::to(move |request: HttpRequest| {
        let allow = allow.clone();
        async move { other_method(&request, allow) }
    })
}

/// Answers a method that a path has no operation for.
fn other_method(request: &HttpRequest, allow: String) -> ApiResult {
    if *request.method() != Method::OPTIONS {
        return Err(ApiError::WrongMethod(allow));
    }
    Ok(HttpResponse::Ok()
        .insert_header((header::ALLOW, allow.as_str()))
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .body(allow))
}
