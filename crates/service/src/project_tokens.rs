//! Listing, creating, rotating and revoking the tokens of a project.

use std::sync::Arc;

use latchkey_domain::{ApiToken, ProjectId, ProjectScope, TokenKind};
use latchkey_ports::{ProjectRepository, ReadableTokens, StoredToken};

use crate::{
    AnswerKeeper, CreateTokens, DeleteTokens, Missing, Overlap, Permit, ProjectsPermit, ReadTokens,
    RevealedToken, Rule, ServiceError, TokenDraft, TokenFilter, TokenPage, TokenPatch, TokenReference,
    TokenRequest, UpdateTokens, token_changes::TokenChanges,
};

/// The kinds of tokens that name projects.
const KINDS: [TokenKind; 2] = [TokenKind::Client, TokenKind::Frontend];

/// The use cases of this module.
pub struct ProjectTokens {
    changes: TokenChanges,
    projects: Arc<dyn ProjectRepository>,
}

impl ProjectTokens {
    pub(crate) fn new(changes: TokenChanges, projects: Arc<dyn ProjectRepository>) -> Self {
        Self { changes, projects }
    }

    /// Returns the use cases for a request whose answer is kept with what it changes.
    #[must_use]
    pub fn keeping(&self, keeper: Option<AnswerKeeper>) -> Self {
        Self { changes: self.changes.keeping(keeper), projects: Arc::clone(&self.projects) }
    }

    /// Returns the tokens that name the project and pass the filter, in its order and on its page.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a filter by another project, and for a cursor with another order than that of creation;
    /// [`ServiceError::NotFound`] for an unknown project; [`ServiceError::Unavailable`].
    pub async fn search(
        &self,
        permit: &Permit<ReadTokens>,
        filter: TokenFilter,
    ) -> Result<TokenPage, ServiceError> {
        let project = permit.project();
        if filter.project.as_ref().is_some_and(|other| other != project) {
            return Err(ServiceError::query(
                "project",
                "This list is of the path's project: leave project out.",
            ));
        }
        let filter = TokenFilter { project: Some(project.clone()), ..filter };
        let page = filter.find(&self.changes, ReadableTokens::All, KINDS).await?;
        // One query in the usual case; only an empty page can be that of an unknown project.
        if page.tokens.is_empty() && self.projects.find_project(project).await?.is_none() {
            return Err(Missing::Project(project.to_string()).into());
        }
        Ok(page)
    }

    /// Returns the tokens that name one of the projects of the permit and pass the filter, in its order and on its page. Each has all
    /// projects that it names, as in the list of one project.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a cursor with another order than that of creation; [`ServiceError::Unavailable`].
    pub async fn search_all(
        &self,
        permit: &ProjectsPermit<ReadTokens>,
        filter: TokenFilter,
    ) -> Result<TokenPage, ServiceError> {
        // A filter by one of these projects is enough.
        let is_covered = filter.project.as_ref().is_some_and(|project| permit.covers(project));
        let readable = if is_covered { ReadableTokens::All } else { permit.tokens() };
        filter.find(&self.changes, readable, KINDS).await
    }

    /// Returns one token of a project of the permit by its id or secret.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] if none of these projects has such a token; [`ServiceError::Unavailable`].
    pub async fn get_in_any(
        &self,
        permit: &ProjectsPermit<ReadTokens>,
        reference: &TokenReference,
    ) -> Result<ApiToken, ServiceError> {
        let token = self.changes.find(reference).await?.map(|stored| stored.token);
        let is_readable =
            |token: &ApiToken| token.access.projects().named().iter().any(|project| permit.covers(project));
        token.filter(is_readable).ok_or_else(|| Missing::Token.into())
    }

    /// Returns one token of the project by its id or secret.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] if there is no such token in the project; [`ServiceError::Unavailable`].
    pub async fn get(
        &self,
        permit: &Permit<ReadTokens>,
        reference: &TokenReference,
    ) -> Result<RevealedToken, ServiceError> {
        let stored = self.find(permit.project(), reference).await?;
        self.changes.reveal(stored).await
    }

    /// Creates a token for the project and returns it with its secret.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for an admin token, other projects, what breaks the policy, no or an unknown environment; then
    /// [`ServiceError::NotFound`] for an unknown project; [`ServiceError::LimitReached`]; [`ServiceError::Unavailable`].
    pub async fn create(
        &self,
        permit: &Permit<CreateTokens>,
        request: TokenRequest,
    ) -> Result<RevealedToken, ServiceError> {
        let draft = in_project(permit.project(), request)?;
        self.changes.create(draft, &permit.initiator()).await
    }

    /// Creates tokens for the project, all or none, and returns them with their secrets, in the same order.
    ///
    /// # Errors
    /// As [`ProjectTokens::create`]; [`ServiceError::Entry`] for what one of them breaks.
    pub async fn create_all(
        &self,
        permit: &Permit<CreateTokens>,
        requests: Vec<TokenRequest>,
    ) -> Result<Vec<RevealedToken>, ServiceError> {
        let drafts = ServiceError::each(requests, |request| in_project(permit.project(), request))?;
        let issued = self.changes.create_all(drafts, &permit.initiator()).await;
        issued.map_err(|refusal| match refusal {
            // All are for the project of the path.
            ServiceError::Entry { error, .. } if matches!(*error, ServiceError::NotFound(_)) => *error,
            other => other,
        })
    }

    /// Changes a token of the project and returns it.
    ///
    /// # Errors
    /// As [`ProjectTokens::delete`]; [`ServiceError::Invalid`] for what breaks the policy.
    pub async fn update(
        &self,
        permit: &Permit<UpdateTokens>,
        reference: &TokenReference,
        patch: &TokenPatch,
    ) -> Result<RevealedToken, ServiceError> {
        let find = async || self.find_own(permit.project(), reference).await;
        // The permission to change tokens of a project includes that to create them.
        let updated = self.changes.update(find, patch, |_| Ok(()), &permit.initiator()).await?;
        self.changes.reveal(updated).await
    }

    /// Replaces the secret of a token of the project and returns the new one. The old secret stays valid for the overlap.
    ///
    /// # Errors
    /// As [`ProjectTokens::delete`].
    pub async fn rotate(
        &self,
        permit: &Permit<UpdateTokens>,
        reference: &TokenReference,
        overlap: Overlap,
    ) -> Result<RevealedToken, ServiceError> {
        let stored = self.find_own(permit.project(), reference).await?;
        self.changes.rotate(stored, overlap, &permit.initiator()).await
    }

    /// Revokes a token of the project; it is refused from the response on.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] if the project has no such token; [`ServiceError::Invalid`] for a token of several
    /// projects; [`ServiceError::Unavailable`].
    pub async fn delete(
        &self,
        permit: &Permit<DeleteTokens>,
        reference: &TokenReference,
    ) -> Result<(), ServiceError> {
        let stored = self.find_own(permit.project(), reference).await?;
        self.changes.revoke(&stored.token, &permit.initiator()).await
    }

    async fn find(
        &self,
        project: &ProjectId,
        reference: &TokenReference,
    ) -> Result<StoredToken, ServiceError> {
        let found = self.changes.find(reference).await?;
        let here = found.filter(|stored| stored.token.access.projects().names(project));
        here.ok_or_else(|| Missing::Token.into())
    }

    /// Finds a token that belongs to this project alone.
    async fn find_own(
        &self,
        project: &ProjectId,
        reference: &TokenReference,
    ) -> Result<StoredToken, ServiceError> {
        let stored = self.find(project, reference).await?;
        if stored.token.access.projects().named().len() > 1 {
            return Err(ServiceError::Invalid {
                field: None,
                message: Rule::named("token-of-several-projects")
                    .says("This token belongs to several projects: change it as an instance token."),
            });
        }
        Ok(stored)
    }
}

/// Returns the draft for the project of the route, if a project may have such a token.
fn in_project(project: &ProjectId, request: TokenRequest) -> Result<TokenDraft, ServiceError> {
    let TokenRequest { kind, projects, .. } = &request;
    if *kind == TokenKind::Admin {
        let text = "A project has no admin tokens: send client or frontend.";
        return Err(ServiceError::field("type", Rule::named("project-without-admin-tokens").says(text)));
    }
    let own = ProjectScope::one(project.clone());
    if projects.as_ref().is_some_and(|projects| *projects != own) {
        let text =
            format!("A token created here is for the project \"{project}\" alone: leave projects out.");
        return Err(ServiceError::field(
            "projects",
            Rule::named("only-project").with("name", project).says(text),
        ));
    }
    request.draft(own)
}
