//! The tabs of this part. A tab that a visitor may not use is not shown.

use latchkey_http::pages::ApiResult;
use latchkey_service::{ManageGroups, ManageServiceAccounts, ManageUsers};

use crate::{page::see_other, visitor::Visitor};

/// A tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Users,
    ServiceAccounts,
    Groups,
    Roles,
}

impl Tab {
    const ALL: [Self; 4] = [Self::Users, Self::ServiceAccounts, Self::Groups, Self::Roles];

    /// Returns the path of its list.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Users => path!("people/users"),
            Self::ServiceAccounts => path!("people/service-accounts"),
            Self::Groups => path!("people/groups"),
            Self::Roles => path!("people/roles"),
        }
    }

    /// Returns the key of its name.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Users => "people-users",
            Self::ServiceAccounts => "people-services",
            Self::Groups => "people-groups",
            Self::Roles => "people-roles",
        }
    }

    fn is_for(self, visitor: &Visitor) -> bool {
        match self {
            Self::Users => visitor.may::<ManageUsers>().is_ok(),
            Self::ServiceAccounts => visitor.may::<ManageServiceAccounts>().is_ok(),
            Self::Groups => visitor.may::<ManageGroups>().is_ok(),
            // Roles are open to every user, because owners of projects choose among them.
            Self::Roles => true,
        }
    }
}

/// The tabs that a page shows.
pub(super) struct Tabs {
    pub(super) shown: Vec<Tab>,
    /// The tab that the page is under.
    pub(super) here: Tab,
    is_list: bool,
}

impl Tabs {
    /// Returns the tabs for a page under this one.
    pub(super) fn of(visitor: &Visitor, here: Tab) -> Self {
        let path = visitor.browser.target.split('?').next().unwrap_or_default();
        let shown = Tab::ALL.into_iter().filter(|tab| tab.is_for(visitor)).collect();
        Self { shown, here, is_list: path == here.path() }
    }

    /// Returns the value of `aria-current` for a tab.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates call with references")]
    pub(super) fn current(&self, tab: &Tab) -> Option<&'static str> {
        (*tab == self.here).then_some(if self.is_list { "page" } else { "true" })
    }
}

/// Leads to the first tab that the visitor may use.
pub(super) async fn first(visitor: Visitor) -> ApiResult {
    let first = Tab::ALL.into_iter().find(|tab| tab.is_for(&visitor)).unwrap_or(Tab::Roles);
    Ok(see_other(first.path()))
}
