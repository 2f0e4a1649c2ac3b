//! Sample values for tests, here and in the crates around.
#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "the sample values are valid")]

use crate::{
    ApiToken, EnvironmentName, ProjectScope, Scope, Timestamp, TokenAccess, TokenAttributes, TokenId,
    TokenName,
};

/// Returns a client token of all projects in `development` that was created at that time, never expires and was never
/// used.
///
/// A test names only the fields that it is about: `ApiToken { access, ..api_token(at) }`.
pub fn api_token(created_at: Timestamp) -> ApiToken {
    ApiToken {
        id: TokenId::new(created_at, [0; 10]),
        name: TokenName::new("sample").expect("a name"),
        selector: None,
        access: TokenAccess::Client(Scope {
            projects: ProjectScope::All,
            environment: EnvironmentName::new("development").expect("a name"),
        }),
        expires_at: None,
        created_at,
        last_used_at: None,
        attributes: TokenAttributes::default(),
    }
}
