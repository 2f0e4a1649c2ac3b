//! The commands of the pages that a newcomer reads first, word for word but for the port.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use latchkey_testkit::{
    env::TestEnv,
    server::{Server, TOKENS},
};
use serde_json::Value;

/// The address of the pages.
const SHOWN: &str = "http://127.0.0.1:4242";

fn page(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(name)).expect(name)
}

/// Returns the commands of a page's `console` blocks, in order.
fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::<String>::new();
    for block in page.split("```console\n").skip(1) {
        let (block, _) = block.split_once("```").expect("the block ends");
        let mut continues = false;
        for line in block.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                commands.push(command.to_owned());
            } else if continues {
                let command = commands.last_mut().expect("the command that goes on");
                command.push('\n');
                command.push_str(line);
            }
            continues = line.ends_with('\\');
        }
    }
    commands
}

/// A shell in the directory of a server, which remembers variables and the last secret that was answered.
struct Shell<'a> {
    env: &'a TestEnv,
    url: String,
    variables: BTreeMap<String, String>,
    last_secret: String,
    last_id: String,
}

impl<'a> Shell<'a> {
    fn beside(env: &'a TestEnv, server: &Server) -> Self {
        let url = format!("http://{}", server.address());
        Self { env, url, variables: BTreeMap::new(), last_secret: String::new(), last_id: String::new() }
    }

    /// Runs a command that must succeed, and returns what it prints. curl fails on a refusal.
    #[track_caller]
    fn run(&self, command: &str) -> String {
        let command = command.replace(SHOWN, &self.url);
        let script = format!("curl() {{ command curl --fail-with-body --max-time 20 \"$@\"; }}\n{command}");
        let mut bash = Command::new("bash");
        bash.args(["-c", &script]).current_dir(self.env.directory()).envs(&self.variables);
        let output = bash.output().expect("a shell");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{command}\n{stdout}{}", String::from_utf8_lossy(&output.stderr));
        stdout
    }

    /// Follows a command of a page. A secret that the page abbreviates is the one of the admin token's file, if the page says
    /// so, or the last one that was answered; an id, as `ID`, is the last one that was answered.
    #[track_caller]
    fn follow(&mut self, command: &str) -> String {
        if let Some((assignment, comment)) = command.split_once("…'") {
            let (name, _) = assignment.split_once("='").expect("an assignment");
            let from_file = comment.split_once("or: ").map(|(_, command)| command);
            let value = match from_file {
                Some(command) => self.run(&format!("{command}; printf %s \"${name}\"")),
                None if name == "ID" => self.last_id.clone(),
                None => self.last_secret.clone(),
            };
            self.variables.insert(name.to_owned(), value);
            return String::new();
        }
        let said = self.run(command);
        let answer = serde_json::from_str::<Value>(&said).unwrap_or_default();
        if let Some(secret) = answer["secret"].as_str() {
            secret.clone_into(&mut self.last_secret);
            answer["id"].as_str().unwrap_or_default().clone_into(&mut self.last_id);
        }
        said
    }
}

#[test]
fn the_commands_of_the_readme() {
    let env = TestEnv::new();
    let server = env.serve();
    let readme = page("README.md");
    let (first_hour, _) = readme.split_once("\n## Documentation").expect("the part to follow");
    let mut commands = commands(first_hour);
    let others = commands.split_off(2);
    assert!(commands[0].starts_with("cargo install --locked --path crates/app "), "{commands:?}");
    assert_eq!(commands[1], "latchkey");
    let mut shell = Shell::beside(&env, &server);
    let mut said = others.iter().map(|command| shell.follow(command)).collect::<Vec<_>>();
    assert_eq!(others.len(), 4, "{others:?}");
    let rotated: Value = serde_json::from_str(&said.remove(3)).expect("the rotated token");
    let created: Value = serde_json::from_str(&said.remove(1)).expect("the new token");
    assert_eq!(rotated["tokenName"], "web shop");
    assert_ne!(rotated["secret"], created["secret"]);

    let lost = "latchkey token create --type admin --name ops";
    assert!(first_hour.contains(&format!("`{lost}`")) && !server.stdout().contains(lost));
    let another = env.succeed(lost.strip_prefix("latchkey ").expect("the program"));
    assert_eq!(server.status(TOKENS, &another), 200);
    drop(server);
    fs::remove_file(env.path("data/admin-token")).expect("deleted, as the start asks");
    assert!(env.serve().stdout().contains(lost));
}

#[test]
fn the_readme_names_the_oldest_compiler() {
    let manifest: toml::Table = page("Cargo.toml").parse().expect("TOML");
    let oldest = manifest["workspace"]["package"]["rust-version"].as_str().expect("a version");
    assert!(page("README.md").contains(&format!("Rust {oldest} or newer")));
}

#[test]
fn the_first_steps() {
    let env = TestEnv::new();
    let server = env.serve();
    let mut commands = commands(&page("docs/guide/first-steps.md"));
    let others = commands.split_off(1);
    assert_eq!(commands, ["latchkey"]);
    let mut shell = Shell::beside(&env, &server);
    let said: Vec<String> = others.iter().map(|command| shell.follow(command)).collect();
    assert_eq!(others.len(), 6, "{others:?}");
    assert!(said[3].starts_with("HTTP/1.1 200 OK\r\n"), "{}", said[3]);
    assert!(said[3].contains("\r\nx-latchkey-token-name: web shop\r\n"), "{}", said[3]);
    assert_eq!(server.status("/auth/verify", &shell.last_secret), 401, "it was revoked");
}
