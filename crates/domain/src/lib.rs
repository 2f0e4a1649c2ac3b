//! # The domain of Latchkey
//!
//! What a token, a project, a role and a permission *are*, and which of them may exist: every value with a
//! rule is a type with one fallible constructor, so past this crate's constructors nothing is checked twice.
//!
//! Lives here: [`ApiToken`] and its [`TokenAccess`], secrets and their format ([`TokenSecret`]), places and
//! people ([`Project`], [`Environment`], [`User`], [`Role`]), the pure authorization function ([`authorize`]), what becomes
//! of tokens when a place goes ([`ProjectRemoval`]), and what an audit event says ([`NewEvent`]).
//! May not live here: anything async, a clock, randomness, a database, JSON bodies of the wire.
//!
//! Next room: `latchkey-ports`, the traits that carry these types in and out.

mod audit;
mod authorization;
mod names;
mod new_names;
mod password;
mod people;
mod permission;
mod personal_token;
mod place;
mod principal;
mod removal;
mod role;
mod scope;
mod secret;
mod secret_prefix;
mod session;
mod snapshot;
mod throttle;
mod time;
mod token;
mod token_id;

pub use audit::{
    Actor, Event, EventId, EventKind, NewEvent, Origin, Subject, UnknownEventKind, UnknownSubject,
};
pub use authorization::{Denied, Grant, Grants, Place, authorize, authorize_granting};
pub use names::{
    Description, EnvironmentName, InvalidName, NameFault, PersonName, ProjectDescription, ProjectId,
    ProjectName, RoleDescription, RoleName, TokenName, Username,
};
pub use password::{Password, PasswordFault, PasswordHash};
pub use people::{AccountKind, Email, InvalidEmail, NewUser, User, UserId, UserIdentity, WithoutIdentity};
pub use permission::{Permission, PermissionKind, UnknownPermission};
pub use personal_token::{NewPersonalToken, PersonalToken, PersonalTokenId};
pub use place::{
    Environment, EnvironmentKind, Project, ProjectMode, ProjectVisibility, UnknownEnvironmentKind,
    UnknownProjectMode,
};
pub use principal::{Principal, UserCredential, VerifiedToken, WrongTokenKind};
pub use removal::{EnvironmentRemoval, ProjectRemoval, RemovalOutcome};
pub use role::{NewRole, PermissionFault, Role, RoleId, RoleKind, UnknownRoleKind};
pub use scope::{EmptyScope, EnvironmentScope, ProjectScope, ProjectSet};
pub use secret::{InvalidSecret, TokenSecret};
pub use secret_prefix::{SecretPrefix, UnreadablePrefix};
pub use session::{Session, SessionId};
pub use snapshot::Snapshot;
pub use throttle::LoginFailures;
pub use time::{Timestamp, TimestampOutOfRange};
pub use token::{AccessError, ApiToken, Scope, TokenAccess, TokenAttributes, TokenKind, UnknownTokenKind};
pub use token_id::TokenId;
