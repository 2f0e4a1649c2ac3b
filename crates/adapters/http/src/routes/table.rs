//! Which path leads where: a tree of all paths, made once, and walked once for each request.
//!
//! Not actix's own table, which tries one expression after the other: that took a tenth of the time in which a token is
//! verified, and two thirds of the time in which the server starts.

use std::{future::Future, pin::Pin, sync::Arc};

use actix_web::{
    HttpResponse,
    http::{Method, header},
};
use matchit::Router;

use crate::{answers::Answer, call::Call, failure::Failure};

/// A call on its way to its answer. Boxed, so that what surrounds all of them is no larger than it has to be itself.
pub(crate) type Acting = Pin<Box<dyn Future<Output = Answer>>>;
type Act = Box<dyn Fn(Call) -> Acting + Send + Sync>;

/// All paths.
#[derive(Default)]
pub(crate) struct Table {
    resources: Router<Arc<Path>>,
}

impl Table {
    /// The path that a request leads to. It is looked for as it was sent, not decoded.
    pub(crate) fn find(&self, path: &str) -> Option<&Path> {
        self.resources.at(path).ok().map(|found| &**found.value)
    }

    /// A name goes before a parameter, from left to right: `/projects/archive/events` archives the project `events`. So
    /// nothing may be called as a name that stands in its place (`ProjectId::RESERVED`, `EnvironmentName::RESERVED`).
    #[expect(
        clippy::expect_used,
        reason = "the paths are written in this crate: two that cannot stand beside each other fail in every test of it"
    )]
    fn insert(&mut self, path: String, resource: Arc<Path>) {
        self.resources.insert(path, resource).expect("each path is in the table once");
    }
}

/// One path, its methods, and what each does.
pub(crate) struct Path {
    pattern: &'static str,
    acts: Vec<(Method, Act)>,
    other: Other,
    is_quiet: bool,
}

/// What becomes of a method that is not named.
enum Other {
    /// It is one of these that it should have been, as `Allow` lists them.
    Refused {
        allow: &'static str,
        /// Whether somebody has to be known before they are told.
        private: bool,
    },
    /// It does this.
    Acts(Act),
}

impl Path {
    /// A path for those who are known, and the methods that it takes, as `Allow` lists them.
    pub(crate) fn private(pattern: &'static str, allow: &'static str) -> Self {
        Self { pattern, acts: Vec::new(), other: Other::Refused { allow, private: true }, is_quiet: false }
    }

    /// A path for everybody.
    pub(crate) fn public(pattern: &'static str, allow: &'static str) -> Self {
        Self { pattern, acts: Vec::new(), other: Other::Refused { allow, private: false }, is_quiet: false }
    }

    /// A path for everybody that does this whatever the method.
    pub(crate) fn whatever_method<F, R>(pattern: &'static str, act: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Answer> + 'static,
    {
        Self { pattern, acts: Vec::new(), other: Other::Acts(boxed(act)), is_quiet: false }
    }

    /// What a method does; `GET` is `HEAD` too.
    pub(crate) fn on<F, R>(mut self, method: Method, act: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Answer> + 'static,
    {
        self.acts.push((method, boxed(act)));
        self
    }

    /// A path that is asked very often, and logs nothing but failures.
    pub(crate) fn quiet(mut self) -> Self {
        self.is_quiet = true;
        self
    }

    /// Adds the path to the table, with and without a slash behind it.
    pub(crate) fn add(self, table: &mut Table) {
        let (path, resource) = (unnamed(self.pattern), Arc::new(self));
        table.insert(format!("{path}/"), Arc::clone(&resource));
        table.insert(path, resource);
    }

    /// Adds the path to the table as it is written.
    pub(crate) fn add_exact(self, table: &mut Table) {
        table.insert(unnamed(self.pattern), Arc::new(self));
    }

    /// The path as it is written in the document, but for a part that may be anything.
    pub(crate) fn pattern(&self) -> &'static str {
        self.pattern
    }

    /// Whether nothing but failures is logged.
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// What a call of this path is answered.
    pub(crate) fn answer(&self, call: Call) -> Acting {
        let method = match call.request.method() {
            &Method::HEAD => &Method::GET,
            method => method,
        };
        if let Some((_, act)) = self.acts.iter().find(|(taken, _)| taken == method) {
            return act(call);
        }
        match self.other {
            Other::Acts(ref act) => act(call),
            Other::Refused { allow, private } => Box::pin(refused(call, allow, private)),
        }
    }
}

async fn refused(call: Call, allow: &'static str, private: bool) -> Answer {
    if private {
        call.authenticate().await?;
    }
    if *call.request.method() == Method::OPTIONS {
        Ok(options(allow))
    } else {
        Err(Failure::WrongMethod(allow))
    }
}

fn boxed<F, R>(act: F) -> Act
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Answer> + 'static,
{
    Box::new(move |call| Box::pin(act(call)))
}

fn options(allow: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::ALLOW, allow))
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .body(allow)
}

/// The pattern with the place of each parameter instead of its name: at one place, a tree knows one name.
fn unnamed(pattern: &str) -> String {
    let parts = pattern.split('/').enumerate().map(|(place, part)| match part.strip_prefix('{') {
        Some(name) if name.starts_with('*') => format!("{{*{place}}}"),
        Some(_) => format!("{{{place}}}"),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(patterns: &[&'static str], path: &str) -> Option<&'static str> {
        let mut table = Table::default();
        for pattern in patterns {
            Path::public(pattern, "").add(&mut table);
        }
        table.find(path).map(Path::pattern)
    }

    #[test]
    fn names_go_before_parameters_from_left_to_right() {
        let patterns =
            ["/p/{id}", "/p/archive/{id}", "/p/{id}/tokens", "/p/{project}/tokens/{token}", "/p/all"];
        for patterns in [patterns, {
            let mut other = patterns;
            other.reverse();
            other
        }] {
            for (path, expected) in [
                ("/p/all", Some("/p/all")),
                ("/p/all/", Some("/p/all")),
                ("/p/a", Some("/p/{id}")),
                ("/p/a%2Fb", Some("/p/{id}")),
                ("/p/archive/a", Some("/p/archive/{id}")),
                ("/p/archive/tokens", Some("/p/archive/{id}")),
                ("/p/%61rchive/tokens", Some("/p/{id}/tokens")),
                ("/p/archive/tokens/t/", Some("/p/{project}/tokens/{token}")),
                ("/p//tokens", None),
                ("/p", None),
                ("/p/a//", None),
            ] {
                assert_eq!(found(&patterns, path), expected, "{path}");
            }
        }
    }
}
