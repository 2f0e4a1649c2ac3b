//! The pages of the console, which `visits` and `screens` go to.

use crate::site::Role;

/// A page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    /// Its path, in which `{token}` and other names stand for the ids of [`Things`](crate::site::Things).
    pub(crate) path: &'static str,
    /// The users who are shown it. Others are shown that they may not see it.
    pub(crate) readers: Readers,
}

/// The users who are shown a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    All,
    /// Admin, and Owner and Member of the project.
    Project,
    Admins,
    /// Admin, and whom a permission lets in.
    AdminsAndSome,
}

impl Page {
    /// Returns whether this may be the status of the page for a user.
    pub(crate) fn allows(&self, role: Role, status: u64) -> bool {
        let is_shown = match self.readers {
            Readers::All => true,
            Readers::Project => role != Role::Viewer,
            Readers::Admins => role == Role::Admin,
            Readers::AdminsAndSome if role == Role::Admin => true,
            Readers::AdminsAndSome => return [200, 403].contains(&status),
        };
        status == if is_shown { 200 } else { 403 }
    }
}

/// Returns all pages.
pub(crate) fn all() -> impl Iterator<Item = Page> {
    OF_TOKENS.iter().chain(&OF_OTHER_PARTS).copied()
}

const fn page(path: &'static str, readers: Readers) -> Page {
    Page { path, readers }
}

static OF_TOKENS: [Page; 12] = [
    page("/console", Readers::AdminsAndSome),
    page("/console/tokens", Readers::Project),
    page("/console/tokens?status=expired&name=none", Readers::AdminsAndSome),
    page("/console/tokens/new", Readers::AdminsAndSome),
    page("/console/projects/default/tokens", Readers::Project),
    page("/console/projects/default/tokens/new", Readers::Project),
    page("/console/projects/default/tokens/{token}", Readers::Project),
    page("/console/projects/default/tokens/{token}?per=day", Readers::Project),
    page("/console/projects/default/tokens/{token}?done=token-changed", Readers::Project),
    page("/console/projects/default/tokens/{token}/edit", Readers::Project),
    page("/console/projects/default/tokens/{token}/rotate", Readers::Project),
    page("/console/projects/default/tokens/{token}/revoke", Readers::Project),
];

static OF_OTHER_PARTS: [Page; 44] = [
    page("/console/account", Readers::All),
    page("/console/account/sign-out-everywhere", Readers::All),
    page("/console/account/tokens/new", Readers::All),
    page("/console/projects", Readers::All),
    page("/console/new-project", Readers::AdminsAndSome),
    page("/console/projects/default", Readers::AdminsAndSome),
    page("/console/projects/default/edit", Readers::AdminsAndSome),
    page("/console/projects/default/members", Readers::AdminsAndSome),
    page("/console/projects/default/members/add", Readers::AdminsAndSome),
    page("/console/projects/default/policy", Readers::AdminsAndSome),
    page("/console/environments", Readers::AdminsAndSome),
    page("/console/environments/new", Readers::AdminsAndSome),
    page("/console/environments/production/edit", Readers::AdminsAndSome),
    page("/console/people/users", Readers::AdminsAndSome),
    page("/console/people/users/new", Readers::AdminsAndSome),
    page("/console/people/users/{user}", Readers::AdminsAndSome),
    page("/console/people/users/{user}/edit", Readers::AdminsAndSome),
    page("/console/people/users/{user}/delete", Readers::AdminsAndSome),
    page("/console/people/service-accounts", Readers::AdminsAndSome),
    page("/console/people/service-accounts/new", Readers::AdminsAndSome),
    page("/console/people/service-accounts/{account}", Readers::AdminsAndSome),
    page("/console/people/service-accounts/{account}/edit", Readers::AdminsAndSome),
    page("/console/people/service-accounts/{account}/delete", Readers::AdminsAndSome),
    page("/console/people/groups", Readers::AdminsAndSome),
    page("/console/people/groups/new", Readers::AdminsAndSome),
    page("/console/people/groups/{group}", Readers::AdminsAndSome),
    page("/console/people/groups/{group}/edit", Readers::AdminsAndSome),
    page("/console/people/groups/{group}/delete", Readers::AdminsAndSome),
    page("/console/people/roles", Readers::AdminsAndSome),
    page("/console/people/roles/new", Readers::AdminsAndSome),
    page("/console/people/roles/{role}", Readers::AdminsAndSome),
    page("/console/people/roles/{role}/edit", Readers::AdminsAndSome),
    page("/console/people/roles/{role}/delete", Readers::AdminsAndSome),
    page("/console/people/users/{user}/password", Readers::AdminsAndSome),
    page("/console/people/service-accounts/{account}/tokens/new", Readers::AdminsAndSome),
    page("/console/webhooks", Readers::Admins),
    page("/console/webhooks/new", Readers::Admins),
    page("/console/webhooks/{webhook}", Readers::Admins),
    page("/console/webhooks/{webhook}/edit", Readers::Admins),
    page("/console/webhooks/{webhook}/delete", Readers::Admins),
    page("/console/webhooks/{webhook}/ping", Readers::Admins),
    page("/console/audit", Readers::AdminsAndSome),
    page("/console/audit?query=token", Readers::AdminsAndSome),
    page("/console/instance", Readers::Admins),
];
