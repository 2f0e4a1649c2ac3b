//! What every page has around its content: language, colours, navigation, and what has just been done.

use std::borrow::Cow;

use actix_web::{HttpMessage as _, HttpRequest};
use askama::filters::Safe;
use latchkey_domain::{Grants, Permission, Place, Timestamp, authorize};

use crate::{
    assets::{Assets, assets},
    moment,
    paths::ROOT,
    words::Words,
};

/// The colours of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Theme {
    /// As the system has them.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// Returns the theme of this name; of any other, that of the system.
    pub(crate) fn named(name: &str) -> Self {
        Self::ALL.into_iter().find(|theme| theme.as_str() == name).unwrap_or_default()
    }

    /// Returns its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Returns the key of its name for people.
    pub(crate) fn key(self) -> String {
        format!("theme-{}", self.as_str())
    }
}

/// A part of the console, which the navigation marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// None of them.
    None,
    Overview,
    Tokens,
    Projects,
    Environments,
    People,
    Webhooks,
    Audit,
    Instance,
    Account,
}

/// An entry of the navigation.
pub(crate) struct Entry {
    pub(crate) section: Section,
    pub(crate) path: &'static str,
    /// The key of its name.
    pub(crate) key: &'static str,
}

/// The navigation, with the permission that is needed to be shown an entry.
static ENTRIES: [(Entry, Option<Permission>); 8] = [
    (Entry { section: Section::Overview, path: ROOT, key: "nav-overview" }, None),
    (Entry { section: Section::Tokens, path: path!("tokens"), key: "nav-tokens" }, None),
    (Entry { section: Section::Projects, path: path!("projects"), key: "nav-projects" }, None),
    (Entry { section: Section::Environments, path: path!("environments"), key: "nav-environments" }, None),
    (
        Entry { section: Section::People, path: path!("people/users"), key: "nav-people" },
        Some(Permission::Admin),
    ),
    (
        Entry { section: Section::Webhooks, path: path!("webhooks"), key: "nav-webhooks" },
        Some(Permission::Admin),
    ),
    (Entry { section: Section::Audit, path: path!("audit"), key: "nav-audit" }, None),
    (
        Entry { section: Section::Instance, path: path!("instance"), key: "nav-instance" },
        Some(Permission::Admin),
    ),
];

/// What a visitor finds around each page. It is kept with the request, so that a page about its failure has it too.
#[derive(Clone)]
pub(crate) struct Navigation {
    user: Option<String>,
    entries: Vec<&'static Entry>,
    now: Timestamp,
}

impl Navigation {
    /// Returns that of a user of this name, with these grants.
    pub(crate) fn of(user: &str, grants: &Grants, now: Timestamp) -> Self {
        let has = |permission| authorize(grants, &[permission], &Place::Instance).is_ok();
        let shown = ENTRIES.iter().filter(|(_, needed)| needed.is_none_or(has));
        Self { user: Some(user.to_owned()), entries: shown.map(|(entry, _)| entry).collect(), now }
    }

    /// Keeps it with the request.
    pub(crate) fn keep(self, request: &HttpRequest) {
        request.extensions_mut().insert(self);
    }

    /// Returns that of a request.
    pub(crate) fn kept_with(request: &HttpRequest) -> Option<Self> {
        request.extensions().get().cloned()
    }
}

/// What every page has around its content. Templates call its methods for words and times.
pub(crate) struct Frame {
    pub(crate) words: &'static Words,
    pub(crate) theme: Theme,
    pub(crate) assets: &'static Assets,
    pub(crate) section: Section,
    /// The name of the user who has signed in.
    pub(crate) user: Option<String>,
    pub(crate) entries: Vec<&'static Entry>,
    /// The path and the query of this page.
    pub(crate) target: String,
    /// The key of what has just been done.
    done: Option<String>,
    /// The moment of the request.
    pub(crate) now: Timestamp,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    clippy::unused_self,
    reason = "templates call with references, on the frame"
)]
impl Frame {
    /// Returns the frame of a page; without a navigation before a user has signed in.
    pub(crate) fn new(
        (words, theme, target): (&'static Words, Theme, &str),
        navigation: Option<Navigation>,
        section: Section,
    ) -> Self {
        let now = Timestamp::saturating_from_millis(0);
        let navigation = navigation.unwrap_or_else(|| Navigation { user: None, entries: Vec::new(), now });
        Self {
            words,
            theme,
            assets: assets(),
            section,
            user: navigation.user,
            entries: navigation.entries,
            done: query_value(target, "done"),
            target: target.to_owned(),
            now: navigation.now,
        }
    }

    /// Returns the words under a key.
    pub(crate) fn t(&self, key: &str) -> Cow<'_, str> {
        self.words.get(key)
    }

    /// Returns the words under a key with a text in them.
    pub(crate) fn text(&self, key: &str, name: &'static str, value: &str) -> String {
        self.words.with(key, [(name, value.into())]).into_owned()
    }

    /// Returns the words under a key with a number in them, in its plural.
    pub(crate) fn number(&self, key: &str, name: &'static str, value: &(impl Copy + TryInto<i64>)) -> String {
        let value: i64 = (*value).try_into().unwrap_or(i64::MAX);
        self.words.with(key, [(name, value.into())]).into_owned()
    }

    /// Returns the sentence about what has just been done.
    pub(crate) fn done(&self) -> Option<String> {
        let key = format!("done-{}", self.done.as_ref()?);
        // The query can say anything.
        self.words.has(&key).then(|| self.t(&key).into_owned())
    }

    /// Returns a moment as an element: in UTC, which the browser's script replaces by the time of its zone.
    pub(crate) fn time(&self, moment: &Timestamp) -> Safe<String> {
        moment::absolute(*moment)
    }

    /// Returns how long ago or ahead a moment is, as an element with the moment in its title.
    pub(crate) fn ago(&self, moment: &Timestamp) -> Safe<String> {
        moment::relative(*moment, self.now, self.words)
    }

    /// Returns whether this entry of the navigation is the one of this page.
    pub(crate) fn is_here(&self, entry: &Entry) -> bool {
        entry.section == self.section
    }
}

/// Returns a parameter of the query of a target.
pub(crate) fn query_value(target: &str, name: &str) -> Option<String> {
    query_pairs(target).into_iter().find(|(sent, _)| sent == name).map(|(_, value)| value)
}

/// Returns the parameters of the query of a target.
pub(crate) fn query_pairs(target: &str) -> Vec<(String, String)> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    actix_web::web::Query::from_query(query).map(actix_web::web::Query::into_inner).unwrap_or_default()
}
