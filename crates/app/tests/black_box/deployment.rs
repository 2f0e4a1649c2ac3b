//! The files of `deploy/` that need nothing but programs of the distribution to be checked.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use latchkey_testkit::{
    env::TestEnv,
    process::{built, installed},
};

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name)
}

fn run(program: &str, package: &str, arguments: &[&str]) -> Output {
    Command::new(installed(program, package).expect("run ./test, which installs it"))
        .args(arguments)
        .output()
        .expect("it runs")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Copies the units to a folder, with the program where it is now.
fn units(env: &TestEnv) -> [String; 2] {
    ["latchkey.service", "latchkey.socket"].map(|name| {
        let unit = fs::read_to_string(deploy("systemd").join(name)).expect("a unit");
        let unit =
            unit.replace("/usr/bin/latchkey", &built("latchkey").expect("the program").display().to_string());
        let path = env.path(name);
        fs::write(&path, unit).expect("written");
        path.display().to_string()
    })
}

#[test]
fn systemd_understands_the_units() {
    let env = TestEnv::new();
    let [service, socket] = units(&env);
    let verified = run("systemd-analyze", "systemd", &["verify", "--man=no", &service, &socket]);
    assert!(verified.status.success(), "{}", text(&verified));
    assert_eq!(text(&verified), "", "no warning");
}

#[test]
fn the_service_has_next_to_no_rights() {
    let env = TestEnv::new();
    let [service, _] = units(&env);
    let rated =
        text(&run("systemd-analyze", "systemd", &["security", "--offline=true", "--no-pager", &service]));
    let (_, exposure) = rated.split_once("Overall exposure level for latchkey.service: ").expect("a rating");
    let exposure: f64 =
        exposure.split_whitespace().next().and_then(|level| level.parse().ok()).expect("a number");
    assert!(exposure < 2.0, "{rated}");
}

#[test]
fn haproxy_understands_its_files() {
    for name in ["ha/haproxy.cfg", "proxy/haproxy.cfg"] {
        let env = TestEnv::new();
        let text_of = fs::read_to_string(deploy(name)).expect(name);
        // The certificate belongs to the operator.
        let text_of = text_of.replace(" ssl crt /etc/haproxy/latchkey.pem alpn h2,http/1.1", "");
        let file = env.path("haproxy.cfg");
        fs::write(&file, text_of).expect("written");
        let checked = run("haproxy", "haproxy", &["-c", "-f", &file.display().to_string()]);
        assert!(checked.status.success(), "{name}: {}", text(&checked));
    }
}

/// A setting that does not exist stops the start, so these would too.
#[test]
fn the_settings_of_the_files_exist() {
    let mut env = TestEnv::new();
    let high_availability = fs::read_to_string(deploy("ha/latchkey.env")).expect("a file");
    let pairs = high_availability
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='));
    for (name, value) in pairs {
        let value = value.replace("@ADDRESS@", "10.0.0.21").replace("@LATCHKEY_PASSWORD@", "secret");
        env.set(name, &value.replace("@MASTER_KEY@", &"6c".repeat(32)));
    }
    let settings = env.succeed("config");
    assert!(settings.contains("10.0.0.13:5432") && !settings.contains("secret@"), "{settings}");

    let env = TestEnv::new();
    let package = deploy("debian/latchkey.toml").display().to_string();
    assert!(env.succeed(&format!("config --config {package}")).contains("127.0.0.1"));

    // `NAME: value` or `name: NAME` in the files of containers.
    for file in ["compose/compose.yaml", "kubernetes/configuration.yaml"] {
        let lines = fs::read_to_string(deploy(file)).expect(file);
        let mut env = TestEnv::new();
        let names = lines.lines().filter_map(|line| line.trim().split_once(": "));
        for (name, _) in names.filter(|(name, _)| name.starts_with("LATCHKEY__")) {
            env.set(
                name,
                if name.ends_with("FORMAT") {
                    "json"
                } else if name.ends_with("LEVEL") {
                    "info"
                } else {
                    "10.0.0.0/8"
                },
            );
        }
        env.succeed("config");
    }
}
