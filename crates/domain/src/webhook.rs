//! Webhooks: where events are sent as they happen, and which of them.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use serde_json::json;
use uuid::Uuid;

use crate::{Event, EventId, EventKind, ProjectId, ProjectScope, Snapshot, Timestamp};

/// The id of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookId(pub Uuid);

impl WebhookId {
    /// Parses an id with hyphens. Returns `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().map(Self)
    }
}

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The URL to which events are sent. Its path and query may be a secret of the receiver, so `Debug` shows [`WebhookUrl::shown`].
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(String);

/// Why a text cannot be the URL of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWebhookUrl {
    #[error("the URL must begin with https:// or http://")]
    Scheme,
    #[error("the URL must have a host, and after it a port at most")]
    Host,
    #[error("the URL must have no user name and password: receivers know Latchkey by its signature")]
    Credentials,
    #[error(
        "the URL must be ASCII without blanks, percent-encoded where it needs to be, and without a fragment (#)"
    )]
    Characters,
    #[error("the URL must have at most {max} characters", max = WebhookUrl::MAX)]
    TooLong,
}

impl WebhookUrl {
    /// The maximum length, in characters.
    pub const MAX: usize = 2_048;

    /// Parses an absolute URL of HTTP or HTTPS.
    ///
    /// # Errors
    /// [`InvalidWebhookUrl`].
    pub fn new(text: &str) -> Result<Self, InvalidWebhookUrl> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.ok_or(InvalidWebhookUrl::Scheme)?;
        if text.len() > Self::MAX {
            return Err(InvalidWebhookUrl::TooLong);
        }
        let is_allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>\\^`{|}".contains(&byte);
        if !text.bytes().all(is_allowed) {
            return Err(InvalidWebhookUrl::Characters);
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(InvalidWebhookUrl::Credentials);
        }
        if is_authority(authority) { Ok(Self(text.to_owned())) } else { Err(InvalidWebhookUrl::Host) }
    }

    /// Returns the URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is encrypted.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Returns the URL without its path and query, as events and logs have it.
    pub fn shown(&self) -> String {
        let start = self.0.find("://").map_or(0, |at| at + 3);
        let end = self.0.get(start..).and_then(|rest| rest.find(['/', '?'])).map(|at| start + at);
        match end.and_then(|end| self.0.split_at_checked(end)) {
            Some((origin, "/")) => format!("{origin}/"),
            Some((origin, _)) => format!("{origin}/…"),
            None => self.0.clone(),
        }
    }
}

/// Whether it is a host, perhaps with a port.
fn is_authority(text: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let (is_host, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((host, port))) => (host.parse::<Ipv6Addr>().is_ok(), port),
        Some(None) => return false,
        None => {
            let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (!host.is_empty() && host.bytes().all(is_name), port)
        }
    };
    let is_port = match port.strip_prefix(':') {
        Some(port) => {
            port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
        }
        None => port.is_empty(),
    };
    is_host && is_port
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookUrl({})", self.shown())
    }
}

impl FromStr for WebhookUrl {
    type Err = InvalidWebhookUrl;

    fn from_str(text: &str) -> Result<Self, InvalidWebhookUrl> {
        Self::new(text)
    }
}

named_enum! {
    /// The form in which an event is sent.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub enum WebhookTemplate {
        /// An event as the API has it, in the envelope of Standard Webhooks.
        #[default]
        Standard = "standard",
        /// A sentence, for receivers that take messages of Slack's incoming webhooks.
        Slack = "slack",
    } else UnknownWebhookTemplate: |text: &str| UnknownWebhookTemplate(text.to_owned())
}

/// The text names no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no template {0:?}: it is standard or slack")]
pub struct UnknownWebhookTemplate(pub String);

/// The kinds of events that are sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum EventSelection {
    /// All, also those of later versions.
    #[default]
    All,
    Only(EventKinds),
}

/// Some kinds of events: at least one, each once, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventKinds(Box<[EventKind]>);

impl EventSelection {
    /// Returns the selection of these kinds; `None` if there is none.
    pub fn only(kinds: impl IntoIterator<Item = EventKind>) -> Option<Self> {
        let mut kinds: Vec<EventKind> = kinds.into_iter().collect();
        kinds.sort_unstable_by_key(|kind| kind.as_str());
        kinds.dedup();
        (!kinds.is_empty()).then(|| Self::Only(EventKinds(kinds.into())))
    }

    /// Returns the kinds by name; empty for all.
    pub fn named(&self) -> &[EventKind] {
        match self {
            Self::All => &[],
            Self::Only(EventKinds(kinds)) => kinds,
        }
    }

    /// Returns the names of the kinds, or `*` for all.
    pub fn shown(&self) -> Vec<&'static str> {
        match self {
            Self::All => vec!["*"],
            Self::Only(EventKinds(kinds)) => kinds.iter().map(|kind| kind.as_str()).collect(),
        }
    }

    /// Whether events of this kind are sent.
    pub fn has(&self, kind: EventKind) -> bool {
        matches!(self, Self::All) || self.named().contains(&kind)
    }
}

/// What a webhook is, as its owner says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTarget {
    pub url: WebhookUrl,
    pub events: EventSelection,
    /// Events of these projects are sent, those of all projects among them; all: also those of no project.
    pub projects: ProjectScope,
    /// Without it nothing is sent, and what happens meanwhile is not sent later.
    pub enabled: bool,
    pub template: WebhookTemplate,
}

/// A webhook, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub target: WebhookTarget,
    pub created_at: Timestamp,
}

impl WebhookTarget {
    /// Whether the event is to be sent.
    pub fn wants(&self, event: &Event) -> bool {
        let concerned = event.record.projects.as_ref();
        let is_of_project = |project: &ProjectId| concerned.is_some_and(|scope| scope.covers(project));
        let is_of_projects = match &self.projects {
            ProjectScope::All => true,
            ProjectScope::Only(projects) => projects.as_slice().iter().any(is_of_project),
        };
        self.enabled && self.events.has(event.record.kind) && is_of_projects
    }
}

/// The path of the URL may be a secret, so it is left out.
impl From<&Webhook> for Snapshot {
    fn from(Webhook { id, target, created_at }: &Webhook) -> Self {
        Self::of(json!({
            "id": id.to_string(),
            "url": target.url.shown(),
            "events": target.events.shown(),
            "projects": target.projects.shown(),
            "enabled": target.enabled,
            "template": target.template.as_str(),
            "createdAt": created_at.to_string(),
        }))
    }
}

named_enum! {
    /// What became of a delivery.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum DeliveryState {
        /// It is on its way, or will be tried again.
        Waiting = "waiting",
        Delivered = "delivered",
        /// It was given up.
        Failed = "failed",
    } else UnknownDeliveryState: |text: &str| UnknownDeliveryState(text.to_owned())
}

/// The text names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no state {0:?} of a delivery: it is waiting, delivered or failed")]
pub struct UnknownDeliveryState(pub String);

named_enum! {
    /// A reader of all events that keeps how far it is.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum EventConsumer {
        Webhooks = "webhooks",
        Mail = "mail",
    } else UnknownEventConsumer: |text: &str| UnknownEventConsumer(text.to_owned())
}

/// The text names no consumer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no consumer of events {0:?}")]
pub struct UnknownEventConsumer(pub String);

/// One of a webhook's deliveries: that of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId {
    pub webhook: WebhookId,
    pub event: EventId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actor, NewEvent, Origin, ProjectSet};

    #[test]
    fn a_url_is_absolute_and_without_credentials() {
        use InvalidWebhookUrl::{Characters, Credentials, Host, Scheme, TooLong};
        for good in [
            "https://example.com",
            "http://10.0.0.1:8080/hook?a=b&c=%20d",
            "https://[2001:db8::1]:443/",
            "https://hooks.example.com/services/T0/B0/x",
        ] {
            assert_eq!(WebhookUrl::new(good).expect(good).as_str(), good);
        }
        for (bad, fault) in [
            ("", Scheme),
            ("example.com", Scheme),
            ("ftp://example.com", Scheme),
            ("HTTPS://example.com", Scheme),
            ("https://", Host),
            ("https:///path", Host),
            ("https://?q", Host),
            ("https://example.com:0", Host),
            ("https://example.com:99999", Host),
            ("https://example.com:+80", Host),
            ("https://example.com:", Host),
            ("https://[example]", Host),
            ("https://[::1]80", Host),
            ("https://a%20b/", Host),
            ("https://user:password@example.com/", Credentials),
            ("https://example.com/a b", Characters),
            ("https://example.com/#part", Characters),
            ("https://exämple.com/", Characters),
            ("https://example.com/\\", Characters),
        ] {
            assert_eq!(WebhookUrl::new(bad), Err(fault), "{bad}");
        }
        let longest = |length: usize| format!("https://example.com/{}", "x".repeat(length - 20));
        assert!(WebhookUrl::new(&longest(2_048)).is_ok());
        assert_eq!(WebhookUrl::new(&longest(2_049)), Err(TooLong));
    }

    #[test]
    fn what_may_be_a_secret_of_the_receiver_is_not_shown() {
        for (url, shown) in [
            ("https://example.com", "https://example.com"),
            ("https://example.com/", "https://example.com/"),
            ("https://example.com:8443/services/x?y", "https://example.com:8443/…"),
            ("https://example.com?key=x", "https://example.com/…"),
        ] {
            let url = WebhookUrl::new(url).expect(url);
            assert_eq!(url.shown(), shown);
            assert_eq!(format!("{url:?}"), format!("WebhookUrl({shown})"));
        }
    }

    fn event(kind: EventKind, projects: Option<ProjectScope>) -> Event {
        let at = Timestamp::from_millis(0).expect("in range");
        let record = NewEvent { projects, ..NewEvent::new(kind, Actor::System, Origin::default(), at) };
        Event { id: EventId(1), record }
    }

    fn projects(ids: &[&str]) -> ProjectScope {
        let ids = ids.iter().map(|id| ProjectId::new(id).expect("an id"));
        ProjectScope::Only(ProjectSet::new(ids).expect("some"))
    }

    #[test]
    fn events_are_chosen_by_kind_and_by_project() {
        use EventKind::{ApiTokenCreated, ApiTokenLeaked, UserCreated};
        let all = WebhookTarget {
            url: WebhookUrl::new("https://example.com").expect("a URL"),
            events: EventSelection::All,
            projects: ProjectScope::All,
            enabled: true,
            template: WebhookTemplate::Standard,
        };
        let of_shop = event(ApiTokenCreated, Some(projects(&["other", "shop"])));
        let of_all = event(ApiTokenLeaked, Some(ProjectScope::All));
        let of_none = event(UserCreated, None);
        let wants = |target: &WebhookTarget| [&of_shop, &of_all, &of_none].map(|event| target.wants(event));
        assert_eq!(wants(&all), [true, true, true]);
        let disabled = WebhookTarget { enabled: false, ..all.clone() };
        assert_eq!(wants(&disabled), [false, false, false]);
        let shop = WebhookTarget { projects: projects(&["shop", "blog"]), ..all.clone() };
        assert_eq!(wants(&shop), [true, true, false]);
        let blog = WebhookTarget { projects: projects(&["blog"]), ..all.clone() };
        assert_eq!(wants(&blog), [false, true, false]);
        let leaks = WebhookTarget { events: EventSelection::only([ApiTokenLeaked]).expect("one"), ..all };
        assert_eq!(wants(&leaks), [false, true, false]);
    }

    #[test]
    fn a_selection_has_each_kind_once_in_order() {
        use EventKind::{ApiTokenCreated, ApiTokenLeaked};
        let selection = EventSelection::only([ApiTokenLeaked, ApiTokenCreated, ApiTokenLeaked]);
        assert_eq!(selection.expect("some").named(), [ApiTokenCreated, ApiTokenLeaked]);
        assert_eq!(EventSelection::only([]), None);
    }
}
