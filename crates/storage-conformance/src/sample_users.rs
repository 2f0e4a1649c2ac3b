//! Sample users, roles and sessions; re-exported by [`crate::samples`].

use std::collections::BTreeSet;

use latchkey_domain::{
    AccountKind, Description, Email, GroupDescription, GroupId, GroupName, NewGroup, NewPersonalToken,
    NewRole, NewUser, Origin, PasswordHash, Permission, ProjectId, Role, RoleDescription, RoleId, RoleKind,
    RoleName, Session, SessionId, SsoGroupName, UserId, UserIdentity, Username,
};
use latchkey_ports::{Memberships, PasswordChange, SessionStart};
use uuid::Uuid;

use crate::samples::{ADMIN, AMPLE_LIMIT, VIEWER, moment, secret_shown_once};

/// Returns a viewer with this user name and without an e-mail address.
#[must_use]
pub fn user_named(username: &str) -> NewUser {
    user(Some(username), None)
}

/// Returns a viewer with this e-mail address and without a user name.
#[must_use]
pub fn user_with_email(email: &str) -> NewUser {
    user(None, Some(email))
}

/// Returns a viewer with this user name and e-mail address.
#[must_use]
pub fn user(username: Option<&str>, email: Option<&str>) -> NewUser {
    let username = username.map(|name| Username::new(name).expect("a user name"));
    let email = email.map(|address| Email::new(address).expect("an e-mail address"));
    NewUser {
        identity: UserIdentity::new(username, email).expect("a user name or an e-mail address"),
        name: None,
        kind: AccountKind::Person,
        root_role: VIEWER,
        created_at: moment(0),
    }
}

/// Returns a personal token.
#[must_use]
pub fn personal_token(user: UserId, description: &str) -> NewPersonalToken {
    NewPersonalToken {
        user,
        description: Description::new(description).expect("a description"),
        expires_at: moment(1_000_000),
        created_at: moment(0),
    }
}

/// Returns roles for users in a project.
#[must_use]
pub fn memberships(users: &[UserId], project: &ProjectId, roles: &[RoleId]) -> Memberships {
    Memberships {
        project: project.clone(),
        users: users.to_vec(),
        groups: Vec::new(),
        roles: roles.to_vec(),
        at: moment(5),
    }
}

/// Returns the built-in role with this id.
#[must_use]
pub fn built_in_role(id: RoleId) -> Role {
    Role::built_in().into_iter().find(|role| role.id == id).expect("a built-in role")
}

/// Returns a user with the root role Admin.
#[must_use]
pub fn admin(username: &str) -> NewUser {
    NewUser { root_role: ADMIN, ..user_named(username) }
}

/// Returns a service account with the root role Viewer.
#[must_use]
pub fn service_account(username: &str) -> NewUser {
    NewUser { kind: AccountKind::Service, ..user_named(username) }
}

/// Returns a password hash.
#[must_use]
pub fn password(number: u64) -> PasswordHash {
    PasswordHash(format!("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA${number:043}").into())
}

/// Returns a custom project role without permissions.
#[must_use]
pub fn project_role(name: &str) -> NewRole {
    NewRole {
        name: RoleName::new(name).expect("a role name"),
        kind: RoleKind::Custom,
        description: RoleDescription::new(&format!("What {name} is for")).expect("a description"),
        permissions: BTreeSet::new(),
    }
}

/// Returns a custom root role with these permissions.
#[must_use]
pub fn root_role(name: &str, permissions: &[Permission]) -> NewRole {
    let permissions = permissions.iter().copied().collect();
    NewRole { kind: RoleKind::RootCustom, permissions, ..project_role(name) }
}

/// Returns a group of these users without a root role.
#[must_use]
pub fn group(name: &str, members: &[UserId]) -> NewGroup {
    NewGroup {
        name: GroupName::new(name).expect("a group name"),
        description: GroupDescription::new(&format!("What {name} is for")).expect("a description"),
        sso_groups: vec![SsoGroupName::new(&format!("sso {name}")).expect("a name")],
        root_role: None,
        members: members.iter().map(|user| (*user, moment(3))).collect(),
        created_at: moment(2),
    }
}

/// Returns roles for groups in a project.
#[must_use]
pub fn group_memberships(groups: &[GroupId], project: &ProjectId, roles: &[RoleId]) -> Memberships {
    Memberships { groups: groups.to_vec(), ..memberships(&[], project, roles) }
}

/// Returns a session; a higher number starts and expires later.
#[must_use]
pub fn session(number: u64, user: UserId) -> Session {
    let started_at = i64::try_from(number).expect("a small number");
    Session {
        id: SessionId(Uuid::from_u64_pair(0x5e55_1000_0000_4000, u64::MAX - number)),
        user,
        created_at: moment(started_at),
        expires_at: moment(started_at + 1_000_000),
        origin: Origin::new(Some([192, 0, 2, 7].into()), Some("curl/8.5.0")),
    }
}

/// Returns the start of a session for a user without a password; its secret is the sample of this number.
#[must_use]
pub fn session_start(session: &Session, secret: u64) -> SessionStart {
    SessionStart {
        session: session.clone(),
        secret: secret_shown_once(secret),
        password: None,
        max_per_user: AMPLE_LIMIT,
    }
}

/// Returns a change to the password of this number, whatever the current one.
#[must_use]
pub fn new_password(user: UserId, number: u64) -> PasswordChange {
    PasswordChange { user, before: None, after: password(number) }
}
