//! Tokens that Unleash Enterprise Edge asks for itself, with signed requests.

use std::sync::Arc;

use latchkey_domain::{
    Actor, Origin, ProjectId, ProjectScope, Scope, Timestamp, TokenAccess, TokenId, TokenName,
};
use latchkey_ports::Entity;

use crate::{
    Initiator, RevealedToken, ServiceError, TokenDraft, TokenIssuer, instance_tokens::in_entry_of_body,
};

/// A signed request, whose signature the caller of [`EdgeTokens`] has checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRequest {
    /// When it was signed, as it says.
    pub at: Timestamp,
    /// A digest of its nonce that others cannot compute. It decides the ids of the tokens, so that the store refuses the same
    /// request a second time, whichever process it is sent to.
    pub nonce: [u8; 10],
    pub origin: Origin,
}

/// The use cases of this module.
pub struct EdgeTokens {
    issuer: Arc<TokenIssuer>,
}

impl EdgeTokens {
    /// The number of project ids in the name of a token, which has brackets in place of more.
    const MAX_NAMED: usize = 3;

    pub(crate) fn new(issuer: Arc<TokenIssuer>) -> Self {
        Self { issuer }
    }

    /// Issues a client token for each scope, all or none, in their order.
    ///
    /// # Errors
    /// [`ServiceError::Exists`] for a request that was answered before; otherwise as [`TokenIssuer::issue`],
    /// in [`ServiceError::Entry`].
    pub async fn issue(
        &self,
        request: &SignedRequest,
        scopes: Vec<Scope>,
    ) -> Result<Vec<RevealedToken>, ServiceError> {
        let by = Initiator { actor: Actor::System, origin: request.origin.clone() };
        let drafts = scopes.into_iter().map(draft).collect::<Result<Vec<_>, ServiceError>>()?;
        let ids = (0..).take(drafts.len()).map(|number| id(request, number)).collect();
        self.issuer.issue_as(drafts, ids, request.at, &by, None).await.map_err(in_entry_of_body)
    }
}

/// Whether the error says that the request was answered before.
pub fn is_replay(error: &ServiceError) -> bool {
    matches!(error, ServiceError::Exists(Entity::Token(_)))
}

/// Returns the id of a token of the request, by its position.
fn id(request: &SignedRequest, number: u16) -> TokenId {
    let mut entropy = request.nonce;
    let [.., high, low] = &mut entropy;
    let [of_high, of_low] = number.to_be_bytes();
    *high ^= of_high;
    *low ^= of_low;
    TokenId::new(request.at, entropy)
}

fn draft(scope: Scope) -> Result<TokenDraft, ServiceError> {
    let projects = match &scope.projects {
        ProjectScope::All => "*".to_owned(),
        ProjectScope::Only(set) if set.as_slice().len() > EdgeTokens::MAX_NAMED => "[]".to_owned(),
        ProjectScope::Only(set) => set.as_slice().iter().map(ProjectId::as_str).collect::<Vec<_>>().join("_"),
    };
    let name = format!("enterprise_edge_{}_{projects}", scope.environment);
    let name: String = name.chars().take(TokenName::MAX_CHARACTERS).collect();
    let name = TokenName::new(&name).map_err(|error| ServiceError::Internal(error.into()))?;
    Ok(TokenDraft::new(name, TokenAccess::Client(scope)))
}
