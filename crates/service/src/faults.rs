//! The rules of the domain that values break, as what identifies a message.

use std::fmt;

use latchkey_domain::{
    AccessError, Denied, InvalidName, InvalidWebhookUrl, LimitError, Metadata, MetadataError, NameFault,
    NetworkError, NetworkSet, NoticeOutOfOrder, Password, PasswordFault, PermissionFault, RateLimit,
    ScopeSet, TooManyScopes, UnusedOutOfOrder, Uses, WebhookUrl, WithoutIdentity,
};

use crate::message::{Message, Rule, sentence};

/// An error that breaks a rule which has a name.
pub trait Fault: fmt::Display {
    /// Returns the rule.
    fn rule(&self) -> Rule;

    /// Returns the error as a sentence.
    fn sentence(&self) -> Message
    where
        Self: Sized,
    {
        self.rule().says(sentence(self))
    }
}

impl Fault for InvalidName {
    fn rule(&self) -> Rule {
        match &self.fault {
            NameFault::Blank => Rule::named("name-blank"),
            NameFault::TooLong { max, actual } => {
                Rule::named("too-long").with("max", max).with("actual", actual)
            }
            NameFault::ControlCharacter => Rule::named("name-control"),
            NameFault::NotUrlFriendly => Rule::named("name-url"),
            NameFault::NotAScope => Rule::named("name-scope"),
            NameFault::DotSegment => Rule::named("name-dots"),
            NameFault::Reserved(names) => Rule::named("name-reserved").with("names", names.join(", ")),
        }
    }
}

impl Fault for PasswordFault {
    fn rule(&self) -> Rule {
        match self {
            Self::TooShort => Rule::named("password-short").with("min", Password::MIN_CHARACTERS),
            Self::TooLong => Rule::named("password-long").with("max", Password::MAX_CHARACTERS),
            Self::Common => Rule::named("password-common"),
            Self::Identity => Rule::named("password-identity"),
            Self::Monotonous => Rule::named("password-monotonous").with("most", Password::MIN_DIFFERENT - 1),
        }
    }
}

impl Fault for Denied {
    fn rule(&self) -> Rule {
        let names: Vec<_> = self.any_of.iter().map(|permission| permission.as_str()).collect();
        Rule::named("denied")
            .with("count", if names.len() == 1 { "one" } else { "several" })
            .with("permissions", names.join(", "))
    }
}

impl Fault for AccessError {
    fn rule(&self) -> Rule {
        match self {
            Self::AdminNeedsAllProjects => Rule::named("access-admin-projects"),
            Self::AdminNeedsAllEnvironments => Rule::named("access-admin-environments"),
            Self::NeedsOneEnvironment(kind) => Rule::named("access-one-environment").with("type", kind),
        }
    }
}

impl Fault for LimitError {
    fn rule(&self) -> Rule {
        match self {
            Self::Requests => Rule::named("limit-requests").with("max", RateLimit::MAX),
            Self::Burst => Rule::named("limit-burst").with("max", RateLimit::MAX),
            Self::Per => Rule::named("limit-per"),
            Self::Remaining => Rule::named("limit-remaining").with("max", Uses::MAX),
            Self::Amount => Rule::named("limit-amount").with("max", Uses::MAX),
            Self::Every => Rule::named("limit-every"),
        }
    }
}

impl Fault for MetadataError {
    fn rule(&self) -> Rule {
        match self {
            Self::TooLarge(actual) => {
                Rule::named("metadata-large").with("max", Metadata::MAX_BYTES).with("actual", actual)
            }
            Self::TooManyKeys(actual) => {
                Rule::named("too-many").with("max", Metadata::MAX_KEYS).with("actual", actual)
            }
            Self::BadKey(name) => Rule::named("metadata-name").with("name", name),
            Self::TooDeep => Rule::named("metadata-deep").with("max", Metadata::MAX_DEPTH),
            Self::Nul => Rule::named("nul"),
        }
    }
}

impl Fault for NetworkError {
    fn rule(&self) -> Rule {
        match self {
            Self::Unreadable(sent) => Rule::named("network").with("sent", sent),
            Self::HasHostBits { sent, network } => {
                Rule::named("network-address").with("sent", sent).with("network", network)
            }
            Self::TooMany(actual) => {
                Rule::named("too-many").with("max", NetworkSet::MAX).with("actual", actual)
            }
        }
    }
}

impl Fault for TooManyScopes {
    fn rule(&self) -> Rule {
        Rule::named("too-many-scopes").with("max", ScopeSet::MAX)
    }
}

impl Fault for InvalidWebhookUrl {
    fn rule(&self) -> Rule {
        match self {
            Self::Scheme => Rule::named("url-scheme"),
            Self::Host => Rule::named("url-host"),
            Self::Credentials => Rule::named("url-credentials"),
            Self::Characters => Rule::named("url-characters"),
            Self::TooLong => Rule::named("url-long").with("max", WebhookUrl::MAX),
        }
    }
}

impl Fault for PermissionFault {
    fn rule(&self) -> Rule {
        match self {
            Self::Admin => Rule::named("permission-admin"),
            Self::NotInProjects(permission) => {
                Rule::named("permission-of-instance").with("permission", permission)
            }
        }
    }
}

impl Fault for UnusedOutOfOrder {
    fn rule(&self) -> Rule {
        Rule::named("unused-order")
    }
}

impl Fault for NoticeOutOfOrder {
    fn rule(&self) -> Rule {
        Rule::named("notice-order")
    }
}

impl Fault for WithoutIdentity {
    fn rule(&self) -> Rule {
        Rule::named("identity-none")
    }
}
