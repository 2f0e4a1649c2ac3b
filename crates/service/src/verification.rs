//! Verification of tokens, for gateways, Edge and other services.
//!
//! Tokens are verified from the principal index; a secret that is not cached costs one indexed query. While the store
//! is unavailable, a stale cache entry may be used: here, and nowhere else.

use std::{net::IpAddr, sync::Arc};

use futures_util::future::try_join_all;
use latchkey_domain::{
    EnvironmentName, Principal, ProjectId, Reason, ScopeSet, TokenKind, TokenLimits, VerifiedToken,
};

use crate::{
    Allowance, AuthenticationError, Authenticator, Refusal, ServiceError, SpendError,
    metrics::RefusalCounters,
};

/// The requirements for a token; the default accepts every valid token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Requirement {
    pub project: Option<ProjectId>,
    pub environment: Option<EnvironmentName>,
    pub kind: Option<TokenKind>,
    /// The token needs all of them.
    pub scopes: ScopeSet,
}

/// A token that meets the requirements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked<'p> {
    Good(VerifiedToken<'p>),
    /// It is good if [`Verification::spend`] finds that its limits allow another use.
    Limited(Unspent<'p>),
}

/// The use of a token with limits, which is not counted yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unspent<'p> {
    token: VerifiedToken<'p>,
    principal: &'p Principal,
    limits: TokenLimits,
    client: Option<IpAddr>,
}

/// What another program asks about a token.
#[derive(Debug, Clone)]
pub struct Question {
    /// A secret, in whatever form.
    pub token: String,
    pub requirement: Requirement,
    /// The address from which the token is used, as the program knows it.
    pub ip: Option<IpAddr>,
    /// How many requests and uses it costs, if the token has limits.
    pub cost: u32,
}

/// The answer to a [`Question`].
#[derive(Debug)]
pub struct Verdict {
    /// The principal of the token, also of one that is refused; `None` if it is unknown.
    pub principal: Option<Arc<Principal>>,
    /// Why it is refused; `None`: it is good.
    pub refused: Option<Reason>,
    /// What is left of its limits, as far as they were asked.
    pub allowance: Allowance,
}

/// The use cases of this module.
pub struct Verification {
    authenticator: Arc<Authenticator>,
    refusals: RefusalCounters,
}

impl Verification {
    /// Returns the use case over an authenticator.
    pub fn new(authenticator: Arc<Authenticator>) -> Self {
        Self { authenticator, refusals: RefusalCounters::default() }
    }

    /// Returns the principal of this secret, as [`Authenticator::authenticate`] does, but only to say whether it is
    /// valid. [`Verification::check`] records its use.
    ///
    /// # Errors
    /// [`AuthenticationError::Store`] if the store is needed and unavailable.
    pub async fn verify(
        &self,
        secret: &str,
        client: Option<IpAddr>,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        let verified = self.authenticator.verify(secret, client).await;
        self.refused(verified, client)
    }

    /// As [`Verification::verify`], for a program that asks about the token of another client. From where that uses it is the
    /// program's to compare ([`latchkey_domain::TokenAttributes::allowed_networks`]).
    ///
    /// # Errors
    /// As [`Verification::verify`].
    pub async fn inquire(
        &self,
        secret: &str,
        client: Option<IpAddr>,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        let verified = self.authenticator.inquire(secret, client).await;
        self.recorded(verified)
    }

    /// Returns the principal of each secret that belongs to a valid API token, in the same order; `None` for unknown,
    /// revoked, expired and disabled ones, and for personal tokens and sessions. Also for those that are bound to networks or have
    /// limits: whether they are valid depends on from where and how often they are used, which the client that asks does not compare.
    ///
    /// # Errors
    /// [`AuthenticationError::Store`] if the store is needed and unavailable; [`AuthenticationError::Busy`] if it is
    /// needed and the client has used up its budget.
    pub async fn verify_all(
        &self,
        secrets: &[&str],
        client: Option<IpAddr>,
    ) -> Result<Vec<Option<Arc<Principal>>>, AuthenticationError> {
        let is_unbound = |_, principal: &Principal| !principal.is_bound_to_networks();
        let verified = self.authenticator.verify_tokens(secrets, client, is_unbound).await?;
        let left_out = |verified: Result<Arc<Principal>, AuthenticationError>| match verified {
            Ok(principal) if principal.is_limited() => None,
            verified => self.recorded(verified).ok(),
        };
        Ok(verified.into_iter().map(left_out).collect())
    }

    /// Answers the questions of another program, in the same order.
    ///
    /// # Errors
    /// As [`Verification::verify_all`].
    pub async fn answer(
        &self,
        questions: &[Question],
        client: Option<IpAddr>,
    ) -> Result<Vec<Verdict>, AuthenticationError> {
        let secrets: Vec<&str> = questions.iter().map(|question| question.token.as_str()).collect();
        let is_admitted = |position: usize, principal: &Principal| {
            principal.is_accepted_from(questions.get(position).and_then(|question| question.ip))
        };
        let verified = self.authenticator.verify_tokens(&secrets, client, is_admitted).await?;
        let verdict =
            |principal, refused| Ok(Verdict { principal, refused, allowance: Allowance::default() });
        // All at once, so that those of one token share a statement.
        let answers = questions.iter().zip(verified).map(async |(question, verified)| {
            match self.refused(verified, question.ip) {
                Ok(principal) => self.answer_one(question, principal).await,
                Err(AuthenticationError::Unknown) => verdict(None, Some(Reason::Unknown)),
                Err(AuthenticationError::Refused { principal, reason }) => {
                    verdict(Some(principal), Some(reason))
                }
                Err(error) => Err(error),
            }
        });
        try_join_all(answers).await
    }

    async fn answer_one(
        &self,
        question: &Question,
        principal: Arc<Principal>,
    ) -> Result<Verdict, AuthenticationError> {
        let (refused, allowance) = match self.check(&principal, &[&question.requirement], question.ip) {
            Ok(Checked::Good(_)) => (None, Allowance::default()),
            Ok(Checked::Limited(unspent)) => match self.spend(unspent, question.cost).await {
                Ok((_, allowance)) => (None, allowance),
                Err(SpendError::Refused(Refusal { reason, rate, .. })) => {
                    let uses = (reason == Reason::NoUsesLeft).then_some(0);
                    (Some(reason), Allowance { rate: rate.map(|rate| *rate), uses })
                }
                Err(SpendError::Store(error)) => return Err(error.into()),
            },
            Err(refusal) => (Some(refusal.reason), Allowance::default()),
        };
        Ok(Verdict { principal: Some(principal), refused, allowance })
    }

    /// Returns the principal of a client that asks about tokens. A cached result is good enough for that.
    ///
    /// # Errors
    /// As [`Verification::verify`].
    pub async fn authenticate(
        &self,
        secret: &str,
        client: Option<IpAddr>,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        let found = self.authenticator.verify(secret, client).await;
        self.authenticator.spend_and_record(found, client).await
    }

    /// Checks that a principal may introspect tokens (RFC 7662), and report that they were used. A frontend token may not,
    /// because it is public: browsers have it.
    pub fn authorize_introspection(&self, caller: &Principal) -> Result<(), ServiceError> {
        match caller.verified_token() {
            Some(token) if token.access.kind() == TokenKind::Frontend => Err(ServiceError::NotPermitted(
                "A frontend token cannot ask about tokens or report their use: use a client or admin token."
                    .into(),
            )),
            _ => Ok(()),
        }
    }

    /// Checks that a principal is an API token that meets the requirements, records its use by the client of this address, and
    /// returns the token. The use of a token with limits is recorded by [`Verification::spend`].
    ///
    /// # Errors
    /// [`Refusal`], which says what the token does not meet.
    pub fn check<'p>(
        &self,
        principal: &'p Principal,
        requirements: &[&Requirement],
        client: Option<IpAddr>,
    ) -> Result<Checked<'p>, Refusal> {
        let checked = token_of(principal).and_then(|token| {
            requirements.iter().try_for_each(|requirement| check(token, requirement))?;
            Ok(token)
        });
        match checked {
            Ok(token) => {
                if let Some(limits) = token.limits() {
                    return Ok(Checked::Limited(Unspent { token, principal, limits, client }));
                }
                self.authenticator.record_use(principal, None.into(), client);
                Ok(Checked::Good(token))
            }
            Err(refusal) => {
                self.refusals.count(refusal.reason);
                self.authenticator.record_use(principal, Some(refusal.reason).into(), client);
                Err(refusal)
            }
        }
    }

    /// Counts the use of a token with limits, records it, and returns the token and what is left.
    ///
    /// # Errors
    /// [`SpendError`]; nothing is counted then.
    pub async fn spend<'p>(
        &self,
        unspent: Unspent<'p>,
        cost: u32,
    ) -> Result<(VerifiedToken<'p>, Allowance), SpendError> {
        let Unspent { token, principal, limits, client } = unspent;
        let spent = self.authenticator.spend(principal, token.id, limits, cost, client).await;
        if let Err(SpendError::Refused(refusal)) = &spent {
            self.refusals.count(refusal.reason);
        }
        Ok((token, spent?))
    }

    /// Returns how many tokens were refused since the start of the process, by reason.
    pub fn refusals(&self) -> impl Iterator<Item = (Reason, u64)> {
        self.refusals.totals()
    }

    /// Counts and records a refusal.
    fn refused(
        &self,
        verified: Result<Arc<Principal>, AuthenticationError>,
        client: Option<IpAddr>,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        if let Err(error) = &verified {
            if let Some(reason) = error.reason() {
                self.refusals.count(reason);
            }
            self.authenticator.record(&verified, client);
        }
        verified
    }

    /// Records the use of a token by a client that the one who asks knows alone, and counts its refusal.
    fn recorded(
        &self,
        verified: Result<Arc<Principal>, AuthenticationError>,
    ) -> Result<Arc<Principal>, AuthenticationError> {
        if verified.is_ok() {
            self.authenticator.record(&verified, None);
        }
        self.refused(verified, None)
    }
}

/// Returns the API token, whatever is required of it.
fn token_of(principal: &Principal) -> Result<VerifiedToken<'_>, Refusal> {
    let message = "A personal access token is no API token: send a client, frontend or admin token.";
    principal.verified_token().ok_or_else(|| Refusal::new(Reason::WrongType, message))
}

fn check(token: VerifiedToken<'_>, requirement: &Requirement) -> Result<(), Refusal> {
    let refuse = |reason, message: String| Err(Refusal::new(reason, message));
    let Requirement { project, environment, kind, scopes } = requirement;
    if let Some(kind) = kind.filter(|kind| *kind != token.access.kind()) {
        let own = with_article(token.access.kind());
        let message = format!("This is {own} token; {} token is needed.", with_article(kind));
        return refuse(Reason::WrongType, message);
    }
    if let Some(project) = project.as_ref().filter(|project| !token.access.projects().covers(project)) {
        let message = format!("This token is not good for the project \"{project}\".");
        return refuse(Reason::WrongProject, message);
    }
    let works_in = |wanted: &EnvironmentName| token.access.environment().is_none_or(|own| own == wanted);
    if let Some(environment) = environment.as_ref().filter(|wanted| !works_in(wanted)) {
        let message = format!("This token is not good for the environment \"{environment}\".");
        return refuse(Reason::WrongEnvironment, message);
    }
    match scopes.first_beyond(token.scopes()) {
        Some(scope) => refuse(Reason::MissingScope, format!("This token lacks the scope \"{scope}\".")),
        None => Ok(()),
    }
}

fn with_article(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Admin => "an admin",
        TokenKind::Client => "a client",
        TokenKind::Frontend => "a frontend",
    }
}
