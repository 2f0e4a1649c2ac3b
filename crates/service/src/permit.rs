//! Permission, asked for once and carried as a value.
//!
//! A [`Caller`] is somebody who has business on the administrative routes at all. What they may do there they show by a
//! permit, which only the caller's grants can give: a [`Permit`] in one project, an [`InstancePermit`] for the instance, a
//! [`SignedIn`] for what every user may do with what is their own.

use std::{marker::PhantomData, sync::Arc};

use latchkey_domain::{
    Actor, Denied, Grants, Origin, Place, Principal, ProjectId, Role, TokenKind, UserCredential, UserId,
    authorize, authorize_granting,
};

use crate::{InstanceAction, InstanceTokenAction, Missing, ProjectAction, ServiceError};

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

/// Somebody who may use the administrative routes: a user, an admin token, or Latchkey itself.
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
    /// Admits a principal.
    ///
    /// # Errors
    /// [`ServiceError::WrongTokenKind`] for client and frontend tokens.
    pub fn admit(principal: Arc<Principal>, origin: Origin) -> Result<Self, ServiceError> {
        principal.may_administer()?;
        Ok(Self { kind: CallerKind::Principal(principal), origin })
    }

    /// Latchkey itself, on behalf of whoever may run its command line on the database: may do everything.
    #[must_use]
    pub fn system() -> Self {
        Self { kind: CallerKind::System(Arc::new(Grants::admin())), origin: Origin::default() }
    }

    /// What the caller may do.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        match &self.kind {
            CallerKind::Principal(principal) => principal.grants(),
            CallerKind::System(grants) => grants,
        }
    }

    /// The principal; `None` for Latchkey itself.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        match &self.kind {
            CallerKind::Principal(principal) => Some(principal),
            CallerKind::System(_) => None,
        }
    }

    /// The user; `None` for an admin token and Latchkey itself.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self.principal() {
            Some(Principal::User { id, .. }) => Some(*id),
            _ => None,
        }
    }

    /// What the audit trail will say of the caller.
    #[must_use]
    pub fn initiator(&self) -> Initiator {
        let actor = self.principal().map_or(Actor::System, Principal::actor);
        Initiator { actor, origin: self.origin.clone() }
    }

    /// Whether the caller may give this role at this place: nobody can grant what they do not hold.
    ///
    /// # Errors
    /// [`ServiceError::Denied`], which names the first permission that is missing.
    pub(crate) fn check_granting(&self, role: &Role, place: &Place) -> Result<(), ServiceError> {
        Ok(authorize_granting(self.grants(), role, place)?)
    }
}

/// Proof that a caller may do one thing in one project. Use cases ask for it by value, and only
/// [`Permit::request`] makes one.
#[derive(Debug)]
pub struct Permit<A> {
    project: ProjectId,
    caller: Caller,
    action: PhantomData<A>,
}

impl<A: ProjectAction> Permit<A> {
    /// Asks whether the caller may do this in that project. Whether the project exists plays no part, so that
    /// somebody without the permission learns nothing of it (contract, "Order of checks").
    ///
    /// # Errors
    /// [`ServiceError::Denied`] where a permission is missing.
    pub fn request(caller: &Caller, project: ProjectId) -> Result<Self, ServiceError> {
        check_all::<A>(caller, &Place::Project(project.clone()))?;
        Ok(Self { project, caller: caller.clone(), action: PhantomData })
    }

    /// As [`Permit::request`], for a project as somebody spells it. No project can have an id that breaks the rule for
    /// ids; those who may do this in every project are told so, anybody else learns nothing of it.
    ///
    /// # Errors
    /// As [`Permit::request`]; [`ServiceError::NotFound`] for an id that breaks the rule.
    pub fn request_for(caller: &Caller, project: &str) -> Result<Self, ServiceError> {
        if let Ok(project) = ProjectId::new(project) {
            return Self::request(caller, project);
        }
        check_all::<A>(caller, &Place::Instance)?;
        Err(Missing::Project(project.to_owned()).into())
    }

    /// The project that the permit is for.
    #[must_use]
    pub fn project(&self) -> &ProjectId {
        &self.project
    }

    /// Who holds the permit.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What the audit trail will say of who holds the permit.
    #[must_use]
    pub fn initiator(&self) -> Initiator {
        self.caller.initiator()
    }
}

fn check_all<A: ProjectAction>(caller: &Caller, place: &Place) -> Result<(), Denied> {
    A::PERMISSIONS.iter().try_for_each(|permission| authorize(caller.grants(), &[*permission], place))
}

/// Proof that a caller may do one thing for the instance as a whole.
#[derive(Debug)]
pub struct InstancePermit<A> {
    caller: Caller,
    action: PhantomData<A>,
}

impl<A: InstanceAction> InstancePermit<A> {
    /// Asks whether the caller may do this.
    ///
    /// # Errors
    /// [`ServiceError::Denied`] where each of the permissions that would do is missing.
    pub fn request(caller: &Caller) -> Result<Self, ServiceError> {
        authorize(caller.grants(), A::ANY_OF, &Place::Instance)?;
        Ok(Self { caller: caller.clone(), action: PhantomData })
    }

    /// Who holds the permit.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What the audit trail will say of who holds the permit.
    #[must_use]
    pub fn initiator(&self) -> Initiator {
        self.caller.initiator()
    }
}

impl<A: InstanceTokenAction> InstancePermit<A> {
    /// Whether the permit is good for tokens of this kind.
    ///
    /// # Errors
    /// [`Denied`], which names the permission for that kind.
    pub fn check_kind(&self, kind: TokenKind) -> Result<(), Denied> {
        authorize(self.caller.grants(), &[A::permission(kind)], &Place::Instance)
    }
}

/// Proof that a user calls, for what every user may do with what is their own.
#[derive(Debug)]
pub struct SignedIn {
    user: UserId,
    credential: UserCredential,
    caller: Caller,
}

impl SignedIn {
    /// Asks whether a user calls.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`] for an admin token, which is no user.
    pub fn request(caller: &Caller) -> Result<Self, ServiceError> {
        match caller.principal() {
            Some(Principal::User { id, credential, .. }) => {
                Ok(Self { user: *id, credential: *credential, caller: caller.clone() })
            }
            _ => Err(ServiceError::NotPermitted(
                "Only a user can do this, and an API token is none: sign in, or use a personal access token."
                    .to_owned(),
            )),
        }
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.user
    }

    /// By what the user was recognised.
    #[must_use]
    pub fn credential(&self) -> UserCredential {
        self.credential
    }

    /// The user as a caller.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What the audit trail will say.
    #[must_use]
    pub fn initiator(&self) -> Initiator {
        self.caller.initiator()
    }
}
