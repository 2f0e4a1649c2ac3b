//! The roles of a server: what each comprises, in one place.
//!
//! | | `full` | `verifier` |
//! | --- | --- | --- |
//! | database | any, read and written | PostgreSQL, read only: usually a standby |
//! | missing migrations | applied | an error that says where to apply them |
//! | first tokens | created in an empty database | none |
//! | routes | all | verification, health, metrics |
//! | background tasks | all | those that verification needs |
//! | last uses | written to the database | to the primary (`database.primary_url`), or dropped |

use latchkey_http::Routes;
use latchkey_postgres::Access;
use latchkey_service::Lookups;

/// What a server does (`server.role`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything.
    Full,
    /// Verify tokens.
    Verifier,
}

impl Role {
    pub(crate) const ALL: [(&'static str, Self); 2] = [("full", Self::Full), ("verifier", Self::Verifier)];

    /// Whether the server administers the database: its tables, its first tokens, and what expires in it.
    pub(crate) fn administers(self) -> bool {
        self == Self::Full
    }

    /// Returns what the server may do with its database.
    pub(crate) fn access(self) -> Access {
        match self {
            Self::Full => Access::Full,
            Self::Verifier => Access::ReadOnly,
        }
    }

    /// Returns what lookups in the database are worth.
    pub(crate) fn lookups(self) -> Lookups {
        match self {
            Self::Full => Lookups::Current,
            Self::Verifier => Lookups::OfReplica,
        }
    }

    /// Returns what the main address serves.
    pub(crate) fn routes(self, with_metrics: bool) -> Routes {
        match self {
            Self::Full => Routes::All { with_metrics },
            Self::Verifier => Routes::Verifier { with_metrics },
        }
    }
}
