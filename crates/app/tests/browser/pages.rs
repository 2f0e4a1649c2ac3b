//! The pages of the console, which `visits` and `screens` go to.

use crate::site::Role;

/// Whether the pages of [`OF_OTHER_PARTS`] are there.
pub(crate) const ARE_OTHER_PARTS_THERE: bool = true;

/// A page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    /// Its path, in which `{token}` is the id of a token of the project `default`.
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

/// Returns all pages that are there.
pub(crate) fn all() -> impl Iterator<Item = Page> {
    let others = OF_OTHER_PARTS.iter().filter(|_| ARE_OTHER_PARTS_THERE);
    OF_TOKENS.iter().chain(others).copied()
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

static OF_OTHER_PARTS: [Page; 13] = [
    page("/console/account", Readers::All),
    page("/console/projects", Readers::All),
    page("/console/projects/default", Readers::AdminsAndSome),
    page("/console/projects/default/members", Readers::AdminsAndSome),
    page("/console/projects/default/policy", Readers::AdminsAndSome),
    page("/console/environments", Readers::AdminsAndSome),
    page("/console/people/users", Readers::AdminsAndSome),
    page("/console/people/service-accounts", Readers::AdminsAndSome),
    page("/console/people/groups", Readers::AdminsAndSome),
    page("/console/people/roles", Readers::AdminsAndSome),
    page("/console/webhooks", Readers::Admins),
    page("/console/audit", Readers::AdminsAndSome),
    page("/console/instance", Readers::Admins),
];
