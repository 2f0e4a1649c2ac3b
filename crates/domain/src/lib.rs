//! # The domain of Latchkey
//!
//! The model of tokens, projects, roles and permissions, and its rules. Every value with a rule is a type with one
//! fallible constructor, so code that holds such a value need not check it again.
//!
//! Lives here: [`ApiToken`] and its [`TokenAccess`], secrets and their format ([`TokenSecret`]), places and people
//! ([`Project`], [`Environment`], [`User`], [`Role`]), the pure authorization function ([`authorize`]), the effect on
//! tokens of removing a project or environment ([`ProjectRemoval`]), and audit events ([`NewEvent`]). The JSON of an
//! event's [`Snapshot`] is the one piece of wire format here, because stores keep it too. May not live here: anything
//! async, a clock, randomness, a database, any other JSON body of the wire.
//!
//! Read on in `latchkey-ports`, the traits that carry these types in and out.

#[macro_use]
mod named_enum;

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
#[cfg(any(test, feature = "testing"))]
pub mod testing;
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
