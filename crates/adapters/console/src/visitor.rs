//! Who looks at a page, and with which browser.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest,
    cookie::Cookie,
    dev::Payload,
    http::header::{COOKIE, HeaderMap},
    web::Data,
};
use futures_util::future::LocalBoxFuture;
use latchkey_domain::{Permission, Place, Principal, ProjectId, authorize};
use latchkey_http::{
    Context,
    pages::{ApiError, Client},
};
use latchkey_ports::{Page, ProjectOverview};
use latchkey_service::{
    Caller, InstanceAction, InstancePermit, Permit, ProjectAction, ServiceError, SignedIn, UseCases,
};

use crate::{
    assets::accepts_gzip,
    frame::{Frame, Navigation, Section, Theme},
    words::{LANGUAGE_COOKIE, Words},
};

/// The cookie that holds the colours that the visitor has chosen.
pub(crate) const THEME_COOKIE: &str = "latchkey-theme";

/// The most projects that can be chosen from.
const CHOICES: u32 = 1_000;

/// What is known of a browser, also before a user has signed in.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) words: &'static Words,
    pub(crate) theme: Theme,
    pub(crate) accepts_gzip: bool,
    /// The path and the query that it asks for.
    pub(crate) target: String,
}

impl Browser {
    /// Reads what a browser says of itself.
    pub(crate) fn of(headers: &HeaderMap, target: &str) -> Self {
        let (mut language, mut theme) = (None, Theme::default());
        let cookies = headers.get_all(COOKIE).filter_map(|value| value.to_str().ok());
        for cookie in
            cookies.flat_map(|line| line.split("; ")).filter_map(|pair| Cookie::parse(pair.to_owned()).ok())
        {
            match cookie.name() {
                LANGUAGE_COOKIE => language = Some(cookie.value().to_owned()),
                THEME_COOKIE => theme = Theme::named(cookie.value()),
                _ => {}
            }
        }
        Self {
            words: Words::asked(headers, language.as_deref()),
            theme,
            accepts_gzip: accepts_gzip(headers),
            target: target.to_owned(),
        }
    }

    fn of_request(request: &HttpRequest) -> Self {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        Self::of(request.headers(), target)
    }

    /// Returns what a page of this part has around it.
    pub(crate) fn frame_of(&self, navigation: Option<Navigation>, section: Section) -> Frame {
        Frame::new((self.words, self.theme, &self.target), navigation, section)
    }

    /// Returns what a page has around it before a user has signed in.
    pub(crate) fn frame(&self) -> Frame {
        self.frame_of(None, Section::None)
    }
}

impl FromRequest for Browser {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of_request(request)))
    }
}

/// A user who has signed in. The extractor fails with 401, and with 403 for what is no user.
pub(crate) struct Visitor {
    pub(crate) browser: Browser,
    pub(crate) signed_in: SignedIn,
    navigation: Navigation,
    context: Data<Context>,
}

impl Visitor {
    /// Returns the user as a caller of use cases.
    pub(crate) fn caller(&self) -> &Caller {
        self.signed_in.caller()
    }

    /// Returns the use cases.
    pub(crate) fn use_cases(&self) -> &UseCases {
        self.context.use_cases()
    }

    /// Returns the state of the server.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Returns the permit for an action on the instance.
    ///
    /// # Errors
    /// [`ServiceError::Denied`].
    pub(crate) fn may<A: InstanceAction>(&self) -> Result<InstancePermit<A>, ServiceError> {
        InstancePermit::request(self.caller())
    }

    /// Returns the permit for an action in a project.
    ///
    /// # Errors
    /// [`ServiceError::Denied`], [`ServiceError::NotFound`].
    pub(crate) fn may_in<A: ProjectAction>(&self, project: &str) -> Result<Permit<A>, ServiceError> {
        Permit::request_for(self.caller(), project)
    }

    /// Returns whether the user has this permission for the instance, for what a page shows. Actions ask for permits.
    pub(crate) fn has(&self, permission: Permission) -> bool {
        authorize(self.caller().grants(), &[permission], &Place::Instance).is_ok()
    }

    /// Returns whether the user has this permission in a project, for what a page shows.
    pub(crate) fn has_in(&self, permission: Permission, project: &ProjectId) -> bool {
        authorize(self.caller().grants(), &[permission], &Place::Project(project.clone())).is_ok()
    }

    /// Returns the projects that can be chosen: those that the user sees and that are not archived.
    pub(crate) async fn projects(&self) -> Result<Vec<ProjectOverview>, ServiceError> {
        self.first_projects(CHOICES).await
    }

    /// Returns at most this many of the projects that can be chosen.
    pub(crate) async fn first_projects(&self, count: u32) -> Result<Vec<ProjectOverview>, ServiceError> {
        self.use_cases().projects.list(self.caller(), false, Page::first(count)).await
    }

    /// Returns the name that the user is called by.
    pub(crate) fn label(&self) -> &str {
        label(self.caller())
    }

    /// Returns what a page of this part has around it.
    pub(crate) fn frame(&self, section: Section) -> Frame {
        self.browser.frame_of(Some(self.navigation.clone()), section)
    }
}

fn label(caller: &Caller) -> &str {
    match caller.principal() {
        Some(Principal::User { label, .. }) => label,
        _ => "",
    }
}

impl FromRequest for Visitor {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let context = Context::of(&request)?.clone();
            let caller = Client::new(&request, &context).caller().await?;
            let signed_in = SignedIn::request(&caller)?;
            let navigation = Navigation::of(label(&caller), caller.grants(), context.use_cases().now());
            navigation.clone().keep(&request);
            Ok(Self { browser: Browser::of_request(&request), signed_in, navigation, context })
        })
    }
}
