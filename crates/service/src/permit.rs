//! Permission, asked for once and carried as a value.

use std::marker::PhantomData;

use latchkey_domain::{Actor, Origin, Permission, Place, Principal, ProjectId, authorise};

use crate::{Missing, Refusal};

/// Who sets something off and from where, as the audit trail will say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Initiator {
    /// Who.
    pub actor: Actor,
    /// From where.
    pub origin: Origin,
}

impl Initiator {
    /// Latchkey itself: its start-up, or whoever may run its command line on the database.
    #[must_use]
    pub fn system() -> Self {
        Self { actor: Actor::System, origin: Origin::default() }
    }
}

/// Something that is done in a project and needs a permission there.
pub trait ProjectAction {
    /// The permission that it needs.
    const PERMISSION: Permission;
}

/// Listing the tokens of a project.
#[derive(Debug)]
pub enum ReadTokens {}

/// Creating tokens in a project.
#[derive(Debug)]
pub enum CreateTokens {}

/// Revoking tokens of a project.
#[derive(Debug)]
pub enum DeleteTokens {}

impl ProjectAction for ReadTokens {
    const PERMISSION: Permission = Permission::ReadProjectApiToken;
}

impl ProjectAction for CreateTokens {
    const PERMISSION: Permission = Permission::CreateProjectApiToken;
}

impl ProjectAction for DeleteTokens {
    const PERMISSION: Permission = Permission::DeleteProjectApiToken;
}

/// Proof that a principal may do one thing in one project. Use cases ask for it by value, and only
/// [`Permit::request`] makes one.
#[derive(Debug)]
pub struct Permit<A> {
    project: ProjectId,
    initiator: Initiator,
    action: PhantomData<A>,
}

impl<A: ProjectAction> Permit<A> {
    /// Asks whether the principal may do this in that project. Whether the project exists plays no part, so that
    /// somebody without the permission learns nothing of it (contract, "Order of checks").
    ///
    /// # Errors
    /// [`Refusal::WrongTokenKind`] for client and frontend tokens, [`Refusal::Denied`] where the permission is missing.
    pub fn request(principal: &Principal, project: ProjectId, origin: Origin) -> Result<Self, Refusal> {
        principal.may_administer()?;
        authorise(principal.grants(), &[A::PERMISSION], &Place::Project(project.clone()))?;
        Ok(Self { project, initiator: Initiator { actor: principal.actor(), origin }, action: PhantomData })
    }

    /// As [`Permit::request`], for a project as somebody spells it. No project can have an id that breaks the rule for
    /// ids; those who may do this in every project are told so, anybody else learns nothing of it.
    ///
    /// # Errors
    /// As [`Permit::request`]; [`Refusal::NotFound`] for an id that breaks the rule.
    pub fn request_for(principal: &Principal, project: &str, origin: Origin) -> Result<Self, Refusal> {
        if let Ok(project) = ProjectId::new(project) {
            return Self::request(principal, project, origin);
        }
        principal.may_administer()?;
        authorise(principal.grants(), &[A::PERMISSION], &Place::Instance)?;
        Err(Missing::Project(project.to_owned()).into())
    }

    /// The project that the permit is for.
    #[must_use]
    pub fn project(&self) -> &ProjectId {
        &self.project
    }

    /// Who holds the permit.
    #[must_use]
    pub fn initiator(&self) -> &Initiator {
        &self.initiator
    }
}
