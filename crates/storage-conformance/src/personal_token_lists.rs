//! Personal access tokens: listed, removed, and no more than there may be.

use std::sync::Arc;

use latchkey_domain::{EventId, EventKind, NewEvent, PersonalToken, PersonalTokenId, UserId};
use latchkey_ports::{Entity, Store, StoreError};

use crate::{
    at_once::{at_once, one_wins},
    given,
    observed::{ServiceError, all_events, leaves, refusal, sorted},
    samples::{
        digest, event, extreme_moments, moment, personal_token, personal_token_created, secret_shown_once,
        service_account, user_named,
    },
};

type Created = Result<(PersonalTokenId, EventId), StoreError>;

/// Its secret is the sample of this number, and its description says so.
async fn create(store: &dyn Store, user: UserId, number: u64, most: u32) -> Created {
    let token = personal_token(user, &format!("token {number}"));
    let event = personal_token_created(&token);
    store.create_personal_token(&token, &secret_shown_once(number), most, &event).await
}

async fn remove(store: &dyn Store, user: UserId, id: PersonalTokenId) -> Result<EventId, StoreError> {
    store.delete_personal_token(user, id, &deleted()).await
}

fn deleted() -> NewEvent {
    event(EventKind::PersonalTokenDeleted)
}

async fn of(store: &dyn Store, users: &[UserId]) -> Vec<PersonalToken> {
    store.personal_tokens_of(users).await.expect("personal tokens")
}

async fn is_found(store: &dyn Store, number: u64) -> bool {
    store.find_personal_token_by_digest(&[digest(number)]).await.expect("a look-up").is_some()
}

async fn two(store: &dyn Store) -> (UserId, UserId) {
    (given::user(store, &user_named("ed")).await, given::user(store, &service_account("bot")).await)
}

/// The tokens of all the users named, and of no other, whole, by id, expired ones too, each once.
pub async fn of_several_users(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, bot) = two(store).await;
    let other = given::user(store, &user_named("other")).await;
    let mut tokens = Vec::new();
    for (number, user) in [(1, bot), (2, ed), (3, other), (4, ed), (5, bot)] {
        let mut new = personal_token(user, &format!("token {number} 🎉"));
        new.expires_at = extreme_moments()[usize::try_from(number - 1).expect("small")];
        let event = personal_token_created(&new);
        let created = store.create_personal_token(&new, &secret_shown_once(number), 9, &event).await;
        tokens.push(new.with_id(created.expect("created").0));
    }
    store.record_personal_token_use(&[(tokens[1].id, moment(8))]).await.expect("noted");
    tokens[1].last_used_at = Some(moment(8));
    let named = |indices: &[usize]| indices.iter().map(|index| tokens[*index].clone()).collect::<Vec<_>>();
    assert_eq!(of(store, &[ed, bot]).await, named(&[0, 1, 3, 4]));
    assert_eq!(of(store, &[bot, ed, bot]).await, named(&[0, 1, 3, 4]));
    assert_eq!(of(store, &[other]).await, named(&[2]));
    assert_eq!(of(store, &[]).await, []);
    assert_eq!(of(store, &[UserId(i64::MAX), UserId(-1)]).await, []);
    let mut many: Vec<_> = (1_000..3_000).map(UserId).collect();
    many.push(ed);
    assert_eq!(of(store, &many).await, named(&[1, 3]));
}

/// A user's token goes, with its event; its description, its digest and its room are free again, and others stay.
pub async fn a_token_goes(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, bot) = two(store).await;
    let (id, _) = create(store, ed, 1, 2).await.expect("created");
    let (stays, _) = create(store, ed, 2, 2).await.expect("created");
    let (others, _) = create(store, bot, 3, 2).await.expect("created");
    leaves(store, &deleted(), remove(store, ed, id)).await;
    let left: Vec<_> = of(store, &[ed, bot]).await.into_iter().map(|token| token.id).collect();
    assert_eq!(left, [stays, others]);
    assert_eq!((is_found(store, 1).await, is_found(store, 2).await), (false, true));
    let (again, _) = create(store, ed, 1, 2).await.expect("created again");
    assert!(again > others, "{again} was given twice");
}

/// Another's token, and one that is not there (any more), is none that could be removed for a user.
pub async fn nothing_to_remove(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, bot) = two(store).await;
    let (gone, _) = create(store, ed, 1, 9).await.expect("created");
    let (others, _) = create(store, bot, 2, 9).await.expect("created");
    remove(store, ed, gone).await.expect("removed");
    let max = PersonalTokenId(i64::MAX);
    for (user, id) in [(ed, gone), (ed, others), (ed, max), (UserId(i64::MAX), others), (UserId(0), gone)] {
        let refused = refusal(store, remove(store, user, id)).await;
        assert_eq!(refused, ServiceError::NotFound(Entity::PersonalToken(id)));
        assert!(is_found(store, 2).await);
    }
}

/// A user has as many as may be, expired ones counted, another's not; a removal makes room.
pub async fn no_more_than_there_may_be(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, bot) = two(store).await;
    let mut expired = personal_token(ed, "expired");
    expired.expires_at = extreme_moments()[0];
    let created = personal_token_created(&expired);
    let (first, _) =
        store.create_personal_token(&expired, &secret_shown_once(1), 3, &created).await.expect("created");
    create(store, ed, 2, 3).await.expect("created");
    create(store, ed, 3, 3).await.expect("created");
    for most in [3, 2, 0] {
        let refused = refusal(store, create(store, ed, 4, most)).await;
        assert_eq!(refused, ServiceError::LimitReached(most.into()));
        assert!(!is_found(store, 4).await);
    }
    create(store, bot, 5, 3).await.expect("another's room");
    remove(store, ed, first).await.expect("removed");
    create(store, ed, 4, 3).await.expect("there is room again");
    create(store, ed, 6, u32::MAX).await.expect("no limit");
}

/// Of all that can be wrong, the user is named first, then the limit, then what has to be unique.
pub async fn the_order_of_refusals(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, _) = two(store).await;
    create(store, ed, 1, 1).await.expect("created");
    let nobody = UserId(i64::MAX);
    let refused = refusal(store, create(store, nobody, 1, 0)).await;
    assert_eq!(refused, ServiceError::NotFound(Entity::User(nobody)));
    assert_eq!(refusal(store, create(store, ed, 1, 1)).await, ServiceError::LimitReached(1));
    let refused = refusal(store, create(store, ed, 1, 2)).await;
    assert!(matches!(refused, ServiceError::Conflict(_)), "{refused:?}");
}

/// Of 30 at once, exactly as many are kept as may be, each with its event.
pub async fn thirty_at_once(store: &Arc<dyn Store>) {
    let (ed, bot) = two(store.as_ref()).await;
    let before = all_events(store.as_ref()).await.len();
    let calls = (0..30).map(|number| {
        let store = Arc::clone(store);
        let user = if number < 20 { ed } else { bot };
        async move { create(store.as_ref(), user, number, 7).await }
    });
    let (kept, refused) = sorted(at_once(calls).await);
    assert_eq!(kept.len(), 14);
    assert!(refused.iter().all(|refusal| *refusal == ServiceError::LimitReached(7)), "{refused:?}");
    let left = [of(store.as_ref(), &[ed]).await.len(), of(store.as_ref(), &[bot]).await.len()];
    assert_eq!(left, [7, 7]);
    assert_eq!(all_events(store.as_ref()).await.len() - before, 14);
}

/// Of 30 removals of one token at once, one is done.
pub async fn one_removal_wins(store: &Arc<dyn Store>) {
    let (ed, _) = two(store.as_ref()).await;
    let (id, _) = create(store.as_ref(), ed, 1, 9).await.expect("created");
    let calls = (0..30).map(|_| {
        let store = Arc::clone(store);
        async move { remove(store.as_ref(), ed, id).await }
    });
    one_wins(store.as_ref(), ServiceError::NotFound(Entity::PersonalToken(id)), calls).await;
}

/// A user who is removed while tokens are created for them leaves none behind.
pub async fn beside_a_removal_of_the_user(store: &Arc<dyn Store>) {
    for round in 0..10 {
        let ed = given::user(store.as_ref(), &user_named(&format!("u{round}"))).await;
        let calls = (0..4).map(|call| {
            let store = Arc::clone(store);
            async move {
                if call == round % 4 {
                    store.delete_user(ed, &event(EventKind::UserDeleted)).await
                } else {
                    create(store.as_ref(), ed, 10 * round + call, 9).await.map(|(_, event)| event)
                }
            }
        });
        let (_, refused) = sorted(at_once(calls).await);
        assert!(refused.iter().all(|one| *one == ServiceError::NotFound(Entity::User(ed))), "{refused:?}");
        assert_eq!(of(store.as_ref(), &[ed]).await, []);
        for call in 0..4 {
            assert!(!is_found(store.as_ref(), 10 * round + call).await);
        }
    }
}
