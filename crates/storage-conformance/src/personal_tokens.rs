//! Personal access tokens: kept, found with their users, and when they were seen.

use std::{collections::BTreeSet, sync::Arc};

use latchkey_domain::{Description, Grants, NewPersonalToken, NewUser, PersonalTokenId, Timestamp, UserId};
use latchkey_ports::{Entity, PersonalTokenHolder, SecretDigest, Store};

use crate::{
    given,
    observed::{ServiceError, all_events, refusal},
    samples::{
        EDITOR, MANY, MEMBER, VIEWER, admin_token, at, built_in_role, digest, extreme_moments, moment,
        personal_token, personal_token_created, project_id, secret, secret_shown_once, user, user_named,
    },
};

async fn holder(store: &dyn Store, digests: &[SecretDigest]) -> Option<PersonalTokenHolder> {
    store.find_personal_token_by_digest(digests).await.expect("a look-up")
}

async fn last_used_at(store: &dyn Store, number: u64) -> Option<Timestamp> {
    holder(store, &[digest(number)]).await.expect("the token").token.last_used_at
}

async fn see(store: &dyn Store, seen: &[(PersonalTokenId, Timestamp)]) {
    store.record_personal_token_use(seen).await.expect("noted");
}

async fn create(store: &dyn Store, token: &NewPersonalToken, number: u64) -> PersonalTokenId {
    let event = personal_token_created(token);
    let created = store.create_personal_token(token, &secret_shown_once(number), MANY, &event).await;
    created.expect("created").0
}

async fn refused(store: &dyn Store, token: &NewPersonalToken, number: u64) -> ServiceError {
    let (event, secret) = (personal_token_created(token), secret_shown_once(number));
    refusal(store, store.create_personal_token(token, &secret, MANY, &event)).await
}

/// A token is found with its user, the whole of it, and the user's grants; another's are not mixed in.
pub async fn a_token_is_found_with_its_user(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let owner = NewUser { root_role: EDITOR, ..user(Some("ed"), Some("Ed@Example.com")) };
    let id = given::user(store, &owner).await;
    let other = given::user(store, &user_named("other")).await;
    given::membership(store, id, &project_id("default"), MEMBER).await;
    given::personal_token(store, other, "ci", 2).await;
    let new = personal_token(id, "ci");
    let token = create(store, &new, 1).await;

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

/// The grants are those of the moment of the look-up, not of the token's creation.
pub async fn grants_are_of_the_moment(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = given::user(store, &user_named("ed")).await;
    given::personal_token(store, user, "ci", 1).await;
    let before = holder(store, &[digest(1)]).await.expect("the token").grants;
    assert_eq!(before, Grants::of_roles(&built_in_role(VIEWER), []));
    given::membership(store, user, &project_id("default"), MEMBER).await;
    let after = holder(store, &[digest(1)]).await.expect("the token").grants;
    let member = built_in_role(MEMBER);
    assert_eq!(after, Grants::of_roles(&built_in_role(VIEWER), [(project_id("default"), &member)]));
}

/// A token is found by its digest wherever that stands among several, and API tokens are not among what is found.
pub async fn a_token_is_found_by_any_of_several_digests(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = given::user(store, &user_named("ed")).await;
    let token = given::personal_token(store, user, "ci", 1).await;
    given::token(store, &admin_token(5)).await;
    for digests in [[digest(1), digest(7)], [digest(7), digest(1)]] {
        assert_eq!(holder(store, &digests).await.expect("the token").token.id, token);
    }
    assert_eq!(holder(store, &[digest(7), digest(5)]).await, None);
    assert_eq!(holder(store, &[]).await, None);
    assert_eq!(store.find_token_by_digest(&[digest(1)]).await.expect("a look-up"), None);
}

/// Texts of any script and length and moments of all years, long expired ones too, are read back equal.
pub async fn the_extremes_are_read_back(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = given::user(store, &user_named("ed")).await;
    let mut ids = BTreeSet::new();
    for (number, moment) in (1_u64..).zip(extreme_moments()) {
        let description = format!("{}{number}", "🎉".repeat(254));
        let new = NewPersonalToken {
            description: Description::new(&description).expect("a description"),
            expires_at: moment,
            created_at: moment,
            ..personal_token(user, "ci")
        };
        let id = create(store, &new, number).await;
        assert_eq!(holder(store, &[digest(number)]).await.expect("the token").token, new.with_id(id));
        assert!(ids.insert(id), "{id} was given twice");
    }
}

/// A token needs a user who is there.
pub async fn an_unknown_user_is_refused(store: &Arc<dyn Store>) {
    let UserId(id) = given::user(store.as_ref(), &user_named("ed")).await;
    for nobody in [id + 1, 0, -1, i64::MAX].map(UserId) {
        let refusal = refused(store.as_ref(), &personal_token(nobody, "ci"), 1).await;
        assert_eq!(refusal, ServiceError::NotFound(Entity::User(nobody)));
        assert_eq!(holder(store.as_ref(), &[digest(1)]).await, None);
    }
}

/// A description is unique among the user's, and free for others.
pub async fn a_description_is_unique_among_the_users(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (user, other) =
        (given::user(store, &user_named("a")).await, given::user(store, &user_named("b")).await);
    given::personal_token(store, user, "ci", 1).await;
    let refusal = refused(store, &personal_token(user, "ci"), 2).await;
    assert_eq!(refusal, ServiceError::Conflict(Entity::PersonalTokenDescription));
    assert_eq!(holder(store, &[digest(2)]).await, None);
    given::personal_token(store, other, "ci", 2).await;
    given::personal_token(store, user, "ci 2", 3).await;
}

/// A digest is there once, whoever's it is, also if one can be shown again and the other cannot.
pub async fn a_digest_is_unique(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let (user, other) =
        (given::user(store, &user_named("a")).await, given::user(store, &user_named("b")).await);
    given::personal_token(store, user, "ci", 1).await;
    for owner in [user, other] {
        let new = personal_token(owner, "another");
        let refusal_shown_once = refused(store, &new, 1).await;
        assert_eq!(refusal_shown_once, ServiceError::Conflict(Entity::Secret));
        let event = personal_token_created(&new);
        let sealed = refusal(store, store.create_personal_token(&new, &secret(1), MANY, &event)).await;
        assert_eq!(sealed, ServiceError::Conflict(Entity::Secret));
    }
    assert_eq!(holder(store, &[digest(1)]).await.expect("the token").user.id, user);
}

/// When a token was seen is noted, never goes backwards, and leaves no event; who is not there is passed over.
pub async fn a_moment_never_goes_backwards(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = given::user(store, &user_named("ed")).await;
    let one = given::personal_token(store, user, "one", 1).await;
    let two = given::personal_token(store, user, "two", 2).await;
    let events = all_events(store).await;
    see(store, &[]).await;
    assert_eq!(last_used_at(store, 1).await, None);
    see(store, &[(one, moment(5))]).await;
    see(store, &[(one, moment(4)), (PersonalTokenId(i64::MAX), moment(6))]).await;
    assert_eq!((last_used_at(store, 1).await, last_used_at(store, 2).await), (Some(moment(5)), None));
    see(store, &[(two, moment(3)), (one, moment(7)), (one, moment(8)), (one, moment(6))]).await;
    assert_eq!(
        (last_used_at(store, 1).await, last_used_at(store, 2).await),
        (Some(moment(8)), Some(moment(3)))
    );
    see(store, &extreme_moments().map(|at| (two, at))).await;
    assert_eq!(last_used_at(store, 2).await, extreme_moments().last().copied());
    assert_eq!(all_events(store).await, events);
}

/// 5000 notes fit into one call.
pub async fn a_big_batch_is_noted(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let user = given::user(store, &user_named("ed")).await;
    let one = given::personal_token(store, user, "one", 1).await;
    let two = given::personal_token(store, user, "two", 2).await;
    let unknown = |note| PersonalTokenId(1_000_000 + note);
    let mut notes: Vec<_> = (0..5_000).map(|note| (unknown(note), at(note))).collect();
    notes[0].0 = one;
    notes[4_000].0 = one;
    notes[4_999].0 = two;
    see(store, &notes).await;
    assert_eq!(
        (last_used_at(store, 1).await, last_used_at(store, 2).await),
        (Some(at(4_000)), Some(at(4_999)))
    );
}
