//! The commands: their output, their refusals and their exit codes.

use std::fs;

use serde_json::Value;

use latchkey_testkit::env::TestEnv;

#[test]
fn users_and_projects_are_made_and_known_afterwards() {
    let env = TestEnv::new().migrated();
    assert_eq!(env.succeed("project create shop"), "shop");
    let first: i64 = env.succeed("user create --email ed@example.com --role editor").parse().expect("an id");
    let second: i64 = env.succeed("user create --username bo").parse().expect("an id");
    assert!(second > first);
    assert_eq!(env.succeed("grant --user ED@example.com --project shop --role owner"), "");

    let error = env.fail("project create shop", 1);
    assert_eq!(
        error,
        "Database: SQLite in data/latchkey.db\n\
         latchkey: no project was created: project \"shop\" exists already\n"
    );
    for id in ["..", "archive"] {
        let error = env.fail(&format!("project create {id}"), 1);
        assert!(error.contains("latchkey: no project was created: The project id must not be "), "{error}");
    }
    let error = env.fail("user create --email Ed@Example.com", 1);
    assert!(
        error.contains("no user was created: User already exists: this username or email is in use."),
        "{error}"
    );
    let error = env.fail("user create --username cy --role Boss", 1);
    let expected = "There is no such role here: \"Boss\". Choose one of: Admin (1), Editor (2), Viewer (3).";
    assert!(error.contains(expected), "{error}");
    let error = env.fail("grant --user unknown --project shop", 1);
    assert!(error.contains("no role was granted to \"unknown\": No user found."), "{error}");
    let error = env.fail("grant --user bo --project nowhere", 1);
    assert!(error.contains("No project found with id \"nowhere\"."), "{error}");
    let error = env.fail("grant --user bo --project shop --role Viewer", 1);
    let expected = "There is no such role here: \"Viewer\". Choose one of: Owner (4), Member (5).";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn groups_are_made_and_their_members_changed() {
    let env = TestEnv::new().migrated();
    for line in ["project create shop", "user create --username bo", "user create --email ed@example.com"] {
        env.succeed(line);
    }
    let heading = "    id  members  root role         name";
    assert_eq!(env.succeed("group list"), heading);
    assert_eq!(env.succeed("group create Payments --member ED@example.com"), "1");
    assert_eq!(env.succeed("group create Ops --role editor --description Calls"), "2");
    assert_eq!(env.succeed("group add-member Payments --user bo --user ed@example.com"), "");
    assert_eq!(env.succeed("group show Payments"), "bo\ned@example.com");
    assert_eq!(env.succeed("grant --group Payments --project shop"), "");
    let said = env.run("group show Payments");
    let expected = "Group 1 is \"Payments\": 2 members, no root role, roles in these projects: shop.\n";
    assert!(said.stderr.ends_with(expected), "{said:?}");
    let said = env.run("group remove-member Payments --user ed@example.com");
    assert!(said.stderr.contains("Group 1 is \"Payments\": 1 member, "), "{said:?}");
    let table = env.run("group list").stdout;
    let lines = ["     1        1  -                 Payments", "     2        0  Editor            Ops"];
    assert_eq!(table.lines().collect::<Vec<_>>(), [heading, lines[0], lines[1]]);
    let said = env.run("group delete Payments");
    assert!(said.stderr.ends_with("There is no group \"Payments\" any more. It had 1 member.\n"), "{said:?}");
    assert!(!env.succeed("group list").contains("Payments"));
    assert!(env.succeed("group add-member --help").contains("--user ed@example.com --user bo"));
}

#[test]
fn a_group_that_cannot_be_changed_stays_as_it_is() {
    let env = TestEnv::new().migrated();
    env.succeed("project create shop");
    env.succeed("user create --username bo");
    env.succeed("group create Payments --member bo");
    let before = env.succeed("group list");
    let no_group = "there is no group \"Search\": `latchkey group list` shows the groups";
    for (line, expected) in [
        ("group create Payments", "no group was created: a group of this name exists already".to_owned()),
        (
            "group create A --role Owner",
            "no group was created: There is no such role here: \"Owner\".".to_owned(),
        ),
        (
            "group create A --member bo --member cy",
            "no group was created: user \"cy\": No user found.".to_owned(),
        ),
        ("group show Search", no_group.to_owned()),
        ("group delete Search", format!("no group was deleted: {no_group}")),
        ("group add-member Search --user bo", format!("the group \"Search\" was not changed: {no_group}")),
        ("group add-member Payments --user bo --user cy", "user \"cy\": No user found.".to_owned()),
        ("group remove-member Payments --user cy", "user \"cy\": No user found.".to_owned()),
        ("grant --group Search --project shop", format!("no role was granted to \"Search\": {no_group}")),
        ("grant --group Payments --project nowhere", "No project found with id \"nowhere\".".to_owned()),
        (
            "grant --group Payments --project shop --role Viewer",
            "Choose one of: Owner (4), Member (5).".to_owned(),
        ),
    ] {
        let error = env.fail(line, 1);
        assert!(error.contains(&expected), "{line}: {error}");
    }
    env.succeed("user create --username cy");
    let error = env.fail("group remove-member Payments --user bo --user cy", 1);
    assert!(
        error.contains("the group \"Payments\" was not changed: User 2 is not a member of this group."),
        "{error}"
    );
    assert_eq!(env.succeed("group list"), before);
    assert_eq!(env.succeed("group show Payments"), "bo");
}

#[test]
fn a_secret_is_alone_on_standard_output() {
    let env = TestEnv::new().migrated();
    env.succeed("user create --username bo");
    env.succeed("project create shop");
    for (line, prefix) in [
        ("token create --type admin --name ops", "*:*."),
        ("token create --type client --name a", "*:development."),
        ("token create --type backend --name a --project shop --environment production", "shop:production."),
        (
            "token create --type frontend --name a --project shop --project default --expires-in 30d",
            "[]:development.",
        ),
        ("pat create --user bo --description ci --expires-in 90d", "user:"),
        ("pat create --user bo --description cd --expires-at 2099-01-01T00:00:00Z", "user:"),
    ] {
        let said = env.run(line);
        let secret = said.stdout.strip_suffix('\n').expect("one line");
        assert!(secret.starts_with(prefix) && !secret.contains(char::is_whitespace), "{line}: {secret:?}");
        let expected = "Database: SQLite in data/latchkey.db\nThis is a ";
        assert!(said.stderr.starts_with(expected), "{line}: {}", said.stderr);
        assert!(!said.stderr.contains(secret), "{line}: {}", said.stderr);
    }
}

#[test]
fn a_secret_that_cannot_be_printed_is_a_failure() {
    let env = TestEnv::new().migrated();
    env.succeed("user create --username bo");
    for (line, advice) in [
        ("token create --type client --name a", "delete it and create another: nothing can be written"),
        (
            "pat create --user bo --description ci --expires-in 90d",
            "delete it and create another: nothing can",
        ),
        ("keys generate", "latchkey: nothing can be written to standard output: "),
        ("openapi", "latchkey: nothing can be written to standard output: "),
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
        let said = env.command(line).stdout(full).output().expect("the program starts");
        let error = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(1), "{line}: {error}");
        assert!(error.contains(advice), "{line}: {error}");
    }
}

#[test]
fn an_impossible_token_is_refused() {
    let env = TestEnv::new().migrated();
    env.succeed("user create --username bo");
    env.succeed("pat create --user bo --description ci --expires-in 90d");
    for (line, code, expected) in [
        (
            "token create --type admin --name ops --project default",
            2,
            "leave --project and --environment out",
        ),
        (
            "token create --type client --name a --environment *",
            2,
            "a client token must be for one environment",
        ),
        ("token create --type client --name a --project a/b", 2, "project id may contain only"),
        ("token create --type client --name a --project nowhere", 1, "No project found with id \"nowhere\"."),
        (
            "token create --type client --name a --environment staging",
            1,
            "There is no environment \"staging\"",
        ),
        ("pat create --user bo --description ci --expires-in 90d", 1, "exists already"),
        (
            "pat create --user bo --description cd --expires-at 2000-01-01T00:00:00Z",
            1,
            "must lie in the future",
        ),
        ("pat create --user bo --description cd", 2, "--expires-in"),
        ("user create --role Viewer", 2, "--email"),
        ("user create --email no-address", 2, "name@domain"),
        ("project create", 2, "<ID>"),
        ("--port 1 migrate", 2, "not for this command"),
        ("migrate --port 1", 2, "unexpected argument"),
        ("frobnicate", 2, "unrecognized subcommand"),
    ] {
        let error = env.fail(line, code);
        assert!(error.contains(expected), "latchkey {line}: {error}");
    }
}

#[test]
fn a_user_has_no_more_personal_tokens_than_the_limit() {
    let env = TestEnv::new().with("LATCHKEY__LIMITS__PERSONAL_TOKENS", "1").migrated();
    env.succeed("user create --username bo");
    env.succeed("pat create --user bo --description ci --expires-in 90d");
    let error = env.fail("pat create --user bo --description cd --expires-in 90d", 1);
    assert!(error.contains("Too many personal access tokens (1) exist for this user already"), "{error}");
}

#[test]
fn migrating_reports_what_it_did() {
    let env = TestEnv::new();
    let first = env.run("migrate");
    assert_eq!((first.code, first.stdout.as_str()), (Some(0), ""));
    let all = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");
    let count = fs::read_dir(all).expect("the migrations").count();
    let report = format!("SQLite in data/latchkey.db: {count} migrations were applied");
    assert!(first.stderr.contains(&report), "{}", first.stderr);
    assert!(env.path("data/latchkey.key").exists());
    assert!(env.run("migrate").stderr.contains("up to date"));
}

#[test]
fn only_a_server_and_a_migration_create_a_database() {
    let env = TestEnv::new().with_file("empty.db", "");
    for line in [
        "token create --type admin --name ops",
        "user create --username bo",
        "keys list",
        "backup -",
        "copy --to sqlite://other.db",
        "--database-url sqlite://empty.db project create shop",
    ] {
        let error = env.fail(line, 1);
        assert!(error.starts_with("latchkey: there is no database /"), "{line}: {error}");
        assert!(
            error.contains("set DATABASE_URL") && error.contains("`latchkey migrate`"),
            "{line}: {error}"
        );
        assert!(!env.path("data").exists() && !env.path("other.db").exists(), "{line}");
    }
    let env = env.migrated();
    assert!(env.run("project create shop").stderr.starts_with("Database: SQLite in data/latchkey.db\n"));
}

#[test]
fn a_database_in_memory_is_of_no_use_to_a_command() {
    for url in ["memory:", "sqlite::memory:"] {
        let env = TestEnv::new().with("DATABASE_URL", url);
        for line in ["migrate", "user create --username bo", "token create --type admin --name ops"] {
            let error = env.fail(line, 2);
            assert!(error.contains("makes no sense on a database in memory"), "{line} on {url}: {error}");
        }
    }
}

#[test]
fn postgres_without_a_key_says_how_to_make_one() {
    let env = TestEnv::new().with("DATABASE_URL", "postgres://u:hush@127.0.0.1:1/d");
    for line in ["serve --port 0", "user create --username bo"] {
        let error = env.fail(line, 1);
        assert!(error.contains("latchkey keys generate") && !error.contains("hush"), "{error}");
    }
    let key = env.succeed("keys generate");
    assert!(key.len() == 64 && key.chars().all(|c| c.is_ascii_hexdigit()), "{key}");
    assert_ne!(env.succeed("keys generate"), key);
}

#[test]
fn a_postgres_that_does_not_answer_is_named_without_its_password() {
    let url = "postgres://u:hush@127.0.0.1:1/d";
    let env = TestEnv::new().with("DATABASE_URL", url).with("LATCHKEY_MASTER_KEY", &"ab".repeat(32));
    for line in ["migrate", "serve --port 0", "project create shop"] {
        let error = env.fail(line, 1);
        assert!(error.contains("postgres://u:***@127.0.0.1:1/d: the database cannot be reached"), "{error}");
        assert!(error.contains(": 127.0.0.1:1: error connecting to server: Connection refused"), "{error}");
        assert!(!error.contains("hush"), "{error}");
    }
    let env = env.with("DATABASE_URL", "postgres://").with("PGHOST", "127.0.0.1").with("PGPORT", "1");
    let error = env.fail("migrate", 1);
    assert!(error.contains(": 127.0.0.1:1: error connecting to server: Connection refused"), "{error}");
    let env = env.with("DATABASE_URL", "postgres://u:hu@sh@127.0.0.1/d");
    let error = env.fail("migrate", 1);
    assert!(error.contains("percent-encode the password (@ is %40)") && !error.contains("hu@sh"), "{error}");
}

#[test]
fn a_lost_key_is_not_replaced_silently() {
    let env = TestEnv::new();
    env.succeed("migrate");
    fs::remove_file(env.path("data/latchkey.key")).expect("it is there");
    let error = env.fail("serve --port 0", 1);
    assert!(error.contains("its master key data/latchkey.key is not: put the file back"), "{error}");
}

#[test]
fn a_bad_key_is_not_shown() {
    let env = TestEnv::new().with("LATCHKEY_MASTER_KEY", "hush-hush");
    let error = env.fail("serve --port 0", 1);
    assert!(error.contains("bad value for LATCHKEY_MASTER_KEY") && !error.contains("hush"), "{error}");
}

#[test]
fn the_openapi_document_is_printed() {
    let document: Value = serde_json::from_str(&TestEnv::new().succeed("openapi")).expect("JSON");
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    assert!(document["paths"]["/api/admin/projects/{projectId}/api-tokens"]["get"].is_object());
}

#[test]
fn help_teaches_by_example() {
    let env = TestEnv::new();
    let help = env.succeed("--help");
    for word in
        ["Examples:", "LATCHKEY__SERVER__PORT=8080", "latchkey token create --type admin", "DATABASE_URL"]
    {
        assert!(help.contains(word), "{word} not in {help}");
    }
    assert!(env.succeed("pat create --help").contains("--expires-in 90d"));
    assert!(env.succeed("user set-password --help").contains("--password-stdin < password.txt"));
    assert!(env.succeed("--version").starts_with("latchkey "));
}

#[test]
fn rotating_with_one_master_key_is_refused_with_instructions() {
    let env = TestEnv::new().migrated();
    assert_eq!(env.succeed("project create shop"), "shop");
    let error = env.fail("keys rotate", 2);
    assert!(error.contains("\nlatchkey: only one master key is configured"), "{error}");
    for step in
        ["latchkey keys generate", "<old>,<new>", "<new>,<old>", "latchkey keys rotate", "data/latchkey.key"]
    {
        assert!(error.contains(step), "{step}: {error}");
        assert!(env.succeed("keys rotate --help").contains(step), "{step}");
    }
    let table = env.succeed("keys list");
    let [_, line] = table.lines().collect::<Vec<_>>()[..] else { panic!("{table}") };
    assert!(line.contains(" current "), "{table}");
}

#[test]
fn a_key_file_takes_several_keys() {
    let env = TestEnv::new().migrated();
    env.succeed("token create --type client --name a");
    let file = env.path("data/latchkey.key");
    let old = fs::read_to_string(&file).expect("the key of the database");
    let new = env.succeed("keys generate");
    fs::write(&file, format!("{new}\n{old}")).expect("written");
    let said = env.run("keys rotate");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stderr.contains("moved: 1 of 1\n1 secret was moved to "), "{said:?}");
    assert!(said.stderr.contains("it can be taken out of LATCHKEY_MASTER_KEY, or the key file"), "{said:?}");
    assert_eq!(env.succeed("keys rotate"), said.stdout.trim_end(), "once more");
    fs::write(&file, new).expect("written");
    let table = env.succeed("keys list");
    let [_, line] = table.lines().collect::<Vec<_>>()[..] else { panic!("{table}") };
    assert_eq!(
        line.split_whitespace().skip(1).collect::<Vec<_>>(),
        ["current", "1", "0", "0", "0", "0", "0", "0", "0"]
    );
}
