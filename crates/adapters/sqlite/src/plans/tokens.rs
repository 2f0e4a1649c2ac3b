//! How tokens are found.

use diesel::QueryDsl;
use latchkey_domain::{Timestamp, TokenId, TokenKind};
use latchkey_ports::{Direction, Ends, Page, ReadableTokens, TokenOrder, TokenQuery};
use latchkey_sql::columns::DbId;
use uuid::Uuid;

use super::{assert_plan, plan, plan_of_text, with_large_store};
use crate::{
    token_lists::{Filter, links as links_of_project, token_list},
    token_queries::{
        RECORD_USE, count_tokens_of_all_projects, count_tokens_of_project, projects_of_token,
        token_by_digest, token_by_id, token_by_retired_digest, token_by_selector,
        tokens_of_environment_after, tokens_of_project_from,
    },
};

const ID: DbId = DbId(Uuid::from_bytes([7; 16]));

#[test]
fn a_token_is_found_by_id_and_digest_by_keys_alone() {
    with_large_store(|connection| {
        for plan in [
            plan(connection, &token_by_id(ID)),
            plan(connection, &projects_of_token(ID)),
            plan(connection, &token_by_selector("AAAAAAAAAAAAAAAAAAAAAA")),
            plan(connection, &token_by_digest(&[7; 32])),
            plan(connection, &token_by_retired_digest(&[7; 32])),
            plan_of_text(connection, "DELETE FROM api_tokens WHERE id = ?"),
        ] {
            let searches = plan.iter().filter(|step| step.contains("SEARCH")).count();
            assert!(searches > 0, "{plan:#?}");
            let dear = |step: &String| step.contains("SCAN") || step.contains("TEMP B-TREE");
            assert!(!plan.iter().any(dear), "{plan:#?}");
        }
    });
}

#[test]
fn quotas_are_counted_in_indexes() {
    with_large_store(|connection| {
        assert_eq!(
            plan(connection, &count_tokens_of_project("project-7")),
            ["SEARCH project_token_counts USING PRIMARY KEY (project_id=?)"]
        );
        // A scan of the partial index, which holds the tokens of all projects and no other.
        assert_eq!(
            plan(connection, &count_tokens_of_all_projects()),
            ["SCAN api_tokens USING COVERING INDEX api_tokens_of_all_projects"]
        );
    });
}

#[test]
fn secrets_are_walked_down_the_primary_key() {
    with_large_store(|connection| {
        assert_plan(
            &plan(connection, &latchkey_sql::queries::token_secrets_after(ID, 500)),
            &["SEARCH api_tokens USING PRIMARY KEY (id>?)"],
        );
    });
}

#[test]
fn tokens_seen_are_found_by_id() {
    with_large_store(|connection| {
        let plan = plan_of_text(connection, RECORD_USE);
        assert!(plan.iter().any(|step| step == "SEARCH api_tokens USING PRIMARY KEY (id=?)"), "{plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("SCAN api_tokens")), "{plan:#?}");
    });
}

#[test]
fn the_next_tokens_of_a_project_or_environment_are_found_in_order_by_keys_alone() {
    with_large_store(|connection| {
        assert_plan(
            &plan(connection, &tokens_of_project_from("project-7", ID)),
            &[
                "SEARCH api_token_projects USING COVERING INDEX api_token_projects_by_project (project_id=? AND token_id>?)",
                "SEARCH api_tokens USING PRIMARY KEY (id=?)",
            ],
        );
        assert_plan(
            &plan(connection, &tokens_of_environment_after("development", ID, 500)),
            &["SEARCH api_tokens USING"],
        );
    });
}

/// The first page of the tokens of two kinds.
fn first_page() -> TokenQuery {
    let kinds = [TokenKind::Client, TokenKind::Frontend];
    TokenQuery { page: Page::first(100), ..TokenQuery::of_kinds(kinds) }
}

fn moment() -> Timestamp {
    Timestamp::from_millis(9_000).expect("in range")
}

const ORDERS: [(TokenOrder, &str); 8] = [
    (TokenOrder::CreatedAt, "SCAN api_tokens"),
    (TokenOrder::Name, "SCAN api_tokens USING INDEX api_tokens_by_name"),
    (TokenOrder::Kind, "SCAN api_tokens USING INDEX api_tokens_by_kind"),
    (TokenOrder::Environment, "SCAN api_tokens USING INDEX api_tokens_by_environment"),
    (TokenOrder::Owner, "SCAN api_tokens USING INDEX api_tokens_by_owner"),
    (TokenOrder::Status, "SCAN api_tokens USING INDEX api_tokens_by_status"),
    (TokenOrder::ExpiresAt, "SCAN api_tokens USING INDEX api_tokens_by_end"),
    (TokenOrder::SeenAt, "SCAN api_tokens USING INDEX api_tokens_by_use"),
];

#[test]
fn a_list_goes_down_the_index_of_its_order_whatever_its_filters() {
    with_large_store(|connection| {
        for direction in [Direction::Ascending, Direction::Descending] {
            for (order, walk) in ORDERS {
                let plain = TokenQuery { order, direction, ..first_page() };
                assert_plan(&plan(connection, &token_list(&plain, None)), &[walk]);
                let name_contains = Some("7".to_owned());
                let filtered = TokenQuery { name_contains, enabled: Some(true), ..plain.clone() };
                if order != TokenOrder::Status {
                    assert_plan(&plan(connection, &token_list(&filtered, None)), &[walk]);
                }
                let environment = "development".parse().ok();
                let filtered = TokenQuery { environment, ..plain.clone() };
                if order != TokenOrder::Environment {
                    assert_plan(&plan(connection, &token_list(&filtered, None)), &[walk]);
                }
                let filtered = TokenQuery { kinds: [TokenKind::Client].into(), ..plain };
                if order != TokenOrder::Kind {
                    assert_plan(&plan(connection, &token_list(&filtered, None)), &[walk]);
                }
            }
        }
        let after = Some(TokenId::new(moment(), [0; 10]));
        let rest = TokenQuery { after, ..first_page() };
        assert_plan(
            &plan(connection, &token_list(&rest, None)),
            &["SEARCH api_tokens USING PRIMARY KEY (id>?)"],
        );
    });
}

#[test]
fn a_range_is_a_piece_of_the_index_of_its_order() {
    with_large_store(|connection| {
        for ends in [Ends::by(moment()), Ends::after(moment())] {
            let order = TokenOrder::ExpiresAt;
            let query = TokenQuery { order, ends, ..first_page() };
            let step = "SEARCH api_tokens USING INDEX api_tokens_by_end (ends_at";
            assert_plan(&plan(connection, &token_list(&query, None)), &[step]);
        }
        let query = TokenQuery { order: TokenOrder::SeenAt, unused_since: Some(moment()), ..first_page() };
        let step = "SEARCH api_tokens USING INDEX api_tokens_by_use (used_at<?)";
        assert_plan(&plan(connection, &token_list(&query, None)), &[step]);

        let kinds = [TokenKind::Client].into();
        let query = TokenQuery { order: TokenOrder::Kind, kinds, ..first_page() };
        let step = "SEARCH api_tokens USING INDEX api_tokens_by_kind (kind=?)";
        assert_plan(&plan(connection, &token_list(&query, None)), &[step]);
        let environment = "development".parse().ok();
        let query = TokenQuery { order: TokenOrder::Environment, environment, ..first_page() };
        let step = "SEARCH api_tokens USING INDEX api_tokens_by_environment (environment=?)";
        assert_plan(&plan(connection, &token_list(&query, None)), &[step]);
        let query = TokenQuery { order: TokenOrder::Status, enabled: Some(true), ..first_page() };
        let step = "SEARCH api_tokens USING INDEX api_tokens_by_status (enabled=?)";
        assert_plan(&plan(connection, &token_list(&query, None)), &[step]);
        let query = TokenQuery { ends: Ends::by(moment()), ..query };
        let step = "SEARCH api_tokens USING INDEX api_tokens_by_status (enabled=? AND ends_at<?)";
        assert_plan(&plan(connection, &token_list(&query, None)), &[step]);
    });
}

/// A query with every filter.
fn with_every_filter() -> TokenQuery {
    TokenQuery {
        kinds: [TokenKind::Client].into(),
        project: "project-7".parse().ok(),
        environment: "development".parse().ok(),
        name: "token7".parse().ok(),
        name_contains: Some("7".to_owned()),
        enabled: Some(false),
        ends: Ends::by(moment()),
        unused_since: Some(moment()),
        ..first_page()
    }
}

const LINK_OF_TOKEN: &str = "SEARCH api_token_projects EXISTS USING COVERING INDEX api_token_projects_by_project (project_id=? AND token_id=?)";
const LINKS_OF_PROJECT: &str =
    "SEARCH api_token_projects USING COVERING INDEX api_token_projects_by_project (project_id=?)";

#[test]
fn few_tokens_are_found_by_their_ids_in_order() {
    with_large_store(|connection| {
        let by_ids = ["SEARCH api_tokens USING PRIMARY KEY (id=?)", "LIST SUBQUERY"];
        for (filter, inner) in [
            (Filter::Project, LINKS_OF_PROJECT),
            (Filter::Name, "SEARCH api_tokens USING COVERING INDEX api_tokens_by_name (name=?)"),
            // An index of a generated column covers nothing.
            (Filter::Enabled, "SEARCH api_tokens USING INDEX api_tokens_by_status (enabled=?)"),
            (Filter::Expired, "SEARCH api_tokens USING INDEX api_tokens_by_end (ends_at<?)"),
            (Filter::Unused, "SEARCH api_tokens USING INDEX api_tokens_by_use (used_at<?)"),
            (
                Filter::Environment,
                "SEARCH api_tokens USING COVERING INDEX api_tokens_by_environment (environment=?)",
            ),
            (Filter::Kind, "SEARCH api_tokens USING COVERING INDEX api_tokens_by_kind (kind=?)"),
        ] {
            let mut query = with_every_filter();
            let mut steps = [&by_ids[..], &[inner]].concat();
            if filter != Filter::Project {
                steps.push(LINK_OF_TOKEN);
            }
            assert_plan(&plan(connection, &token_list(&query, Some(filter))), &steps);
            query.after = Some(TokenId::new(moment(), [0; 10]));
            assert_plan(&plan(connection, &token_list(&query, Some(filter))), &steps);
            query.order = TokenOrder::Name;
            steps.push("USE TEMP B-TREE FOR ORDER BY");
            assert_plan(&plan(connection, &token_list(&query, Some(filter))), &steps);
        }
    });
}

/// Those of one of these projects.
fn readable(projects: &[&str]) -> ReadableTokens {
    ReadableTokens::OfProjects(projects.iter().filter_map(|id| id.parse().ok()).collect())
}

#[test]
fn the_tokens_of_readable_projects_are_found_by_their_links_or_in_order() {
    with_large_store(|connection| {
        let query = TokenQuery { readable: readable(&["project-7", "project-8"]), ..first_page() };
        assert_eq!(Filter::that_leaves_few(connection, &query).expect("counted"), Some(Filter::Readable));
        assert_plan(
            &plan(connection, &token_list(&query, Some(Filter::Readable))),
            &["SEARCH api_tokens USING PRIMARY KEY (id=?)", "LIST SUBQUERY", LINKS_OF_PROJECT],
        );
        let step = "SEARCH api_token_projects EXISTS USING PRIMARY KEY (token_id=?)";
        assert_plan(&plan(connection, &token_list(&query, None)), &["SCAN api_tokens", step]);
        let by_name = TokenQuery { order: TokenOrder::Name, ..query };
        let walk = "SCAN api_tokens USING INDEX api_tokens_by_name";
        assert_plan(&plan(connection, &token_list(&by_name, None)), &[walk, step]);
        let any = TokenQuery { readable: ReadableTokens::OfAnyProject, ..by_name };
        assert_eq!(Filter::that_leaves_few(connection, &any).expect("counted"), None);
        assert_plan(&plan(connection, &token_list(&any, None)), &[walk]);
    });
}

#[test]
fn whether_tokens_are_few_is_counted_in_indexes() {
    with_large_store(|connection| {
        let query = with_every_filter();
        assert_plan(
            &plan(connection, &links_of_project(query.project.as_ref().expect("one"))),
            &[LINKS_OF_PROJECT],
        );
        let of_all_projects = TokenQuery { of_all_projects: true, ..first_page() };
        assert_plan(
            &plan(connection, &Filter::AllProjects.ids(&of_all_projects).limit(100)),
            &["SCAN api_tokens USING COVERING INDEX api_tokens_of_all_projects"],
        );
        for filter in [Filter::Name, Filter::Environment, Filter::Kind] {
            let found = plan(connection, &filter.ids(&query).limit(100));
            assert_plan(&found, &["SEARCH api_tokens USING COVERING INDEX"]);
        }
    });
}

#[test]
fn the_filter_that_leaves_few_is_chosen() {
    with_large_store(|connection| {
        let mut chosen = |query: &TokenQuery| Filter::that_leaves_few(connection, query).expect("counted");
        assert_eq!(chosen(&with_every_filter()), Some(Filter::Project));
        let of_all = TokenQuery { project: None, name: None, ..with_every_filter() };
        assert_eq!(chosen(&of_all), Some(Filter::Enabled));
        let of_all = TokenQuery { enabled: None, ..of_all };
        assert_eq!(chosen(&of_all), Some(Filter::Expired));
        let dense = TokenQuery { ends: Ends::default(), unused_since: None, ..of_all };
        assert_eq!(chosen(&dense), None, "12 000 clients of development");
        let sparse = TokenQuery { environment: "production".parse().ok(), ..dense };
        assert_eq!(chosen(&sparse), Some(Filter::Environment));
        let admins = TokenQuery { kinds: [TokenKind::Admin].into(), environment: None, ..sparse };
        assert_eq!(chosen(&admins), Some(Filter::Kind));
    });
}
