use std::time::Duration;

use actix_web::test::TestRequest;
use latchkey_ports::{Clock as _, Replica, ReplicaId};
use latchkey_service::NewReplica;
use latchkey_testkit::app::{As, TestApp};
use uuid::Uuid;

use crate::browser::{between, page, text};

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

#[actix_web::test]
async fn all_replicas_are_shown_and_this_one_is_marked() {
    let app = TestApp::new().await;
    assert!(page(&app, As::Root, ROOT).await.contains("No server has reported itself lately."));
    let (host, address) = ("node-1".to_owned(), "0.0.0.0:4242".to_owned());
    let new = NewReplica { host, address, version: env!("CARGO_PKG_VERSION").to_owned() };
    app.use_cases.replicas.join(new);
    app.use_cases.replicas.report().await.expect("reported");
    app.clock.advance(Duration::from_millis(4_500));
    let other = Replica {
        id: ReplicaId(Uuid::nil()),
        host: "<b>node-2</b>".to_owned(),
        address: "10.0.0.2:4242".to_owned(),
        version: "0.0.1".to_owned(),
        started_at: app.clock.now(),
        seen_at: app.clock.now(),
        feed_age: Some(Duration::from_millis(700)),
    };
    app.store.report_replica(&other).await.expect("reported");
    app.clock.advance(Duration::from_secs(2));
    let shown = page(&app, As::Root, ROOT).await;
    let table = between(&shown, "aria-label=\"Servers of this instance\"", "</table>");
    let rows: Vec<_> = table.split("<tr>").skip(2).collect();
    let [own, other] = rows[..] else { panic!("{rows:?}") };
    for (row, parts) in [
        (
            own,
            [
                "<bdi>node-1</bdi> <code>0.0.0.0:4242</code> <small>This server</small>",
                "6.5 s ago",
                "not yet",
            ],
        ),
        (
            other,
            [
                "&lt;b&gt;node-2",
                "0.0.1 <strong class=\"problem\">Other version</strong>",
                "<td>2.0 s ago</td><td>0.7 s</td>",
            ],
        ),
    ] {
        for part in parts {
            assert!(row.replace("&#60;", "&lt;").replace("&#62;", "&gt;").contains(part), "{part}: {row}");
        }
    }
    assert!(!own.contains("Other version") && !other.contains("This server"), "{table}");
    let request = TestRequest::get().uri(ROOT).insert_header(("accept-language", "de"));
    let german = text(&app.send(As::Root, request).await, 200);
    assert!(german.contains("<small>Dieser Server</small>"), "{german}");
}
