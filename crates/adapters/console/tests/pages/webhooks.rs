use latchkey_testkit::app::{As, TestApp};
use serde_json::json;

use crate::browser::{between, form, leads_to, page, text};

const ROOT: &str = "/console/webhooks";
const URL: &str = "https://hooks.example.com/services/key";

/// What the form sends for a webhook to [`URL`].
const FIELDS: [(&str, &str); 8] = [
    ("url", URL),
    ("events[]", ""),
    ("events[]", "*"),
    ("projects[]", ""),
    ("projects[]", "*"),
    ("template", "standard"),
    ("enabled:flag", "false"),
    ("enabled:flag", "true"),
];

/// Creates a webhook by the form, and returns its secret and its address.
async fn created(app: &TestApp) -> (String, String) {
    let shown = form(app, As::Root, &format!("{ROOT}/new"), &FIELDS).await;
    assert_eq!(shown.header("cache-control"), Some("no-store"));
    let shown = text(&shown, 200);
    let secret = between(&shown, "id=\"secret\" class=\"mono\" value=\"", "\"").to_owned();
    let path = between(&shown, "data-secret-page=\"", "\"").to_owned();
    assert!(secret.starts_with("whsec_") && path.starts_with(ROOT), "{secret} {path}");
    (secret, path)
}

/// Makes deliveries of all events, and attempts each that is due.
async fn deliver(app: &TestApp) {
    let deliveries = &app.use_cases.webhook_deliveries;
    deliveries.enqueue().await.expect("made");
    for delivery in deliveries.claim(100, Vec::new()).await.expect("claimed") {
        let attempt = deliveries.attempt(delivery).await.expect("sent").expect("there");
        assert!(deliveries.end(&attempt).await.expect("recorded"));
    }
}

#[actix_web::test]
async fn a_webhook_lives_from_its_form_to_its_end() {
    let app = TestApp::new().await;
    assert!(page(&app, As::Root, ROOT).await.contains("There are no webhooks yet."));
    assert!(page(&app, As::Root, &format!("{ROOT}/new")).await.contains("<option value=\"*\" selected>"));
    let (secret, path) = created(&app).await;
    for shown in [page(&app, As::Root, ROOT).await, page(&app, As::Root, &path).await] {
        assert!(shown.contains(URL) && shown.contains("Active") && !shown.contains(&secret), "{shown}");
    }

    let edit = format!("{path}/edit");
    let before = page(&app, As::Root, &edit).await;
    assert!(before.contains(URL) && !before.contains(&secret), "{before}");
    let fields = [
        ("url", "https://example.com/other"),
        ("events[]", ""),
        ("events[]", "api-token-created"),
        ("events[]", "user-created"),
        ("projects[]", ""),
        ("projects[]", "default"),
        ("template", "slack"),
        ("enabled:flag", "false"),
    ];
    assert_eq!(leads_to(&form(&app, As::Root, &edit, &fields).await), format!("{path}?done=webhook-changed"));
    let one = page(&app, As::Root, &format!("{path}?done=webhook-changed")).await;
    for part in
        ["The webhook was changed.", "example.com/other", "API token created", "default", "slack", "Disabled"]
    {
        assert!(one.contains(part), "{part}: {one}");
    }
    let again = page(&app, As::Root, &edit).await;
    for part in ["value=\"user-created\" selected", "value=\"default\" selected", "value=\"slack\" checked"] {
        assert!(again.contains(part), "{part}: {again}");
    }

    let delete = format!("{path}/delete");
    assert!(page(&app, As::Root, &delete).await.contains("Delete the webhook to https://example.com/…"));
    assert_eq!(leads_to(&form(&app, As::Root, &delete, &[]).await), format!("{ROOT}?done=webhook-deleted"));
    for gone in [path.clone(), edit, delete, format!("{path}/ping"), format!("{ROOT}/1")] {
        text(&app.get(As::Root, &gone).await, 404);
    }
    text(&form(&app, As::Root, &format!("{path}/ping"), &[]).await, 404);
}

#[actix_web::test]
async fn wrong_input_is_said_at_its_field_and_nothing_is_made() {
    let app = TestApp::new().await;
    let fields = [
        ("url", "\"><script>"),
        ("events[]", ""),
        ("projects[]", ""),
        ("projects[]", "not a project"),
        ("template", "other"),
    ];
    let again = text(&form(&app, As::Root, &format!("{ROOT}/new"), &fields).await, 400);
    for part in ["problem-url", "problem-events[]", "problem-projects[]", "&#60;script&#62;"] {
        assert!(again.contains(part), "{part}: {again}");
    }
    assert!(!again.contains("<script>"), "{again}");
    assert!(page(&app, As::Root, ROOT).await.contains("There are no webhooks yet."));
    let (_, path) = created(&app).await;
    let again = text(&form(&app, As::Root, &format!("{path}/edit"), &fields).await, 400);
    assert!(again.contains("problem-url"), "{again}");
    assert!(page(&app, As::Root, &path).await.contains(URL));
}

#[actix_web::test]
async fn deliveries_are_shown_by_state_and_sent_again() {
    let app = TestApp::new().await;
    let (_, path) = created(&app).await;
    assert!(page(&app, As::Root, &path).await.contains("Nothing was sent yet."));
    app.user("ada", "Viewer").await;
    app.user("grace", "Viewer").await;
    app.receivers.answer([204, 500]);
    deliver(&app).await;
    let count = async |query: &str| {
        let one = page(&app, As::Root, &format!("{path}{query}")).await;
        one.matches("<th scope=\"row\">").count()
    };
    assert_eq!(count("").await, 2);
    assert_eq!((count("?state=delivered").await, count("?state=failed").await), (1, 0));
    assert_eq!((count("?state=waiting").await, count("?before=1").await), (1, 0));
    text(&app.get(As::Root, &format!("{path}?state=lost")).await, 400);
    let waiting = page(&app, As::Root, &format!("{path}?state=waiting")).await;
    assert!(waiting.contains("the receiver answered 500") && waiting.contains("Next try:"), "{waiting}");
    assert!(!waiting.contains("/redeliver"), "{waiting}");

    let delivered = page(&app, As::Root, &format!("{path}?state=delivered")).await;
    let event = between(&delivered, "/deliveries/", "/redeliver").to_owned();
    let again = format!("{path}/deliveries/{event}/redeliver");
    assert_eq!(
        leads_to(&form(&app, As::Root, &again, &[]).await),
        format!("{path}?done=webhook-redelivered")
    );
    assert_eq!(count("?state=waiting").await, 2);
    text(&form(&app, As::Root, &format!("{path}/deliveries/9999/redeliver"), &[]).await, 404);
}

#[actix_web::test]
async fn many_deliveries_are_on_several_pages() {
    let app = TestApp::new().await;
    let (_, path) = created(&app).await;
    for number in 0..52 {
        app.user(&format!("user-{number}"), "Viewer").await;
    }
    app.use_cases.webhook_deliveries.enqueue().await.expect("made");
    let first = page(&app, As::Root, &path).await;
    assert_eq!(first.matches("<th scope=\"row\">").count(), 50);
    let next = between(&first, "rel=\"next\" href=\"", "\"").replace("&#38;", "&");
    let second = page(&app, As::Root, &next).await;
    assert_eq!(second.matches("<th scope=\"row\">").count(), 2);
    assert!(second.contains("Newest deliveries") && !second.contains("rel=\"next\""), "{second}");
}

#[actix_web::test]
async fn a_test_is_sent_and_its_answer_is_shown() {
    let app = TestApp::new().await;
    let (_, path) = created(&app).await;
    let ping = format!("{path}/ping");
    assert!(page(&app, As::Root, &ping).await.contains("Send a test"));
    assert!(app.receivers.take().is_empty());
    app.receivers.answer([204, 503]);
    assert!(text(&form(&app, As::Root, &ping, &[]).await, 200).contains("The receiver took the test."));
    let failed = text(&form(&app, As::Root, &ping, &[]).await, 200);
    assert!(failed.contains("did not take the test") && failed.contains("answered 503"), "{failed}");
    assert_eq!(app.receivers.take().len(), 2);
}

#[actix_web::test]
async fn only_administrators_see_webhooks() {
    let app = TestApp::new().await;
    let (_, path) = created(&app).await;
    for who in [As::Owner, As::Member, As::Viewer, As::Editor] {
        for path in [ROOT, &path, &format!("{ROOT}/new"), &format!("{path}/edit"), &format!("{path}/delete")]
        {
            let refused = text(&app.get(who, path).await, 403);
            assert!(refused.contains("<code>ADMIN</code>"), "{refused}");
        }
        let changes = ["edit", "delete", "ping", "deliveries/1/redeliver"];
        let changes = changes.map(|change| format!("{path}/{change}"));
        for change in changes.iter().chain([&format!("{ROOT}/new")]) {
            text(&form(&app, who, change, &FIELDS).await, 403);
        }
    }
    let webhooks = app.get(As::Root, "/api/admin/webhooks").await.json();
    assert_eq!(webhooks["webhooks"].as_array().map(Vec::len), Some(1), "{webhooks}");
    assert_eq!(webhooks["webhooks"][0]["url"], json!(URL));
}
