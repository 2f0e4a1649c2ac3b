//! `latchkey webhook`.

use latchkey_testkit::{env::TestEnv, receiver::Receiver};

fn env() -> TestEnv {
    TestEnv::new().with("LATCHKEY__WEBHOOKS__ALLOWED_NETWORKS", "127.0.0.1").migrated()
}

#[test]
fn webhooks_are_made_listed_tested_and_deleted() {
    let env = env();
    let receiver = Receiver::start(|number, _| if number == 0 { 204 } else { 500 });
    let created = env.run(&format!(
        "webhook create --url {} --event api-token-leaked --event api-token-created --project shop",
        receiver.url()
    ));
    assert_eq!(created.code, Some(0), "{created:?}");
    assert!(created.stdout.starts_with("whsec_") && created.stdout.lines().count() == 1, "{created:?}");
    let listed = env.succeed("webhook list");
    let (id, rest) = listed.split_once(' ').expect("an id");
    let origin = receiver.url().replace("/hook", "/…");
    let expected = format!("sends api-token-created, api-token-leaked of shop to {origin} as standard");
    assert_eq!(rest, expected);
    assert!(created.stderr.contains(&format!("Webhook {id} {expected}.")), "{created:?}");

    let pinged = env.run(&format!("webhook ping {id}"));
    assert!(pinged.code == Some(0) && pinged.stderr.contains("The test was received, within "), "{pinged:?}");
    let error = env.fail(&format!("webhook ping {id}"), 1);
    assert!(error.contains("the test was not received") && error.contains("answered 500"), "{error}");

    env.succeed("webhook create --url https://hooks.example.com/x --template slack --disabled");
    let listed = env.succeed("webhook list");
    let second = listed.lines().nth(1).expect("a second line");
    assert!(
        second.ends_with(" sends all events to https://hooks.example.com/… as slack (disabled)"),
        "{second}"
    );
    assert_eq!(env.succeed(&format!("webhook delete {id}")), "");
    assert_eq!(env.succeed("webhook list"), second);
}

#[test]
fn what_cannot_be_done_is_said() {
    let env = env();
    let unknown = "00000000-0000-4000-8000-000000000000";
    for command in ["delete", "ping"] {
        let error = env.fail(&format!("webhook {command} {unknown}"), 1);
        let expected = format!("there is no webhook {unknown}: `latchkey webhook list` shows the webhooks");
        assert!(error.contains(&expected), "{error}");
    }
    for (arguments, expected) in [
        ("create", "--url"),
        ("create --url example.com", "https://"),
        ("create --url https://example.com --event nonsense", "there is no event type"),
        ("create --url https://example.com --template teams", "it is standard or slack"),
        ("ping 7", "the id of a webhook is a UUID"),
    ] {
        let error = env.fail(&format!("webhook {arguments}"), 2);
        assert!(error.contains(expected), "{arguments}: {error}");
    }
    assert_eq!(env.succeed("webhook list"), "");
}
