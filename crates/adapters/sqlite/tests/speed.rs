//! t
#![allow(clippy::all, clippy::allow_attributes, clippy::allow_attributes_without_reason)]
use diesel::{connection::SimpleConnection, prelude::*};
use latchkey_domain::*;
use latchkey_ports::*;
use latchkey_sqlite::*;
use std::{path::Path, time::Instant};
const MANY: &str = "
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199)
    INSERT INTO projects SELECT 'project-' || i, 'P', '', 0, NULL FROM n;
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
    INSERT INTO api_tokens
    SELECT unhex(printf('%032x', i)), 'token', 'client', i % 100 = 0, 'development', NULL, i, NULL,
        unhex(printf('%064x', i)), x'00000000', randomblob(100), NULL, NULL, NULL
    FROM n;
    INSERT INTO api_token_projects
    SELECT 'project-' || (created_at % 200), id, 0 FROM api_tokens WHERE NOT all_projects;
    INSERT INTO api_token_projects
    SELECT 'project-' || ((created_at + 7) % 200), id, 1 FROM api_tokens
    WHERE NOT all_projects AND created_at % 20 = 1;
    delete from api_tokens where rowid_dummy is not null;";
diesel::table! { api_tokens (id) { id -> Binary, name -> Text, kind -> Text, all_projects -> Bool, environment -> Nullable<Text>, expires_at -> Nullable<BigInt>, created_at -> BigInt, seen_at -> Nullable<BigInt>, secret_digest -> Binary, secret_key -> Binary, secret_sealed -> Nullable<Binary>, } }
diesel::table! { api_token_projects (token_id, position) { project_id -> Text, token_id -> Binary, position -> BigInt, } }
diesel::allow_tables_to_appear_in_same_query!(api_tokens, api_token_projects);
type R = (
    Vec<u8>,
    String,
    String,
    bool,
    Option<String>,
    Option<i64>,
    i64,
    Option<i64>,
    Vec<u8>,
    Vec<u8>,
    Option<Vec<u8>>,
);
fn bare(c: &mut SqliteConnection, p: &str) -> Vec<R> {
    api_token_projects::table
        .inner_join(api_tokens::table.on(api_tokens::id.eq(api_token_projects::token_id)))
        .filter(api_token_projects::project_id.eq(p))
        .order(api_token_projects::token_id)
        .select(api_tokens::all_columns)
        .load(c)
        .unwrap()
}
#[test]
fn speed() {
    let d = tempfile::tempdir().unwrap();
    let path = d.path().join("a.db");
    let store =
        SqliteStore::open(SqliteSettings { location: Location::File(path.clone()), ..Default::default() })
            .unwrap();
    store.migrate().unwrap();
    let mut c = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    c.batch_execute(MANY.rsplit_once("delete").unwrap().0).unwrap();
    c.batch_execute("insert into projects values('small','s','',0,null); insert into api_token_projects select 'small', id, 5 from api_tokens where created_at between 1 and 10; PRAGMA synchronous=FULL").unwrap();
    for p in ["project-7", "small"] {
        let n = 3000;
        let t = Instant::now();
        let mut rows = 0;
        for _ in 0..n {
            rows = bare(&mut c, p).len();
        }
        println!("bare {p} rows {rows}: {:?}/call", t.elapsed() / n);
        let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let id = ProjectId::new(p).unwrap();
        rt.block_on(async {
            let t = Instant::now();
            for _ in 0..n {
                rows = store.tokens_of_project(&id).await.unwrap().len();
            }
            println!("store sequential {p} {rows}: {:?}/call", t.elapsed() / n);
        });
        // concurrency 2 threads both
        let t = Instant::now();
        std::thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(|| {
                    let mut c = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
                    for _ in 0..n {
                        bare(&mut c, p);
                    }
                });
            }
        });
        println!("bare 2 threads: {:?}/call", t.elapsed() / (2 * n));
        let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        rt.block_on(async {
            let t = Instant::now();
            let hs: Vec<_> = (0..16)
                .map(|_| {
                    let s = store.clone();
                    let id = id.clone();
                    tokio::spawn(async move {
                        for _ in 0..n / 8 {
                            s.tokens_of_project(&id).await.unwrap();
                        }
                    })
                })
                .collect();
            for h in hs {
                h.await.unwrap();
            }
            println!("store 16 tasks: {:?}/call", t.elapsed() / (2 * n));
        });
    }
    let digest = SecretDigest({
        let mut b = [0u8; 32];
        b[31] = 9;
        b
    });
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    rt.block_on(async {
        let n = 5000;
        let t = Instant::now();
        for _ in 0..n {
            assert!(store.find_token_by_digest(&[digest]).await.unwrap().is_some());
        }
        println!("digest: {:?}/call", t.elapsed() / n);
    });
    println!(
        "{}",
        std::fs::read_to_string("/proc/self/status")
            .unwrap()
            .lines()
            .filter(|l| l.starts_with("VmRSS") || l.starts_with("VmHWM"))
            .collect::<Vec<_>>()
            .join(" ")
    );
}
