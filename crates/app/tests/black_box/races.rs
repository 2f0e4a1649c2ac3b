//! Concurrent requests: limits hold, a token is deleted once, and a deletion reaches every process.

use std::{sync::Barrier, thread};

use latchkey_testkit::{
    env::{Store, TestEnv},
    raw_http::{Request, Response},
    server::{Server, TOKENS},
    wait::until_true,
};

use crate::database::Records;

const AT_ONCE: usize = 30;
const LIMIT: usize = 7;

/// Runs the action thirty times at once.
fn all_at_once(act: impl Fn(usize) -> Response + Sync) -> Vec<Response> {
    let start = Barrier::new(AT_ONCE);
    let race = |number| {
        start.wait();
        act(number)
    };
    let race = &race;
    thread::scope(|scope| {
        let runners: Vec<_> = (0..AT_ONCE).map(|number| scope.spawn(move || race(number))).collect();
        runners.into_iter().map(|runner| runner.join().expect("an answer")).collect()
    })
}

fn with_status(answers: &[Response], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

fn post(number: usize) -> Request {
    Request::post(TOKENS, &serde_json::json!({ "tokenName": format!("t{number}"), "type": "client" }))
}

fn thirty_creations_against_a_limit_of_seven(store: Store) {
    let env = TestEnv::on(store).with("LATCHKEY__LIMITS__API_TOKENS", &LIMIT.to_string());
    let servers = [env.serve(), env.serve()];
    let answers = all_at_once(|number| servers[number % 2].as_admin(post(number)));
    assert_eq!(
        with_status(&answers, 201),
        LIMIT,
        "{:?}",
        answers.iter().map(Response::text).collect::<Vec<_>>()
    );
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(
            (refused.status, refused.kind().as_str()),
            (400, "ExceedsLimitError"),
            "{}",
            refused.text()
        );
        assert!(refused.text().contains('7'), "it names the limit: {}", refused.text());
    }
    assert_eq!(servers[0].tokens().len(), LIMIT);
    let mut records = Records::of(&env);
    // One more: the admin token of the first start.
    assert_eq!(records.count("api_tokens"), LIMIT + 1);
    assert_eq!(records.events("api-token-created"), LIMIT + 1);
}

#[test]
fn defect_20_thirty_creations_against_a_limit_of_seven_leave_seven_on_sqlite() {
    thirty_creations_against_a_limit_of_seven(Store::Sqlite);
}

#[test]
fn defect_20_thirty_creations_against_a_limit_of_seven_leave_seven_on_postgres() {
    thirty_creations_against_a_limit_of_seven(Store::Postgres);
}

fn thirty_deletions_of_one_token(store: Store) {
    let env = TestEnv::on(store);
    let server = env.serve();
    let (secret, kept) = (server.create_token("doomed"), server.create_token("kept"));
    let answers = all_at_once(|_| server.delete_token(&secret));
    assert_eq!((with_status(&answers, 200), with_status(&answers, 404)), (1, AT_ONCE - 1));
    let left = server.tokens();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(left[0]["secret"], *kept);
    let deletions = Records::of(&env).token_events();
    let deletions: Vec<_> = deletions.iter().filter(|event| event.kind == "api-token-deleted").collect();
    assert_eq!(deletions.len(), 1, "{deletions:?}");
    assert_eq!(deletions[0].before["tokenName"], "doomed");
}

#[test]
fn defect_21_thirty_deletions_of_one_token_delete_it_once_on_sqlite() {
    thirty_deletions_of_one_token(Store::Sqlite);
}

#[test]
fn defect_21_thirty_deletions_of_one_token_delete_it_once_on_postgres() {
    thirty_deletions_of_one_token(Store::Postgres);
}

/// Returns the status of an admin route for a client token: 403 while the token is valid, 401 afterwards.
fn knows(server: &Server, secret: &str) -> bool {
    let answer = server.send(&Request::get(TOKENS).by(secret));
    assert!([401, 403].contains(&answer.status), "{}", answer.text());
    answer.status == 403
}

fn a_deleted_token_is_refused_at_once_here_and_soon_elsewhere(store: Store) {
    let env = TestEnv::on(store);
    let (here, elsewhere) = (env.serve(), env.serve());
    for round in 0..5 {
        let secret = here.create_token(&format!("round {round}"));
        // Both servers have it in their cache by then.
        until_true("the token is known elsewhere", || knows(&elsewhere, &secret));
        assert!(knows(&here, &secret) && knows(&elsewhere, &secret));
        assert_eq!(here.delete_token(&secret).status, 200);
        assert!(!knows(&here, &secret), "refused at once by the process that deleted it");
        until_true("the token is refused elsewhere", || !knows(&elsewhere, &secret));
    }
}

#[test]
fn a_deleted_token_is_refused_at_once_here_and_soon_elsewhere_on_sqlite() {
    a_deleted_token_is_refused_at_once_here_and_soon_elsewhere(Store::Sqlite);
}

#[test]
fn a_deleted_token_is_refused_at_once_here_and_soon_elsewhere_on_postgres() {
    a_deleted_token_is_refused_at_once_here_and_soon_elsewhere(Store::Postgres);
}

#[test]
fn a_token_of_another_process_is_known_although_it_was_refused_before() {
    let env = TestEnv::on(Store::Postgres);
    let (here, elsewhere) = (env.serve(), env.serve());
    let secret = here.create_token("one");
    until_true("the token is known elsewhere", || knows(&elsewhere, &secret));
    assert_eq!(here.delete_token(&secret).status, 200);
    until_true("the token is refused elsewhere", || !knows(&elsewhere, &secret));
    let next = here.create_token("two");
    until_true("the next token is known elsewhere", || knows(&elsewhere, &next));
}

#[test]
fn servers_that_start_at_once_on_an_empty_database_share_it() {
    for store in [Store::Sqlite, Store::Postgres] {
        let env = TestEnv::on(store);
        let servers: Vec<Server> = thread::scope(|scope| {
            let starts: Vec<_> = (0..4).map(|_| scope.spawn(|| env.serve())).collect();
            starts.into_iter().map(|start| start.join().expect("a server")).collect()
        });
        for server in &servers {
            assert!(server.tokens().is_empty());
        }
        let mut records = Records::of(&env);
        assert_eq!((records.count("api_tokens"), records.events("api-token-created")), (1, 1), "{store:?}");
    }
}
