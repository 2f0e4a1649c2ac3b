//! What a change means for what the index of principals knows.

use latchkey_domain::{EventKind, NewEvent, Snapshot, TokenId};

/// What may not be answered from memory any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// All that was known is still true.
    Nothing,
    /// A secret that was nobody's may be somebody's.
    Birth,
    /// This token is not what it was.
    Token(TokenId),
    /// This token is not what it was, and has a secret that was nobody's.
    Rebirth(TokenId),
    /// Users are not what they were, or may do other things.
    People,
    /// A secret that was nobody's may be a user's, and older sessions may have ended.
    SignIn,
    /// Anything may have changed.
    Everything,
}

impl Effect {
    /// The effect of the change that this event speaks of. A kind that says nothing of its reach has every effect, so
    /// that a new one is at worst slow.
    pub(crate) fn of(event: &NewEvent) -> Self {
        use EventKind as K;
        match event.kind {
            K::ApiTokenCreated | K::PersonalTokenCreated => Self::Birth,
            K::ApiTokenUpdated | K::ApiTokenDeleted => token(event).map_or(Self::Everything, Self::Token),
            K::ApiTokenRotated => token(event).map_or(Self::Everything, Self::Rebirth),
            K::SessionStarted => Self::SignIn,
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
            | K::ProjectAccessRemoved => Self::People,
            // Their tokens have events of their own, which whoever made the change did not see.
            K::ProjectDeleted | K::EnvironmentDeleted => Self::Everything,
            K::UserCreated
            | K::ServiceAccountCreated
            | K::RoleCreated
            | K::RoleDeleted
            | K::ProjectUpdated
            | K::ProjectArchived
            | K::ProjectRevived
            | K::ProjectEnvironmentAdded
            | K::ProjectEnvironmentRemoved
            | K::EnvironmentCreated
            | K::EnvironmentUpdated
            | K::EnvironmentsSorted => Self::Nothing,
        }
    }
}

/// Which token an event is about.
fn token(event: &NewEvent) -> Option<TokenId> {
    let snapshot = event.before.as_ref().or(event.after.as_ref())?;
    TokenId::parse(snapshot.text(Snapshot::ID)?)
}

#[cfg(test)]
mod tests {
    use latchkey_domain::{Actor, ApiToken, Origin, Timestamp, TokenAccess, TokenName};

    use super::*;

    #[test]
    fn an_event_names_its_token() {
        let at = Timestamp::from_millis(0).expect("in range");
        let token = ApiToken {
            id: TokenId::new(at, [7; 10]),
            name: TokenName::new("t").expect("a name"),
            access: TokenAccess::Admin,
            expires_at: None,
            created_at: at,
            last_used_at: None,
        };
        let event = |kind| NewEvent::new(kind, Actor::System, Origin::default(), at);
        let about = |kind| NewEvent { before: Some(Snapshot::from(&token)), ..event(kind) };
        assert_eq!(Effect::of(&about(EventKind::ApiTokenDeleted)), Effect::Token(token.id));
        assert_eq!(Effect::of(&about(EventKind::ApiTokenRotated)), Effect::Rebirth(token.id));
        assert_eq!(
            Effect::of(&event(EventKind::ApiTokenDeleted)),
            Effect::Everything,
            "it does not say which"
        );
        assert_eq!(Effect::of(&event(EventKind::ApiTokenCreated)), Effect::Birth);
    }
}
