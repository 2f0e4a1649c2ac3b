use std::time::Duration;

use latchkey_domain::{Denied, EnvironmentName, PasswordFault, Permission, ProjectId, TokenName};
use latchkey_http::pages::{CreateTokenBody, WebhookDraftBody, parse};
use serde_json::{Value, json};

use super::*;

fn languages() -> [&'static Words; 2] {
    let [english, german] = Words::all() else { panic!("two languages") };
    [english, german]
}

/// Returns what an error says in German. In English, it says what the API says.
#[track_caller]
fn german(error: &ApiError) -> String {
    let [english, german] = languages();
    assert_eq!(said(english, error), error.message());
    let problems: Vec<_> = all_of(english, error).into_iter().map(|one| (one.text, one.path)).collect();
    let details: Vec<_> =
        error.problems().into_iter().map(|one| (one.message.to_string(), one.path)).collect();
    assert_eq!(problems, details);
    said(german, error)
}

fn token(body: Value) -> ApiError {
    let Value::Object(members) = body else { panic!("an object") };
    let read = parse::<CreateTokenBody>(members, "body").and_then(CreateTokenBody::into_request);
    read.expect_err("it is refused").into()
}

#[test]
fn what_is_wrong_with_fields_is_said_in_the_language_of_the_page() {
    let kind = json!("client");
    for (body, expected) in [
        (json!({ "type": kind }), "tokenName: Das ist erforderlich."),
        (json!({ "type": kind, "tokenName": " " }), "tokenName: Das darf nicht leer sein."),
        (
            json!({ "type": kind, "tokenName": "x".repeat(300) }),
            "tokenName: Höchstens 255 Zeichen sind möglich, nicht 300.",
        ),
        (
            json!({ "type": "none", "tokenName": "x" }),
            "type: Möglich ist nur: client (or backend), frontend or admin.",
        ),
        (
            json!({ "type": kind, "tokenName": "x", "rateLimit": { "requests": "many", "per": "PT1M" } }),
            "rateLimit.requests: Das muss eine ganze Zahl sein.",
        ),
        (
            json!({ "type": kind, "tokenName": "x", "rateLimit": { "requests": 0, "per": "PT1M" } }),
            "rateLimit: Möglich sind 1 bis 1000000000 Anfragen.",
        ),
        (
            json!({ "type": kind, "tokenName": "x", "allowedNetworks": ["here"] }),
            "allowedNetworks: „here“ ist kein Netz: Schreibe es wie in CIDR, etwa 10.1.0.0/16 oder 2001:db8::/32, oder als \
             einzelne Adresse.",
        ),
    ] {
        assert_eq!(german(&token(body)), expected);
    }
    let webhook = json!({ "url": "ftp://example.com" });
    let Value::Object(members) = webhook else { panic!("an object") };
    let error = ApiError::from(parse::<WebhookDraftBody>(members, "body").expect_err("a bad URL"));
    assert_eq!(german(&error), "url: Die URL muss mit https:// oder http:// beginnen.");
}

#[test]
fn kinds_of_errors_are_said_in_the_language_of_the_page() {
    let project = ProjectId::new("shop").expect("an id");
    let denied = |any_of: &[Permission], place| ServiceError::from(Denied { any_of: any_of.to_vec(), place });
    let (read, admin) = (Permission::ReadProjectApiToken, Permission::Admin);
    let environment = EnvironmentName::new("live").expect("a name");
    for (error, expected) in [
        (denied(&[admin], Place::Instance), "Dafür brauchst du die Berechtigung ADMIN."),
        (
            denied(&[read, admin], Place::Project(project.clone())),
            "Dafür brauchst du eine dieser Berechtigungen: READ_PROJECT_API_TOKEN, ADMIN im Projekt „shop“.",
        ),
        (Missing::Project("shop".to_owned()).into(), "Es gibt kein Projekt „shop“."),
        (ServiceError::Exists(Entity::Project(project)), "Es gibt schon ein Projekt „shop“."),
        (ServiceError::Exists(Entity::RoleName), "Es gibt schon eine Rolle mit diesem Namen."),
        (ServiceError::Exists(Entity::Environment(environment)), "Es gibt schon eine Umgebung „live“."),
        (
            ServiceError::WeakPassword(vec![PasswordFault::TooShort, PasswordFault::Monotonous]),
            "password: Das Passwort muss mindestens 10 Zeichen lang sein. password: Das Passwort muss mehr als 3 verschiedene \
             Zeichen haben.",
        ),
        (
            ServiceError::LimitReached { limit: 5 },
            "Hier kann es kein weiteres Token geben, denn limits.api_tokens ist 5: Lösche Tokens, oder erhöhe die Grenze.",
        ),
        (
            ServiceError::TooManyAttempts(Duration::from_millis(1_500)),
            "Die Anmeldung ist zu oft fehlgeschlagen. Versuche es in 2 s noch einmal.",
        ),
        (
            ServiceError::Entry { index: 1, error: Box::new(Missing::Token.into()) },
            "Hier gibt es kein solches Token.",
        ),
        (
            ServiceError::Internal("secret".into()),
            "Im Server ist etwas schiefgegangen. Wenn du es meldest, gib die Kennung mit an.",
        ),
    ] {
        assert_eq!(german(&error.into()), expected);
    }
    assert!(german(&ApiError::TooLarge(9)).contains("9 Byte"));
}

#[test]
fn what_has_no_words_is_said_in_english() {
    let [_, german] = languages();
    let error = ApiError::from(ServiceError::Invalid { field: None, message: "Only this.".into() });
    assert_eq!(said(german, &error), error.message());
    // One of two is known: a page says each in what language it can.
    let name = TokenName::new("").expect_err("blank");
    let details = vec![
        Detail::of_field("tokenName", name.rule().says("The name.")),
        Detail::of_field("owner", "Only this."),
    ];
    let error = ApiError::BadInput(details);
    let texts: Vec<_> = all_of(german, &error).into_iter().map(Problem::with_its_member).collect();
    assert_eq!(texts, ["tokenName: Das darf nicht leer sein.", "Only this."]);
    assert_eq!(said(german, &error), error.message());
}
