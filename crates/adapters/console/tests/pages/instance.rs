use latchkey_testkit::app::{As, TestApp};

use crate::browser::{page, text};

const ROOT: &str = "/console/instance";

#[actix_web::test]
async fn the_instance_is_shown_to_administrators() {
    let app = TestApp::new().await;
    for task in ["sweep", "notices"] {
        app.use_cases.task_health.started(task);
    }
    app.use_cases.task_health.failed("notices");
    // As a background task does.
    app.use_cases.count_tokens().await.expect("counted");
    let shown = page(&app, As::Root, ROOT).await;
    let key = app.use_cases.master_keys.configured().first().expect("a key").to_string();
    for part in [
        env!("CARGO_PKG_VERSION"),
        &format!("<code>{key}</code></th><td>Current</td>"),
        "<th scope=\"row\">admin</th><td>2</td>",
        "<dt>Events</dt><dd>For ever</dd>",
        "<dt>Use of tokens</dt><dd>90 d</dd>",
        "<code>sweep</code></th><td>Running</td>",
        "Failed, not restarted yet",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // The application of a test has no configuration.
    assert!(!shown.contains("Configuration in effect"), "{shown}");
    for who in [As::Owner, As::Member, As::Viewer, As::Editor] {
        let refused = text(&app.get(who, ROOT).await, 403);
        assert!(refused.contains("<code>ADMIN</code>"), "{refused}");
    }
}
