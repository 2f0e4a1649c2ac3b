//! Which cache entries a change invalidates.

use latchkey_domain::{EventKind, Subject, TokenId};

/// The cache entries that a change invalidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Invalidation {
    /// None.
    Nothing,
    /// The negative cache: a secret that was unknown may now be a token's.
    NewSecret,
    /// The entries of this token.
    Token(TokenId),
    /// The entries of this token, and the negative cache.
    TokenAndNewSecret(TokenId),
    /// The entries of all users: one of them, or what one may do, has changed.
    Users,
    /// The negative cache, and the entries of all users: a session began, and older ones may have ended for it.
    Session,
    /// All entries.
    Everything,
}

impl Invalidation {
    /// Returns what a change of this kind invalidates; everything where its event does not name its token, so that an
    /// incomplete event costs time and not correctness.
    pub(crate) fn of(kind: EventKind, subject: Option<Subject>) -> Self {
        use EventKind as K;
        match kind {
            K::ApiTokenCreated | K::ApiTokensImported | K::PersonalTokenCreated => Self::NewSecret,
            K::ApiTokenUpdated | K::ApiTokenRotationEnded | K::ApiTokenDeleted => {
                token(subject).map_or(Self::Everything, Self::Token)
            }
            K::ApiTokenRotated => token(subject).map_or(Self::Everything, Self::TokenAndNewSecret),
            K::SessionStarted => Self::Session,
            K::PersonalTokenDeleted
            | K::SessionEnded
            | K::UserUpdated
            | K::UserDeleted
            | K::PasswordChanged
            | K::ServiceAccountUpdated
            | K::ServiceAccountDeleted
            | K::RoleUpdated
            | K::ProjectCreated
            | K::ProjectAccessAdded
            | K::ProjectAccessUpdated
            | K::ProjectAccessRemoved
            | K::ProjectAccessReplaced
            | K::ProjectGroupAccessUpdated
            | K::ProjectGroupAccessRemoved
            | K::GroupCreated
            | K::GroupUpdated
            | K::GroupDeleted => Self::Users,
            // The events of their tokens are written by the store, so this process has not seen them.
            K::ProjectDeleted | K::EnvironmentDeleted => Self::Everything,
            K::ApiTokenLeaked
            | K::ApiTokenExpiring
            | K::ApiTokenExpiredInUse
            | K::ApiTokenUnused
            | K::ApiTokenPolicyViolated
            | K::ApiTokenRotationDue
            | K::PersonalTokenLeaked
            | K::UserCreated
            | K::ServiceAccountCreated
            | K::RoleCreated
            | K::RoleDeleted
            | K::ProjectUpdated
            | K::ProjectPolicyUpdated
            | K::ProjectArchived
            | K::ProjectRevived
            | K::ProjectEnvironmentAdded
            | K::ProjectEnvironmentRemoved
            | K::EnvironmentCreated
            | K::EnvironmentUpdated
            | K::EnvironmentsSorted
            | K::WebhookCreated
            | K::WebhookUpdated
            | K::WebhookDeleted => Self::Nothing,
        }
    }
}

/// Returns the token that an event is about.
fn token(subject: Option<Subject>) -> Option<TokenId> {
    subject.map(|Subject::Token(id)| id)
}

#[cfg(test)]
mod tests {
    use latchkey_domain::Timestamp;

    use super::*;

    #[test]
    fn an_event_names_its_token() {
        let at = Timestamp::from_millis(0).expect("in range");
        let token = TokenId::new(at, [7; 10]);
        let about = |kind| Invalidation::of(kind, Some(Subject::Token(token)));
        assert_eq!(about(EventKind::ApiTokenDeleted), Invalidation::Token(token));
        assert_eq!(about(EventKind::ApiTokenRotated), Invalidation::TokenAndNewSecret(token));
        assert_eq!(
            Invalidation::of(EventKind::ApiTokenDeleted, None),
            Invalidation::Everything,
            "it does not say which"
        );
        assert_eq!(Invalidation::of(EventKind::ApiTokenCreated, None), Invalidation::NewSecret);
    }
}
