//! # The use cases of Latchkey
//!
//! One module per capability, each a struct that is handed the ports it needs. Everything that the contract says
//! about *what* happens is here; how it looks on the wire is in `latchkey-http`, how it is kept is in the stores.
//!
//! A request's way: [`Authenticator::authenticate`] says who calls; [`Permit::request`] says whether they may, and is
//! the only way to get the permit that a use case asks for, so no route can forget it; the use case ([`ProjectTokens`],
//! …) acts and records, through ports; a [`Refusal`] says what was wrong, in words for the caller.
//!
//! May not live here: SQL, HTTP, a clock, randomness, configuration files. Next rooms: `latchkey-http`, which calls
//! these, and `latchkey-ports`, which these call.

mod authentication;
mod first_tokens;
mod index;
mod issuing;
mod people;
mod permit;
mod project_tokens;
mod projects;
mod refusal;
mod seen;
mod use_cases;

pub use authentication::{AuthenticationError, Authenticator};
pub use first_tokens::{FirstTokens, InitError, InitFault, InitTokens, InitVariable};
pub use index::{IndexSettings, PrincipalIndex};
pub use issuing::{Reveal, RevealedToken, TokenDraft, TokenIssuer, TokenPolicy};
pub use people::{IssuedPersonalToken, People, PersonalTokenDraft, UserDraft};
pub use permit::{CreateTokens, DeleteTokens, Initiator, Permit, ProjectAction, ReadTokens};
pub use project_tokens::{ProjectTokenDraft, ProjectTokens, TokenReference};
pub use projects::Projects;
pub use refusal::{Missing, Refusal};
pub use seen::SeenLedger;
pub use use_cases::{Settings, Surroundings, UseCases};
