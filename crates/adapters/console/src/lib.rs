//! The console of Latchkey: pages for people, rendered on the server over the use cases and permits that the JSON API has.
//!
//! A request for a page goes this way: `visitor::Visitor` authenticates the session that the API's login began; the handler
//! asks for the permit of the API's operation, reads a form (`form`) into the API's own body, and calls the use case; a
//! template in `templates/` shows the result, with words from `locales/`. Whatever fails is an `ApiError`, which `failure`
//! shows as a page. Every page works without JavaScript; `static/console.js` and htmx only keep what need not be loaded again.
//!
//! # Layout
//! - `assets`: what a browser loads beside the pages; `words`: languages; `frame`: what every page has around it; `page`: how
//!   a page becomes a response; `paths`: where pages are; `paging`: lists in parts; `form`, `visitor`, `failure`: above; `problem`: what errors say in a language; `moment`, `chart`, `mark`: how times, numbers and states look;
//! - a file or directory for each part of the console, with its templates and words under the same name: `front` (language and colours),
//!   `sign_in`, `set_up`, `account`, `overview`, `tokens`, `projects`, `environments`, `people`, `webhooks`, `audit`, `instance`.
//!
//! # Adding a page
//! Write the handler and the template; register it in the `configure` of its part. Words go into `locales/*/<part>.ftl`, in every language: a test finds what is missing.
//!
//! May not live here: rules about tokens, projects and permissions (`latchkey-domain`, `latchkey-service`), and what programs ask for
//! (`latchkey-http`).

/// A path of the console.
macro_rules! path {
    ($rest:literal) => {
        concat!("/console/", $rest)
    };
}

mod account;
mod assets;
mod audit;
mod chart;
mod environments;
mod failure;
mod form;
mod frame;
mod front;
mod happened;
mod instance;
mod mark;
mod moment;
mod overview;
mod page;
mod paging;
mod paths;
mod people;
mod personal_token;
mod problem;
mod projects;
mod session;
mod set_up;
mod sign_in;
mod tokens;
mod visitor;
mod webhooks;
mod words;

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web::ServiceConfig};
use latchkey_http::pages::{ApiError, PageRequest, Pages};
use uuid::Uuid;

use self::{paths::ROOT, set_up::SetUp};

pub use self::instance::{Instance, Setting};

/// The console, for [`latchkey_http::Context::with_pages`].
#[derive(Debug, Default)]
pub struct Console {
    instance: Arc<Instance>,
    set_up: Arc<SetUp>,
}

impl Console {
    /// Returns the console of a server.
    #[must_use]
    pub fn new(instance: Instance) -> Self {
        Self { instance: Arc::new(instance), set_up: Arc::default() }
    }
}

impl Pages for Console {
    fn start(&self) -> &'static str {
        ROOT
    }

    fn configure(&self, config: &mut ServiceConfig) {
        front::configure(config);
        assets::configure(config);
        sign_in::configure(config);
        set_up::configure(config, &self.set_up);
        account::configure(config);
        overview::configure(config);
        tokens::configure(config);
        projects::configure(config);
        environments::configure(config);
        people::configure(config);
        webhooks::configure(config);
        audit::configure(config);
        instance::configure(config, &self.instance);
        // Last, because it takes every other path.
        front::configure_unknown(config);
    }

    fn has(&self, path: &str) -> bool {
        path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn failure(
        &self,
        kept: &PageRequest,
        request: Option<&HttpRequest>,
        error: &ApiError,
        id: Uuid,
    ) -> HttpResponse {
        failure::page(kept, request, error, id)
    }
}
