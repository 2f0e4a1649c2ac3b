//! Users, what they may do, and their personal access tokens.

use std::sync::Arc;

use latchkey_domain::{
    AccountKind, Description, EventKind, NewEvent, NewPersonalToken, NewUser, PersonName, PersonalToken,
    ProjectId, ProjectScope, Role, Snapshot, Timestamp, TokenSecret, User, UserIdentity,
};
use latchkey_ports::{
    AccessRepository, Clock, Entropy, EntropyExt, PersonalTokenRepository, SecretSealer, UserRepository,
};

use crate::{Initiator, Missing, PrincipalIndex, Refusal};

/// A user to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDraft {
    /// What the user is known by.
    pub identity: UserIdentity,
    /// What the user is called.
    pub name: Option<PersonName>,
    /// The name of the role held for the whole instance, in any case of letters.
    pub root_role: String,
}

/// A personal access token to be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalTokenDraft {
    /// What it is for.
    pub description: Description,
    /// When it ends; must lie ahead.
    pub expires_at: Timestamp,
}

/// A personal access token with its secret, which is shown this once.
#[derive(Debug)]
pub struct IssuedPersonalToken {
    /// The token.
    pub token: PersonalToken,
    /// Its secret.
    pub secret: TokenSecret,
}

/// The use cases.
pub struct People {
    users: Arc<dyn UserRepository>,
    access: Arc<dyn AccessRepository>,
    personal_tokens: Arc<dyn PersonalTokenRepository>,
    sealer: Arc<dyn SecretSealer>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    index: Arc<PrincipalIndex>,
}

impl People {
    /// The use cases over these ports.
    #[must_use]
    pub fn new(
        (users, access, personal_tokens): (
            Arc<dyn UserRepository>,
            Arc<dyn AccessRepository>,
            Arc<dyn PersonalTokenRepository>,
        ),
        sealer: Arc<dyn SecretSealer>,
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
        index: Arc<PrincipalIndex>,
    ) -> Self {
        Self { users, access, personal_tokens, sealer, clock, entropy, index }
    }

    /// Makes a user.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for a role that is no root role; [`Refusal::Exists`]; [`Refusal::Unavailable`].
    pub async fn create_user(&self, draft: UserDraft, by: &Initiator) -> Result<User, Refusal> {
        let role = self.role(&draft.root_role, "a root role", |role| role.kind.is_root()).await?;
        let created_at = self.clock.now();
        let UserDraft { identity, name, .. } = draft;
        let user = NewUser { identity, name, kind: AccountKind::Person, root_role: role.id, created_at };
        let event = NewEvent { after: Some(Snapshot::from(&user)), ..self.event(EventKind::UserCreated, by) };
        let (id, _) = self.users.create_user(&user, &event).await?;
        Ok(user.with_id(id))
    }

    /// The user of this user name or e-mail address.
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; [`Refusal::Unavailable`].
    pub async fn find_by_login(&self, login: &str) -> Result<User, Refusal> {
        Ok(self.users.find_user_by_login(login).await?.ok_or(Missing::User)?)
    }

    /// Gives a user a role in a project.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] for a role that is not held in projects; [`Refusal::NotFound`] for an unknown project;
    /// [`Refusal::Exists`] where the user holds it there already; [`Refusal::Unavailable`].
    pub async fn grant(
        &self,
        user: &User,
        project: &ProjectId,
        role: &str,
        by: &Initiator,
    ) -> Result<Role, Refusal> {
        let role = self.role(role, "a project role", |role| !role.kind.is_root()).await?;
        let event = NewEvent {
            projects: Some(ProjectScope::one(project.clone())),
            after: Some(Snapshot::of_membership(user.id, &role)),
            ..self.event(EventKind::ProjectAccessAdded, by)
        };
        self.access.add_membership(user.id, project, role.id, &event).await?;
        self.index.forget_all();
        Ok(role)
    }

    /// Issues a personal access token for a user and shows its secret, this once; only the digest is kept.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] where it would have ended already; [`Refusal::Exists`] where the user has one of this
    /// description; [`Refusal::Unavailable`].
    pub async fn issue_personal_token(
        &self,
        user: &User,
        draft: PersonalTokenDraft,
        by: &Initiator,
    ) -> Result<IssuedPersonalToken, Refusal> {
        let created_at = self.clock.now();
        let PersonalTokenDraft { description, expires_at } = draft;
        if expires_at <= created_at {
            return Err(Refusal::field("expiresAt", "The expiry date must lie in the future."));
        }
        let token = NewPersonalToken { user: user.id, description, expires_at, created_at };
        let secret = TokenSecret::mint_personal(self.entropy.bytes());
        let event = NewEvent {
            after: Some(Snapshot::from(&token)),
            ..self.event(EventKind::PersonalTokenCreated, by)
        };
        let record = self.sealer.record(&secret);
        let (id, _) = self.personal_tokens.create_personal_token(&token, &record, &event).await?;
        Ok(IssuedPersonalToken { token: token.with_id(id), secret })
    }

    async fn role(&self, name: &str, what: &str, fits: impl Fn(&Role) -> bool) -> Result<Role, Refusal> {
        let mut roles = self.access.roles().await?;
        roles.retain(fits);
        let known = || roles.iter().map(|role| role.name.as_str()).collect::<Vec<_>>().join(", ");
        let found = roles.iter().find(|role| role.name.eq_ignore_ascii_case(name)).cloned();
        found.ok_or_else(|| {
            Refusal::field("role", format!("{name:?} is not {what}; choose one of: {}", known()))
        })
    }

    fn event(&self, kind: EventKind, by: &Initiator) -> NewEvent {
        NewEvent {
            kind,
            actor: by.actor.clone(),
            origin: by.origin.clone(),
            at: self.clock.now(),
            projects: None,
            environment: None,
            before: None,
            after: None,
        }
    }
}
