//! # The use cases of Latchkey
//!
//! One module per capability, each a struct that is handed the ports it needs. Everything that the contract says
//! about *what* happens is here; how it looks on the wire is in `latchkey-http`, how it is kept is in the stores.
//!
//! A request's way: [`Authenticator::authenticate`] says who it is; [`Caller::admit`] whether they have business here;
//! [`Permit::request`] and [`InstancePermit::request`] whether they may, and are the only way to get the permit that a
//! use case asks for, so no route can forget it; the use case ([`ProjectTokens`], [`Users`], …) acts and records, through
//! ports; a [`ServiceError`] says what was wrong, in words for the caller. What each action needs stands in one table
//! (`actions`).
//!
//! May not live here: SQL, HTTP, a clock, randomness, configuration files. Next rooms: `latchkey-http`, which calls
//! these, and `latchkey-ports`, which these call.

mod accounts;
mod actions;
mod audit_trail;
mod authentication;
mod change_clock;
mod changes;
mod client_network;
mod environments;
mod error;
mod first_tokens;
mod hot_entries;
mod index;
mod instance_tokens;
mod invalidation;
mod issuing;
mod login_turns;
mod lookup_budget;
mod master_keys;
mod members;
mod metrics;
mod permit;
mod personal_tokens;
mod project_tokens;
mod projects;
mod rekey_queue;
mod roles;
mod service_accounts;
mod sessions;
mod sharded_counter;
mod task_health;
mod token_changes;
mod token_filter;
mod token_request;
mod usage;
mod use_cases;
mod users;
mod verification;
mod whoami;

pub use accounts::{Directory, RoleReference, UserChange};
pub use actions::{
    CreateInstanceTokens, CreateProjects, CreateTokens, DeleteInstanceTokens, DeleteProject, DeleteTokens,
    InstanceAction, InstanceTokenAction, ManageEnvironments, ManageRoles, ManageServiceAccounts, ManageUsers,
    ProjectAction, ReadEvents, ReadInstanceTokens, ReadProjectEvents, ReadTokens, RotateTokens,
    UpdateInstanceTokens, UpdateProject,
};
pub use audit_trail::{AuditTrail, EventFilter};
pub use authentication::{AuthenticationError, Authenticator, CredentialPorts};
pub use environments::{EnvironmentChange, EnvironmentDraft, Environments};
pub use error::{Field, Missing, ServiceError, whole_seconds};
pub use first_tokens::{FirstTokens, InitError, InitFault, InitTokens, InitVariable};
pub use index::{IndexSettings, PrincipalIndex, WhenStale};
pub use instance_tokens::InstanceTokens;
pub use issuing::{Reveal, RevealedToken, TokenDraft, TokenIssuer, TokenPolicy};
pub use master_keys::{LeftReason, LeftSecret, MasterKeys, Resealed, ResealingStep};
pub use members::{Members, ProjectAccess};
pub use metrics::Metrics;
pub use permit::{Caller, Initiator, InstancePermit, Permit, SignedIn};
pub use personal_tokens::{IssuedPersonalToken, PersonalTokenDraft, PersonalTokens};
pub use project_tokens::ProjectTokens;
pub use projects::{ProjectChange, ProjectDraft, Projects};
pub use roles::{RoleChange, RoleDraft, Roles};
pub use service_accounts::{ServiceAccountDraft, ServiceAccounts};
pub use sessions::{LoggedIn, SessionPolicy, Sessions};
pub use task_health::{TaskDown, TaskHealth};
pub use token_changes::{Overlap, OverlapTooLong, TokenReference};
pub use token_filter::{TokenFilter, TokenPage};
pub use token_request::TokenRequest;
pub use usage::UsageRecorder;
pub use use_cases::{Dependencies, Settings, UseCases};
pub use users::{AdminCount, UserDraft, Users};
pub use verification::{Requirement, Verification};
pub use whoami::{Myself, WhoAmI};
