//! API tokens: created, found, listed, deleted and rejected.

use std::sync::Arc;

use latchkey_domain::{ProjectScope, Scope, TokenAccess, TokenId, TokenName};
use latchkey_ports::{Entity, KeyId, Quota, SecretDigest, SecretRecord, Store, StoredToken, TokenQuery};
use uuid::Uuid;

use crate::{
    harness::{ErrorKind, expect_error, token_of_digest},
    samples::{
        AMPLE_QUOTA, admin_token, digest, environment, extreme_moments, moment, only, project_id, secret,
        secret_shown_once, token, token_created, token_deleted, token_of_all_projects,
    },
    setup,
};

async fn list(store: &dyn Store, project: &str) -> Vec<StoredToken> {
    store.tokens(&TokenQuery::of_project(project_id(project))).await.expect("tokens")
}

/// Stores the token and expects it from every read method.
async fn assert_token_round_trips(store: &dyn Store, stored: &StoredToken) {
    setup::token(store, stored).await;
    let back = store.find_token(stored.token.id).await.expect("a lookup");
    assert_eq!(back.as_ref(), Some(stored));
    for record in [Some(&stored.secret), stored.alias.as_ref()].into_iter().flatten() {
        assert_eq!(token_of_digest(store, &[record.digest]).await.as_ref(), Some(stored));
    }
    for project in stored.token.access.projects().named() {
        assert!(list(store, project.as_str()).await.contains(stored), "not listed under {project}");
    }
}

/// Tokens of every kind, with and without alias, expiry and sealed secret, are read back.
pub async fn every_kind_of_token_round_trips(store: &Arc<dyn Store>) {
    let client = token(1, &["default"]);
    let mut frontend = token(2, &["default"]);
    frontend.token.access =
        TokenAccess::Frontend(Scope { projects: only(&["default"]), environment: environment("production") });
    frontend.token.expires_at = Some(moment(50));
    frontend.token.last_used_at = Some(moment(40));
    frontend.alias = Some(secret(102));
    let mut shown_once = token_of_all_projects(3);
    shown_once.secret = secret_shown_once(3);
    shown_once.alias = Some(secret_shown_once(103));
    let mut alias_shown_once = token(4, &["default"]);
    alias_shown_once.alias = Some(SecretRecord { key: KeyId([9, 8, 7, 6]), ..secret_shown_once(104) });
    for stored in [client, frontend, shown_once, alias_shown_once, admin_token(5)] {
        assert_token_round_trips(store.as_ref(), &stored).await;
    }
}

/// The longest name in four-byte characters, the longest project id, and sealed secrets of the largest size
/// with all byte values are read back.
pub async fn the_longest_token_values_round_trip(store: &Arc<dyn Store>) {
    let project = "p".repeat(100);
    setup::projects(store.as_ref(), &[&project]).await;
    let mut stored = token(1, &[&project]);
    stored.token.name = TokenName::new(&"🎉".repeat(255)).expect("a name");
    stored.secret.sealed = Some((0..=255).cycle().take(1100).collect());
    stored.secret.digest = SecretDigest([0xff; 32]);
    let mut alias = secret(2);
    alias.sealed = Some([].into());
    alias.digest = SecretDigest([0; 32]);
    stored.alias = Some(alias);
    assert_token_round_trips(store.as_ref(), &stored).await;
}

/// Names in any script, with quotes, wildcards and combining characters, are stored unchanged and need not
/// be unique.
pub async fn token_names_round_trip_unchanged(store: &Arc<dyn Store>) {
    let names =
        ["日本語 שלום", "a'b\"c\\d%_;--", "e\u{301} é ﬁ", "a\u{200b}\u{feff}b", "same", "same", "{},"];
    for (number, name) in (1..).zip(names) {
        let mut stored = token(number, &["default"]);
        stored.token.name = TokenName::new(name).expect("a name");
        assert_token_round_trips(store.as_ref(), &stored).await;
    }
}

/// Times from year 0000 to year 9999 keep their milliseconds.
pub async fn token_times_of_all_years_round_trip(store: &Arc<dyn Store>) {
    for (number, at) in (1..).zip(extreme_moments()) {
        let mut stored = token(number, &["default"]);
        stored.token.created_at = at;
        stored.token.expires_at = Some(at);
        stored.token.last_used_at = Some(at);
        assert_token_round_trips(store.as_ref(), &stored).await;
    }
}

/// The projects of a token are read back in the given order.
pub async fn a_token_keeps_the_order_of_its_projects(store: &Arc<dyn Store>) {
    setup::projects(store.as_ref(), &["b", "a", "C", "d"]).await;
    let orders: [&[&str]; 4] =
        [&["d", "a", "default", "C", "b"], &["b", "a"], &["a", "b"], &["C", "d", "a", "b"]];
    for (number, order) in (1..).zip(orders) {
        assert_token_round_trips(store.as_ref(), &token(number, order)).await;
    }
    let orders_listed: Vec<_> =
        list(store.as_ref(), "a").await.into_iter().map(|stored| stored.token.access).collect();
    let expected: Vec<_> =
        (1..).zip(orders).map(|(number, order)| token(number, order).token.access).collect();
    assert_eq!(orders_listed, expected);
}

/// The list is ordered by id (unsigned bytes), whatever the order of creation.
pub async fn tokens_of_a_project_are_listed_by_id(store: &Arc<dyn Store>) {
    let mut ids: Vec<_> = [[0; 16], [0xff; 16], [0x80; 16], [0x7f; 16]].map(Uuid::from_bytes).into();
    ids.extend([5, 2, 9, 1, 7, 3].map(|number| token(number, &["default"]).token.id.as_uuid()));
    for (number, id) in (20..).zip(&ids) {
        let mut stored = token(number, &["default"]);
        stored.token.id = TokenId::from_uuid(*id);
        setup::token(store.as_ref(), &stored).await;
    }
    ids.sort_unstable();
    let listed: Vec<_> =
        list(store.as_ref(), "default").await.iter().map(|stored| stored.token.id.as_uuid()).collect();
    assert_eq!(listed, ids);
}

/// A token that names several projects is listed in each of them, and in no other.
pub async fn a_token_is_listed_in_each_of_its_projects(store: &Arc<dyn Store>) {
    setup::projects(store.as_ref(), &["a", "b", "A"]).await;
    let (both, one) = (token(1, &["b", "a"]), token(2, &["a"]));
    setup::tokens(store.as_ref(), &[one.clone(), both.clone()]).await;
    assert_eq!(list(store.as_ref(), "a").await, [both.clone(), one]);
    assert_eq!(list(store.as_ref(), "b").await, [both]);
    assert_eq!(list(store.as_ref(), "A").await, []);
    assert_eq!(list(store.as_ref(), "default").await, []);
}

/// Tokens of all projects, including admin tokens, are not listed in a project.
pub async fn tokens_of_all_projects_are_listed_in_no_project(store: &Arc<dyn Store>) {
    let named = token(3, &["default"]);
    setup::tokens(store.as_ref(), &[token_of_all_projects(1), admin_token(2), named.clone()]).await;
    assert_eq!(list(store.as_ref(), "default").await, [named]);
}

/// The list of an unknown project is empty; project ids are case-sensitive.
pub async fn an_unknown_project_has_no_tokens(store: &Arc<dyn Store>) {
    setup::token(store.as_ref(), &token(1, &["default"])).await;
    for unknown in ["nope", "Default", "defaul_"] {
        assert_eq!(list(store.as_ref(), unknown).await, [], "{unknown}");
    }
}

/// A token is found by the digest of its secret or alias, at any position of the list.
pub async fn a_token_is_found_by_any_of_several_digests(store: &Arc<dyn Store>) {
    let mut with_alias = token(1, &["default"]);
    with_alias.alias = Some(secret(101));
    setup::tokens(store.as_ref(), &[with_alias.clone(), token(2, &["default"])]).await;
    let store = store.as_ref();
    assert_eq!(token_of_digest(store, &[digest(7), digest(8), digest(1)]).await, Some(with_alias.clone()));
    assert_eq!(token_of_digest(store, &[digest(101), digest(7)]).await, Some(with_alias.clone()));
    assert_eq!(token_of_digest(store, &[digest(1), digest(101)]).await, Some(with_alias));
    assert_eq!(token_of_digest(store, &[digest(7), digest(8)]).await, None);
    assert_eq!(token_of_digest(store, &[]).await, None);
}

/// A deleted token disappears from every list and lookup; other tokens stay.
pub async fn a_deleted_token_is_gone(store: &Arc<dyn Store>) {
    setup::projects(store.as_ref(), &["a"]).await;
    let mut deleted = token(1, &["default", "a"]);
    deleted.alias = Some(secret(101));
    let unaffected = token(2, &["default", "a"]);
    setup::tokens(store.as_ref(), &[deleted.clone(), unaffected.clone()]).await;

    store.delete_token(deleted.token.id, &token_deleted(&deleted)).await.expect("removed");

    assert_eq!(store.find_token(deleted.token.id).await.expect("a lookup"), None);
    assert_eq!(token_of_digest(store.as_ref(), &[digest(1), digest(101)]).await, None);
    for project in ["default", "a"] {
        assert_eq!(list(store.as_ref(), project).await, std::slice::from_ref(&unaffected));
    }
}

/// A token that does not exist, or no longer exists, cannot be deleted.
pub async fn deleting_an_unknown_token_fails(store: &Arc<dyn Store>) {
    let (existing, never_stored) = (token(1, &["default"]), token(2, &["default"]));
    setup::token(store.as_ref(), &existing).await;
    store.delete_token(existing.token.id, &token_deleted(&existing)).await.expect("removed");
    for stored in [existing, never_stored] {
        let (id, event) = (stored.token.id, token_deleted(&stored));
        let refused = expect_error(store.as_ref(), store.delete_token(id, &event)).await;
        assert_eq!(refused, ErrorKind::NotFound(Entity::Token(id)));
    }
}

/// The id, secret and alias of a deleted token can be used again.
pub async fn a_deleted_token_frees_its_id_secret_and_quota(store: &Arc<dyn Store>) {
    let mut stored = token(1, &["default"]);
    stored.alias = Some(secret(101));
    for _ in 0..2 {
        assert_token_round_trips(store.as_ref(), &stored).await;
        store.delete_token(stored.token.id, &token_deleted(&stored)).await.expect("removed");
    }
    let again = store.create_token(&stored, Quota(1), &token_created(&stored)).await;
    again.expect("the quota has room again");
}

async fn error_of_creation(store: &dyn Store, stored: &StoredToken, quota: Quota) -> ErrorKind {
    let event = token_created(stored);
    let refusal = expect_error(store, store.create_token(stored, quota, &event)).await;
    if refusal != ErrorKind::Conflict(Entity::Secret) {
        let found = token_of_digest(store, &[stored.secret.digest]).await;
        assert_eq!(found, None, "a refused token authenticates");
    }
    refusal
}

async fn create(store: &dyn Store, stored: &StoredToken, quota: Quota) {
    let event = token_created(stored);
    store.create_token(stored, quota, &event).await.expect("there is room");
}

fn scoped_to(mut stored: StoredToken, projects: ProjectScope, name: &str) -> StoredToken {
    stored.token.access = TokenAccess::Client(Scope { projects, environment: environment(name) });
    stored
}

/// The unknown environment is reported first, then the first unknown project, then the limit, then a
/// conflict.
pub async fn token_creation_errors_have_a_fixed_order(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::token(store, &token(1, &["default"])).await;
    let clashing = |projects: &[&str], name| {
        let mut stored = scoped_to(token(1, projects), only(projects), name);
        stored.alias = Some(secret(1));
        stored
    };
    let full = Quota(1);
    let event = |stored: &StoredToken| token_created(stored);

    let all_wrong = clashing(&["default", "z", "y"], "nowhere");
    let environment_first =
        expect_error(store, store.create_token(&all_wrong, full, &event(&all_wrong))).await;
    assert_eq!(environment_first, ErrorKind::NotFound(Entity::Environment(environment("nowhere"))));

    let places_known = clashing(&["default", "z", "y"], "production");
    let then_project =
        expect_error(store, store.create_token(&places_known, full, &event(&places_known))).await;
    assert_eq!(then_project, ErrorKind::NotFound(Entity::Project(project_id("z"))));

    let full_up = clashing(&["default"], "production");
    let then_limit = expect_error(store, store.create_token(&full_up, full, &event(&full_up))).await;
    assert_eq!(then_limit, ErrorKind::LimitReached(1));

    let then_conflict =
        expect_error(store, store.create_token(&full_up, AMPLE_QUOTA, &event(&full_up))).await;
    assert!(matches!(then_conflict, ErrorKind::Conflict(_)), "{then_conflict:?}");
}

/// Projects and environments are compared exactly: no case folding, no wildcards.
pub async fn a_token_of_an_unknown_project_or_environment_is_rejected(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    for name in ["Development", "developmen_", "test"] {
        for projects in [ProjectScope::All, only(&["default"])] {
            let stored = scoped_to(token(1, &["default"]), projects, name);
            let expected = ErrorKind::NotFound(Entity::Environment(environment(name)));
            assert_eq!(error_of_creation(store, &stored, AMPLE_QUOTA).await, expected);
        }
    }
    for id in ["DEFAULT", "defaul_", "nope"] {
        let expected = ErrorKind::NotFound(Entity::Project(project_id(id)));
        assert_eq!(error_of_creation(store, &token(1, &["default", id]), AMPLE_QUOTA).await, expected);
    }
}

/// The quota counts the tokens that name the project, alone or with others. Tokens of other projects and of
/// all projects do not count, and a deletion frees a slot.
pub async fn the_token_quota_counts_per_project(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::projects(store, &["a", "b"]).await;
    setup::tokens(store, &[token_of_all_projects(1), admin_token(2), token(3, &["b"]), token(4, &["b"])])
        .await;
    create(store, &token(5, &["a"]), Quota(2)).await;
    create(store, &token(6, &["default", "a"]), Quota(2)).await;

    assert_eq!(error_of_creation(store, &token(7, &["a"]), Quota(2)).await, ErrorKind::LimitReached(2));
    assert_eq!(
        error_of_creation(store, &token(7, &["default", "a"]), Quota(2)).await,
        ErrorKind::LimitReached(2)
    );
    assert_eq!(
        error_of_creation(store, &token(7, &["a", "default"]), Quota(2)).await,
        ErrorKind::LimitReached(2)
    );
    assert_eq!(error_of_creation(store, &token(7, &["default"]), Quota(0)).await, ErrorKind::LimitReached(0));

    create(store, &token(8, &["default"]), Quota(2)).await;
    let deleted = token(5, &["a"]);
    store.delete_token(deleted.token.id, &token_deleted(&deleted)).await.expect("removed");
    create(store, &token(9, &["a"]), Quota(2)).await;
    assert_eq!(error_of_creation(store, &token(10, &["a"]), Quota(2)).await, ErrorKind::LimitReached(2));
}

/// Tokens of all projects, including admin tokens, share a separate quota.
pub async fn tokens_of_all_projects_have_their_own_quota(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    setup::tokens(store, &[token(1, &["default"]), token(2, &["default"]), token(3, &["default"])]).await;
    create(store, &token_of_all_projects(4), Quota(2)).await;
    create(store, &admin_token(5), Quota(2)).await;
    assert_eq!(
        error_of_creation(store, &token_of_all_projects(6), Quota(2)).await,
        ErrorKind::LimitReached(2)
    );
    assert_eq!(error_of_creation(store, &admin_token(6), Quota(2)).await, ErrorKind::LimitReached(2));
    let deleted = admin_token(5);
    store.delete_token(deleted.token.id, &token_deleted(&deleted)).await.expect("removed");
    create(store, &token_of_all_projects(7), Quota(2)).await;
}

/// The largest quota does not limit anything.
pub async fn the_largest_quota_is_no_limit(store: &Arc<dyn Store>) {
    create(store.as_ref(), &token(1, &["default"]), Quota(u64::MAX)).await;
    create(store.as_ref(), &admin_token(2), Quota(u64::MAX)).await;
}

/// No two tokens share a digest, whether as secret or as alias.
pub async fn a_token_digest_is_unique(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let mut existing = token(1, &["default"]);
    existing.alias = Some(secret(101));
    setup::token(store, &existing).await;

    let of = |secret_number, alias_number: Option<u64>| {
        let mut stored = token(2, &["default"]);
        stored.secret = secret(secret_number);
        stored.alias = alias_number.map(secret);
        stored
    };
    for clashing in [of(1, None), of(101, None), of(2, Some(101)), of(2, Some(1)), of(1, Some(101))] {
        let refusal = error_of_creation(store, &clashing, AMPLE_QUOTA).await;
        assert_eq!(refusal, ErrorKind::Conflict(Entity::Secret));
        assert_eq!(store.find_token(clashing.token.id).await.expect("a lookup"), None);
    }
    let found = token_of_digest(store, &[digest(2)]).await;
    assert_eq!(found, None, "a refused token authenticates");
}

/// A token id is used once.
pub async fn a_token_id_is_unique(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let existing = token(1, &["default"]);
    setup::token(store, &existing).await;
    let mut clashing = admin_token(2);
    clashing.token.id = existing.token.id;
    let refusal = error_of_creation(store, &clashing, AMPLE_QUOTA).await;
    assert_eq!(refusal, ErrorKind::Conflict(Entity::Token(existing.token.id)));
    assert_eq!(store.find_token(existing.token.id).await.expect("a lookup"), Some(existing));
}
