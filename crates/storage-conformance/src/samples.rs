//! Domain values to keep in a store. Fixed: every run of a case works on the same ones. Different numbers make
//! different values.

use latchkey_domain::{
    AccountKind, Actor, ApiToken, Description, Email, EnvironmentName, EventKind, NewEvent, NewPersonalToken,
    NewUser, Origin, Project, ProjectDescription, ProjectId, ProjectMode, ProjectName, ProjectScope,
    ProjectSet, Role, RoleId, Scope, Snapshot, Timestamp, TokenAccess, TokenId, TokenName, UserId,
    UserIdentity, Username,
};
use latchkey_ports::{FirstToken, KeyId, Memberships, Quota, SecretDigest, SecretRecord, StoredToken};

/// More than any case needs, unless it is about limits.
pub const ROOM_ENOUGH: Quota = Quota(1_000_000);
/// More personal tokens, or sessions, than any case needs, unless it is about limits.
pub const MANY: u32 = 1_000;
/// The built-in root role that may do everything.
pub const ADMIN: RoleId = RoleId(1);
/// The built-in root role that may work with tokens and projects.
pub const EDITOR: RoleId = RoleId(2);
/// The built-in root role without permissions.
pub const VIEWER: RoleId = RoleId(3);
/// The built-in project role that may manage the project.
pub const OWNER: RoleId = RoleId(4);
/// The built-in project role that may work with tokens.
pub const MEMBER: RoleId = RoleId(5);

/// The moment that many milliseconds after 2027-01-15T08:00:00Z.
#[must_use]
pub fn moment(millis: i64) -> Timestamp {
    at(1_800_000_000_000 + millis)
}

/// The moment that many milliseconds after 1970-01-01T00:00:00Z.
#[must_use]
pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("a moment in range")
}

/// The earliest moment there is, around the beginning of 1970, and the latest.
#[must_use]
pub fn extreme_moments() -> [Timestamp; 5] {
    [-62_167_219_200_000, -1, 0, 1, 253_402_300_799_999].map(at)
}

/// The id of a project.
#[must_use]
pub fn project_id(id: &str) -> ProjectId {
    ProjectId::new(id).expect("a project id")
}

/// The name of an environment; a fresh store knows `development` and `production`.
#[must_use]
pub fn environment(name: &str) -> EnvironmentName {
    EnvironmentName::new(name).expect("an environment name")
}

/// The scope of these projects, in this order.
#[must_use]
pub fn only(projects: &[&str]) -> ProjectScope {
    let ids = projects.iter().map(|id| project_id(id));
    ProjectScope::Only(ProjectSet::new(ids).expect("some project"))
}

/// A project.
#[must_use]
pub fn project(id: &str) -> Project {
    Project {
        id: project_id(id),
        name: ProjectName::new(&format!("Project {id}")).expect("a project name"),
        description: ProjectDescription::new(&format!("What {id} is for")).expect("a description"),
        mode: ProjectMode::Open,
        created_at: moment(0),
        updated_at: moment(0),
        archived_at: None,
    }
}

/// A digest.
#[must_use]
pub fn digest(number: u64) -> SecretDigest {
    let mut bytes = [0xd1; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    SecretDigest(bytes)
}

/// A secret that can be shown again.
#[must_use]
pub fn secret(number: u64) -> SecretRecord {
    let mut sealed = vec![0x5e; 80];
    sealed[..8].copy_from_slice(&number.to_le_bytes());
    SecretRecord { digest: digest(number), key: KeyId([0xff, 0, 1, 0x80]), sealed: Some(sealed.into()) }
}

/// A secret of which nothing is kept but the digest.
#[must_use]
pub fn secret_shown_once(number: u64) -> SecretRecord {
    SecretRecord { sealed: None, ..secret(number) }
}

/// A client token of these projects, in `development`; of a higher number, a later one.
#[must_use]
pub fn token(number: u64, projects: &[&str]) -> StoredToken {
    token_of(number, only(projects))
}

/// A client token of all projects, in `development`.
#[must_use]
pub fn token_of_all_projects(number: u64) -> StoredToken {
    token_of(number, ProjectScope::All)
}

/// An admin token.
#[must_use]
pub fn admin_token(number: u64) -> StoredToken {
    let mut stored = token_of_all_projects(number);
    stored.token.access = TokenAccess::Admin;
    stored
}

fn token_of(number: u64, projects: ProjectScope) -> StoredToken {
    let created_at = moment(i64::try_from(number).expect("a small number"));
    StoredToken {
        token: ApiToken {
            id: TokenId::new(created_at, [0xa5; 10]),
            name: TokenName::new(&format!("token {number}")).expect("a token name"),
            access: TokenAccess::Client(Scope { projects, environment: environment("development") }),
            expires_at: None,
            created_at,
            seen_at: None,
        },
        secret: secret(number),
        alias: None,
    }
}

/// The token with its event.
#[must_use]
pub fn first_token(token: StoredToken) -> FirstToken {
    FirstToken { event: token_created(&token), token }
}

/// A user of this user name, without an e-mail address.
#[must_use]
pub fn user_named(username: &str) -> NewUser {
    user(Some(username), None)
}

/// A user of this e-mail address, without a user name.
#[must_use]
pub fn user_with_email(email: &str) -> NewUser {
    user(None, Some(email))
}

/// A viewer of this user name and e-mail address.
#[must_use]
pub fn user(username: Option<&str>, email: Option<&str>) -> NewUser {
    let username = username.map(|name| Username::new(name).expect("a user name"));
    let email = email.map(|address| Email::new(address).expect("an e-mail address"));
    NewUser {
        identity: UserIdentity::new(username, email).expect("one of both"),
        name: None,
        kind: AccountKind::Person,
        root_role: VIEWER,
        created_at: moment(0),
    }
}

/// A personal token of a user.
#[must_use]
pub fn personal_token(user: UserId, description: &str) -> NewPersonalToken {
    NewPersonalToken {
        user,
        description: Description::new(description).expect("a description"),
        expires_at: moment(1_000_000),
        created_at: moment(0),
    }
}

/// An event that fills every field but `before` and `after`.
#[must_use]
pub fn event(kind: EventKind) -> NewEvent {
    NewEvent {
        kind,
        actor: Actor::User { id: UserId(77), name: "grace@example.com".to_owned() },
        origin: Origin::new(Some([192, 0, 2, 7].into()), Some("curl/8.5.0")),
        at: moment(7),
        projects: Some(only(&["default"])),
        environment: Some(environment("development")),
        before: None,
        after: None,
    }
}

/// The event of a token's creation.
#[must_use]
pub fn token_created(stored: &StoredToken) -> NewEvent {
    NewEvent { after: Some(Snapshot::from(&stored.token)), ..token_event(EventKind::ApiTokenCreated, stored) }
}

/// The event of a token's deletion.
#[must_use]
pub fn token_deleted(stored: &StoredToken) -> NewEvent {
    NewEvent {
        before: Some(Snapshot::from(&stored.token)),
        ..token_event(EventKind::ApiTokenDeleted, stored)
    }
}

fn token_event(kind: EventKind, stored: &StoredToken) -> NewEvent {
    NewEvent {
        projects: Some(stored.token.access.projects().clone()),
        environment: stored.token.access.environment().cloned(),
        ..event(kind)
    }
}

/// The event of a project's creation.
#[must_use]
pub fn project_created(project: &Project) -> NewEvent {
    NewEvent {
        projects: Some(ProjectScope::one(project.id.clone())),
        environment: None,
        after: Some(Snapshot::from(project)),
        ..event(EventKind::ProjectCreated)
    }
}

/// The event of a user's creation, without the id that the store is to give.
#[must_use]
pub fn user_created(user: &NewUser) -> NewEvent {
    NewEvent {
        projects: None,
        environment: None,
        after: Some(Snapshot::from(user)),
        ..event(EventKind::UserCreated)
    }
}

/// The event of a personal token's creation, without the id that the store is to give.
#[must_use]
pub fn personal_token_created(token: &NewPersonalToken) -> NewEvent {
    NewEvent {
        projects: None,
        environment: None,
        after: Some(Snapshot::from(token)),
        ..event(EventKind::PersonalTokenCreated)
    }
}

/// Roles for users in a project.
#[must_use]
pub fn memberships(users: &[UserId], project: &ProjectId, roles: &[RoleId]) -> Memberships {
    Memberships { project: project.clone(), users: users.to_vec(), roles: roles.to_vec(), at: moment(5) }
}

/// The event of a role given to a user in a project.
#[must_use]
pub fn membership_added(user: UserId, project: &ProjectId, role: RoleId) -> NewEvent {
    NewEvent {
        projects: Some(ProjectScope::one(project.clone())),
        environment: None,
        after: Some(Snapshot::of_memberships(&[user], &[role])),
        ..event(EventKind::ProjectAccessAdded)
    }
}

/// The built-in role of this id.
#[must_use]
pub fn built_in_role(id: RoleId) -> Role {
    Role::built_in().into_iter().find(|role| role.id == id).expect("a built-in role")
}
