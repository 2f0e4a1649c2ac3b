//! Which tokens a list has, and by which pages each of them is looked after.

use latchkey_domain::{ApiToken, ProjectId};
use latchkey_service::{
    CreateTokens, DeleteTokens, ProjectsPermit, ReadInstanceTokens, ReadTokens, ServiceError, TokenFilter,
    TokenPage, TokenReference, UpdateTokens,
};

use super::{
    projects::{linked, projects},
    reach::{Allowed, Reach},
};
use crate::visitor::Visitor;

/// The tokens of a list.
pub(super) enum Listing {
    /// Those of one project, or those of the instance.
    Of(Reach),
    /// Those of all projects whose tokens the visitor may read, for a visitor who may not list those of the instance.
    OfProjects(ProjectsPermit<ReadTokens>),
}

impl Listing {
    /// Returns what the visitor may list there.
    ///
    /// # Errors
    /// [`ServiceError::Denied`] if that is nothing.
    pub(super) fn of(visitor: &Visitor, reach: Reach) -> Result<Self, ServiceError> {
        if reach == Reach::Instance
            && let Err(denied) = visitor.may::<ReadInstanceTokens>()
        {
            return ProjectsPermit::request(visitor.caller()).map(Self::OfProjects).map_err(|_| denied);
        }
        Ok(Self::Of(reach))
    }

    /// Returns the tokens that pass a filter.
    pub(super) async fn search(
        &self,
        visitor: &Visitor,
        filter: TokenFilter,
    ) -> Result<TokenPage, ServiceError> {
        match self {
            Self::Of(reach) => reach.search(visitor, filter).await,
            Self::OfProjects(permit) => visitor.use_cases().project_tokens.search_all(permit, filter).await,
        }
    }

    /// Returns the projects that the page of the list leads to: none from the list of the instance, whose projects may be many.
    pub(super) async fn projects(&self, visitor: &Visitor) -> Result<Vec<ProjectId>, ServiceError> {
        match self {
            Self::Of(Reach::Instance) => Ok(Vec::new()),
            Self::Of(Reach::Project(_)) => linked(visitor).await,
            Self::OfProjects(_) => projects(visitor).await,
        }
    }

    /// Returns a token.
    pub(super) async fn get(
        &self,
        visitor: &Visitor,
        reference: &TokenReference,
    ) -> Result<ApiToken, ServiceError> {
        match self {
            Self::Of(reach) => reach.get(visitor, reference).await,
            Self::OfProjects(permit) => {
                visitor.use_cases().project_tokens.get_in_any(permit, reference).await
            }
        }
    }

    /// Returns the reach of the pages of a token of the list: a project that the visitor may read. Which one does not matter, for a
    /// token of several projects is changed in none of them.
    pub(super) fn reach_of(&self, token: &ApiToken) -> Reach {
        match self {
            Self::Of(reach) => reach.clone(),
            Self::OfProjects(permit) => {
                let mut named = token.access.projects().named().iter();
                let readable = named.find(|project| permit.covers(project));
                readable.map_or(Reach::Instance, |project| Reach::Project(project.to_string()))
            }
        }
    }

    /// Returns the reach in which something is done to a token.
    pub(super) async fn reach(
        &self,
        visitor: &Visitor,
        reference: &TokenReference,
    ) -> Result<Reach, ServiceError> {
        match self {
            Self::Of(reach) => Ok(reach.clone()),
            Self::OfProjects(_) => Ok(self.reach_of(&self.get(visitor, reference).await?)),
        }
    }

    /// Checks that the visitor may change some of the tokens.
    pub(super) fn check_changing(&self, visitor: &Visitor) -> Result<(), ServiceError> {
        match self {
            Self::Of(reach) => reach.check_changing(visitor),
            Self::OfProjects(_) => ProjectsPermit::<UpdateTokens>::request(visitor.caller()).map(drop),
        }
    }

    /// Checks that the visitor may revoke some of the tokens.
    pub(super) fn check_ending(&self, visitor: &Visitor) -> Result<(), ServiceError> {
        match self {
            Self::Of(reach) => reach.check_ending(visitor),
            Self::OfProjects(_) => ProjectsPermit::<DeleteTokens>::request(visitor.caller()).map(drop),
        }
    }

    /// Returns what the visitor may do with some of the tokens.
    pub(super) fn allowed_with_some(&self, visitor: &Visitor) -> Allowed {
        match self {
            Self::Of(reach) => reach.allowed_with_some(visitor),
            Self::OfProjects(_) => Allowed {
                create: ProjectsPermit::<CreateTokens>::request(visitor.caller()).is_ok(),
                update: self.check_changing(visitor).is_ok(),
                delete: self.check_ending(visitor).is_ok(),
            },
        }
    }

    /// Returns where a token is created that is to be in the list: of several projects, in the one that the list is narrowed to, or
    /// else in the first.
    pub(super) fn form(&self, visitor: &Visitor, projects: &[ProjectId], narrowed: &str) -> Option<String> {
        let form = |reach: &Reach| format!("{}/new", reach.path());
        match self {
            Self::Of(reach) => reach.allowed_with_some(visitor).create.then(|| form(reach)),
            Self::OfProjects(_) => {
                let one = projects.iter().filter(|id| id.as_str() == narrowed);
                let mut reaches = one.chain(projects).map(|id| Reach::Project(id.to_string()));
                reaches.find(|reach| reach.check_creating(visitor).is_ok()).as_ref().map(form)
            }
        }
    }
}
