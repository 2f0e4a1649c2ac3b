//! # The domain of Latchkey
//!
//! What a token, a project, a role and a permission *are*, and which of them may exist: every value with a
//! rule is a type with one fallible constructor, so past this crate's constructors nothing is checked twice.
//!
//! Lives here: [`ApiToken`] and its [`TokenAccess`], secrets and their format ([`TokenSecret`]), places and
//! people ([`Project`], [`Environment`], [`User`]), the pure authorisation function ([`authorise`]), and what an
//! audit event says ([`NewEvent`]).
//! May not live here: anything async, a clock, randomness, a database, JSON bodies of the wire.
//!
//! Next room: `latchkey-ports`, the traits that carry these types in and out.

mod audit;
mod authorisation;
mod names;
mod people;
mod permission;
mod personal_token;
mod place;
mod principal;
mod role;
mod scope;
mod secret;
mod time;
mod token;

pub use audit::{Actor, Event, EventId, EventKind, NewEvent, Origin, Snapshot, UnknownEventKind};
pub use authorisation::{Denied, Grant, Grants, Place, authorise};
pub use names::{
    Description, EnvironmentName, InvalidName, NameFault, PersonName, ProjectDescription, ProjectId,
    ProjectName, TokenName, Username,
};
pub use people::{AccountKind, Email, InvalidEmail, NewUser, User, UserId, UserIdentity, WithoutIdentity};
pub use permission::{Permission, UnknownPermission};
pub use personal_token::{NewPersonalToken, PersonalToken, PersonalTokenId};
pub use place::{Environment, EnvironmentKind, Project, UnknownEnvironmentKind};
pub use principal::{Principal, WrongTokenKind};
pub use role::{Role, RoleId, RoleKind, UnknownRoleKind};
pub use scope::{EmptyScope, EnvironmentScope, ProjectScope, ProjectSet};
pub use secret::{InvalidSecret, SecretPrefix, TokenSecret, UnreadablePrefix};
pub use time::{Timestamp, TimestampOutOfRange};
pub use token::{AccessError, ApiToken, Scope, TokenAccess, TokenId, TokenKind, UnknownTokenKind};
