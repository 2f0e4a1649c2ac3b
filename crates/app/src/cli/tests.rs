use clap::CommandFactory as _;

use super::*;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

fn flags(line: &str) -> Vec<(&'static str, String)> {
    let flags = parse(line).expect("a valid command line").flags();
    flags.into_iter().map(|flag| (flag.key, flag.value)).collect()
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn no_command_serves_and_takes_the_flags_of_serve() {
    for line in ["latchkey --port 1 --listen ::1", "latchkey serve --port 1 --listen ::1"] {
        assert_eq!(
            flags(line),
            [("server.listen", "::1".to_owned()), ("server.port", "1".to_owned())],
            "{line}"
        );
    }
}

#[test]
fn global_flags_are_accepted_before_and_after_the_command() {
    for line in ["latchkey --database-url memory: migrate", "latchkey migrate --database-url memory:"] {
        assert_eq!(flags(line), [("database.url", "memory:".to_owned())], "{line}");
    }
}

#[test]
fn missing_and_unknown_arguments_are_usage_errors() {
    for line in [
        "latchkey user create --role Viewer",
        "latchkey user create --email no-address",
        "latchkey user create --username bo --password hush",
        "latchkey user create --username bo --password-stdin=hush",
        "latchkey user set-password --user bo --password hush",
        "latchkey user set-password --password-stdin",
        "latchkey project create a/b",
        "latchkey group create",
        "latchkey group add-member g",
        "latchkey grant --project shop",
        "latchkey grant --project shop --user bo --group g",
        "latchkey pat create --user u --description d",
        "latchkey pat create --user u --description d --expires-in 1d --expires-at 2030-01-01T00:00:00Z",
        "latchkey pat create --user u --description d --expires-in soon",
        "latchkey token create --type super --name n",
        "latchkey serve --port 65536",
        "latchkey frobnicate",
    ] {
        let error = parse(line).expect_err(line);
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}
