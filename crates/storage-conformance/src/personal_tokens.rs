//! Personal access tokens: created, found with their users, listed, deleted, and their last use.

use std::{collections::BTreeSet, sync::Arc};

use latchkey_domain::{
    Description, EventId, EventKind, Grants, NewEvent, NewPersonalToken, NewUser, PersonalToken,
    PersonalTokenId, Timestamp, UserId,
};
use latchkey_ports::{Entity, PersonalTokenHolder, SecretDigest, Store, StoreError};

use crate::{
    harness::{
        ErrorKind, all_events, exactly_one_succeeds, expect_error, expect_event, partition_results,
        run_concurrently,
    },
    samples::{
        AMPLE_LIMIT, EDITOR, MEMBER, VIEWER, admin_token, at, built_in_role, digest, event, extreme_moments,
        moment, personal_token, personal_token_created, project_id, secret, secret_shown_once,
        service_account, user, user_named,
    },
    setup,
};

async fn holder(store: &dyn Store, digests: &[SecretDigest]) -> Option<PersonalTokenHolder> {
    store.find_personal_token_by_digest(digests).await.expect("a lookup")
}

async fn last_used_at(store: &dyn Store, number: u64) -> Option<Timestamp> {
    holder(store, &[digest(number)]).await.expect("the token").token.last_used_at
}

async fn record_use(store: &dyn Store, seen: &[(PersonalTokenId, Timestamp)]) {
    store.record_personal_token_use(seen).await.expect("recorded");
}

async fn create_stored(store: &dyn Store, token: &NewPersonalToken, number: u64) -> PersonalTokenId {
    let event = personal_token_created(token);
    let created = store.create_personal_token(token, &secret_shown_once(number), AMPLE_LIMIT, &event).await;
    created.expect("created").0
}

async fn error_of_creation(store: &dyn Store, token: &NewPersonalToken, number: u64) -> ErrorKind {
    let (event, secret) = (personal_token_created(token), secret_shown_once(number));
    expect_error(store, store.create_personal_token(token, &secret, AMPLE_LIMIT, &event)).await
}

/// The complete user and that user's grants are found with the token.
pub async fn a_personal_token_is_found_with_its_user_and_grants(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let owner = NewUser { root_role: EDITOR, ..user(Some("ed"), Some("Ed@Example.com")) };
    let id = setup::user(store, &owner).await;
    let other = setup::user(store, &user_named("other")).await;
    setup::membership(store, id, &project_id("default"), MEMBER).await;
    setup::personal_token(store, other, "ci", 2).await;
    let new = personal_token(id, "ci");
    let token = create_stored(store, &new, 1).await;

    let member = built_in_role(MEMBER);
    let expected = PersonalTokenHolder {
        token: new.with_id(token),
        user: owner.with_id(id),
        grants: Grants::of_roles(&built_in_role(EDITOR), [(project_id("default"), &member)]),
        found_by: digest(1),
    };
    let found = holder(store, &[digest(1)]).await.expect("the token");
    assert_eq!(found, expected);
    assert_eq!(found.user.identity.email().map(ToString::to_string).as_deref(), Some("Ed@Example.com"));
    assert_eq!(holder(store, &[digest(2)]).await.expect("the token").user.id, other);
}

/// Grants are those at the time of the lookup, not of the creation.
pub async fn a_personal_token_has_the_current_grants(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = setup::user(store, &user_named("ed")).await;
    setup::personal_token(store, user, "ci", 1).await;
    let before = holder(store, &[digest(1)]).await.expect("the token").grants;
    assert_eq!(before, Grants::of_roles(&built_in_role(VIEWER), []));
    setup::membership(store, user, &project_id("default"), MEMBER).await;
    let after = holder(store, &[digest(1)]).await.expect("the token").grants;
    let member = built_in_role(MEMBER);
    assert_eq!(after, Grants::of_roles(&built_in_role(VIEWER), [(project_id("default"), &member)]));
}

/// A token is found at any position of the list of digests; API tokens are not found.
pub async fn a_personal_token_is_found_by_any_of_several_digests(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = setup::user(store, &user_named("ed")).await;
    let token = setup::personal_token(store, user, "ci", 1).await;
    setup::token(store, &admin_token(5)).await;
    for digests in [[digest(1), digest(7)], [digest(7), digest(1)]] {
        assert_eq!(holder(store, &digests).await.expect("the token").token.id, token);
    }
    assert_eq!(holder(store, &[digest(7), digest(5)]).await, None);
    assert_eq!(holder(store, &[]).await, None);
    assert_eq!(store.find_token_by_digest(&[digest(1)]).await.expect("a lookup"), None);
}

/// Texts of any script and length, and times of all years, are read back.
pub async fn extreme_personal_token_values_round_trip(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = setup::user(store, &user_named("ed")).await;
    let mut ids = BTreeSet::new();
    for (number, moment) in (1_u64..).zip(extreme_moments()) {
        let description = format!("{}{number}", "🎉".repeat(254));
        let new = NewPersonalToken {
            description: Description::new(&description).expect("a description"),
            expires_at: moment,
            created_at: moment,
            ..personal_token(user, "ci")
        };
        let id = create_stored(store, &new, number).await;
        assert_eq!(holder(store, &[digest(number)]).await.expect("the token").token, new.with_id(id));
        assert!(ids.insert(id), "{id} was given twice");
    }
}

/// The user of a token must exist.
pub async fn a_personal_token_of_an_unknown_user_is_rejected(store: &Arc<dyn Store>) {
    let UserId(id) = setup::user(store.as_ref(), &user_named("ed")).await;
    for unknown in [id + 1, 0, -1, i64::MAX].map(UserId) {
        let refusal = error_of_creation(store.as_ref(), &personal_token(unknown, "ci"), 1).await;
        assert_eq!(refusal, ErrorKind::NotFound(Entity::User(unknown)));
        assert_eq!(holder(store.as_ref(), &[digest(1)]).await, None);
    }
}

/// Another user may use the same description.
pub async fn a_personal_token_description_is_unique_per_user(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (user, other) =
        (setup::user(store, &user_named("a")).await, setup::user(store, &user_named("b")).await);
    setup::personal_token(store, user, "ci", 1).await;
    let refusal = error_of_creation(store, &personal_token(user, "ci"), 2).await;
    assert_eq!(refusal, ErrorKind::Conflict(Entity::PersonalTokenDescription));
    assert_eq!(holder(store, &[digest(2)]).await, None);
    setup::personal_token(store, other, "ci", 2).await;
    setup::personal_token(store, user, "ci 2", 3).await;
}

/// A digest is used once across users, with or without a sealed secret.
pub async fn a_personal_token_digest_is_unique(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (user, other) =
        (setup::user(store, &user_named("a")).await, setup::user(store, &user_named("b")).await);
    setup::personal_token(store, user, "ci", 1).await;
    for owner in [user, other] {
        let new = personal_token(owner, "another");
        let refusal_shown_once = error_of_creation(store, &new, 1).await;
        assert_eq!(refusal_shown_once, ErrorKind::Conflict(Entity::Secret));
        let event = personal_token_created(&new);
        let sealed =
            expect_error(store, store.create_personal_token(&new, &secret(1), AMPLE_LIMIT, &event)).await;
        assert_eq!(sealed, ErrorKind::Conflict(Entity::Secret));
    }
    assert_eq!(holder(store, &[digest(1)]).await.expect("the token").user.id, user);
}

/// The latest use is stored without an event; unknown tokens are ignored.
pub async fn the_last_use_of_a_personal_token_never_goes_backwards(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = setup::user(store, &user_named("ed")).await;
    let one = setup::personal_token(store, user, "one", 1).await;
    let two = setup::personal_token(store, user, "two", 2).await;
    let events = all_events(store).await;
    record_use(store, &[]).await;
    assert_eq!(last_used_at(store, 1).await, None);
    record_use(store, &[(one, moment(5))]).await;
    record_use(store, &[(one, moment(4)), (PersonalTokenId(i64::MAX), moment(6))]).await;
    assert_eq!((last_used_at(store, 1).await, last_used_at(store, 2).await), (Some(moment(5)), None));
    record_use(store, &[(two, moment(3)), (one, moment(7)), (one, moment(8)), (one, moment(6))]).await;
    assert_eq!(
        (last_used_at(store, 1).await, last_used_at(store, 2).await),
        (Some(moment(8)), Some(moment(3)))
    );
    record_use(store, &extreme_moments().map(|at| (two, at))).await;
    assert_eq!(last_used_at(store, 2).await, extreme_moments().last().copied());
    assert_eq!(all_events(store).await, events);
}

/// One call accepts 5,000 entries.
pub async fn a_large_batch_of_personal_token_uses_is_recorded(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = setup::user(store, &user_named("ed")).await;
    let one = setup::personal_token(store, user, "one", 1).await;
    let two = setup::personal_token(store, user, "two", 2).await;
    let unknown = |entry| PersonalTokenId(1_000_000 + entry);
    let mut entries: Vec<_> = (0..5_000).map(|entry| (unknown(entry), at(entry))).collect();
    entries[0].0 = one;
    entries[4_000].0 = one;
    entries[4_999].0 = two;
    record_use(store, &entries).await;
    assert_eq!(
        (last_used_at(store, 1).await, last_used_at(store, 2).await),
        (Some(at(4_000)), Some(at(4_999)))
    );
}

type Created = Result<(PersonalTokenId, EventId), StoreError>;

/// Creates a token whose secret is the sample of this number, with a matching description.
async fn create(store: &dyn Store, user: UserId, number: u64, limit: u32) -> Created {
    let token = personal_token(user, &format!("token {number}"));
    let event = personal_token_created(&token);
    store.create_personal_token(&token, &secret_shown_once(number), limit, &event).await
}

async fn delete(store: &dyn Store, user: UserId, id: PersonalTokenId) -> Result<EventId, StoreError> {
    store.delete_personal_token(user, id, &deleted()).await
}

fn deleted() -> NewEvent {
    event(EventKind::PersonalTokenDeleted)
}

async fn tokens_of(store: &dyn Store, users: &[UserId]) -> Vec<PersonalToken> {
    store.personal_tokens_of(users).await.expect("personal tokens")
}

async fn is_found(store: &dyn Store, number: u64) -> bool {
    store.find_personal_token_by_digest(&[digest(number)]).await.expect("a lookup").is_some()
}

async fn create_two_users(store: &dyn Store) -> (UserId, UserId) {
    (setup::user(store, &user_named("ed")).await, setup::user(store, &service_account("bot")).await)
}

/// The tokens of the given users are listed complete, by id, each once, including expired ones.
pub async fn personal_tokens_of_several_users_are_listed(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, bot) = create_two_users(store).await;
    let other = setup::user(store, &user_named("other")).await;
    let mut tokens = Vec::new();
    for (number, user) in [(1, bot), (2, ed), (3, other), (4, ed), (5, bot)] {
        let mut new = personal_token(user, &format!("token {number} 🎉"));
        new.expires_at = extreme_moments()[usize::try_from(number - 1).expect("small")];
        let event = personal_token_created(&new);
        let created = store.create_personal_token(&new, &secret_shown_once(number), 9, &event).await;
        tokens.push(new.with_id(created.expect("created").0));
    }
    store.record_personal_token_use(&[(tokens[1].id, moment(8))]).await.expect("recorded");
    tokens[1].last_used_at = Some(moment(8));
    let named = |indices: &[usize]| indices.iter().map(|index| tokens[*index].clone()).collect::<Vec<_>>();
    assert_eq!(tokens_of(store, &[ed, bot]).await, named(&[0, 1, 3, 4]));
    assert_eq!(tokens_of(store, &[bot, ed, bot]).await, named(&[0, 1, 3, 4]));
    assert_eq!(tokens_of(store, &[other]).await, named(&[2]));
    assert_eq!(tokens_of(store, &[]).await, []);
    assert_eq!(tokens_of(store, &[UserId(i64::MAX), UserId(-1)]).await, []);
    let mut many: Vec<_> = (1_000..3_000).map(UserId).collect();
    many.push(ed);
    assert_eq!(tokens_of(store, &many).await, named(&[1, 3]));
}

/// The token is deleted with its event; its description, digest and slot can be used again, and other
/// tokens stay.
pub async fn a_user_deletes_a_personal_token(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, bot) = create_two_users(store).await;
    let (id, _) = create(store, ed, 1, 2).await.expect("created");
    let (unaffected, _) = create(store, ed, 2, 2).await.expect("created");
    let (others, _) = create(store, bot, 3, 2).await.expect("created");
    expect_event(store, &deleted(), delete(store, ed, id)).await;
    let remaining: Vec<_> = tokens_of(store, &[ed, bot]).await.into_iter().map(|token| token.id).collect();
    assert_eq!(remaining, [unaffected, others]);
    assert_eq!((is_found(store, 1).await, is_found(store, 2).await), (false, true));
    let (again, _) = create(store, ed, 1, 2).await.expect("created again");
    assert!(again > others, "{again} was given twice");
}

/// A token of another user, and one that does not exist, or no longer exists, cannot be deleted.
pub async fn deleting_an_unknown_personal_token_fails(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, bot) = create_two_users(store).await;
    let (gone, _) = create(store, ed, 1, 9).await.expect("created");
    let (others, _) = create(store, bot, 2, 9).await.expect("created");
    delete(store, ed, gone).await.expect("removed");
    let max = PersonalTokenId(i64::MAX);
    for (user, id) in [(ed, gone), (ed, others), (ed, max), (UserId(i64::MAX), others), (UserId(0), gone)] {
        let refused = expect_error(store, delete(store, user, id)).await;
        assert_eq!(refused, ErrorKind::NotFound(Entity::PersonalToken(id)));
        assert!(is_found(store, 2).await);
    }
}

/// Expired tokens count, tokens of other users do not; a deletion frees a slot.
pub async fn the_number_of_personal_tokens_is_limited_per_user(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, bot) = create_two_users(store).await;
    let mut expired = personal_token(ed, "expired");
    expired.expires_at = extreme_moments()[0];
    let created = personal_token_created(&expired);
    let (first, _) =
        store.create_personal_token(&expired, &secret_shown_once(1), 3, &created).await.expect("created");
    create(store, ed, 2, 3).await.expect("created");
    create(store, ed, 3, 3).await.expect("created");
    for limit in [3, 2, 0] {
        let refused = expect_error(store, create(store, ed, 4, limit)).await;
        assert_eq!(refused, ErrorKind::LimitReached(limit.into()));
        assert!(!is_found(store, 4).await);
    }
    create(store, bot, 5, 3).await.expect("another's room");
    delete(store, ed, first).await.expect("removed");
    create(store, ed, 4, 3).await.expect("a slot is free");
    create(store, ed, 6, u32::MAX).await.expect("no limit");
}

/// The unknown user is reported first, then the limit, then a conflict.
pub async fn personal_token_creation_errors_have_a_fixed_order(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (ed, _) = create_two_users(store).await;
    create(store, ed, 1, 1).await.expect("created");
    let unknown = UserId(i64::MAX);
    let refused = expect_error(store, create(store, unknown, 1, 0)).await;
    assert_eq!(refused, ErrorKind::NotFound(Entity::User(unknown)));
    assert_eq!(expect_error(store, create(store, ed, 1, 1)).await, ErrorKind::LimitReached(1));
    let refused = expect_error(store, create(store, ed, 1, 2)).await;
    assert!(matches!(refused, ErrorKind::Conflict(_)), "{refused:?}");
}

/// Of 30 concurrent creations, as many succeed as the limit allows, each with its event.
pub async fn the_personal_token_limit_holds_under_concurrency(store: &Arc<dyn Store>) {
    let (ed, bot) = create_two_users(store.as_ref()).await;
    let before = all_events(store.as_ref()).await.len();
    let calls = (0..30).map(|number| {
        let store = Arc::clone(store);
        let user = if number < 20 { ed } else { bot };
        async move { create(store.as_ref(), user, number, 7).await }
    });
    let (existing, refused) = partition_results(run_concurrently(calls).await);
    assert_eq!(existing.len(), 14);
    assert!(refused.iter().all(|refusal| *refusal == ErrorKind::LimitReached(7)), "{refused:?}");
    let remaining =
        [tokens_of(store.as_ref(), &[ed]).await.len(), tokens_of(store.as_ref(), &[bot]).await.len()];
    assert_eq!(remaining, [7, 7]);
    assert_eq!(all_events(store.as_ref()).await.len() - before, 14);
}

/// Of 30 concurrent deletions of one token, one succeeds.
pub async fn one_of_concurrent_personal_token_deletions_succeeds(store: &Arc<dyn Store>) {
    let (ed, _) = create_two_users(store.as_ref()).await;
    let (id, _) = create(store.as_ref(), ed, 1, 9).await.expect("created");
    let calls = (0..30).map(|_| {
        let store = Arc::clone(store);
        async move { delete(store.as_ref(), ed, id).await }
    });
    exactly_one_succeeds(store.as_ref(), ErrorKind::NotFound(Entity::PersonalToken(id)), calls).await;
}

/// No token remains after its user is deleted.
pub async fn personal_tokens_created_beside_a_user_deletion_do_not_outlive_it(store: &Arc<dyn Store>) {
    for round in 0..10 {
        let ed = setup::user(store.as_ref(), &user_named(&format!("u{round}"))).await;
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
        let (_, refused) = partition_results(run_concurrently(calls).await);
        assert!(refused.iter().all(|one| *one == ErrorKind::NotFound(Entity::User(ed))), "{refused:?}");
        assert_eq!(tokens_of(store.as_ref(), &[ed]).await, []);
        for call in 0..4 {
            assert!(!is_found(store.as_ref(), 10 * round + call).await);
        }
    }
}
