//! A command beside a running server, and two servers on one database.

use latchkey_testkit::{env::TestEnv, server::TOKENS, wait::until};

const ADMIN: &str = "*:*.some-admin-0123456789-0123456789-0123";
const SHOP: &str = "/api/admin/projects/shop/api-tokens";

fn env() -> TestEnv {
    TestEnv::new().with("INIT_ADMIN_API_TOKENS", ADMIN)
}

#[test]
fn a_command_takes_effect_in_a_running_server() {
    let env = env();
    let server = env.serve();
    let secret = env.succeed("token create --type admin --name ops");
    assert_eq!(server.status(TOKENS, &secret), 200);

    env.succeed("project create shop");
    env.succeed("user create --username bo");
    let pat = env.succeed("pat create --user bo --description ci --expires-in 1h");
    assert_eq!(server.status(SHOP, &pat), 403);
    env.succeed("grant --user bo --project shop --role Member");
    // The server has bo without the role in its cache.
    until("the grant to take effect", || (server.status(SHOP, &pat) == 200).then_some(()));
    assert_eq!(server.status(TOKENS, &pat), 403);
}

#[test]
fn two_servers_start_on_one_new_database_and_see_each_others_tokens() {
    let env = TestEnv::new();
    let (first, second) = std::thread::scope(|scope| {
        let start = || scope.spawn(|| env.serve());
        let [first, second] = [start(), start()];
        (first.join().expect("a server"), second.join().expect("a server"))
    });
    let admin = std::fs::read_to_string(env.path("data/admin-token")).expect("the file");
    let admin = admin.trim();
    let secret = first.create_token_by(admin, "shared");
    assert_eq!(second.token_names_seen_by(admin), ["shared"]);
    assert_eq!(second.status(TOKENS, &secret), 403);
}

#[test]
fn several_commands_at_once_on_a_new_database_all_succeed() {
    let env = TestEnv::new().migrated();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let env = &env;
            scope.spawn(move || env.succeed(&format!("project create p{number}")));
        }
    });
    assert!(env.fail("project create p3", 1).contains("exists already"));
}
