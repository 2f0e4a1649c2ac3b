//! Which tokens a page is about, and the use cases for them.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use latchkey_domain::{ApiToken, Permission, Policy, ProjectId, ProjectScope, TokenKind};
use latchkey_http::pages::{ApiError, PathParameters};
use latchkey_service::{
    AnswerKeeper, CreateInstanceTokens, CreateTokens, DeleteInstanceTokens, DeleteTokens, Existed,
    InstancePermit, Missing, Overlap, ReadInstanceTokens, ReadTokens, RevealedToken, ServiceError,
    TokenFilter, TokenPage, TokenPatch, TokenReference, TokenRequest, UpdateInstanceTokens, UpdateTokens,
};

use crate::{paths::escaped, visitor::Visitor};

/// The tokens of one project, or those of the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// An id, which may be none of a project.
    Project(String),
    Instance,
}

/// What a visitor may do with a token, or with tokens that do not exist yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowed {
    pub(crate) create: bool,
    pub(crate) update: bool,
    pub(crate) delete: bool,
}

impl Reach {
    /// Returns where its pages are.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Project(project) => {
                format!("{}/{}/tokens", path!("projects"), escaped(project))
            }
            Self::Instance => path!("tokens").to_owned(),
        }
    }

    /// Returns the project.
    pub(crate) fn project(&self) -> Option<&str> {
        match self {
            Self::Project(project) => Some(project),
            Self::Instance => None,
        }
    }

    /// Returns the tokens that pass a filter.
    pub(crate) async fn search(
        &self,
        visitor: &Visitor,
        filter: TokenFilter,
    ) -> Result<TokenPage, ServiceError> {
        let use_cases = visitor.use_cases();
        match self {
            Self::Project(project) => {
                let permit = visitor.may_in::<ReadTokens>(project)?;
                use_cases.project_tokens.search(&permit, filter).await
            }
            Self::Instance => {
                let permit = visitor.may::<ReadInstanceTokens>()?;
                use_cases.instance_tokens.search(&permit, filter).await
            }
        }
    }

    /// Returns a token.
    pub(crate) async fn get(
        &self,
        visitor: &Visitor,
        reference: &TokenReference,
    ) -> Result<ApiToken, ServiceError> {
        let use_cases = visitor.use_cases();
        match self {
            Self::Project(project) => {
                let permit = visitor.may_in::<ReadTokens>(project)?;
                Ok(use_cases.project_tokens.get(&permit, reference).await?.token)
            }
            Self::Instance => {
                let permit = visitor.may::<ReadInstanceTokens>()?;
                use_cases.instance_tokens.get(&permit, reference).await
            }
        }
    }

    /// Checks that the visitor may create tokens.
    pub(crate) fn check_creating(&self, visitor: &Visitor) -> Result<(), ServiceError> {
        match self {
            Self::Project(project) => visitor.may_in::<CreateTokens>(project).map(drop),
            Self::Instance => visitor.may::<CreateInstanceTokens>().map(drop),
        }
    }

    /// Creates a token.
    pub(crate) async fn create(
        &self,
        visitor: &Visitor,
        request: TokenRequest,
        keeper: Option<AnswerKeeper>,
    ) -> Result<RevealedToken, ServiceError> {
        let use_cases = visitor.use_cases();
        match self {
            Self::Project(project) => {
                let permit = visitor.may_in::<CreateTokens>(project)?;
                use_cases.project_tokens.keeping(keeper).create(&permit, request).await
            }
            Self::Instance => {
                let permit = visitor.may::<CreateInstanceTokens>()?;
                use_cases.instance_tokens.keeping(keeper).create(&permit, request).await
            }
        }
    }

    /// Checks that the visitor may change tokens.
    pub(crate) fn check_changing(&self, visitor: &Visitor) -> Result<(), ServiceError> {
        match self {
            Self::Project(project) => visitor.may_in::<UpdateTokens>(project).map(drop),
            Self::Instance => visitor.may::<UpdateInstanceTokens>().map(drop),
        }
    }

    /// Changes a token.
    pub(crate) async fn update(
        &self,
        visitor: &Visitor,
        reference: &TokenReference,
        patch: &TokenPatch,
    ) -> Result<(), ServiceError> {
        let use_cases = visitor.use_cases();
        match self {
            Self::Project(project) => {
                let permit = visitor.may_in::<UpdateTokens>(project)?;
                use_cases.project_tokens.update(&permit, reference, patch).await.map(drop)
            }
            Self::Instance => {
                let permit = visitor.may::<UpdateInstanceTokens>()?;
                use_cases.instance_tokens.update(&permit, reference, patch).await.map(drop)
            }
        }
    }

    /// Gives a token a new secret.
    pub(crate) async fn rotate(
        &self,
        visitor: &Visitor,
        (reference, overlap): (&TokenReference, Overlap),
        keeper: Option<AnswerKeeper>,
    ) -> Result<RevealedToken, ServiceError> {
        let use_cases = visitor.use_cases();
        match self {
            Self::Project(project) => {
                let permit = visitor.may_in::<UpdateTokens>(project)?;
                use_cases.project_tokens.keeping(keeper).rotate(&permit, reference, overlap).await
            }
            Self::Instance => {
                let permit = visitor.may::<UpdateInstanceTokens>()?;
                use_cases.instance_tokens.keeping(keeper).rotate(&permit, reference, overlap).await
            }
        }
    }

    /// Checks that the visitor may revoke tokens.
    pub(crate) fn check_ending(&self, visitor: &Visitor) -> Result<(), ServiceError> {
        match self {
            Self::Project(project) => visitor.may_in::<DeleteTokens>(project).map(drop),
            Self::Instance => visitor.may::<DeleteInstanceTokens>().map(drop),
        }
    }

    /// Revokes a token.
    pub(crate) async fn delete(
        &self,
        visitor: &Visitor,
        reference: &TokenReference,
    ) -> Result<(), ServiceError> {
        let use_cases = visitor.use_cases();
        match self {
            Self::Project(project) => {
                let permit = visitor.may_in::<DeleteTokens>(project)?;
                use_cases.project_tokens.delete(&permit, reference).await
            }
            Self::Instance => {
                let permit = visitor.may::<DeleteInstanceTokens>()?;
                match use_cases.instance_tokens.delete(&permit, reference).await? {
                    Existed::Yes => Ok(()),
                    // To the API that is done; a page says that it was gone.
                    Existed::No => Err(Missing::Token.into()),
                }
            }
        }
    }

    /// Returns what the visitor may do with tokens of a kind here.
    pub(crate) fn allowed(&self, visitor: &Visitor, kind: TokenKind) -> Allowed {
        match self {
            Self::Project(project) => {
                let Ok(project) = ProjectId::new(project) else {
                    return Allowed { create: false, update: false, delete: false };
                };
                let create = visitor.has_in(Permission::CreateProjectApiToken, &project);
                let delete = visitor.has_in(Permission::DeleteProjectApiToken, &project);
                Allowed { create, update: create && delete, delete }
            }
            Self::Instance => Allowed {
                create: covers(visitor.may::<CreateInstanceTokens>(), kind),
                update: covers(visitor.may::<UpdateInstanceTokens>(), kind),
                delete: covers(visitor.may::<DeleteInstanceTokens>(), kind),
            },
        }
    }

    /// Returns what the visitor may do with some of the tokens here.
    pub(crate) fn allowed_with_some(&self, visitor: &Visitor) -> Allowed {
        let [client, frontend] =
            [TokenKind::Client, TokenKind::Frontend].map(|kind| self.allowed(visitor, kind));
        Allowed {
            create: client.create || frontend.create,
            update: client.update || frontend.update,
            delete: client.delete || frontend.delete,
        }
    }

    /// Returns the policy that holds for new tokens here, as far as the visitor may know it.
    pub(crate) async fn policy(&self, visitor: &Visitor) -> Result<Policy, ServiceError> {
        let policies = &visitor.use_cases().policies;
        match self.project().map(|project| visitor.may_in::<ReadTokens>(project)) {
            Some(Ok(permit)) => Ok(policies.of_project(&permit).await?.effective()),
            Some(Err(_)) | None => Ok(policies.of_instance()),
        }
    }

    /// Returns what the visitor may do with a token here: one of several projects is not changed as the token of one.
    pub(crate) fn allowed_with(&self, visitor: &Visitor, token: &ApiToken) -> Allowed {
        let is_whole = match (self, token.access.projects()) {
            (Self::Instance, _) => true,
            (Self::Project(project), ProjectScope::Only(only)) => {
                only.as_slice().iter().all(|named| named.as_str() == project)
            }
            (Self::Project(_), ProjectScope::All) => false,
        };
        let Allowed { create, update, delete } = self.allowed(visitor, token.access.kind());
        Allowed { create, update: update && is_whole, delete: delete && is_whole }
    }
}

fn covers<A: latchkey_service::InstanceTokenAction>(
    permit: Result<InstancePermit<A>, ServiceError>,
    kind: TokenKind,
) -> bool {
    permit.is_ok_and(|permit| permit.check_kind(kind).is_ok())
}

impl FromRequest for Reach {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    /// Never fails: what is no project is found to be none after the visitor is known.
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_of_project = request.match_info().get("projectId").is_some();
        let path = PathParameters::from_request(request, payload).into_inner();
        ready(Ok(match path.map(|path| path.text("projectId")) {
            Ok(project) if is_of_project => Self::Project(project.unwrap_or_default()),
            _ => Self::Instance,
        }))
    }
}

/// Returns the token that the path names by its id.
pub(crate) fn reference(path: &PathParameters) -> Result<TokenReference, ApiError> {
    let missing = || ServiceError::NotFound(Missing::Token);
    match TokenReference::parse(&path.text("token")?) {
        // A page never takes a secret: it would stay in the history of the browser.
        Some(reference @ TokenReference::Id(_)) => Ok(reference),
        _ => Err(missing().into()),
    }
}
