//! Principals: authenticated users and tokens.

use std::{net::IpAddr, sync::Arc};

use serde_json::{Map, Value};

use crate::{
    Actor, Grants, PendingRotation, PersonalTokenId, Reason, ScopeSet, SessionId, Timestamp, TokenAccess,
    TokenAttributes, TokenId, TokenKind, TokenLimits, TokenName, TokenOwner, UserId,
};

/// A user or token whose credentials were accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    ApiToken {
        id: TokenId,
        name: TokenName,
        access: TokenAccess,
        grants: Grants,
        expires_at: Option<Timestamp>,
        /// The attributes that verification decides by or tells; `None` where none of them is set, as on most tokens. Shared,
        /// because copies of a principal are made and metadata is large.
        attributes: Option<Arc<TokenAttributes>>,
    },
    /// A user, by a session or one of their personal access tokens.
    User {
        id: UserId,
        /// E-mail address or user name, for the audit trail.
        label: String,
        grants: Grants,
        credential: UserCredential,
        expires_at: Timestamp,
    },
}

/// How a user authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserCredential {
    PersonalToken(PersonalTokenId),
    Session(SessionId),
}

/// A valid API token, as verification shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedToken<'p> {
    pub id: TokenId,
    pub name: &'p TokenName,
    pub access: &'p TokenAccess,
    pub expires_at: Option<Timestamp>,
    /// The attributes that verification decides by or tells; `None` where none of them is set.
    pub attributes: Option<&'p TokenAttributes>,
}

impl<'p> VerifiedToken<'p> {
    /// Returns the scopes.
    pub fn scopes(&self) -> &'p ScopeSet {
        self.attributes.map_or(ScopeSet::NONE, |attributes| &attributes.scopes)
    }

    /// Returns who is responsible for it.
    pub fn owner(&self) -> Option<&'p TokenOwner> {
        self.attributes?.owner.as_ref()
    }

    /// Returns its limits; `None` where it has none, as most tokens.
    pub fn limits(&self) -> Option<TokenLimits> {
        let attributes = self.attributes?;
        TokenLimits::of(attributes.rate_limit, attributes.uses)
    }

    /// Returns what its owners note about it; `None` where there is nothing.
    pub fn metadata(&self) -> Option<&'p Map<String, Value>> {
        self.attributes?.metadata.noted()
    }
}

/// A client or frontend token was sent where an admin token or a user is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid token: expected a different token type for this endpoint")]
pub struct WrongTokenKind(pub TokenKind);

impl Principal {
    /// Returns the principal of an API token whose secret expires then (`None`: with the token).
    pub fn of_token(token: &crate::ApiToken, secret_until: Option<Timestamp>) -> Self {
        let grants = match token.access {
            TokenAccess::Admin => Grants::admin(),
            TokenAccess::Client(_) | TokenAccess::Frontend(_) => Grants::default(),
        };
        Self::ApiToken {
            id: token.id,
            name: token.name.clone(),
            access: token.access.clone(),
            grants,
            expires_at: [token.expires_at, secret_until].into_iter().flatten().min(),
            attributes: token.attributes.matter_to_verification().then(|| Arc::new(token.attributes.clone())),
        }
    }

    /// Returns the API token; `None` for a user.
    pub fn verified_token(&self) -> Option<VerifiedToken<'_>> {
        match self {
            Self::ApiToken { id, name, access, expires_at, attributes, .. } => Some(VerifiedToken {
                id: *id,
                name,
                access,
                expires_at: *expires_at,
                attributes: attributes.as_deref(),
            }),
            Self::User { .. } => None,
        }
    }

    /// Returns the permissions.
    pub fn grants(&self) -> &Grants {
        match self {
            Self::ApiToken { grants, .. } | Self::User { grants, .. } => grants,
        }
    }

    /// Returns why the credentials are refused at that moment, from wherever they come.
    pub fn refused_at(&self, now: Timestamp) -> Option<Reason> {
        if self.is_expired_at(now) {
            return Some(Reason::Expired);
        }
        self.is_disabled().then_some(Reason::Disabled)
    }

    /// Whether the credentials have expired at that moment.
    pub fn is_expired_at(&self, now: Timestamp) -> bool {
        let end = match self {
            Self::ApiToken { expires_at, .. } => *expires_at,
            Self::User { expires_at, .. } => Some(*expires_at),
        };
        end.is_some_and(|end| end <= now)
    }

    /// Whether the token was disabled. Users are not disabled, but deleted.
    pub fn is_disabled(&self) -> bool {
        self.attributes().is_some_and(|attributes| !attributes.enabled.is_on())
    }

    /// Whether the credentials are accepted from this address (`None`: unknown).
    pub fn is_accepted_from(&self, address: Option<IpAddr>) -> bool {
        self.attributes().is_none_or(|attributes| attributes.allowed_networks.admits(address))
    }

    /// Whether it depends on the address whether the credentials are accepted.
    pub fn is_bound_to_networks(&self) -> bool {
        self.attributes().is_some_and(|attributes| !attributes.allowed_networks.is_empty())
    }

    /// Whether it depends on other uses of the token whether the credentials are accepted.
    pub fn is_limited(&self) -> bool {
        self.attributes()
            .is_some_and(|attributes| attributes.rate_limit.is_some() || attributes.uses.is_some())
    }

    /// Returns the token and the end of the overlap, if a secret was used that another one has to end for.
    pub fn pending_rotation(&self) -> Option<(TokenId, PendingRotation)> {
        match self {
            Self::ApiToken { id, attributes: Some(attributes), .. } => Some((*id, attributes.rotation?)),
            _ => None,
        }
    }

    /// Returns the principal by another secret than the token's present one, the use of which ends nothing.
    #[must_use]
    pub fn by_other_secret(mut self) -> Self {
        if self.pending_rotation().is_some()
            && let Self::ApiToken { attributes: Some(attributes), .. } = &mut self
        {
            Arc::make_mut(attributes).rotation = None;
        }
        self
    }

    fn attributes(&self) -> Option<&TokenAttributes> {
        match self {
            Self::ApiToken { attributes, .. } => attributes.as_deref(),
            Self::User { .. } => None,
        }
    }

    /// Returns the actor for the audit trail.
    pub fn actor(&self) -> Actor {
        match self {
            Self::ApiToken { name, .. } => Actor::AdminToken { name: name.to_string() },
            Self::User { id, label, .. } => Actor::User { id: *id, name: label.clone() },
        }
    }

    /// Checks that the principal may use the administrative routes at all.
    pub fn may_administer(&self) -> Result<(), WrongTokenKind> {
        match self {
            Self::ApiToken { access: TokenAccess::Admin, .. } | Self::User { .. } => Ok(()),
            Self::ApiToken { access, .. } => Err(WrongTokenKind(access.kind())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::api_token;

    #[test]
    fn attributes_cost_a_principal_without_them_a_pointer() {
        let attributes: Option<Arc<TokenAttributes>> = None;
        assert_eq!(size_of_val(&attributes), size_of::<usize>());
        let token = api_token(Timestamp::saturating_from_millis(0));
        assert_eq!(Principal::of_token(&token, None).attributes(), None);
    }
}
