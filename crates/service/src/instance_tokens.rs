//! The tokens of the instance, of any scope: list, create, change, rotate, revoke (contract, "Instance tokens").

use latchkey_domain::{ApiToken, ProjectScope, Timestamp, TokenId, TokenKind, TokenName};
use latchkey_ports::StoredToken;

use crate::{
    CreateInstanceTokens, DeleteInstanceTokens, InstancePermit, InstanceTokenAction, Missing, Overlap,
    ReadInstanceTokens, RevealedToken, ServiceError, TokenFilter, TokenPage, TokenReference, TokenRequest,
    UpdateInstanceTokens, token_changes::TokenChanges,
};

/// The use cases.
pub struct InstanceTokens {
    changes: TokenChanges,
}

impl InstanceTokens {
    pub(crate) fn new(changes: TokenChanges) -> Self {
        Self { changes }
    }

    /// Those of the tokens of the kinds that the caller may read that pass the filter.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a cursor with another order than that of creation; [`ServiceError::Unavailable`].
    pub async fn search(
        &self,
        permit: &InstancePermit<ReadInstanceTokens>,
        filter: TokenFilter,
    ) -> Result<TokenPage, ServiceError> {
        filter.find(&self.changes, visible_kinds(permit)).await
    }

    /// All tokens of a name. Where there is none of that name and the name reads as the id of a token, that token.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`].
    pub async fn named(
        &self,
        permit: &InstancePermit<ReadInstanceTokens>,
        name: &str,
    ) -> Result<Vec<RevealedToken>, ServiceError> {
        // What breaks the rule for names names no token.
        let Ok(token_name) = TokenName::new(name) else { return Ok(Vec::new()) };
        let filter = TokenFilter { name: Some(token_name), ..TokenFilter::default() };
        let found = filter.find(&self.changes, visible_kinds(permit)).await?.tokens;
        let (true, Some(id)) = (found.is_empty(), TokenId::parse(name)) else { return Ok(found) };
        let stored = self.changes.tokens.find_token(id).await?;
        let visible = stored.filter(|stored| permit.check_kind(stored.token.access.kind()).is_ok());
        Ok(visible.into_iter().map(|stored| self.changes.issuer.reveal(stored)).collect())
    }

    /// Creates a token of any scope and shows its secret.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] for an admin token where the policy has none, and without the permission for its kind;
    /// [`ServiceError::Invalid`] for a scope that the kind cannot have, an unknown project or environment;
    /// [`ServiceError::LimitReached`]; [`ServiceError::Unavailable`].
    pub async fn create(
        &self,
        permit: &InstancePermit<CreateInstanceTokens>,
        request: TokenRequest,
    ) -> Result<RevealedToken, ServiceError> {
        if request.kind == TokenKind::Admin && !self.changes.issuer.policy().allow_admin {
            return Err(ServiceError::NotPermitted(
                "Admin tokens are disabled in this instance. Use a personal access token, a service account, or set \
                 tokens.allow_admin."
                    .to_owned(),
            ));
        }
        check_kind(permit, request.kind)?;
        let projects = request.projects.clone().unwrap_or(ProjectScope::All);
        let draft = request.draft(projects)?;
        let issued = self.changes.issuer.issue(draft, &permit.initiator()).await;
        issued.map_err(|refusal| match refusal {
            // Here a project is part of the body, not of the path.
            ServiceError::NotFound(Missing::Project(id)) => ServiceError::field(
                "projects",
                format!("There is no project \"{id}\": create it, or name another."),
            ),
            other => other,
        })
    }

    /// Changes when a token ends. Done as well where there is no such token (contract).
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] without the permission for the token's kind; [`ServiceError::Unavailable`].
    pub async fn change_expiry(
        &self,
        permit: &InstancePermit<UpdateInstanceTokens>,
        reference: &TokenReference,
        expires_at: Option<Timestamp>,
    ) -> Result<(), ServiceError> {
        let by = permit.initiator();
        let changed = self.changes.changes.again_while_stale(async || -> Result<(), ServiceError> {
            let Some(stored) = self.find(permit, reference).await? else { return Ok(()) };
            let after = ApiToken { expires_at, ..stored.token.clone() };
            self.changes.update(&stored.token, &after, &by).await
        });
        gone_is_done(changed.await)
    }

    /// Gives a token a new secret under the same name and scope, and shows it. The old secret lives on for the overlap.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; [`ServiceError::NotPermitted`] without the permission for the token's kind;
    /// [`ServiceError::Unavailable`].
    pub async fn rotate(
        &self,
        permit: &InstancePermit<UpdateInstanceTokens>,
        reference: &TokenReference,
        overlap: Overlap,
    ) -> Result<RevealedToken, ServiceError> {
        let stored = self.find(permit, reference).await?.ok_or(Missing::Token)?;
        self.changes.rotate(stored, overlap, &permit.initiator()).await
    }

    /// Revokes a token; it is refused from the answer on. Done as well where there is no such token (contract).
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] without the permission for the token's kind; [`ServiceError::Unavailable`].
    pub async fn delete(
        &self,
        permit: &InstancePermit<DeleteInstanceTokens>,
        reference: &TokenReference,
    ) -> Result<(), ServiceError> {
        let Some(stored) = self.find(permit, reference).await? else { return Ok(()) };
        gone_is_done(self.changes.revoke(&stored.token, &permit.initiator()).await)
    }

    async fn find<A: InstanceTokenAction>(
        &self,
        permit: &InstancePermit<A>,
        reference: &TokenReference,
    ) -> Result<Option<StoredToken>, ServiceError> {
        let found = self.changes.find(reference).await?;
        if let Some(stored) = &found {
            check_kind(permit, stored.token.access.kind())?;
        }
        Ok(found)
    }
}

fn visible_kinds(permit: &InstancePermit<ReadInstanceTokens>) -> Vec<TokenKind> {
    let kinds = [TokenKind::Client, TokenKind::Admin, TokenKind::Frontend];
    kinds.into_iter().filter(|kind| permit.check_kind(*kind).is_ok()).collect()
}

/// The route was open to the caller; this kind of token is not (reference, chapter 9).
fn check_kind<A: InstanceTokenAction>(
    permit: &InstancePermit<A>,
    kind: TokenKind,
) -> Result<(), ServiceError> {
    permit.check_kind(kind).map_err(|denied| ServiceError::NotPermitted(denied.to_string()))
}

/// Whoever removed the token meanwhile did what was asked for.
fn gone_is_done(outcome: Result<(), ServiceError>) -> Result<(), ServiceError> {
    match outcome {
        Err(ServiceError::NotFound(Missing::Token)) => Ok(()),
        other => other,
    }
}
