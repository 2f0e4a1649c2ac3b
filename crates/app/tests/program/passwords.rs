//! Passwords and sessions: how a command takes a password, and signing in with it.

use std::{
    io::{Read as _, Write as _},
    process::{Command, Stdio},
};

use latchkey_testkit::{env::TestEnv, wait::until};

const CREATE: &str = "user create --email ed@example.com --password-stdin";
const SET: &str = "user set-password --user ED@example.com --password-stdin";

/// Two passwords that are good enough.
const FIRST: &str = "correct horse";
const SECOND: &str = "battery staple";

#[track_caller]
fn done_on(env: &TestEnv, line: &str, input: &str) -> String {
    let said = env.run_with_input(line, input);
    assert_eq!(said.code, Some(0), "latchkey {line}: {}", said.stderr);
    assert!(!said.stdout.contains(input.trim()) && !said.stderr.contains(input.trim()), "{said:?}");
    said.stderr
}

#[track_caller]
fn refused_on(env: &TestEnv, line: &str, input: &str, code: i32) -> String {
    let said = env.run_with_input(line, input);
    assert_eq!((said.code, said.stdout.as_str()), (Some(code), ""), "latchkey {line}: {}", said.stderr);
    said.stderr
}

#[test]
fn a_user_signs_in_by_password_and_a_new_password_ends_the_sessions() {
    let env = TestEnv::new().migrated();
    done_on(&env, CREATE, &format!("{FIRST}\n"));
    let server = env.serve();
    let cookie = server.sign_in("ed@example.com", FIRST).expect("signed in");
    assert_eq!(server.status_with_cookie(&cookie), 200);
    assert_eq!(server.sign_in("ed@example.com", SECOND), Err(401));

    let said = done_on(&env, SET, &format!("{SECOND}\r\nnot of the password"));
    assert!(said.contains("All their sessions have ended."), "{said}");
    // The session is in the cache of the server.
    until("the session to end", || (server.status_with_cookie(&cookie) == 401).then_some(()));
    assert_eq!(server.sign_in("ed@example.com", FIRST), Err(401));
    server.sign_in("ED@example.com", SECOND).expect("signed in");
}

#[test]
fn a_user_without_a_password_cannot_sign_in_until_one_is_set() {
    let env = TestEnv::new().migrated();
    let said = env.run("user create --email ed@example.com");
    let advice = "`latchkey user set-password --user ed@example.com` sets one.";
    assert!(said.stderr.contains(advice), "{}", said.stderr);
    let server = env.serve();
    assert_eq!(server.sign_in("ed@example.com", ""), Err(401));
    done_on(&env, SET, FIRST);
    server.sign_in("ed@example.com", FIRST).expect("signed in");
}

#[test]
fn a_password_that_is_not_good_enough_is_refused_with_every_reason() {
    let env = TestEnv::new().migrated();
    let error = refused_on(&env, CREATE, "aaa\n", 1);
    assert!(
        error.contains("\nlatchkey: no user was created: The password must be at least 10 char"),
        "{error}"
    );
    let error = refused_on(&env, CREATE, "ed@example.com\n", 1);
    assert!(error.contains("must not be the user name or e-mail address"), "{error}");
    // Nothing was created.
    done_on(&env, CREATE, FIRST);
    let error = refused_on(&env, SET, "1234567890\n", 1);
    assert!(error.contains("\nlatchkey: the password of \"ED@example.com\" was not set: "), "{error}");
    assert!(error.contains("among the most common ones"), "{error}");
    env.serve().sign_in("ed@example.com", FIRST).expect("signed in");
}

#[test]
fn a_password_comes_from_standard_input_and_from_nowhere_else() {
    let env = TestEnv::new().migrated();
    env.succeed("user create --email ed@example.com");
    for input in ["", "\n"] {
        let error = refused_on(&env, SET, input, 2);
        assert!(error.contains("--password-stdin reads the password from standard input"), "{error}");
    }
    for line in
        ["user set-password --user ed@example.com", "user set-password --user ed@example.com --password x"]
    {
        let error = refused_on(&env, line, FIRST, 2);
        assert!(error.contains("--password-stdin"), "{error}");
    }
    let error = refused_on(&env, "user set-password --user unknown --password-stdin", FIRST, 1);
    assert!(error.contains("the password of \"unknown\" was not set: No user found."), "{error}");
}

/// Runs a command on a terminal, and types a line whenever one of these questions appears. Returns all that the terminal showed.
fn typed_on(env: &TestEnv, line: &str, answers: &[(&str, &str)]) -> (bool, String) {
    let program = env.command("").get_program().to_owned();
    let mut command = env.command("");
    let terminal = format!("{} {line}", program.display());
    let mut on_terminal = Command::new("script");
    on_terminal.args(["--quiet", "--return", "--command", &terminal, "/dev/null"]);
    on_terminal.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    on_terminal.env("SHELL", "/bin/sh").env("PATH", "/usr/bin:/bin").current_dir(env.directory());
    command = on_terminal;
    let mut process =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("`script` of util-linux");
    let mut keyboard = process.stdin.take().expect("piped");
    let mut screen = process.stdout.take().expect("piped");
    let mut shown = Vec::new();
    let mut unseen = 0;
    for (question, answer) in answers {
        while !String::from_utf8_lossy(&shown[unseen..]).contains(question) {
            let mut byte = [0];
            screen.read_exact(&mut byte).expect("the question");
            shown.extend(byte);
        }
        unseen = shown.len();
        writeln!(keyboard, "{answer}").expect("typed");
    }
    screen.read_to_end(&mut shown).expect("the rest");
    (process.wait().expect("its end").success(), String::from_utf8_lossy(&shown).into_owned())
}

#[test]
fn on_a_terminal_the_password_is_asked_for_twice_and_not_shown() {
    let env = TestEnv::new().migrated();
    let create = "user create --email ed@example.com --password-stdin";
    let set = "user set-password --user ed@example.com";
    for (line, password) in [(create, FIRST), (set, SECOND)] {
        let (is_done, shown) = typed_on(&env, line, &[("Password: ", password), ("Again: ", password)]);
        assert!(is_done && !shown.contains(password), "{shown}");
    }
    let (is_done, shown) = typed_on(&env, set, &[("Password: ", FIRST), ("Again: ", SECOND)]);
    assert!(!is_done && shown.contains("the two passwords differ: try again"), "{shown}");
    let (is_done, shown) = typed_on(&env, set, &[("Password: ", "")]);
    assert!(!is_done && shown.contains("no password was typed"), "{shown}");
    env.serve().sign_in("ed@example.com", SECOND).expect("signed in");
}

#[test]
fn sessions_expire_and_the_oldest_makes_room() {
    let env = TestEnv::new().with("LATCHKEY__SESSIONS__MAX_PER_USER", "1").migrated();
    done_on(&env, CREATE, FIRST);
    let server = env.serve();
    let [first, second] = [0; 2].map(|_| server.sign_in("ed@example.com", FIRST).expect("signed in"));
    assert_eq!([&first, &second].map(|cookie| server.status_with_cookie(cookie)), [401, 200]);
    drop(server);
    let env = env.with("LATCHKEY__SESSIONS__TTL", "1ms");
    let server = env.serve();
    assert_eq!(server.status_with_cookie(&second), 200, "it keeps the end that it had at its beginning");
    let third = server.sign_in("ed@example.com", FIRST).expect("signed in");
    until("the session to end", || (server.status_with_cookie(&third) == 401).then_some(()));
}
