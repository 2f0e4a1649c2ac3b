//! The routes for the tokens of a project (`docs/reference/wire-contract.md`) on every store.

use latchkey_testkit::env::Store;
mod creation;
mod deletion;
mod fixtures;
mod listing;
mod refusal;

/// Declares each case as a test on each store.
macro_rules! rows {
    (on every store: $($module:ident :: $row:ident),* ; on databases: $($database_module:ident :: $database_row:ident),* $(;)?) => {
        mod memory {
            $(#[test] fn $row() { super::$module::$row(super::Store::Memory); })*
        }
        mod sqlite {
            $(#[test] fn $row() { super::$module::$row(super::Store::Sqlite); })*
            $(#[test] fn $database_row() { super::$database_module::$database_row(super::Store::Sqlite); })*
        }
        mod postgres {
            $(#[test] fn $row() { super::$module::$row(super::Store::Postgres); })*
            $(#[test] fn $database_row() { super::$database_module::$database_row(super::Store::Postgres); })*
        }
    };
}

rows! {
    on every store:
        listing::a_list_holds_the_tokens_that_name_the_project,
        refusal::listing_is_refused_to_other_clients,
        creation::a_creation_answers_the_token_and_leaves_an_event,
        creation::defaults_and_other_spellings_of_a_creation,
        creation::creation_checks_come_in_order,
        deletion::a_deletion_answers_nothing_and_leaves_an_event,
        listing::using_a_token_updates_when_it_was_seen,
        refusal::other_methods_and_routes_are_refused;
    // These need users or read the database, which the memory store does not offer.
    on databases:
        refusal::a_missing_permission_is_named_and_tells_nothing_else,
        deletion::a_token_is_deleted_by_its_id_too;
}
