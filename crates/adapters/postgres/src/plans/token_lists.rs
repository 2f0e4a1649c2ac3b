//! Tokens that are listed: the first page of a hundred is read in order, and nothing more.

use latchkey_domain::{EnvironmentName, ProjectId, Timestamp, TokenId, TokenKind, TokenName};
use latchkey_ports::{Direction, Ends, Page, ReadableTokens, TokenOrder, TokenQuery};
use uuid::Uuid;

use super::{large_store, plan, uses, uses_in_order};
use crate::{connection::Connection, token_lists::token_list};

const ALL: [TokenKind; 3] = [TokenKind::Client, TokenKind::Admin, TokenKind::Frontend];

fn first_page() -> TokenQuery {
    TokenQuery { page: Page::first(100), ..TokenQuery::of_kinds(ALL) }
}

async fn plan_of(connection: &mut Connection, query: &TokenQuery) -> String {
    plan(connection, token_list(query).expect("there can be some")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_page_is_read_in_order() {
    let (mut connection, _database) = large_store().await;
    let orders = [
        (TokenOrder::CreatedAt, "api_tokens_id_unique"),
        (TokenOrder::Name, "api_tokens_by_name"),
        (TokenOrder::Kind, "api_tokens_by_kind"),
        (TokenOrder::Environment, "api_tokens_by_environment_name"),
        (TokenOrder::Owner, "api_tokens_by_owner"),
        (TokenOrder::Status, "api_tokens_by_status"),
        (TokenOrder::ExpiresAt, "api_tokens_by_end"),
    ];
    for (order, index) in orders {
        let ascending = TokenQuery { order, ..first_page() };
        uses_in_order(&plan_of(&mut connection, &ascending).await, &[&format!("Index Scan using {index}")]);
        let descending = TokenQuery { order, direction: Direction::Descending, ..first_page() };
        uses_in_order(
            &plan_of(&mut connection, &descending).await,
            &[&format!("Index Scan Backward using {index}")],
        );
    }
    let next = TokenQuery { after: Some(TokenId::from_uuid(Uuid::from_u128(5_000))), ..first_page() };
    let next = plan_of(&mut connection, &next).await;
    uses_in_order(&next, &["Index Scan using api_tokens_id_unique", "Index Cond: (id >"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn selective_filters_use_their_indexes() {
    let (mut connection, _database) = large_store().await;
    let connection = &mut connection;

    let admins = TokenQuery { page: Page::first(100), ..TokenQuery::of_kinds([TokenKind::Admin]) };
    uses_in_order(&plan_of(connection, &admins).await, &["api_tokens_by_kind"]);

    let project = Some(ProjectId::new("project-7").expect("an id"));
    let of_project = TokenQuery { project, ..first_page() };
    uses_in_order(
        &plan_of(connection, &of_project).await,
        &["api_token_projects_pkey", "api_tokens_id_unique"],
    );

    // The projects of few tokens, and those of nearly all.
    let few = ["project-7", "project-8"].map(|id| ProjectId::new(id).expect("an id"));
    let readable = ReadableTokens::OfProjects(few.into());
    let of_few = TokenQuery { readable, ..first_page() };
    uses(&plan_of(connection, &of_few).await, &["api_token_projects_"]);
    let most = (0..150).map(|number| ProjectId::new(&format!("project-{number}")).expect("an id"));
    let readable = ReadableTokens::OfProjects(most.collect());
    let of_most = TokenQuery { readable, ..first_page() };
    uses_in_order(&plan_of(connection, &of_most).await, &["api_tokens_id_unique"]);
    let of_any = TokenQuery { readable: ReadableTokens::OfAnyProject, ..first_page() };
    uses_in_order(&plan_of(connection, &of_any).await, &["api_tokens_id_unique"]);

    let of_all_projects = TokenQuery { of_all_projects: true, ..first_page() };
    uses(&plan_of(connection, &of_all_projects).await, &["api_tokens_of_all_projects"]);

    let environment = Some(EnvironmentName::new("rare").expect("a name"));
    let in_environment = TokenQuery { environment, ..first_page() };
    uses_in_order(&plan_of(connection, &in_environment).await, &["api_tokens_by_environment"]);

    let disabled = TokenQuery { enabled: Some(false), ..first_page() };
    uses(&plan_of(connection, &disabled).await, &["api_tokens_by_status"]);

    let now = Timestamp::from_millis(0).expect("in range");
    let expired = TokenQuery { enabled: Some(true), ends: Ends::by(now), ..first_page() };
    let by_status = TokenQuery { order: TokenOrder::Status, ..expired };
    uses_in_order(&plan_of(connection, &by_status).await, &["api_tokens_by_status", "expires_at <="]);

    let name = Some(TokenName::new("token-77").expect("a name"));
    let named = TokenQuery { name, ..first_page() };
    uses(&plan_of(connection, &named).await, &["api_tokens_by_name"]);
}
