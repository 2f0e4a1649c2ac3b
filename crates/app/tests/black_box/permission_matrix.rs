//! Every operation as everybody: the table in `permission_matrix/table.txt` against the running server. The operations
//! come from the OpenAPI document, so that none can be forgotten.

mod fixtures;
mod table;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    ground::{Ground, Store},
    server::Server,
    wire::Call,
};
use fixtures::Cast;
use table::{Row, rows};

/// `METHOD /path/{parameter}` of every operation in the document.
fn operations(server: &Server) -> BTreeSet<String> {
    let document = server.send(&Call::get("/docs/openapi.json")).json();
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

fn every_cell_holds(store: Store) {
    let ground = Ground::on(store)
        .with("LATCHKEY__LIMITS__PERSONAL_TOKENS", "100000")
        .with("LATCHKEY__LIMITS__API_TOKENS", "100000")
        .with("LATCHKEY__SESSIONS__MAX_PER_USER", "100000");
    let server = ground.serve();
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
            let call = cast.call(row, who);
            let answer = server.send(&call);
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
fn every_cell_holds_on_sqlite() {
    every_cell_holds(Store::Sqlite);
}

#[test]
fn every_cell_holds_on_postgres() {
    every_cell_holds(Store::Postgres);
}
