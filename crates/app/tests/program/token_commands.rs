//! `latchkey token`: what an operator does to tokens at the command line, while a server runs.

use latchkey_testkit::{env::TestEnv, server::Server, wait::until_true};

const UNKNOWN: &str = "0197a4c2-5d1e-7b3a-9c40-1f2e3d4c5b6a";

fn is_good(server: &Server, secret: &str) -> bool {
    server.status("/auth/verify", secret) == 200
}

/// The ids of the listed tokens, with their names.
fn listed(env: &TestEnv, arguments: &str) -> Vec<(String, String)> {
    let lines = env.succeed(&format!("token list {arguments}"));
    let named = |line: &str| {
        let mut words = line.split_whitespace();
        let id = words.next().expect("an id").to_owned();
        (id, words.last().expect("a name").to_owned())
    };
    lines.lines().skip(1).map(named).collect()
}

#[test]
fn a_token_is_listed_shown_changed_rotated_and_revoked() {
    let env = TestEnv::new().migrated();
    env.succeed("project create shop");
    env.succeed("token create --type frontend --name other");
    let secret = env.succeed(
        "token create --type client --name web --project shop --owner team-a --metadata team=a --scope orders:*",
    );
    let server = env.serve();
    assert!(is_good(&server, &secret));

    let names =
        |arguments: &str| listed(&env, arguments).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    assert_eq!(names(""), ["other", "web"]);
    for one in ["--project shop", "--type client", "--owner team-a"] {
        assert_eq!(names(one), ["web"], "{one}");
    }
    assert_eq!(names("--owner team"), [""; 0]);
    let id = listed(&env, "--project shop").remove(0).0;
    let shown = env.succeed(&format!("token show {id}"));
    for part in [&id, "shop", "team-a", r#"{"team":"a"}"#, r#"["orders:*"]"#, "never"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains(&secret), "{shown}");

    env.succeed(&format!(
        "token update {id} --owner Ada --metadata team= --metadata ticket=7 --expires-in 1d"
    ));
    let changed = env.succeed(&format!("token show {id}"));
    assert!(changed.contains("Ada") && changed.contains(r#"{"ticket":"7"}"#), "{changed}");
    assert!(!changed.lines().any(|line| line.starts_with("expires") && line.contains("never")), "{changed}");
    env.succeed(&format!("token update {id} --remove metadata --remove scopes --remove expiry"));
    let changed = env.succeed(&format!("token show {id}"));
    assert!(
        !changed.contains("ticket") && !changed.contains("orders") && changed.contains("Ada"),
        "{changed}"
    );

    env.succeed(&format!("token update {id} --rotate-every 90d"));
    let changed = env.succeed(&format!("token show {id}"));
    assert!(changed.contains("P90D") && changed.contains("rotation due"), "{changed}");
    env.succeed(&format!("token update {id} --remove rotate-every"));
    assert!(!env.succeed(&format!("token show {id}")).contains("P90D"));

    env.succeed(&format!("token disable {id}"));
    until_true("the server refuses it", || !is_good(&server, &secret));
    assert!(env.succeed("token list").contains("web (disabled)"));
    env.succeed(&format!("token enable {id}"));
    until_true("the server accepts it", || is_good(&server, &secret));

    let second = env.succeed(&format!("token rotate {id}"));
    until_true("the server knows it", || is_good(&server, &second));
    assert!(is_good(&server, &secret), "it has a day left");
    let third = env.succeed(&format!("token rotate {id} --overlap 0s"));
    until_true("the server refuses the second", || !is_good(&server, &second));
    assert!(is_good(&server, &third));

    env.succeed(&format!("token delete {id}"));
    until_true("the server refuses it", || !is_good(&server, &third));
    assert_eq!(names(""), ["other"]);
}

#[test]
fn mistakes_change_nothing_and_say_what_to_do() {
    let env = TestEnv::new().migrated();
    env.succeed("token create --type client --name web");
    let id = listed(&env, "").remove(0).0;
    let before = env.succeed(&format!("token show {id}"));
    for command in ["show", "update --owner x", "disable", "enable", "rotate", "delete"] {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let said = env.fail(&format!("token {verb} {UNKNOWN} {rest}"), 1);
        assert!(said.contains(UNKNOWN), "{command}: {said}");
    }
    for (line, code, expected) in [
        ("show web".to_owned(), 2, "latchkey token list"),
        (format!("update {id}"), 2, "say what to change"),
        (format!("update {id} --scope a:"), 2, "joined by colons"),
        (format!("update {id} --allowed-network 10.0.0.1/8"), 2, "10.0.0.0/8"),
        (format!("update {id} --metadata team"), 2, "NAME=TEXT"),
        (format!("update {id} --rotate-every 3651d"), 2, "3650d"),
        (format!("update {id} --rotate-every soon"), 2, "write 24h or 90d"),
        (format!("rotate {id} --overlap 2y"), 2, "365 days"),
        (format!("rotate {id} --overlap soon"), 2, "write 0s, 24h or 7d"),
    ] {
        let said = env.fail(&format!("token {line}"), code);
        assert!(said.contains(expected), "{line}: {said}");
    }
    assert_eq!(env.succeed(&format!("token show {id}")), before);
}
