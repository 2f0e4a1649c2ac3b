//! `POST …/user-admin`

use actix_web::test::TestRequest;
use latchkey_testkit::app::{As, TestApp};
use serde_json::{Value, json};

use super::{USERS, user_json};
use crate::expectations::{ADMINS, event_count, faults, newest_event, only, refused_for};

#[actix_web::test]
async fn the_answer_is_the_user_at_a_place_of_their_own() {
    let app = TestApp::new().await;
    let asked = json!({
        "username": " ed ", "name": " Ed ", "email": "Ed@Example.com", "rootRole": 2,
        "password": "Passw0rd!23 and more", "sendEmail": false
    });
    let answer = app.post(As::Root, USERS, &asked).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (201, Some("7")));
    let image = "https://gravatar.com/avatar/30eca34b85df1da08b6230f0b661d6789ab2c925fd203f971785da3214a21b87?s=42&d=retro&r=g";
    let mut expected = user_json(7, "ed", 2, &json!(image));
    for (member, value) in [
        ("name", json!("Ed")),
        ("email", json!("Ed@Example.com")),
        ("inviteLink", json!("")),
        ("emailSent", json!(false)),
    ] {
        expected[member] = value;
    }
    assert_eq!(answer.json(), expected);
    let data = json!({"id": 7, "username": "ed", "email": "Ed@Example.com", "name": "Ed", "rootRole": 2});
    let event = ("user-created".to_owned(), "root@example.com".to_owned(), Value::Null, data);
    assert_eq!(newest_event(&app).await, event);
    let login = json!({"username": "ED@example.com", "password": "Passw0rd!23 and more"});
    assert_eq!(app.post(As::Anonymous, "/auth/simple/login", &login).await.status, 200);
}

#[actix_web::test]
async fn one_of_user_name_and_address_is_enough() {
    let app = TestApp::new().await;
    for asked in [
        json!({"username": "a", "rootRole": 3}),
        json!({"email": "b@example.com", "rootRole": 3}),
        json!({"username": "c", "email": null, "name": null, "password": null, "rootRole": 3}),
    ] {
        let answer = app.post(As::Admin, USERS, &asked).await;
        assert_eq!(answer.status, 201, "{asked}: {}", answer.json());
    }
}

#[actix_web::test]
async fn a_role_goes_by_number_or_name() {
    let app = TestApp::new().await;
    for (position, role) in [json!(2), json!("2"), json!("Editor"), json!("editor")].iter().enumerate() {
        let asked = json!({"username": format!("u{position}"), "rootRole": role});
        let answer = app.post(As::Admin, USERS, &asked).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["rootRole"]), (201, &json!(2)), "{role}");
    }
}

#[actix_web::test]
async fn every_member_has_its_rule() {
    let app = TestApp::new().await;
    let before = event_count(&app).await;
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &["/rootRole"]),
        (json!([]), &[""]),
        (json!({"username": "x", "rootRole": null}), &["/rootRole"]),
        (json!({"username": "x", "rootRole": ""}), &["/rootRole"]),
        (json!({"username": "x", "rootRole": 2.5}), &["/rootRole"]),
        (json!({"username": "x", "rootRole": {}}), &["/rootRole"]),
        (json!({"username": "x", "rootRole": "Nope"}), &["/rootRole"]),
        (json!({"username": "x", "rootRole": 99}), &["/rootRole"]),
        // A project role cannot be a root role.
        (json!({"username": "x", "rootRole": "Owner"}), &["/rootRole"]),
        (json!({"username": "", "rootRole": 2}), &["/username"]),
        (json!({"username": [], "rootRole": 2}), &["/username"]),
        (json!({"username": "a\u{0}b", "rootRole": 2}), &["/username"]),
        (json!({"username": "x".repeat(256), "rootRole": 2}), &["/username"]),
        (json!({"username": "x", "rootRole": 2, "name": ""}), &["/name"]),
        (json!({"username": "x", "rootRole": 2, "name": []}), &["/name"]),
        (json!({"email": "bad", "rootRole": 2}), &["/email"]),
        (json!({"email": false, "rootRole": 2}), &["/email"]),
        (json!({"username": "x", "rootRole": 2, "sendEmail": "yes"}), &["/sendEmail"]),
        (json!({"username": "x", "rootRole": 2, "foo": 1}), &["/foo"]),
        (json!({"username": "x", "rootRole": 2, "password": 5}), &["/password"]),
        (json!({"username": "x", "rootRole": 2, "password": "short"}), &["/password"]),
        (
            json!({"foo": 1, "username": " ", "email": "@", "name": [], "password": 1, "sendEmail": 1}),
            &["/foo", "/rootRole", "/username", "/email", "/name", "/password", "/sendEmail"],
        ),
    ];
    refused_for(&app, || TestRequest::post().uri(USERS), cases).await;
    assert_eq!(event_count(&app).await, before, "nothing was made");
}

#[actix_web::test]
async fn neither_user_name_nor_address_is_refused() {
    let app = TestApp::new().await;
    let answer = app.post(As::Admin, USERS, &json!({"rootRole": 2, "name": "Ed"})).await;
    assert_eq!(faults(&answer), ["-"]);
    assert!(answer.json()["message"].as_str().expect("text").contains("username or an email"));
}

#[actix_web::test]
async fn a_name_or_address_in_use_is_refused_and_nothing_is_left_behind() {
    let app = TestApp::new().await;
    for asked in [
        json!({"username": "Editor", "rootRole": 2}),
        json!({"email": "EDITOR@example.com", "rootRole": 2}),
        json!({"username": "fresh", "email": "editor@example.com", "rootRole": 2}),
    ] {
        let answer = app.post(As::Admin, USERS, &asked).await;
        assert_eq!(faults(&answer), ["-"], "{asked}");
        assert!(answer.json()["message"].as_str().expect("text").contains("already exists"));
    }
    let answer = app.post(As::Admin, USERS, &json!({"username": "fresh", "rootRole": 2})).await;
    assert_eq!(answer.status, 201);
}

#[actix_web::test]
async fn a_user_name_knows_cases() {
    let app = TestApp::new().await;
    let answer = app.post(As::Admin, USERS, &json!({"username": "editor", "rootRole": 2})).await;
    assert_eq!(answer.status, 201);
}

#[actix_web::test]
async fn only_admins_may() {
    let app = TestApp::new().await;
    only(&app, ADMINS, 400, || TestRequest::post().uri(USERS).set_json(json!({}))).await;
    let answer = app.send(As::Editor, TestRequest::post().uri(USERS).set_payload("{")).await;
    answer.is(403, "NoAccessError");
    let answer = app.send(As::Root, TestRequest::post().uri(USERS).set_payload("{}")).await;
    answer.is(415, "ContentTypeError");
}
