//! Listing, creating, changing, rotating and revoking tokens of any scope.

use latchkey_domain::{ApiToken, ProjectScope, Timestamp, TokenId, TokenKind, TokenName, TokenSelector};
use latchkey_ports::{ReadableTokens, StoredToken};

use crate::{
    AnswerKeeper, CreateInstanceTokens, DeleteInstanceTokens, Fault as _, InstancePermit,
    InstanceTokenAction, Missing, Overlap, Patched, ReadInstanceTokens, RevealedToken, Rule, ServiceError,
    TokenDraft, TokenFilter, TokenPage, TokenPatch, TokenReference, TokenRequest, UpdateInstanceTokens,
    token_changes::TokenChanges,
};

/// Whether there was a token of the name that a request gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existed {
    Yes,
    No,
}

/// The use cases of this module.
pub struct InstanceTokens {
    changes: TokenChanges,
}

impl InstanceTokens {
    pub(crate) fn new(changes: TokenChanges) -> Self {
        Self { changes }
    }

    /// Returns the use cases for a request whose answer is kept with what it changes.
    #[must_use]
    pub fn keeping(&self, keeper: Option<AnswerKeeper>) -> Self {
        Self { changes: self.changes.keeping(keeper) }
    }

    /// Returns the tokens that pass the filter, of the kinds that the caller may read.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a cursor with another order than that of creation; [`ServiceError::Unavailable`].
    pub async fn search(
        &self,
        permit: &InstancePermit<ReadInstanceTokens>,
        filter: TokenFilter,
    ) -> Result<TokenPage, ServiceError> {
        filter.find(&self.changes, ReadableTokens::All, visible_kinds(permit)).await
    }

    /// Returns all tokens of a name; if there is none and the name is the id or the selector of a token, that token.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`].
    pub async fn named(
        &self,
        permit: &InstancePermit<ReadInstanceTokens>,
        name: &str,
    ) -> Result<TokenPage, ServiceError> {
        // No token has an invalid name.
        let Ok(token_name) = TokenName::new(name) else { return Ok(TokenPage::whole(Vec::new())) };
        let filter = TokenFilter { name: Some(token_name), ..TokenFilter::default() };
        let found = filter.find(&self.changes, ReadableTokens::All, visible_kinds(permit)).await?;
        if !found.tokens.is_empty() {
            return Ok(found);
        }
        let stored = match (TokenId::parse(name), name.parse::<TokenSelector>()) {
            (Some(id), _) => self.changes.tokens.find_token(id).await?,
            (None, Ok(selector)) => self.changes.tokens.find_token_by_selector(&selector).await?,
            (None, Err(_)) => return Ok(found),
        };
        let visible = stored.filter(|stored| permit.check_kind(stored.token.access.kind()).is_ok());
        Ok(TokenPage::whole(self.changes.reveal_all(visible).await?))
    }

    /// Returns a token.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; [`ServiceError::NotPermitted`] without the permission for the token's kind;
    /// [`ServiceError::Unavailable`].
    pub async fn get(
        &self,
        permit: &InstancePermit<ReadInstanceTokens>,
        reference: &TokenReference,
    ) -> Result<ApiToken, ServiceError> {
        Ok(self.find(permit, reference).await?.ok_or(Missing::Token)?.token)
    }

    /// Creates a token of any scope and returns it with its secret.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] for an admin token if the settings forbid them, and without the permission for its kind;
    /// [`ServiceError::Invalid`] for a scope that the kind cannot have, what breaks the policy, an unknown project or environment;
    /// [`ServiceError::LimitReached`]; [`ServiceError::Unavailable`].
    pub async fn create(
        &self,
        permit: &InstancePermit<CreateInstanceTokens>,
        request: TokenRequest,
    ) -> Result<RevealedToken, ServiceError> {
        let draft = self.draft(permit, request)?;
        self.changes.create(draft, &permit.initiator()).await.map_err(in_body)
    }

    /// Creates tokens of any scope, all or none, and returns them with their secrets, in the same order.
    ///
    /// # Errors
    /// As [`InstanceTokens::create`]; [`ServiceError::Entry`] for what one of them breaks.
    pub async fn create_all(
        &self,
        permit: &InstancePermit<CreateInstanceTokens>,
        requests: Vec<TokenRequest>,
    ) -> Result<Vec<RevealedToken>, ServiceError> {
        let drafts = ServiceError::each(requests, |request| self.draft(permit, request))?;
        let issued = self.changes.create_all(drafts, &permit.initiator()).await;
        issued.map_err(in_entry_of_body)
    }

    /// Returns the draft of a token that the caller may create.
    fn draft(
        &self,
        permit: &InstancePermit<CreateInstanceTokens>,
        request: TokenRequest,
    ) -> Result<TokenDraft, ServiceError> {
        if request.kind == TokenKind::Admin && !self.changes.issuer.settings().allow_admin {
            return Err(ServiceError::NotPermitted(Rule::named("admin-tokens-disabled").says(
                "Admin tokens are disabled in this instance. Use a personal access token, a service account, or set \
                 tokens.allow_admin.",
            )));
        }
        check_kind(permit, request.kind)?;
        let projects = request.projects.clone().unwrap_or(ProjectScope::All);
        request.draft(projects)
    }

    /// Changes a token and returns it.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; [`ServiceError::NotPermitted`] without the permission for the token's kind, or without that to
    /// create it if it could do more afterwards; [`ServiceError::Invalid`] for metadata that would be too large, and for
    /// what breaks the policy;
    /// [`ServiceError::Unavailable`].
    pub async fn update(
        &self,
        permit: &InstancePermit<UpdateInstanceTokens>,
        reference: &TokenReference,
        patch: &TokenPatch,
    ) -> Result<RevealedToken, ServiceError> {
        let updated = self.patch(permit, reference, patch).await?;
        self.changes.reveal(updated).await
    }

    async fn patch(
        &self,
        permit: &InstancePermit<UpdateInstanceTokens>,
        reference: &TokenReference,
        patch: &TokenPatch,
    ) -> Result<StoredToken, ServiceError> {
        let find = async || self.find(permit, reference).await?.ok_or_else(|| Missing::Token.into());
        let may_widen = |token: &ApiToken| {
            let to_create = InstancePermit::<CreateInstanceTokens>::request(permit.caller())?;
            check_kind(&to_create, token.access.kind())
        };
        self.changes.update(find, patch, may_widen, &permit.initiator()).await
    }

    /// Changes the expiry of a token. Succeeds if there is no such token, as Unleash does, and says so.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] without the permission for the token's kind; [`ServiceError::Invalid`] for what breaks the policy;
    /// [`ServiceError::Unavailable`].
    pub async fn change_expiry(
        &self,
        permit: &InstancePermit<UpdateInstanceTokens>,
        reference: &TokenReference,
        expires_at: Option<Timestamp>,
    ) -> Result<Existed, ServiceError> {
        let expires_at = expires_at.map_or(Patched::Removed, Patched::Set);
        let patch = TokenPatch { expires_at, ..TokenPatch::default() };
        gone_is_done(self.patch(permit, reference, &patch).await)
    }

    /// Replaces the secret of a token and returns the new one. The old secret stays valid for the overlap.
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

    /// Revokes a token; it is refused from the response on. Succeeds if there is no such token, as Unleash does, and says so.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] without the permission for the token's kind; [`ServiceError::Unavailable`].
    pub async fn delete(
        &self,
        permit: &InstancePermit<DeleteInstanceTokens>,
        reference: &TokenReference,
    ) -> Result<Existed, ServiceError> {
        let Some(stored) = self.find(permit, reference).await? else { return Ok(Existed::No) };
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

/// Maps the error of a token of a list in the body.
pub(crate) fn in_entry_of_body(refusal: ServiceError) -> ServiceError {
    match refusal {
        ServiceError::Entry { index, error } => {
            ServiceError::Entry { index, error: Box::new(in_body(*error)) }
        }
        other => other,
    }
}

/// A project is part of the body here, and not of the path.
fn in_body(refusal: ServiceError) -> ServiceError {
    match refusal {
        ServiceError::NotFound(Missing::Project(id)) => {
            let text = format!("There is no project \"{id}\": create it, or name another.");
            ServiceError::field("projects", Rule::named("project-unknown").with("id", id).says(text))
        }
        other => other,
    }
}

/// Returns the kinds of tokens that the caller may read.
pub(crate) fn visible_kinds(permit: &InstancePermit<ReadInstanceTokens>) -> Vec<TokenKind> {
    let kinds = [TokenKind::Client, TokenKind::Admin, TokenKind::Frontend];
    kinds.into_iter().filter(|kind| permit.check_kind(*kind).is_ok()).collect()
}

/// Checks the permission for this kind of token.
fn check_kind<A: InstanceTokenAction>(
    permit: &InstancePermit<A>,
    kind: TokenKind,
) -> Result<(), ServiceError> {
    permit
        .check_kind(kind)
        .map_err(|denied| ServiceError::NotPermitted(denied.rule().says(denied.to_string())))
}

/// A token that never was, or was removed in the meantime, counts as success.
fn gone_is_done<T>(outcome: Result<T, ServiceError>) -> Result<Existed, ServiceError> {
    match outcome {
        Ok(_) => Ok(Existed::Yes),
        Err(ServiceError::NotFound(Missing::Token)) => Ok(Existed::No),
        Err(other) => Err(other),
    }
}
