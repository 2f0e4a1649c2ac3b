//! # The use cases of Latchkey
//!
//! One module per capability, each a struct over the ports that it needs. The behavior of the API is here; its wire
//! format is in `latchkey-http`, its storage in the stores.
//!
//! The path of a request: [`Authenticator::authenticate`] finds the principal; [`Caller::admit`] checks that it may use
//! the administrative routes; [`Permit::request`] and [`InstancePermit::request`] check its permissions, and are the
//! only way to get the permit that a use case requires, so no route can forget the check; the use case
//! ([`ProjectTokens`], [`Users`], …) acts and records the event, through ports; a [`ServiceError`] says what was wrong,
//! in words for the caller: every use case can fail with [`ServiceError::Unavailable`] and [`ServiceError::Internal`],
//! and with [`ServiceError::NotFound`] if it names something that does not exist; its section on errors names the
//! others. The permissions of each action are listed in one table (`actions`).
//!
//! May not live here: SQL, HTTP, a clock, randomness, configuration files. Read on in `latchkey-http`, which calls
//! these use cases, and in `latchkey-ports`, which they call.

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
pub use master_keys::{MasterKeys, Resealed, ResealingStep, SkipReason, SkippedSecret};
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
pub use token_filter::{TokenFilter, TokenPage, TokenPortions};
pub use token_request::TokenRequest;
pub use usage::UsageRecorder;
pub use use_cases::{Dependencies, Settings, UseCases};
pub use users::{AdminCount, UserDraft, Users};
pub use verification::{Requirement, Verification};
pub use whoami::{Myself, WhoAmI};
