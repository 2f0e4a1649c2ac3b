//! A store to try things on, and things to keep in it.

use std::{path::Path, time::Duration};

use diesel::{Connection, SqliteConnection};
use latchkey_domain::{
    Actor, ApiToken, EnvironmentName, EventKind, NewEvent, Origin, ProjectId, ProjectScope, ProjectSet,
    Scope, Snapshot, Subject, Timestamp, TokenAccess, TokenAttributes, TokenId, TokenName,
};
use latchkey_ports::{KeyId, Quota, SecretDigest, SecretRecord, StoredToken};
use latchkey_sqlite::{Location, SqliteSettings, SqliteStore};

/// Room enough.
pub(crate) const NO_LIMIT: Quota = Quota(1_000_000);

pub(crate) fn settings(path: &Path) -> SqliteSettings {
    SqliteSettings {
        location: Location::File(path.to_owned()),
        readers: 2,
        busy_timeout: Duration::from_secs(10),
        acquire_timeout: Duration::from_secs(30),
    }
}

pub(crate) fn open(path: &Path) -> SqliteStore {
    let store = SqliteStore::open(settings(path)).expect("opens");
    store.migrate().expect("migrates");
    store
}

/// A connection of another program.
pub(crate) fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("connects")
}

pub(crate) fn moment() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000).expect("in range")
}

pub(crate) fn default_project() -> ProjectId {
    ProjectId::new("default").expect("an id")
}

/// A client token of these projects; different numbers make different tokens.
pub(crate) fn token_of(number: u64, projects: &[&str]) -> StoredToken {
    let mut entropy = [0; 10];
    entropy[2..].copy_from_slice(&number.to_be_bytes());
    let mut digest = [7; 32];
    digest[..8].copy_from_slice(&number.to_be_bytes());
    let ids = projects.iter().map(|id| ProjectId::new(id).expect("an id"));
    StoredToken {
        token: ApiToken {
            id: TokenId::new(moment(), entropy),
            name: TokenName::new(&format!("token {number}")).expect("a name"),
            selector: None,
            access: TokenAccess::Client(Scope {
                projects: ProjectScope::Only(ProjectSet::new(ids).expect("some")),
                environment: EnvironmentName::new("development").expect("a name"),
            }),
            expires_at: None,
            created_at: moment(),
            last_used_at: None,
            attributes: TokenAttributes::default(),
        },
        secret: SecretRecord {
            digest: SecretDigest(digest),
            key: KeyId([1, 2, 3, 4]),
            sealed: Some(vec![5; 60].into()),
        },
        alias: None,
    }
}

/// A client token of the project `default`.
pub(crate) fn token(number: u64) -> StoredToken {
    token_of(number, &["default"])
}

/// The event of a token's creation.
pub(crate) fn created(stored: &StoredToken) -> NewEvent {
    NewEvent {
        kind: EventKind::ApiTokenCreated,
        actor: Actor::System,
        origin: Origin::default(),
        at: moment(),
        projects: Some(stored.token.access.projects().clone()),
        environment: stored.token.access.environment().cloned(),
        subject: Some(Subject::Token(stored.token.id)),
        before: None,
        after: Some(Snapshot::from(&stored.token)),
    }
}
