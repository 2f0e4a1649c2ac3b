//! Imports whose tokens come in portions: all of them or nothing.

use std::{iter, sync::Arc};

use futures_util::{StreamExt, stream};
use latchkey_domain::{EventKind, RoleId};
use latchkey_ports::{
    Entity, Import, ImportedProject, Rotation, Store, StoreError, StoredToken, TokenPortion, TokenPortions,
};

use crate::{
    harness::{ErrorKind, all_events, all_tokens, expect_error, read_contents, token_of_digest},
    samples::{
        AMPLE_QUOTA, admin_token, digest, environment, event, frontend, moment, project, project_created,
        project_id, secret_shown_once, test_environment, token, token_created, token_of_all_projects,
        with_alias, working_in,
    },
    setup,
};

/// Returns portions of these tokens, each with an event.
fn portions(all: &[&[StoredToken]]) -> TokenPortions {
    let portion = |tokens: &&[StoredToken]| {
        Ok(TokenPortion { tokens: tokens.to_vec(), events: vec![event(EventKind::ApiTokensImported)] })
    };
    stream::iter(all.iter().map(portion).collect::<Vec<_>>()).boxed()
}

/// A project and an environment that come with the tokens of both.
fn places() -> Import {
    let test = test_environment("test");
    let shop = project("shop");
    let event_of_shop = project_created(&shop);
    Import {
        projects: vec![ImportedProject {
            environments: vec![test.name.clone()],
            replaces: None,
            event: event_of_shop,
            project: shop,
        }],
        environments: vec![(test, event(EventKind::EnvironmentCreated))],
        ..Import::default()
    }
}

/// All portions come, with what they refer to, and the store is in order afterwards.
pub async fn portions_are_one_import(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let before = token(1, &["default"]);
    setup::token(store, &before).await;
    let first = [
        token(2, &["shop", "default"]),
        with_alias(103, frontend(working_in("test", token(3, &["shop"])))),
        admin_token(4),
    ];
    let second =
        [token_of_all_projects(5), StoredToken { secret: secret_shown_once(6), ..token(6, &["shop"]) }];
    store.import_many(places(), portions(&[&first, &[], &second])).await.expect("imported");

    let all: Vec<StoredToken> = iter::once(&before).chain(&first).chain(&second).cloned().collect();
    assert_eq!(all_tokens(store).await, all);
    for number in [1, 2, 3, 4, 5, 6, 103] {
        assert!(
            token_of_digest(store, &[digest(number)]).await.is_some(),
            "the token of the digest {number}"
        );
    }
    let kinds: Vec<_> = all_events(store).await.iter().map(|event| event.record.kind).collect();
    let imported = kinds.iter().filter(|kind| **kind == EventKind::ApiTokensImported).count();
    assert_eq!((kinds.len(), imported), (6, 3));
    let overview = store.project_overview(&project_id("shop")).await.expect("a lookup").expect("the project");
    assert_eq!(overview.tokens, 3);
    let environments = store.environments().await.expect("read");
    let test = environments.iter().find(|one| one.environment.name == environment("test"));
    assert_eq!(test.map(|one| one.tokens), Some(1));

    // Secrets are unique, and what a token names exists, as before.
    for (refused, error) in [
        (
            StoredToken { secret: all[1].secret.clone(), ..token(7, &["default"]) },
            ErrorKind::Conflict(Entity::Secret),
        ),
        (with_alias(103, token(7, &["default"])), ErrorKind::Conflict(Entity::Secret)),
        (token(7, &["nothing"]), ErrorKind::NotFound(Entity::Project(project_id("nothing")))),
        (
            working_in("nowhere", token(7, &["default"])),
            ErrorKind::NotFound(Entity::Environment(environment("nowhere"))),
        ),
    ] {
        let event = token_created(&refused);
        assert_eq!(expect_error(store, store.create_token(&refused, AMPLE_QUOTA, &event)).await, error);
    }
}

/// Without a portion, everything else comes.
pub async fn an_import_needs_no_portions(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store.import_many(places(), portions(&[])).await.expect("imported");
    assert!(store.find_project(&project_id("shop")).await.expect("a lookup").is_some());
}

/// An error between two portions leaves the store as it was.
pub async fn an_error_undoes_all_portions(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let contents = read_contents(store).await;
    let good = TokenPortion { tokens: vec![token(1, &["default"])], events: Vec::new() };
    let broken = [Ok(good), Err(StoreError::Conflict(Entity::Role(RoleId(77))))];
    let refused = store.import_many(places(), stream::iter(broken).boxed());
    assert_eq!(expect_error(store, refused).await, ErrorKind::Conflict(Entity::Role(RoleId(77))));
    assert_eq!(read_contents(store).await, contents);
}

/// What a token of any portion names must exist.
pub async fn what_portions_refer_to_must_exist(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let contents = read_contents(store).await;
    for (refused, missing) in [
        (token(2, &["default", "nothing"]), Entity::Project(project_id("nothing"))),
        (working_in("nowhere", token(2, &["default"])), Entity::Environment(environment("nowhere"))),
    ] {
        let import = store.import_many(Import::default(), portions(&[&[token(1, &["default"])], &[refused]]));
        assert_eq!(expect_error(store, import).await, ErrorKind::NotFound(missing));
        assert_eq!(read_contents(store).await, contents);
    }
}

/// No two tokens have a secret in common, in whatever portions they come and in whatever way they have it.
pub async fn secrets_of_portions_are_unique(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    let known = with_alias(101, token(1, &["default"]));
    setup::token(store, &known).await;
    let rotation = Rotation {
        token: known.token.id,
        from: known.secret.digest,
        to: secret_shown_once(102),
        overlap_until: Some(moment(900)),
        update: None,
    };
    setup::rotation(store, &rotation).await;
    let contents = read_contents(store).await;
    let with_secret =
        |of: u64, number| StoredToken { secret: secret_shown_once(of), ..token(number, &["default"]) };
    let cases: [(&str, &[StoredToken], &[StoredToken]); 7] = [
        ("the secret of a portion", &[token(2, &["default"])], &[with_secret(2, 3)]),
        ("the alias of a portion", &[with_alias(7, token(2, &["default"]))], &[with_secret(7, 3)]),
        ("aliases", &[with_alias(7, token(2, &["default"]))], &[with_alias(7, token(3, &["default"]))]),
        ("a secret of the store", &[], &[with_secret(102, 3)]),
        ("an alias of the store", &[], &[with_secret(101, 3)]),
        ("a retired secret of the store", &[], &[with_secret(1, 3)]),
        ("an alias that is a retired secret", &[], &[with_alias(1, token(3, &["default"]))]),
    ];
    for (case, first, second) in cases {
        let import = store.import_many(Import::default(), portions(&[first, second]));
        assert_eq!(expect_error(store, import).await, ErrorKind::Conflict(Entity::Secret), "{case}");
        assert_eq!(read_contents(store).await, contents, "{case}");
    }
}
