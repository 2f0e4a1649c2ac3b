//! A large import makes indexes and references anew: they are the same afterwards.

use futures_util::{StreamExt, stream};
use latchkey_ports::{Import, ImportRepository, TokenPortion};
use latchkey_storage_conformance::samples::{secret, token};

use crate::databases::{connected, migrated};

/// Every index, constraint and trigger of the tables, as the server describes it.
const PARTS: &str = "\
    SELECT pg_get_indexdef(indexrelid) || indisvalid::text FROM pg_index WHERE indrelid = ANY ($1::text[]::regclass[]) \
    UNION ALL SELECT conname || pg_get_constraintdef(oid) || convalidated::text FROM pg_constraint \
        WHERE conrelid = ANY ($1::text[]::regclass[]) OR confrelid = ANY ($1::text[]::regclass[]) \
    UNION ALL SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger \
        WHERE tgrelid = ANY ($1::text[]::regclass[]) AND NOT tgisinternal \
    ORDER BY 1";
const TABLES: [&str; 5] = ["api_tokens", "api_token_projects", "retired_secrets", "projects", "environments"];

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_are_as_before() {
    let (store, database) = migrated().await;
    let client = connected(database.url()).await;
    let parts = async || -> Vec<String> {
        let rows = client.query(PARTS, &[&TABLES.as_slice()]).await.expect("read");
        rows.iter().map(|row| row.get(0)).collect()
    };
    let before = parts().await;
    assert!(before.len() > 20, "{before:?}");
    let portion = |tokens: Vec<_>| Ok(TokenPortion { tokens, events: Vec::new() });
    let good = [portion(vec![token(1, &["default"])]), portion(vec![token(2, &["default"])])];
    store.import_many(Import::default(), stream::iter(good).boxed()).await.expect("imported");
    assert_eq!(parts().await, before);
    let mut taken = token(3, &["default"]);
    taken.secret = secret(1);
    let refused = store.import_many(Import::default(), stream::iter([portion(vec![taken])]).boxed()).await;
    assert!(refused.is_err());
    assert_eq!(parts().await, before);
}
