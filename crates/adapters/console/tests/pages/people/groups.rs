use latchkey_testkit::app::{As, TestApp};

use super::{EDITOR, GROUPS, ROLES, SERVICES, USERS, created, done};
use crate::browser::{between, form, page, text};

#[actix_web::test]
async fn a_group_gets_and_loses_members() {
    let app = TestApp::new().await;
    let fields = [("name", "Payments"), ("description", "They pay."), ("mappingsSSO[]", "pay\r\nmoney")];
    let group = created(&app, GROUPS, &fields).await;
    let shown = page(&app, As::Root, &format!("{group}?done=people-group-created")).await;
    for part in ["The group was created.", "They pay.", "<span>pay</span>", "<span>money</span>"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(shown.contains("<option value=\"owner@example.com\">"), "{shown}");

    let members = format!("{group}/members");
    let unknown = text(&form(&app, As::Root, &members, &[("_login", "eve")]).await, 400);
    assert!(unknown.contains("id=\"problem-_login\"") && unknown.contains("value=\"eve\""), "{unknown}");
    assert!(done(&app, &members, &[("_login", "Owner")]).await.contains("The member was added."));
    let shown = done(&app, &members, &[("_login", " Member ")]).await;
    assert!(shown.contains("aria-label=\"Remove member@example.com\""), "{shown}");

    // The form says nothing of the members, so they stay.
    let edited = [("name", "Money"), ("rootRole", EDITOR)];
    let shown = done(&app, &format!("{group}/edit"), &edited).await;
    for part in ["Money", ">Editor</bdi>", "Remove owner@example.com", "Remove member@example.com"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("They pay.") && !shown.contains("<span>pay</span>"), "{shown}");

    let owner = app.user_of(As::Owner).await.id;
    let remove = format!("{members}/{owner}/remove");
    let shown = done(&app, &remove, &[]).await;
    assert!(shown.contains("The member was removed.") && !shown.contains("Remove owner"), "{shown}");
    text(&form(&app, As::Root, &remove, &[]).await, 404);

    let list = page(&app, As::Root, GROUPS).await;
    assert!(list.contains("Money") && list.contains(">Editor</bdi>"), "{list}");
    let again = text(&form(&app, As::Root, &format!("{GROUPS}/new"), &[("name", "Money")]).await, 409);
    assert!(again.contains("role=\"alert\""), "{again}");
    let nameless = text(&form(&app, As::Root, &format!("{group}/edit"), &[("name", "")]).await, 400);
    assert!(nameless.contains("id=\"problem-name\""), "{nameless}");

    assert!(page(&app, As::Root, &format!("{group}/delete")).await.contains("Delete group Money"));
    assert!(done(&app, &format!("{group}/delete"), &[]).await.contains("There are no groups yet."));
    for path in ["", "/edit", "/delete"] {
        text(&app.get(As::Root, &format!("{group}{path}")).await, 404);
    }
    text(&form(&app, As::Root, &members, &[("_login", "Owner")]).await, 404);
}

#[actix_web::test]
async fn a_role_is_a_matrix_of_permissions() {
    let app = TestApp::new().await;
    let new = page(&app, As::Root, &format!("{ROLES}/new")).await;
    assert!(!new.contains("value=\"ADMIN\""), "only the role Admin gives that");
    assert_eq!(new.matches("name=\"permissions[]\"").count(), 14);
    let fields = [
        ("name", "Auditor"),
        ("description", "Looks."),
        ("type", "custom"),
        ("permissions[]", "READ_PROJECT_API_TOKEN"),
        ("permissions[]", "UPDATE_PROJECT"),
    ];
    let role = created(&app, ROLES, &fields).await;
    let shown = page(&app, As::Root, &format!("{role}?done=people-role-created")).await;
    assert!(shown.contains("The role was created.") && shown.contains("Looks."), "{shown}");
    assert_eq!(shown.matches(" disabled checked>").count(), 2, "{shown}");

    let edit = format!("{role}/edit");
    let filled = page(&app, As::Root, &edit).await;
    assert!(filled.contains("value=\"UPDATE_PROJECT\" checked>"), "{filled}");
    assert_eq!(filled.matches("name=\"permissions[]\"").count(), 5, "those of projects: {filled}");
    let fields = [("name", "Auditor"), ("description", ""), ("permissions[]", "DELETE_PROJECT")];
    let shown = done(&app, &edit, &fields).await;
    assert!(
        shown.contains("id=\"p-DELETE_PROJECT\" disabled checked>") && !shown.contains("Looks."),
        "{shown}"
    );
    assert_eq!(shown.matches(" disabled checked>").count(), 1, "{shown}");
    // No box is checked.
    assert!(!done(&app, &edit, &[("name", "Auditor")]).await.contains(" disabled checked>"));

    let nameless = text(&form(&app, As::Root, &edit, &[("name", "")]).await, 400);
    assert!(nameless.contains("id=\"problem-name\""), "{nameless}");
    let wrong = [("name", "Wrong"), ("type", "custom"), ("permissions[]", "CREATE_PROJECT")];
    let again = text(&form(&app, As::Root, &format!("{ROLES}/new"), &wrong).await, 400);
    assert!(again.contains("id=\"problem-permissions[]\""), "{again}");
    assert!(again.contains("value=\"CREATE_PROJECT\" checked>"), "{again}");
    let taken = [("name", "Auditor"), ("type", "custom")];
    assert!(
        text(&form(&app, As::Root, &format!("{ROLES}/new"), &taken).await, 409).contains("role=\"alert\"")
    );

    let owner = app.user_of(As::Owner).await;
    app.member(&owner, "default", "Auditor").await;
    let held = text(&form(&app, As::Root, &format!("{role}/delete"), &[]).await, 400);
    assert!(held.contains("role=\"alert\"") && held.contains("Delete role Auditor"), "{held}");
    let free = created(&app, ROLES, &[("name", "Free"), ("type", "root-custom")]).await;
    assert!(done(&app, &format!("{free}/delete"), &[]).await.contains("The role was deleted."));
    text(&app.get(As::Root, &free).await, 404);
}

#[actix_web::test]
async fn a_built_in_role_is_shown_and_stays_as_it_is() {
    let app = TestApp::new().await;
    let list = page(&app, As::Root, ROLES).await;
    let matrix = between(&list, "<table class=\"matrix\">", "</table>");
    assert_eq!(matrix.matches("✓").count(), 15 + 8 + 5 + 3, "{matrix}");
    let editor = format!("{ROLES}/{EDITOR}");
    let shown = page(&app, As::Root, &editor).await;
    assert_eq!(shown.matches(" disabled checked>").count(), 8, "{shown}");
    assert!(!shown.contains(&format!("{editor}/edit")), "{shown}");
    assert!(text(&app.get(As::Root, &format!("{editor}/edit")).await, 403).contains("Built in"));
    text(&form(&app, As::Root, &format!("{editor}/edit"), &[("name", "Other")]).await, 403);
    text(&form(&app, As::Root, &format!("{editor}/delete"), &[]).await, 403);
    text(&app.get(As::Root, &format!("{ROLES}/99")).await, 404);
    text(&app.get(As::Root, &format!("{ROLES}/none")).await, 400);
}

#[actix_web::test]
async fn names_of_people_are_shown_as_they_are() {
    let app = TestApp::new().await;
    let name = "<script>alert(1)</script> \u{5e9}\u{5dc}\u{5d5}\u{5dd}";
    let user = [("username", "mal"), ("name", name), ("rootRole", EDITOR)];
    let service = [("username", "mal-service"), ("name", name), ("rootRole", EDITOR)];
    let group = [("name", name), ("description", name), ("mappingsSSO[]", name)];
    let role = [("name", name), ("description", name), ("type", "custom")];
    for (root, fields) in
        [(USERS, &user[..]), (SERVICES, &service[..]), (GROUPS, &group[..]), (ROLES, &role[..])]
    {
        let one = created(&app, root, fields).await;
        for path in [root.to_owned(), one.clone(), format!("{one}/edit"), format!("{one}/delete")] {
            let shown = page(&app, As::Root, &path).await;
            assert!(!shown.contains("<script>alert"), "{path}: {shown}");
            assert!(shown.contains("&#60;script&#62;alert(1)"), "{path}: {shown}");
        }
    }
}
