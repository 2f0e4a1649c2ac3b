//! Permits: permissions, checked once and passed on as values.
//!
//! A [`Caller`] is a principal that may use the administrative routes at all. Its rights there are shown by a permit,
//! which is only given if the caller's grants allow the action: a [`Permit`] in one project, a [`ProjectsPermit`] in all projects
//! where they do, an [`InstancePermit`] for the instance, a [`SignedIn`] for what every user may do with their own things.

use std::{collections::BTreeSet, marker::PhantomData, sync::Arc};

use latchkey_domain::{
    Actor, Denied, Grants, Origin, Place, Principal, ProjectId, Role, TokenKind, UserCredential, UserId,
    authorize, authorize_granting,
};
use latchkey_ports::ReadableTokens;

use crate::{InstanceAction, InstanceTokenAction, Missing, ProjectAction, ReadTokens, Rule, ServiceError};

/// The actor and origin of a change, for the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Initiator {
    pub actor: Actor,
    pub origin: Origin,
}

impl Initiator {
    /// Returns Latchkey itself: its start-up and its command line.
    pub fn system() -> Self {
        Self { actor: Actor::System, origin: Origin::default() }
    }
}

/// A caller of the administrative routes: a user, an admin token, or Latchkey itself.
#[derive(Debug, Clone)]
pub struct Caller {
    kind: CallerKind,
    origin: Origin,
}

#[derive(Debug, Clone)]
enum CallerKind {
    Principal(Arc<Principal>),
    System(Arc<Grants>),
}

impl Caller {
    /// Admits a principal to the administrative routes.
    pub fn admit(principal: Arc<Principal>, origin: Origin) -> Result<Self, ServiceError> {
        principal.may_administer()?;
        Ok(Self { kind: CallerKind::Principal(principal), origin })
    }

    /// Returns Latchkey itself, on behalf of the operator at its command line: it may do everything.
    pub fn system() -> Self {
        Self { kind: CallerKind::System(Arc::new(Grants::admin())), origin: Origin::default() }
    }

    /// Returns the grants.
    pub fn grants(&self) -> &Grants {
        match &self.kind {
            CallerKind::Principal(principal) => principal.grants(),
            CallerKind::System(grants) => grants,
        }
    }

    /// Returns the principal; `None` for Latchkey itself.
    pub fn principal(&self) -> Option<&Principal> {
        match &self.kind {
            CallerKind::Principal(principal) => Some(principal),
            CallerKind::System(_) => None,
        }
    }

    /// Returns the user; `None` for an admin token and Latchkey itself.
    pub fn user(&self) -> Option<UserId> {
        match self.principal() {
            Some(Principal::User { id, .. }) => Some(*id),
            _ => None,
        }
    }

    /// Returns actor and origin for the audit trail.
    pub fn initiator(&self) -> Initiator {
        let actor = self.principal().map_or(Actor::System, Principal::actor);
        Initiator { actor, origin: self.origin.clone() }
    }

    /// Checks that the caller may assign this role at this place: only permissions that one holds can be given.
    ///
    /// # Errors
    /// [`ServiceError::Denied`], which names the first permission that is missing.
    pub(crate) fn check_granting(&self, role: &Role, place: &Place) -> Result<(), ServiceError> {
        Ok(authorize_granting(self.grants(), role, place)?)
    }
}

/// Proof that a caller may do one action in one project. Use cases require it, and only [`Permit::request`] makes one.
#[derive(Debug)]
pub struct Permit<A> {
    project: ProjectId,
    caller: Caller,
    action: PhantomData<A>,
}

impl<A: ProjectAction> Permit<A> {
    /// Checks that the caller may do this in that project. Whether the project exists is not checked, so that a caller
    /// without the permission does not learn it.
    pub fn request(caller: &Caller, project: ProjectId) -> Result<Self, ServiceError> {
        check_all::<A>(caller, &Place::Project(project.clone()))?;
        Ok(Self { project, caller: caller.clone(), action: PhantomData })
    }

    /// As [`Permit::request`], for an unparsed id. No project has an invalid id; a caller that may do this in every
    /// project is told so, any other is only denied.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an invalid id.
    pub fn request_for(caller: &Caller, project: &str) -> Result<Self, ServiceError> {
        if let Ok(project) = ProjectId::new(project) {
            return Self::request(caller, project);
        }
        check_all::<A>(caller, &Place::Instance)?;
        Err(Missing::Project(project.to_owned()).into())
    }

    /// Returns the project.
    pub fn project(&self) -> &ProjectId {
        &self.project
    }

    /// Returns the caller.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Returns actor and origin for the audit trail.
    pub fn initiator(&self) -> Initiator {
        self.caller.initiator()
    }
}

/// Proof in which projects a caller may do one action. The grants of the caller say which, and nothing else does: only
/// [`ProjectsPermit::request`] makes one.
#[derive(Debug)]
pub struct ProjectsPermit<A> {
    /// `None`: in every project.
    projects: Option<BTreeSet<ProjectId>>,
    action: PhantomData<A>,
}

impl<A: ProjectAction> ProjectsPermit<A> {
    /// Checks that the caller may do this in some project.
    pub fn request(caller: &Caller) -> Result<Self, ServiceError> {
        let mut projects: Option<BTreeSet<ProjectId>> = None;
        for permission in A::PERMISSIONS {
            projects = match (projects, caller.grants().projects_with(*permission)) {
                (Some(before), Some(also)) => Some(before.intersection(&also).cloned().collect()),
                (before, also) => before.or(also),
            };
            if projects.as_ref().is_some_and(BTreeSet::is_empty) {
                return Err(Denied { any_of: vec![*permission], place: Place::Instance }.into());
            }
        }
        Ok(Self { projects, action: PhantomData })
    }

    /// Returns whether the caller may do this in that project.
    pub fn covers(&self, project: &ProjectId) -> bool {
        self.projects.as_ref().is_none_or(|projects| projects.contains(project))
    }
}

impl ProjectsPermit<ReadTokens> {
    /// Returns the tokens that the caller may read.
    pub(crate) fn tokens(&self) -> ReadableTokens {
        self.projects.clone().map_or(ReadableTokens::OfAnyProject, ReadableTokens::OfProjects)
    }
}

fn check_all<A: ProjectAction>(caller: &Caller, place: &Place) -> Result<(), Denied> {
    A::PERMISSIONS.iter().try_for_each(|permission| authorize(caller.grants(), &[*permission], place))
}

/// Proof that a caller may do one action on the instance as a whole.
#[derive(Debug)]
pub struct InstancePermit<A> {
    caller: Caller,
    action: PhantomData<A>,
}

impl<A: InstanceAction> InstancePermit<A> {
    /// Checks that the caller may do this.
    pub fn request(caller: &Caller) -> Result<Self, ServiceError> {
        authorize(caller.grants(), A::ANY_OF, &Place::Instance)?;
        Ok(Self { caller: caller.clone(), action: PhantomData })
    }

    /// Returns the caller.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Returns actor and origin for the audit trail.
    pub fn initiator(&self) -> Initiator {
        self.caller.initiator()
    }
}

impl<A: InstanceTokenAction> InstancePermit<A> {
    /// Checks that the permit covers tokens of this kind.
    pub fn check_kind(&self, kind: TokenKind) -> Result<(), Denied> {
        authorize(self.caller.grants(), &[A::permission(kind)], &Place::Instance)
    }
}

/// Proof that the caller is a user, for what every user may do with their own things.
#[derive(Debug)]
pub struct SignedIn {
    user: UserId,
    credential: UserCredential,
    caller: Caller,
}

impl SignedIn {
    /// Checks that the caller is a user.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] for an admin token.
    pub fn request(caller: &Caller) -> Result<Self, ServiceError> {
        match caller.principal() {
            Some(Principal::User { id, credential, .. }) => {
                Ok(Self { user: *id, credential: *credential, caller: caller.clone() })
            }
            _ => Err(ServiceError::NotPermitted(Rule::named("not-a-user").says(
                "Only a user can do this, and an API token is none: sign in, or use a personal access token.",
            ))),
        }
    }

    /// Returns the user.
    pub fn user(&self) -> UserId {
        self.user
    }

    /// Returns how the user authenticated.
    pub fn credential(&self) -> UserCredential {
        self.credential
    }

    /// Returns the user as a caller.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Returns actor and origin for the audit trail.
    pub fn initiator(&self) -> Initiator {
        self.caller.initiator()
    }
}
