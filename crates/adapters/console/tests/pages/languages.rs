//! What is wrong is said in the language of the page.

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, Response, TestApp};

use crate::browser::{form, text};

const NEW: &str = "/console/projects/default/tokens/new";

async fn german(app: &TestApp, who: As, request: TestRequest) -> Response {
    app.send(who, request.insert_header(("accept-language", "de"))).await
}

async fn german_form(app: &TestApp, path: &str, fields: &[(&str, &str)]) -> Response {
    german(app, As::Root, TestRequest::post().uri(path).set_form(fields)).await
}

#[track_caller]
fn says(page: &str, expected: &str) {
    assert!(page.contains(expected), "{expected:?} is not in\n{page}");
}

#[actix_web::test]
async fn a_form_says_what_is_wrong_in_german() {
    let app = TestApp::new().await;
    let sent = [("tokenName", ""), ("type", "client")];
    let page = text(&german_form(&app, NEW, &sent).await, 400);
    says(&page, "<small class=\"problem\" id=\"problem-tokenName\">Das ist erforderlich.</small>");
    // The same in English is what the API says.
    let page = text(&form(&app, As::Root, NEW, &sent).await, 400);
    says(&page, ">tokenName is required.</small>");

    let limited = [("tokenName", "x"), ("type", "client"), ("rateLimit.requests:number", "many")];
    let page = text(&german_form(&app, NEW, &limited).await, 400);
    says(&page, ">Das muss eine ganze Zahl sein.</small>");
    let environment = [("name", "development"), ("type", "development")];
    let page = text(&german_form(&app, "/console/environments/new", &environment).await, 409);
    says(&page, "Es gibt schon eine Umgebung „development“.");
    let user = [("username", "eve"), ("password", "short"), ("rootRole", "3")];
    let page = text(&german_form(&app, "/console/people/users/new", &user).await, 400);
    says(&page, "Das Passwort muss mindestens 10 Zeichen lang sein.");
    let user = [("username", "Root"), ("password", "correct horse battery"), ("rootRole", "3")];
    let page = text(&german_form(&app, "/console/people/users/new", &user).await, 400);
    says(&page, "Dieser Benutzername oder diese E-Mail-Adresse ist schon vergeben.");
    let new =
        [("oldPassword", "x"), ("password", "correct horse battery"), ("confirmPassword", "another one")];
    let page = text(&german_form(&app, "/console/account/password", &new).await, 400);
    says(&page, "Die beiden Eingaben stimmen nicht überein.");
}

#[actix_web::test]
async fn a_page_that_fails_says_why_in_german() {
    let app = TestApp::new().await;
    let get = |path: &str| TestRequest::get().uri(path);
    let page = text(&german(&app, As::Viewer, get("/console/webhooks")).await, 403);
    says(&page, "Dafür brauchst du die Berechtigung ADMIN.");
    let page = text(&german(&app, As::Root, get("/console/projects/none")).await, 404);
    says(&page, "Es gibt kein Projekt „none“.");
    let page = text(&german(&app, As::Root, get("/console/none")).await, 404);
    says(&page, "Die Seite /console/none gibt es nicht.");
    let page = text(&german(&app, As::Root, get("/console/audit?from=never")).await, 400);
    says(&page, "Das muss ein Tag wie 2030-01-31");
}
