//! Fixed domain values for the cases. Different numbers give different values.

use latchkey_domain::{
    ApiToken, Enabled, Environment, EnvironmentKind, EnvironmentName, Project, ProjectDescription, ProjectId,
    ProjectMode, ProjectName, ProjectScope, ProjectSet, RoleId, Scope, Timestamp, TokenAccess,
    TokenAttributes, TokenId, TokenName, TokenOwner,
};
use latchkey_ports::{KeyId, NewToken, Quota, SecretDigest, SecretRecord, StoredToken};

pub use crate::{sample_events::*, sample_users::*};

/// A quota that no case reaches, except those about quotas.
pub const AMPLE_QUOTA: Quota = Quota(1_000_000);
/// A limit of personal tokens or sessions that no case reaches, except those about limits.
pub const AMPLE_LIMIT: u32 = 1_000;
/// The built-in root role with all permissions.
pub const ADMIN: RoleId = RoleId(1);
/// The built-in root role for work with tokens and projects.
pub const EDITOR: RoleId = RoleId(2);
/// The built-in root role without permissions.
pub const VIEWER: RoleId = RoleId(3);
/// The built-in project role that manages a project.
pub const OWNER: RoleId = RoleId(4);
/// The built-in project role that works with tokens.
pub const MEMBER: RoleId = RoleId(5);

/// Returns the time this many milliseconds after 2027-01-15T08:00:00Z.
#[must_use]
pub fn moment(millis: i64) -> Timestamp {
    at(1_800_000_000_000 + millis)
}

/// Returns the time this many milliseconds after 1970-01-01T00:00:00Z.
#[must_use]
pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).expect("a time in range")
}

/// Returns the earliest possible time, times around the beginning of 1970, and the latest possible time.
#[must_use]
pub fn extreme_moments() -> [Timestamp; 5] {
    [-62_167_219_200_000, -1, 0, 1, 253_402_300_799_999].map(at)
}

/// Parses a project id.
#[must_use]
pub fn project_id(id: &str) -> ProjectId {
    ProjectId::new(id).expect("a project id")
}

/// Parses an environment name; a fresh store has `development` and `production`.
#[must_use]
pub fn environment(name: &str) -> EnvironmentName {
    EnvironmentName::new(name).expect("an environment name")
}

/// Returns the scope of these projects, in this order.
#[must_use]
pub fn only(projects: &[&str]) -> ProjectScope {
    let ids = projects.iter().map(|id| project_id(id));
    ProjectScope::Only(ProjectSet::new(ids).expect("some project"))
}

/// Returns an open project.
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

/// Returns an environment that sorts after those of a fresh store.
#[must_use]
pub fn test_environment(name: &str) -> Environment {
    Environment { name: environment(name), kind: EnvironmentKind::Test, sort_order: 100, enabled: true }
}

/// Returns a digest.
#[must_use]
pub fn digest(number: u64) -> SecretDigest {
    let mut bytes = [0xd1; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    SecretDigest(bytes)
}

/// Returns a secret with a sealed copy.
#[must_use]
pub fn secret(number: u64) -> SecretRecord {
    let mut sealed = vec![0x5e; 80];
    sealed[..8].copy_from_slice(&number.to_le_bytes());
    SecretRecord { digest: digest(number), key: KeyId([0xff, 0, 1, 0x80]), sealed: Some(sealed.into()) }
}

/// Returns a secret without a sealed copy.
#[must_use]
pub fn secret_shown_once(number: u64) -> SecretRecord {
    SecretRecord { sealed: None, ..secret(number) }
}

/// Returns a client token of these projects, in `development`; a higher number is created later.
#[must_use]
pub fn token(number: u64, projects: &[&str]) -> StoredToken {
    token_of(number, only(projects))
}

/// Returns a client token of all projects, in `development`.
#[must_use]
pub fn token_of_all_projects(number: u64) -> StoredToken {
    token_of(number, ProjectScope::All)
}

/// Returns an admin token.
#[must_use]
pub fn admin_token(number: u64) -> StoredToken {
    let mut stored = token_of_all_projects(number);
    stored.token.access = TokenAccess::Admin;
    stored
}

/// Returns the token with this environment.
#[must_use]
pub fn working_in(name: &str, mut stored: StoredToken) -> StoredToken {
    if let TokenAccess::Client(scope) | TokenAccess::Frontend(scope) = &mut stored.token.access {
        scope.environment = environment(name);
    }
    stored
}

/// Returns the token as a frontend token.
#[must_use]
pub fn frontend(mut stored: StoredToken) -> StoredToken {
    if let TokenAccess::Client(scope) = stored.token.access {
        stored.token.access = TokenAccess::Frontend(scope);
    }
    stored
}

/// Returns the token with this name.
#[must_use]
pub fn named(name: &str, mut stored: StoredToken) -> StoredToken {
    stored.token.name = TokenName::new(name).expect("a token name");
    stored
}

/// Returns the token with this expiry.
#[must_use]
pub fn ending(at: Option<Timestamp>, mut stored: StoredToken) -> StoredToken {
    stored.token.expires_at = at;
    stored
}

/// Returns the token with this last use.
#[must_use]
pub fn last_seen(at: Option<Timestamp>, mut stored: StoredToken) -> StoredToken {
    stored.token.last_used_at = at;
    stored
}

/// Returns the token with this owner.
#[must_use]
pub fn owned_by(owner: &str, mut stored: StoredToken) -> StoredToken {
    stored.token.attributes.owner = Some(TokenOwner::new(owner).expect("an owner"));
    stored
}

/// Returns the token, disabled.
#[must_use]
pub fn disabled(mut stored: StoredToken) -> StoredToken {
    stored.token.attributes.enabled = Enabled(false);
    stored
}

/// Returns the token with this attribute.
#[must_use]
pub fn with_attribute(
    name: &str,
    value: impl Into<serde_json::Value>,
    mut stored: StoredToken,
) -> StoredToken {
    stored.token.attributes.other.insert(name.to_owned(), value.into());
    stored
}

/// Returns the token with the secret of this number as its alias.
#[must_use]
pub fn with_alias(number: u64, mut stored: StoredToken) -> StoredToken {
    stored.alias = Some(secret(number));
    stored
}

fn token_of(number: u64, projects: ProjectScope) -> StoredToken {
    let created_at = moment(i64::try_from(number).expect("a small number"));
    StoredToken {
        token: ApiToken {
            id: TokenId::new(created_at, [0xa5; 10]),
            name: TokenName::new(&format!("token {number}")).expect("a token name"),
            selector: None,
            access: TokenAccess::Client(Scope { projects, environment: environment("development") }),
            expires_at: None,
            created_at,
            last_used_at: None,
            attributes: TokenAttributes::default(),
        },
        secret: secret(number),
        alias: None,
    }
}

/// Returns the token with its creation event.
#[must_use]
pub fn new_token(token: StoredToken) -> NewToken {
    NewToken { event: token_created(&token), quota: AMPLE_QUOTA, token }
}
