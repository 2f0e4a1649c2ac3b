//! Lists of tokens that are read in portions.

use std::time::Duration;

use latchkey_domain::{ProjectScope, TokenAccess, TokenName};
use latchkey_ports::{Direction, Quota, TokenOrder, TokenRepository as _};
use latchkey_service::{Initiator, Reveal, TokenDraft, TokenFilter, TokenPage};

use crate::support::{TestEnv, client_of, permit, project_id, settings, system};

/// More than two portions, and the last one is not full.
const TOKENS: u32 = 2 * TokenFilter::MAX + 5;

/// An environment with [`TOKENS`] tokens of this access, whose names are in the reverse order of their ids.
async fn env_with_many(access: &TokenAccess) -> TestEnv {
    let mut settings = settings(Reveal::Always);
    settings.tokens.quota = Quota(u64::MAX);
    let env = TestEnv::with(settings);
    for number in (1..=TOKENS).rev() {
        env.clock.advance(Duration::from_millis(1));
        let draft = TokenDraft::new(TokenName::new(&format!("{number:04}")).expect("a name"), access.clone());
        env.use_cases.issuer.issue(draft, &Initiator::system()).await.expect("issued");
    }
    env
}

/// The lengths of the portions of a list, and the names of all its tokens in order.
async fn lengths_and_names(first: TokenPage) -> (Vec<usize>, Vec<String>) {
    let (mut lengths, mut names) = (Vec::new(), Vec::new());
    let mut page = Some(first);
    while let Some(TokenPage { tokens, rest, .. }) = page {
        lengths.push(tokens.len());
        names.extend(tokens.iter().map(|token| token.token.name.to_string()));
        assert!(tokens.iter().all(|token| token.secret.is_some()), "opened");
        page = match rest {
            Some(rest) => Some(rest.read().await.expect("a portion")),
            None => None,
        };
    }
    (lengths, names)
}

fn sorted_by(order: TokenOrder, direction: Direction) -> TokenFilter {
    TokenFilter { order, direction, ..TokenFilter::default() }
}

#[tokio::test]
async fn a_long_list_comes_in_portions_without_gaps() {
    use Direction::{Ascending, Descending};

    let env = env_with_many(&client_of(ProjectScope::one(project_id("default")))).await;
    let (project, instance) = (&env.use_cases.project_tokens, &env.use_cases.instance_tokens);
    let ascending: Vec<String> = (1..=TOKENS).map(|number| format!("{number:04}")).collect();
    let descending: Vec<String> = ascending.iter().rev().cloned().collect();

    for (order, direction, expected) in [
        (TokenOrder::CreatedAt, Ascending, &descending),
        (TokenOrder::CreatedAt, Descending, &ascending),
        (TokenOrder::Name, Ascending, &ascending),
        (TokenOrder::Name, Descending, &descending),
    ] {
        let filter = sorted_by(order, direction);
        let of_project = project.search(&permit("default"), filter.clone()).await.expect("listed");
        let of_instance = instance.search(&system(), filter).await.expect("listed");
        for first in [of_project, of_instance] {
            let (lengths, names) = lengths_and_names(first).await;
            assert_eq!(lengths, [1_000, 1_000, 5], "{order:?} {direction:?}");
            assert_eq!(names, *expected, "{order:?} {direction:?}");
        }
    }
}

#[tokio::test]
async fn an_offset_counts_once_and_a_cursor_is_kept() {
    let env = env_with_many(&client_of(ProjectScope::All)).await;
    let instance = &env.use_cases.instance_tokens;
    let first = TokenFilter { limit: Some(3), ..TokenFilter::default() };
    let page = instance.search(&system(), first).await.expect("a page");
    assert!(page.rest.is_none(), "a page with a limit is no portion");
    let offset = TokenFilter { offset: 3, ..TokenFilter::default() };
    let cursor = TokenFilter { after: page.next, ..TokenFilter::default() };
    for filter in [offset, cursor] {
        let first = instance.search(&system(), filter).await.expect("listed");
        let (lengths, names) = lengths_and_names(first).await;
        assert_eq!(lengths, [1_000, 1_000, 2]);
        assert_eq!(names.first(), Some(&format!("{:04}", TOKENS - 3)));
    }
}

#[tokio::test]
async fn a_list_that_fills_its_portions_has_no_empty_one() {
    let env = env_with_many(&client_of(ProjectScope::All)).await;
    let filter = TokenFilter { offset: 5, ..TokenFilter::default() };
    let first = env.use_cases.instance_tokens.search(&system(), filter).await.expect("listed");
    assert_eq!(lengths_and_names(first).await.0, [1_000, 1_000]);
}

#[tokio::test]
async fn a_copy_continues_where_the_original_is() {
    let env = env_with_many(&client_of(ProjectScope::All)).await;
    for order in [TokenOrder::CreatedAt, TokenOrder::Name] {
        let filter = sorted_by(order, Direction::Ascending);
        let first = env.use_cases.instance_tokens.search(&system(), filter).await.expect("listed");
        let rest = first.rest.expect("more");
        let copy = lengths_and_names(rest.clone().read().await.expect("a portion")).await;
        assert_eq!(copy.0, [1_000, 5]);
        assert_eq!(lengths_and_names(rest.read().await.expect("a portion")).await, copy);
    }
}

/// Only the portion that is read is in memory, so a token that is deleted meanwhile is not in a later one.
#[tokio::test]
async fn a_portion_shows_the_tokens_as_they_are_when_it_is_read() {
    let env = env_with_many(&client_of(ProjectScope::one(project_id("default")))).await;
    let first = env.use_cases.project_tokens.search(&permit("default"), TokenFilter::default()).await;
    let first = first.expect("listed");
    for token in env.tokens_of("default").await.into_iter().skip(1_500) {
        let event = env.events().await.into_iter().next().expect("an event").record;
        env.store.delete_token(token.id, &event).await.expect("deleted");
    }
    assert_eq!(lengths_and_names(first).await.0, [1_000, 500]);
}
