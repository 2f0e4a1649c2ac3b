//! Lists of the API tokens that a caller may read.

use std::sync::Arc;

use Direction::{Ascending, Descending};
use latchkey_domain::{ProjectId, TokenKind};
use latchkey_ports::{Direction, Page, ReadableTokens, Store, TokenOrder, TokenQuery};

use crate::{
    harness::token_numbers,
    samples::{admin_token, frontend, named, project_id, token, token_of_all_projects, working_in},
    setup,
};

fn of(projects: &[&str]) -> ReadableTokens {
    ReadableTokens::OfProjects(projects.iter().map(|id| project_id(id)).collect())
}

fn readable(readable: ReadableTokens) -> TokenQuery {
    TokenQuery { readable, ..TokenQuery::of_kinds(TokenKind::ALL) }
}

async fn store_tokens(store: &dyn Store) {
    setup::projects(store, &["a", "A", "b", "c"]).await;
    let tokens = [
        named("z", token(1, &["a"])),
        named("y", token(2, &["c", "b"])),
        named("x", token(3, &["A"])),
        named("w", token_of_all_projects(4)),
        named("v", admin_token(5)),
        named("u", frontend(token(6, &["b", "a", "c"]))),
        named("t", working_in("production", token(7, &["c"]))),
    ];
    setup::tokens(store, &tokens).await;
}

/// A token is readable that names one of the projects, with all projects that it names, and once. Tokens for all projects name none.
pub async fn tokens_of_readable_projects_are_listed_once(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store_tokens(store).await;
    let expected: [(_, &[i64]); 9] = [
        (ReadableTokens::All, &[1, 2, 3, 4, 5, 6, 7]),
        (ReadableTokens::OfAnyProject, &[1, 2, 3, 6, 7]),
        (of(&[]), &[]),
        (of(&["a"]), &[1, 6]),
        (of(&["A"]), &[3]),
        (of(&["b", "c"]), &[2, 6, 7]),
        (of(&["a", "b", "c"]), &[1, 2, 6, 7]),
        (of(&["default", "nope"]), &[]),
        (of(&["a", "A", "b", "c", "nope"]), &[1, 2, 3, 6, 7]),
    ];
    for (scope, numbers) in expected {
        let query = readable(scope);
        assert_eq!(token_numbers(store, &query).await, numbers, "{:?}", query.readable);
    }
    let two = store.tokens(&readable(of(&["b"]))).await.expect("tokens");
    let named: Vec<_> = two[0].token.access.projects().named().iter().map(ProjectId::as_str).collect();
    assert_eq!(named, ["c", "b"]);
}

/// Filters, orders and pages are those of other lists.
pub async fn readable_tokens_are_filtered_sorted_and_paged(store: &Arc<dyn Store>) {
    let store = store.as_ref();
    store_tokens(store).await;
    let all = readable(of(&["a", "b", "c"]));
    let queries: [(_, &[i64]); 7] = [
        (TokenQuery { project: Some(project_id("c")), ..all.clone() }, &[2, 6, 7]),
        (TokenQuery { project: Some(project_id("c")), ..readable(of(&["a", "b"])) }, &[2, 6]),
        (TokenQuery { of_all_projects: true, ..all.clone() }, &[]),
        (TokenQuery { kinds: [TokenKind::Frontend].into(), ..all.clone() }, &[6]),
        (TokenQuery { environment: "production".parse().ok(), ..all.clone() }, &[7]),
        (
            TokenQuery { order: TokenOrder::Name, page: Page { limit: Some(2), offset: 1 }, ..all.clone() },
            &[6, 2],
        ),
        (
            TokenQuery { after: Some(token(6, &["a"]).token.id), direction: Descending, ..all.clone() },
            &[2, 1],
        ),
    ];
    for (query, expected) in queries {
        assert_eq!(token_numbers(store, &query).await, expected, "{query:?}");
    }
    for (order, ascending) in [
        (TokenOrder::CreatedAt, [1, 2, 6, 7]),
        (TokenOrder::Name, [7, 6, 2, 1]),
        (TokenOrder::Kind, [1, 2, 7, 6]),
        (TokenOrder::Environment, [1, 2, 6, 7]),
        (TokenOrder::Project, [1, 6, 2, 7]),
        (TokenOrder::Owner, [1, 2, 6, 7]),
        (TokenOrder::Status, [1, 2, 6, 7]),
        (TokenOrder::ExpiresAt, [1, 2, 6, 7]),
        (TokenOrder::SeenAt, [1, 2, 6, 7]),
    ] {
        for direction in [Ascending, Descending] {
            let mut expected = ascending;
            if direction == Descending {
                expected.reverse();
            }
            let query = TokenQuery { order, direction, ..all.clone() };
            assert_eq!(token_numbers(store, &query).await, expected, "{order:?} {direction:?}");
        }
    }
}
