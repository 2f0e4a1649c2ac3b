//! Every operation by every caller: the table in `permission_matrix/table.txt` against the running server. The operations
//! come from the OpenAPI document, so that none can be forgotten.

mod fixtures;
mod own_token;
mod table;

use std::collections::BTreeSet;

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::Request,
    server::Server,
};
use serde_json::Value;

use fixtures::Cast;
use table::{Row, rows};

/// Returns `METHOD /path/{parameter}` for every operation in the document.
fn operations(server: &Server) -> BTreeSet<String> {
    let document = server.send(&Request::get("/docs/openapi.json")).json();
    let paths = document["paths"].as_object().expect("paths").clone();
    let of_path = |(path, methods): (String, Value)| {
        let methods: Vec<String> = methods.as_object().expect("methods").keys().cloned().collect();
        methods
            .into_iter()
            .filter(|name| ["get", "post", "put", "delete", "patch"].contains(&name.as_str()))
            .map(move |method| format!("{} {path}", method.to_uppercase()))
    };
    paths.into_iter().flat_map(of_path).collect()
}

fn every_status_matches(store: Store) {
    let env = TestEnv::on(store)
        .with("LATCHKEY__LIMITS__PERSONAL_TOKENS", "100000")
        .with("LATCHKEY__LIMITS__API_TOKENS", "100000")
        .with("LATCHKEY__SESSIONS__MAX_PER_USER", "100000");
    let server = env.serve();
    let rows = rows();
    let listed: BTreeSet<String> = rows.iter().map(Row::operation).collect();
    assert_eq!(listed.len(), rows.len(), "a row stands twice");
    let documented = operations(&server);
    let differing: Vec<_> = listed.symmetric_difference(&documented).collect();
    assert!(differing.is_empty(), "in one of table and document, not in the other: {differing:#?}");

    let mut cast = Cast::of(&server);
    let mut faults = Vec::new();
    for row in &rows {
        for (who, expected) in row.cells() {
            let request = cast.request(row, who);
            let answer = server.send(&request);
            if answer.status != expected {
                let got = answer.status;
                faults.push(format!(
                    "{} as {who}: {got}, not {expected}: {}",
                    row.operation(),
                    answer.text()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{} cells differ:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_status_matches_on_sqlite() {
    every_status_matches(Store::Sqlite);
}

#[test]
fn every_status_matches_on_postgres() {
    every_status_matches(Store::Postgres);
}
