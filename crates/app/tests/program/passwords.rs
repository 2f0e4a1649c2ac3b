//! Passwords and sessions: how a command takes a password, and that it lets its owner in.

use crate::{home::Home, server::until};

const CREATE: &str = "user create --email ed@example.com --password-stdin";
const SET: &str = "user set-password --user ED@example.com --password-stdin";

/// Two passwords that are good enough.
const FIRST: &str = "correct horse";
const SECOND: &str = "battery staple";

#[track_caller]
fn done_on(home: &Home, line: &str, input: &str) -> String {
    let said = home.run_on(line, input);
    assert_eq!(said.code, Some(0), "latchkey {line}: {}", said.stderr);
    assert!(!said.stdout.contains(input.trim()) && !said.stderr.contains(input.trim()), "{said:?}");
    said.stderr
}

#[track_caller]
fn refused_on(home: &Home, line: &str, input: &str, code: i32) -> String {
    let said = home.run_on(line, input);
    assert_eq!((said.code, said.stdout.as_str()), (Some(code), ""), "latchkey {line}: {}", said.stderr);
    said.stderr
}

#[test]
fn a_password_lets_its_user_in_and_a_new_one_ends_the_sessions() {
    let home = Home::new();
    done_on(&home, CREATE, &format!("{FIRST}\n"));
    let server = home.serve();
    let cookie = server.sign_in("ed@example.com", FIRST).expect("signed in");
    assert_eq!(server.status_with_cookie(&cookie), 200);
    assert_eq!(server.sign_in("ed@example.com", SECOND), Err(401));

    let said = done_on(&home, SET, &format!("{SECOND}\r\nnot of the password"));
    assert!(said.contains("All their sessions have ended."), "{said}");
    // The server knew the session: it has to notice.
    until("the session to end", || (server.status_with_cookie(&cookie) == 401).then_some(()));
    assert_eq!(server.sign_in("ed@example.com", FIRST), Err(401));
    server.sign_in("ED@example.com", SECOND).expect("signed in");
}

#[test]
fn a_user_without_a_password_cannot_sign_in_until_one_is_set() {
    let home = Home::new();
    let said = home.run("user create --email ed@example.com");
    let advice = "`latchkey user set-password --user ed@example.com --password-stdin` sets one.";
    assert!(said.stderr.contains(advice), "{}", said.stderr);
    let server = home.serve();
    assert_eq!(server.sign_in("ed@example.com", ""), Err(401));
    done_on(&home, SET, FIRST);
    server.sign_in("ed@example.com", FIRST).expect("signed in");
}

#[test]
fn a_password_that_is_not_good_enough_is_refused_with_every_reason() {
    let home = Home::new();
    let error = refused_on(&home, CREATE, "aaa\n", 1);
    assert!(
        error.starts_with("latchkey: no user was created: The password must be at least 10 char"),
        "{error}"
    );
    let error = refused_on(&home, CREATE, "ed@example.com\n", 1);
    assert!(error.contains("must not be the user name or e-mail address"), "{error}");
    // Nothing was made.
    done_on(&home, CREATE, FIRST);
    let error = refused_on(&home, SET, "1234567890\n", 1);
    assert!(error.starts_with("latchkey: the password of \"ED@example.com\" was not set: "), "{error}");
    assert!(error.contains("among the most common ones"), "{error}");
    home.serve().sign_in("ed@example.com", FIRST).expect("signed in");
}

#[test]
fn a_password_comes_from_standard_input_and_from_nowhere_else() {
    let home = Home::new();
    home.done("user create --email ed@example.com");
    for input in ["", "\n"] {
        let error = refused_on(&home, SET, input, 2);
        assert!(error.contains("--password-stdin reads the password from standard input"), "{error}");
    }
    for line in
        ["user set-password --user ed@example.com", "user set-password --user ed@example.com --password x"]
    {
        let error = refused_on(&home, line, FIRST, 2);
        assert!(error.contains("--password-stdin"), "{error}");
    }
    let error = refused_on(&home, "user set-password --user nobody --password-stdin", FIRST, 1);
    assert!(error.contains("the password of \"nobody\" was not set: No user found."), "{error}");
}

#[test]
fn a_session_lasts_as_long_as_it_may_and_the_oldest_makes_room() {
    let home = Home::new().with("LATCHKEY__SESSIONS__MAX_PER_USER", "1");
    done_on(&home, CREATE, FIRST);
    let server = home.serve();
    let [first, second] = [0; 2].map(|_| server.sign_in("ed@example.com", FIRST).expect("signed in"));
    assert_eq!([&first, &second].map(|cookie| server.status_with_cookie(cookie)), [401, 200]);
    drop(server);
    let home = home.with("LATCHKEY__SESSIONS__TTL", "1ms");
    let server = home.serve();
    assert_eq!(server.status_with_cookie(&second), 200, "it keeps the end that it had at its beginning");
    let third = server.sign_in("ed@example.com", FIRST).expect("signed in");
    until("the session to end", || (server.status_with_cookie(&third) == 401).then_some(()));
}
